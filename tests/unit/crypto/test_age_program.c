/* Both ways between kedge and the age program; skipped where that is not installed. */
#include "harness/age_memory.h"
#include "harness/scratch.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/text.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (3 * AGE_CHUNK_SIZE + 1234)

extern char **environ;

static char folder[64];

static char *inside(const char *name)
{
    return path_join(folder, name);
}

static int wait_for(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The exit status, or -1 when the program is not there. */
static int run(char *const argv[])
{
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed ? -1 : wait_for(pid);
}

/* age asks for a passphrase on its terminal: answer each question that ends in ": ". */
static int run_on_terminal(char *const argv[], const char *answer)
{
    int terminal = -1;
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    char said[512];
    ssize_t got;
    while ((got = read(terminal, said, sizeof said)) > 0)
        if (memmem(said, (size_t)got, ": ", 2) != NULL)
            dprintf(terminal, "%s\n", answer);
    close(terminal);
    return wait_for(pid);
}

static int start(void **state)
{
    (void)state;
    scratch_folder(folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, folder, NULL};
    return run(argv);
}

static void skip_without_age(void)
{
    char *argv[] = {(char[]){"age"}, (char[]){"--version"}, NULL};
    if (run(argv) != 0)
        skip();
}

static void write_file(const char *name, const void *data, size_t size)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *path = inside(name);
    assert_ok(file_write_atomic(os_real(), path, data, size, 0600, &err), err);
}

static struct buf read_file(const char *name)
{
    struct error err = ERROR_INIT;
    struct buf content = BUF_INIT;
    SCOPED(string) char *path = inside(name);
    assert_ok(file_read_all(os_real(), path, &content, &err), err);
    return content;
}

static void assert_content(const struct buf *content)
{
    SCOPED(memory) void *plain = mem_alloc(SIZE, 1);
    fill_pattern(plain, SIZE);
    assert_int_equal(content->length, SIZE);
    assert_memory_equal(content->data, plain, SIZE);
}

/* A key file of kedge's in the folder, and its public key. */
static void make_key(const char *name, struct secret *ret_identity,
                     char ret_recipient[static AGE_RECIPIENT_SIZE])
{
    struct error err = ERROR_INIT;
    struct secret content = SECRET_INIT;
    assert_ok(age_keygen(os_real(), ret_identity, ret_recipient, &err), err);
    age_identity_write(os_real(), ret_identity, ret_recipient, &content);
    write_file(name, content.data, content.length);
    secret_clear(&content);
}

TEST(age_opens_what_kedge_encrypts)
{
    skip_without_age();
    struct error err = ERROR_INIT;
    struct secret identity = SECRET_INIT;
    struct text_list recipients = TEXT_LIST_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    make_key("other", &identity, recipient);
    text_list_add(&recipients, recipient);
    make_key("key", &identity, recipient);
    text_list_add(&recipients, recipient);
    SCOPED(memory) void *plain = mem_alloc(SIZE, 1);
    fill_pattern(plain, SIZE);
    struct buf file = BUF_INIT;
    assert_ok(age_memory_encrypt(os_real(), &recipients, NULL, plain, SIZE, 10000, &file, &err),
              err);
    write_file("ours.age", file.data, file.length);

    SCOPED(string) char *key = inside("key");
    SCOPED(string) char *in = inside("ours.age");
    SCOPED(string) char *out = inside("ours");
    char *argv[] = {
        (char[]){"age"}, (char[]){"-d"}, (char[]){"-i"}, key, (char[]){"-o"}, out, in, NULL};
    assert_int_equal(run(argv), 0);
    struct buf back = read_file("ours");
    assert_content(&back);
    buf_clear(&back);
    buf_clear(&file);
    text_list_clear(&recipients);
    secret_clear(&identity);
}

TEST(kedge_opens_what_age_encrypts)
{
    skip_without_age();
    struct error err = ERROR_INIT;
    struct secret identity = SECRET_INIT;
    struct text_list identities = TEXT_LIST_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    make_key("key", &identity, recipient);
    text_list_add(&identities, secret_text(&identity));
    SCOPED(memory) void *plain = mem_alloc(SIZE, 1);
    fill_pattern(plain, SIZE);
    write_file("plain", plain, SIZE);
    SCOPED(string) char *in = inside("plain");
    SCOPED(string) char *out = inside("theirs.age");
    static const char *const modes[] = {"-e", "-a"};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        char mode[3];
        memcpy(mode, modes[i], sizeof mode);
        char *argv[] = {
            (char[]){"age"}, mode, (char[]){"-r"}, recipient, (char[]){"-o"}, out, in, NULL};
        assert_int_equal(run(argv), 0);
        struct buf file = read_file("theirs.age");
        struct buf back = BUF_INIT;
        struct age_keys keys = {.identities = &identities};
        assert_ok(age_memory_decrypt(&keys, &file, &back, &err), err);
        assert_content(&back);
        buf_clear(&back);
        buf_clear(&file);
    }
    secret_list_clear(&identities);
    secret_clear(&identity);
}

TEST(kedge_reads_the_key_files_of_age_keygen)
{
    skip_without_age();
    SCOPED(string) char *path = inside("theirs.txt");
    char *argv[] = {(char[]){"age-keygen"}, (char[]){"-o"}, path, NULL};
    if (run(argv) != 0)
        skip();
    struct error err = ERROR_INIT;
    struct secret content = SECRET_INIT;
    struct text_list identities = TEXT_LIST_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    assert_ok(secret_read_file(os_real(), path, SECRET_MAXIMUM, &content, &err), err);
    assert_ok(age_identity_parse(content.data, content.length, path, &identities, &err), err);
    assert_ok(age_identity_recipient(identities.items[0], recipient, &err), err);
    assert_non_null(strstr(secret_text(&content), recipient));
    secret_list_clear(&identities);
    secret_clear(&content);
}

TEST(passphrases_work_both_ways)
{
    skip_without_age();
    struct error err = ERROR_INIT;
    SCOPED(memory) void *plain = mem_alloc(SIZE, 1);
    fill_pattern(plain, SIZE);
    struct buf file = BUF_INIT;
    assert_ok(age_memory_encrypt(os_real(), NULL, "between us", plain, SIZE, 0, &file, &err), err);
    write_file("ours-p.age", file.data, file.length);
    buf_clear(&file);
    SCOPED(string) char *ours = inside("ours-p.age");
    SCOPED(string) char *opened = inside("ours-p");
    SCOPED(string) char *theirs = inside("theirs-p.age");
    char *open[] = {(char[]){"age"}, (char[]){"-d"}, (char[]){"-o"}, opened, ours, NULL};
    assert_int_equal(run_on_terminal(open, "between us"), 0);
    struct buf back = read_file("ours-p");
    assert_content(&back);
    buf_clear(&back);

    char *seal[] = {(char[]){"age"}, (char[]){"-p"}, (char[]){"-o"}, theirs, opened, NULL};
    assert_int_equal(run_on_terminal(seal, "between us"), 0);
    file = read_file("theirs-p.age");
    struct age_keys keys = {.passphrase = "between us"};
    assert_ok(age_memory_decrypt(&keys, &file, &back, &err), err);
    assert_content(&back);
    buf_clear(&back);
    buf_clear(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(age_opens_what_kedge_encrypts), UNIT(kedge_opens_what_age_encrypts),
        UNIT(kedge_reads_the_key_files_of_age_keygen), UNIT(passphrases_work_both_ways)};
    tap_mend_skips();
    return cmocka_run_group_tests(tests, start, end);
}
