#include "harness/test.h"

#include "base/file.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/text.h"
#include "io/process.h"

#include <sys/resource.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct text_list no_environment = {.items = (char *[]){NULL}};

static struct process_options shell(struct text_list *arguments, const char *script)
{
    text_list_add(arguments, "sh");
    text_list_add(arguments, "-c");
    text_list_add(arguments, script);
    return (struct process_options){.os = os_real(),
                                    .program = "/bin/sh",
                                    .arguments = arguments,
                                    .environment = &no_environment};
}

static char *read_to_end(struct process *process)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    char piece[64];
    size_t size = 0;
    int more;
    while ((more = process_read(process, piece, sizeof piece, &size, &err)) > 0)
        buf_append(&text, piece, size);
    assert_ok(more, err);
    return buf_steal(&text);
}

TEST(reads_what_the_child_writes)
{
    struct error err = ERROR_INIT;
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list arguments = {0};
    struct process_options options = shell(&arguments, "echo one; echo two");
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    SCOPED(string) char *text = read_to_end(process);
    assert_string_equal(text, "one\ntwo\n");
    assert_ok(process_wait(process, &err), err);
}

TEST(a_failure_carries_the_last_line_of_stderr)
{
    struct error err = ERROR_INIT;
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list arguments = {0};
    struct process_options options = shell(&arguments, "echo noise >&2; echo why >&2; exit 3");
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    SCOPED(string) char *text = read_to_end(process);
    assert_string_equal(text, "");
    assert_fails(process_wait(process, &err), err, ERROR_FAILED);
    assert_string_equal(err.message, "sh failed: why");
}

TEST(a_chatty_stderr_neither_blocks_nor_grows)
{
    struct error err = ERROR_INIT;
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list arguments = {0};
    struct process_options options = shell(
        &arguments,
        "i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done; echo end; exit 1");
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    SCOPED(string) char *text = read_to_end(process);
    assert_string_equal(text, "end\n");
    assert_fails(process_wait(process, &err), err, ERROR_FAILED);
    assert_true(strlen(process_errors(process)) <= 64 << 10);
}

TEST(the_environment_is_what_was_given_and_no_more)
{
    struct error err = ERROR_INIT;
    setenv("KEDGE_TEST_LEAK", "1", 1);
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list arguments = {0};
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list environment = {0};
    text_list_add(&environment, "GIVEN=yes");
    struct process_options options = shell(&arguments, "echo $GIVEN $KEDGE_TEST_LEAK");
    options.environment = &environment;
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    SCOPED(string) char *text = read_to_end(process);
    assert_string_equal(text, "yes\n");
}

TEST(a_secret_is_read_by_its_descriptor_and_private)
{
    struct error err = ERROR_INIT;
    int secret = process_secret_file("swordfish\n", 10, &err);
    assert_ok(secret, err);
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list arguments = {0};
    struct process_options options =
        shell(&arguments,
              "/bin/cat " PROCESS_SECRET_PATH "; /usr/bin/stat -L -c %a " PROCESS_SECRET_PATH);
    options.secret = secret;
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    close(secret);
    SCOPED(string) char *text = read_to_end(process);
    assert_string_equal(text, "swordfish\n600\n");
}

TEST(a_program_that_is_not_there_is_named)
{
    struct error err = ERROR_INIT;
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list arguments = {0};
    struct process_options options = shell(&arguments, "true");
    options.program = "/nowhere/pg_dump";
    SCOPED(process) struct process *process = NULL;
    assert_fails(process_start(&options, &process, &err), err, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/pg_dump"));
}

TEST(silence_past_the_timeout_is_an_error_and_the_child_is_killed)
{
    struct error err = ERROR_INIT;
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list arguments = {0};
    struct process_options options = shell(&arguments, "exec sleep 30");
    options.timeout_ms = 50;
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    char piece[8];
    size_t size;
    assert_fails(process_read(process, piece, sizeof piece, &size, &err), err, ERROR_TIMEOUT);
}

TEST(a_stop_ends_the_wait)
{
    struct error err = ERROR_INIT;
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list arguments = {0};
    struct process_options options = shell(&arguments, "exec sleep 30");
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    stop_request();
    char piece[8];
    size_t size;
    assert_fails(process_read(process, piece, sizeof piece, &size, &err), err, ERROR_INTERRUPTED);
    stop_clear();
}

TEST(a_child_that_a_signal_ended_says_so)
{
    struct error err = ERROR_INIT;
    SCOPED(text_list) struct text_list arguments = TEXT_LIST_INIT;
    struct process_options options = shell(&arguments, "echo last words >&2; kill -9 $$");
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    assert_fails(process_wait(process, &err), err, ERROR_FAILED);
    assert_string_equal(err.message, "sh was ended by signal 9: last words");
}

TEST(a_wait_for_the_end_is_left_when_a_stop_is_requested)
{
    struct error err = ERROR_INIT;
    SCOPED(text_list) struct text_list arguments = TEXT_LIST_INIT;
    struct process_options options = shell(&arguments, "exec sleep 60");
    SCOPED(process) struct process *process = NULL;
    assert_ok(process_start(&options, &process, &err), err);
    stop_request();
    int result = process_wait(process, &err);
    stop_clear();
    assert_int_equal(result, -1);
    assert_int_equal(err.code, ERROR_INTERRUPTED);
}

static int count_descriptor(void *context, const char *name, struct error *err)
{
    (void)name;
    (void)err;
    ++*(int *)context;
    return 0;
}

static int count_descriptors(void)
{
    struct error err = ERROR_INIT;
    int count = 0;
    assert_ok(folder_list(os_real(), "/proc/self/fd", count_descriptor, &count, &err), err);
    return count;
}

TEST(a_start_without_descriptors_left_fails_and_keeps_none)
{
    SCOPED(text_list) struct text_list arguments = TEXT_LIST_INIT;
    struct process_options options = shell(&arguments, "exit 0");
    struct rlimit before;
    int open_before = count_descriptors();
    int highest = dup(STDIN_FILENO);
    close(highest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int left = 0; left < 5; left++) {
        struct error err = ERROR_INIT;
        struct process *process = NULL;
        struct rlimit limit = {.rlim_cur = (rlim_t)(highest + left), .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        int result = process_start(&options, &process, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        process_free(process);
        assert_int_equal(result, -1);
        assert_int_equal(err.sys, EMFILE);
        assert_int_equal(count_descriptors(), open_before);
    }
}

TEST_MAIN(UNIT(reads_what_the_child_writes), UNIT(a_failure_carries_the_last_line_of_stderr),
          UNIT(a_chatty_stderr_neither_blocks_nor_grows),
          UNIT(the_environment_is_what_was_given_and_no_more),
          UNIT(a_secret_is_read_by_its_descriptor_and_private),
          UNIT(a_program_that_is_not_there_is_named),
          UNIT(silence_past_the_timeout_is_an_error_and_the_child_is_killed),
          UNIT(a_stop_ends_the_wait), UNIT(a_child_that_a_signal_ended_says_so),
          UNIT(a_wait_for_the_end_is_left_when_a_stop_is_requested),
          UNIT(a_start_without_descriptors_left_fails_and_keeps_none))
