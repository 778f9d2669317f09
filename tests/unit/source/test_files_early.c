#include "harness/test.h"

#include "base/error.h"
#include "base/os.h"
#include "source/files_early.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define LONGEST_MS 5000

struct counting_os {
    struct os base;
    int failure; /* errno of each sync, or 0 */
    atomic_int syncs;
};

static int count_sync(struct os *os, int fd)
{
    struct counting_os *counting = (struct counting_os *)os;
    assert_int_equal(fd, 7);
    atomic_fetch_add(&counting->syncs, 1);
    errno = counting->failure;
    return counting->failure ? -1 : 0;
}

static struct counting_os make_os(int failure)
{
    struct counting_os os = {.base = *os_real(), .failure = failure};
    os.base.syncfs = count_sync;
    return os;
}

static void wait_for_sync(struct counting_os *os, int count)
{
    for (int waited = 0; waited < LONGEST_MS && atomic_load(&os->syncs) < count; waited++)
        os->base.sleep_ms(&os->base, 1);
    assert_int_equal(atomic_load(&os->syncs), count);
}

TEST(little_waits_for_the_sync_at_the_end)
{
    struct counting_os os = make_os(0);
    struct files_early *early = files_early_new(&os.base);
    files_early_wrote(early, 7, FILES_EARLY_STEP - 1);
    assert_int_equal(files_early_end(early, NULL), 0);
    assert_int_equal(atomic_load(&os.syncs), 0);
    files_early_free(early);
}

TEST(each_step_is_written_while_others_go_on)
{
    struct counting_os os = make_os(0);
    struct files_early *early = files_early_new(&os.base);
    files_early_wrote(early, 7, FILES_EARLY_STEP - 1);
    files_early_wrote(early, 7, 1);
    wait_for_sync(&os, 1);
    files_early_wrote(early, 7, 2 * FILES_EARLY_STEP);
    wait_for_sync(&os, 2);
    files_early_free(early);
}

TEST(what_could_not_be_written_early_fails_the_end)
{
    struct counting_os os = make_os(EIO);
    struct error err = ERROR_INIT;
    struct files_early *early = files_early_new(&os.base);
    files_early_wrote(early, 7, FILES_EARLY_STEP);
    wait_for_sync(&os, 1);
    assert_int_equal(files_early_end(early, &err), -1);
    assert_non_null(strstr(err.message, "write the restored files"));
    files_early_free(early);
}

TEST_MAIN(UNIT(little_waits_for_the_sync_at_the_end), UNIT(each_step_is_written_while_others_go_on),
          UNIT(what_could_not_be_written_early_fails_the_end))
