#include "harness/scratch.h"
#include "harness/test.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note_call(void)
{
    setenv("KEDGE_TEST_BEFORE", "called", 1);
}

/* What `level` and `text` make of stderr; to be freed. */
static char *said(enum log_level level, const char *text)
{
    char path[64];
    struct error err = ERROR_INIT;
    struct buf content = BUF_INIT;
    scratch_file(path);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int before = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    log_write(level, "%s", text);
    dup2(before, STDERR_FILENO);
    close(before);
    close(fd);
    assert_ok(file_read_all(os_real(), path, &content, &err), err);
    return buf_steal(&content);
}

TEST(what_is_shown_depends_on_the_level)
{
    unsetenv("JOURNAL_STREAM");
    log_set_level(LOG_INFO);
    SCOPED(string) char *info = said(LOG_INFO, "for people");
    SCOPED(string) char *error = said(LOG_ERROR, "went wrong");
    SCOPED(string) char *debug = said(LOG_DEBUG, "not now");
    assert_string_equal(info, "for people\n");
    assert_string_equal(error, "kedge: error: went wrong\n");
    assert_string_equal(debug, "");
}

TEST(a_line_from_outside_stays_one_line)
{
    SCOPED(string) char *text = said(LOG_INFO, "a\nkedge: error: forged\x1b[2J");
    assert_string_equal(text, "a\\nkedge: error: forged\\x1b[2J\n");
}

TEST(the_journal_is_told_the_level_and_the_progress_line_to_go)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    log_set_before(note_call);
    SCOPED(string) char *text = said(LOG_WARNING, "careful");
    unsetenv("JOURNAL_STREAM");
    log_set_before(NULL);
    assert_string_equal(text, "<4>kedge: warning: careful\n");
    assert_string_equal(getenv("KEDGE_TEST_BEFORE"), "called");
}

TEST(a_log_file_that_cannot_be_opened_is_an_error_and_a_link_is_not_followed)
{
    char folder[64];
    struct error err = ERROR_INIT;
    scratch_folder(folder);
    SCOPED(string) char *link = path_join(folder, "link");
    assert_int_equal(symlink("elsewhere", link), 0);
    assert_fails(log_set_file(folder, &err), err, ERROR_FAILED);
    assert_fails(log_set_file(link, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, link));
}

TEST(a_log_file_has_every_level_with_its_time)
{
    char path[64];
    char other[64];
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf content = BUF_INIT;
    scratch_file(path);
    scratch_file(other);
    assert_ok(log_set_file(other, &err), err);
    assert_ok(log_set_file(path, &err), err);
    log_set_level(LOG_ERROR);
    log_debug("%d of %d", 1, 2);
    log_set_level(LOG_INFO);
    assert_ok(log_set_file("/dev/null", &err), err);
    assert_ok(file_read_all(os_real(), path, &content, &err), err);
    assert_int_equal(content.length, strlen("2026-01-31T02:00:00Z debug 1 of 2\n"));
    assert_string_equal(content.data + 20, " debug 1 of 2\n");
}

TEST_MAIN(UNIT(what_is_shown_depends_on_the_level), UNIT(a_line_from_outside_stays_one_line),
          UNIT(the_journal_is_told_the_level_and_the_progress_line_to_go),
          UNIT(a_log_file_that_cannot_be_opened_is_an_error_and_a_link_is_not_followed),
          UNIT(a_log_file_has_every_level_with_its_time))
