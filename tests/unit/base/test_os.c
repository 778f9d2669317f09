#include "harness/test.h"

#include "base/os.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int no_file_left(struct os *os, int dir, const char *path, int flags, mode_t mode)
{
    (void)os, (void)dir, (void)path, (void)flags, (void)mode;
    errno = EMFILE;
    return -1;
}

static ssize_t odd_stat(struct os *os, int fd, void *data, size_t size)
{
    static const char text[] = "7 (a) Z (b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 99";
    (void)os, (void)fd;
    size_t length = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(data, text, length);
    return (ssize_t)length;
}

static ssize_t cut_stat(struct os *os, int fd, void *data, size_t size)
{
    (void)os, (void)fd, (void)size;
    memcpy(data, "7 (a", 4);
    return 4;
}

TEST(a_process_is_known_by_its_start)
{
    uint64_t ticks = 0;
    assert_int_equal(os_process_start(os_real(), getpid(), &ticks), 1);
    assert_true(ticks > 0);
    struct os odd = *os_real();
    odd.read = odd_stat;
    assert_int_equal(os_process_start(&odd, getpid(), &ticks), 1);
    assert_int_equal(ticks, 4711);
}

TEST(a_process_that_ended_is_gone_before_its_parent_looks)
{
    uint64_t ticks = 0;
    siginfo_t ended;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    assert_int_equal(os_process_start(os_real(), child, &ticks), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(os_process_start(os_real(), child, &ticks), 0);
    assert_int_equal(ticks, 0);
}

TEST(a_process_that_cannot_be_looked_at_is_not_taken_for_dead)
{
    uint64_t ticks = 0;
    struct os blind = *os_real();
    blind.openat = no_file_left;
    assert_int_equal(os_process_start(&blind, getpid(), &ticks), -1);
    struct os cut = *os_real();
    cut.read = cut_stat;
    assert_int_equal(os_process_start(&cut, getpid(), &ticks), -1);
    assert_int_equal(ticks, 0);
}

TEST(a_boot_that_is_not_told_is_empty)
{
    char id[37];
    os_boot_id(os_real(), id);
    assert_int_equal(strlen(id), 36);
    struct os cut = *os_real();
    cut.read = cut_stat;
    os_boot_id(&cut, id);
    assert_string_equal(id, "");
}

TEST_MAIN(UNIT(a_process_is_known_by_its_start),
          UNIT(a_process_that_ended_is_gone_before_its_parent_looks),
          UNIT(a_process_that_cannot_be_looked_at_is_not_taken_for_dead),
          UNIT(a_boot_that_is_not_told_is_empty))
