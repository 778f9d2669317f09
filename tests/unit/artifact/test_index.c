#include "harness/test.h"

#include "artifact/index.h"
#include "artifact/index_lines.h"
#include "artifact/index_quick.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/sink.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory {
    struct sink sink;
    struct buf buf;
};

static int memory_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
    (void)err;
    buf_append(&((struct memory *)sink)->buf, data, size);
    return 0;
}

static const struct sink_ops memory_ops = {.write = memory_write};

static int memory_read(void *context, uint64_t offset, void *data, size_t size, struct error *err)
{
    const struct memory *memory = context;
    if (offset > memory->buf.length || size > memory->buf.length - offset)
        return error_set(err, ERROR_CORRUPT, "ends");
    memcpy(data, memory->buf.data + offset, size);
    return 0;
}

struct seen {
    struct buf text;
    uint64_t frames;
};

static int see_frame(void *context, const struct index_frame *frame, struct error *err)
{
    (void)err;
    struct seen *seen = context;
    seen->frames++;
    if (seen->frames <= 3)
        buf_append_format(&seen->text, "f%d:%s.%s:%d:%02x ", (int)frame->section,
                          frame->schema ? frame->schema : "-", frame->table ? frame->table : "-",
                          (int)frame->length, frame->sha256[31]);
    return 0;
}

static int see_table(void *context, const struct segment_table *table, struct error *err)
{
    (void)err;
    struct seen *seen = context;
    buf_append_format(&seen->text, "t:%s.%s:%s ", table->schema ? table->schema : "-", table->name,
                      table->digest ? table->digest : "-");
    return 0;
}

static int see_member(void *context, const struct index_member *member, struct error *err)
{
    (void)err;
    struct seen *seen = context;
    buf_append_format(&seen->text, "m:%s:%c ", member->path, member->type);
    return 0;
}

static void write_index(struct memory *memory, const char *kind, enum compression compression,
                        size_t frames)
{
    struct error err = ERROR_INIT;
    SCOPED(index_writer) struct index_writer *writer = index_writer_new(kind);
    struct index_frame frame = {.section = SECTION_DATA,
                                .schema = "pub\xe9lic", /* no UTF-8 */
                                .table = "\xf0\x9f\x9a\xa2 \"\\\n\t",
                                .length = 7,
                                .plain = 9,
                                .rows = 2};
    memset(frame.sha256, 0xAB, sizeof frame.sha256);
    SCOPED(buf) struct buf lines = BUF_INIT;
    struct segment_member member = {.path = mem_string("a\xff\nb"), .type = '5'};
    for (size_t i = 0; i < frames; i++) {
        buf_reset(&lines);
        frame.number = i;
        frame.offset = i * 7;
        frame.sha256[0] = (uint8_t)(i * 31);
        frame.sha256[7] = (uint8_t)(i >> 8);
        index_append_frame(&lines, &frame);
        if (i == 0)
            index_append_member(&lines, &member, 0);
        assert_ok(index_writer_add(writer, &lines, &err), err);
    }
    free(member.path);
    buf_reset(&lines);
    struct segment_table table = {NULL, "t", 4, 5, "sumxxh3:00"};
    index_append_table(&lines, &table);
    assert_ok(index_writer_add(writer, &lines, &err), err);
    memory->sink.ops = &memory_ops;
    memory->buf = BUF_INIT;
    assert_ok(index_writer_finish(writer, (struct compression_choice){compression, 1},
                                  &memory->sink, &err),
              err);
}

static int read_index(struct memory *memory, const char *kind, enum compression compression,
                      struct seen *seen, struct error *err)
{
    struct index_place place = {.kind = kind,
                                .compression = compression,
                                .length = memory->buf.length,
                                .read = memory_read,
                                .context = memory};
    struct index_visitor visitor = {
        .context = seen, .frame = see_frame, .table = see_table, .member = see_member};
    return index_read(&place, &visitor, err);
}

static const struct {
    const char *kind;
    enum compression compression;
} kinds[] = {
    {"sql", COMPRESSION_ZSTD},     {"sql", COMPRESSION_GZIP},     {"sql", COMPRESSION_NONE},
    {"tar", COMPRESSION_ZSTD},     {"tar", COMPRESSION_GZIP},     {"tar", COMPRESSION_NONE},
    {"sqlite3", COMPRESSION_ZSTD}, {"sqlite3", COMPRESSION_GZIP},
};

TEST(an_index_says_what_was_written_into_it)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct error err = ERROR_INIT;
        struct memory memory;
        struct seen seen = {.text = BUF_INIT};
        write_index(&memory, kinds[i].kind, kinds[i].compression, 3000);
        assert_ok(read_index(&memory, kinds[i].kind, kinds[i].compression, &seen, &err), err);
        assert_int_equal(seen.frames, 3000);
        assert_string_equal(seen.text.data,
                            "f1:pub\xe9lic.\xf0\x9f\x9a\xa2 \"\\\n\t:7:ab m:a\xff\nb:5 "
                            "f1:pub\xe9lic.\xf0\x9f\x9a\xa2 \"\\\n\t:7:ab "
                            "f1:pub\xe9lic.\xf0\x9f\x9a\xa2 \"\\\n\t:7:ab t:-.t:sumxxh3:00 ");
        buf_clear(&seen.text);
        buf_clear(&memory.buf);
    }
}

TEST(a_cut_index_is_corrupt)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct memory memory;
        write_index(&memory, kinds[i].kind, kinds[i].compression, 3);
        /* The two last blocks of an archive are zeros: one less is no less. */
        size_t spare = strcmp(kinds[i].kind, "tar") == 0 && kinds[i].compression == COMPRESSION_NONE
                           ? 1536
                           : 0;
        for (size_t length = 0; length + spare < memory.buf.length; length++) {
            struct error err = ERROR_INIT;
            struct seen seen = {.text = BUF_INIT};
            struct memory cut = memory;
            cut.buf.length = length;
            /* Lines of SQL may end anywhere when nothing is compressed. */
            if (kinds[i].compression != COMPRESSION_NONE ||
                memory.buf.data[length - !!length] != '\n')
                assert_fails(read_index(&cut, kinds[i].kind, kinds[i].compression, &seen, &err),
                             err, ERROR_CORRUPT);
            buf_clear(&seen.text);
        }
        buf_clear(&memory.buf);
    }
}

TEST(hostile_lines_are_refused)
{
    static const char *const lines[] = {
        "{\"kedge-index\":2}\n",
        "\n",
        "{\"kedge-index\":1}\nx\n",
        "{\"kedge-index\":1}\n{\"frame\":0}\n",
        "{\"kedge-index\":1}\n{\"frame\":\n",
        "{\"kedge-index\":1}\n{\"path\":\"a\",\"type\":\"00\",\"size\":1,\"frame\":0}\n",
        "{\"kedge-index\":1}\n{\"path\":\"a\",\"type\":\"0\",\"size\":-1,\"frame\":0}\n",
        "{\"kedge-index\":1}\n{\"path_hex\":\"6\",\"type\":\"0\",\"size\":1,\"frame\":0}\n",
        "{\"kedge-index\":1}\n{\"path_hex\":\"6100\",\"type\":\"0\",\"size\":1,\"frame\":0}\n",
        "{\"kedge-index\":1}\n{\"path\":1,\"type\":\"0\",\"size\":1,\"frame\":0}\n",
        "{\"kedge-index\":1}\n{\"name\":\"t\",\"name\":\"t\",\"rows\":1,\"bytes\":1}\n",
        "{\"kedge-index\":1}\n{\"name\":\"t\",\"rows\":1,\"bytes\":1,\"digest\":1}\n",
        "{\"kedge-index\":1}\n{\"name\":\"t\",\"rows\":1,\"bytes\":1}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct error err = ERROR_INIT;
        struct seen seen = {.text = BUF_INIT};
        struct index_visitor visitor = {
            .context = &seen, .frame = see_frame, .table = see_table, .member = see_member};
        struct index_lines reader;
        index_lines_init(&reader, &visitor, false);
        int result = index_lines_feed(&reader, lines[i], strlen(lines[i]), &err);
        if (result == 0)
            result = index_lines_finish(&reader, &err);
        if (result == 0)
            fail_msg("taken: %s", lines[i]);
        assert_int_equal(err.code, ERROR_CORRUPT);
        index_lines_clear(&reader);
        buf_clear(&seen.text);
    }
}

TEST(lines_as_they_are_written_need_no_parser)
{
    static const struct {
        const char *path;
        bool quick;
    } rows[] = {{"srv/a b/c~1.dat", true}, {"", true},       {"a\"b", false},     {"a\\b", false},
                {"a\nb", false},           {"a\x7f", false}, {"\xc3\xa4", false}, {"\xff", false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        SCOPED(buf) struct buf line = BUF_INIT;
        SCOPED(string) char *path = mem_string(rows[i].path);
        struct segment_member written = {.path = path, .type = '0', .size = 123456789012};
        struct index_member member = {0};
        index_append_member(&line, &written, 7);
        assert_int_equal(line.data[line.length - 1], '\n');
        line.data[line.length - 1] = '\0';
        if (index_quick_member(line.data, line.length - 1, &member) != rows[i].quick)
            fail_msg("row %zu", i);
        if (!rows[i].quick)
            continue;
        assert_string_equal(member.path, rows[i].path);
        assert_int_equal(member.type, '0');
        assert_int_equal(member.size, 123456789012);
        assert_int_equal(member.frame, 7);
    }
}

TEST(lines_in_another_form_are_left_to_the_parser)
{
    static const char *const rows[] = {
        "",
        "{",
        "{\"path\":\"a",
        "{\"path\":\"a\",\"type\":\"0",
        "{\"path\":\"a\",\"type\":\"\",\"size\":1,\"frame\":0}",
        "{\"path\":\"a\",\"type\":\"00\",\"size\":1,\"frame\":0}",
        "{\"path\":\"a\",\"type\":\"\\\",\"size\":1,\"frame\":0}",
        "{\"path\":\"a\",\"type\":\"0\",\"size\":,\"frame\":0}",
        "{\"path\":\"a\",\"type\":\"0\",\"size\":01,\"frame\":0}",
        "{\"path\":\"a\",\"type\":\"0\",\"size\":-1,\"frame\":0}",
        "{\"path\":\"a\",\"type\":\"0\",\"size\":1.0,\"frame\":0}",
        "{\"path\":\"a\",\"type\":\"0\",\"size\":1000000000000000000,\"frame\":0}",
        "{\"path\":\"a\",\"type\":\"0\",\"size\":1,\"frame\":00}",
        "{\"path\":\"a\",\"type\":\"0\",\"size\":1,\"frame\":0} ",
        "{\"path\":\"a\",\"type\":\"0\",\"size\":1,\"frame\":0,\"path\":\"b\"}",
        "{\"path\": \"a\",\"type\":\"0\",\"size\":1,\"frame\":0}",
        "{\"frame\":0,\"path\":\"a\",\"type\":\"0\",\"size\":1}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        SCOPED(string) char *line = mem_string(rows[i]);
        struct index_member member = {0};
        if (index_quick_member(line, strlen(line), &member))
            fail_msg("taken: %s", rows[i]);
        assert_string_equal(line, rows[i]);
    }
    char cut[] = "{\"path\":\"a\",\"type\":\"0\",\"size\":1,\"frame\":0}\0x";
    struct index_member member = {0};
    assert_false(index_quick_member(cut, sizeof cut - 1, &member));
}

TEST_MAIN(UNIT(an_index_says_what_was_written_into_it), UNIT(a_cut_index_is_corrupt),
          UNIT(hostile_lines_are_refused), UNIT(lines_as_they_are_written_need_no_parser),
          UNIT(lines_in_another_form_are_left_to_the_parser))
