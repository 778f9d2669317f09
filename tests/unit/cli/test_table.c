#include "harness/test.h"

#include "cli/progress.h"
#include "cli/table.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct column_row columns[] = {{"name", "NAME", COLUMN_OF_TEXT},
                                            {"size", "SIZE", COLUMN_OF_BYTES},
                                            {"note", "NOTE", COLUMN_OF_TEXT},
                                            {"id", NULL, COLUMN_OF_TEXT},
                                            {NULL, NULL, COLUMN_OF_TEXT}};

static void fill(struct table *table)
{
    table_text(table, "gr\xc3\xbc\xc3\x9f");
    table_number(table, 24500000);
    table_text(table, "a rather long note about it");
    table_text(table, "01X");
    table_text(table, "\xe6\xbc\xa2\x1b[2J");
    table_number(table, TABLE_NONE);
    table_text(table, NULL);
    table_text(table, NULL);
}

/* What `print` writes to stdout. */
static void capture(const struct table *table, void (*print)(const struct table *table), char *text,
                    size_t size)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    dup2(fileno(file), STDOUT_FILENO);
    print(table);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void print_wide(const struct table *table)
{
    table_print(table, 0);
}

static void print_narrow(const struct table *table)
{
    table_print(table, 32);
}

TEST(columns_line_up_by_what_is_shown)
{
    char text[1024];
    SCOPED(table) struct table *table = table_new(columns);
    fill(table);
    capture(table, print_wide, text, sizeof text);
    assert_string_equal(text, "NAME          SIZE  NOTE\n"
                              "gr\xc3\xbc\xc3\x9f       24.5 MB  a rather long note about it\n"
                              "\xe6\xbc\xa2\\x1b[2J        -  -\n");
}

TEST(the_widest_column_gives_way)
{
    char text[1024];
    SCOPED(table) struct table *table = table_new(columns);
    fill(table);
    capture(table, print_narrow, text, sizeof text);
    assert_non_null(strstr(text, "24.5 MB  a rather lo\xe2\x80\xa6\n"));
}

TEST(json_has_the_values_themselves)
{
    char text[1024];
    SCOPED(table) struct table *table = table_new(columns);
    fill(table);
    capture(table, table_print_json, text, sizeof text);
    assert_string_equal(
        text, "{\"name\":\"gr\\u00FC\\u00DF\",\"size\":24500000,"
              "\"note\":\"a rather long note about it\",\"id\":\"01X\"}\n"
              "{\"name\":\"\\u6F22\\u001B[2J\",\"size\":null,\"note\":null,\"id\":null}\n");
}

TEST(the_progress_line_says_how_long_it_takes)
{
    char text[160];
    progress_line_format("reading", 50000000, 200000000, 1000, text, sizeof text);
    assert_string_equal(text, "reading  50.0 MB of 200.0 MB  25%  50.0 MB/s  3.0s left");
    progress_line_format("reading", 50000000, 0, 1000, text, sizeof text);
    assert_string_equal(text, "reading  50.0 MB  50.0 MB/s");
    progress_line_format("reading", 0, 100, 0, text, sizeof text);
    assert_string_equal(text, "reading  0 B of 100 B  0%  0 B/s");
}

TEST_MAIN(UNIT(columns_line_up_by_what_is_shown), UNIT(the_widest_column_gives_way),
          UNIT(json_has_the_values_themselves), UNIT(the_progress_line_says_how_long_it_takes))
