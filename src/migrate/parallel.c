#include "migrate/parallel.h"

#include "base/error.h"
#include "io/crew.h"

#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#define PIECE 16           /* indexes that a thread takes at once */
#define WORTH_A_THREAD 100 /* of files of some hundred bytes, what starting it costs */
#define THREADS_MAXIMUM 4

struct each {
    struct crew *crew;
    parallel_fn *work;
    void *context;
    size_t count;
    _Atomic size_t next;
    _Atomic size_t failed; /* the lowest index that failed; changed with the crew's lock held */
    struct error error;
};

static void note(struct each *each, size_t index, const struct error *error)
{
    crew_lock(each->crew);
    if (index < each->failed) {
        each->failed = index;
        each->error = *error;
    }
    crew_unlock(each->crew);
}

/* Pieces are taken from the lowest on, so whatever is below a failure is finished by somebody. */
static int take_part(void *context, struct error *err)
{
    struct each *each = context;
    (void)err;
    for (;;) {
        size_t index = atomic_fetch_add(&each->next, PIECE);
        size_t end = index + PIECE < each->count ? index + PIECE : each->count;
        if (index >= each->count)
            return 0;
        for (; index < end && index < each->failed; index++) {
            struct error error = ERROR_INIT;
            if (each->work(each->context, index, &error) < 0)
                note(each, index, &error);
        }
    }
}

static size_t helpers_for(size_t count)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = processors > 0 ? (size_t)processors : 1;
    threads = threads < THREADS_MAXIMUM ? threads : THREADS_MAXIMUM;
    size_t worth = count / WORTH_A_THREAD;
    return worth < threads - 1 ? worth : threads - 1;
}

int parallel_each(size_t count, parallel_fn *work, void *context, struct error *err)
{
    struct each each = {
        .crew = crew_new(), .work = work, .context = context, .count = count, .failed = SIZE_MAX};
    size_t helpers = helpers_for(count);
    struct error ignored = ERROR_INIT;
    /* A thread that cannot be had is done without. */
    for (size_t i = 0; i < helpers; i++)
        crew_start(each.crew, take_part, &each, &ignored);
    take_part(&each, err);
    crew_join(each.crew, &ignored);
    crew_free(each.crew);
    if (each.failed == SIZE_MAX)
        return 0;
    *err = each.error;
    return -1;
}
