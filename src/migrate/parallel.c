#include "migrate/parallel.h"

#include "base/error.h"
#include "io/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE 16            /* indexes that a thread takes at once */
#define WORTH_A_THREAD 2000 /* of files of some hundred bytes, what starting it costs */
#define THREADS_MAXIMUM (PARALLEL_THREADS - 1) /* and a helper */

struct each {
    struct crew *crew;
    parallel_fn *work;
    void *context;
    size_t count;
    _Atomic size_t next;
    _Atomic size_t threads; /* that have taken part */
    _Atomic size_t failed;  /* the lowest index that failed; changed with the crew's lock held */
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
    size_t thread = atomic_fetch_add(&each->threads, 1);
    (void)err;
    for (;;) {
        size_t index = atomic_fetch_add(&each->next, PIECE);
        size_t end = index + PIECE < each->count ? index + PIECE : each->count;
        if (index >= each->count)
            return 0;
        for (; index < end && index < each->failed; index++) {
            struct error error = ERROR_INIT;
            if (each->work(each->context, index, thread, &error) < 0)
                note(each, index, &error);
        }
    }
}

/* ---- helpers ---- */

struct parallel_helper {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct each *each; /* that runs now */
    size_t inside;     /* threads that take part in it */
    bool ended;
};

struct parallel_helper *parallel_helper_new(void)
{
    struct parallel_helper *helper = MEM_NEW(struct parallel_helper);
    pthread_mutex_init(&helper->lock, NULL);
    pthread_cond_init(&helper->changed, NULL);
    return helper;
}

void parallel_helper_free(struct parallel_helper *helper)
{
    if (!helper)
        return;
    pthread_cond_destroy(&helper->changed);
    pthread_mutex_destroy(&helper->lock);
    free(helper);
}

/* With the lock held. */
static void help(struct parallel_helper *helper)
{
    struct error ignored = ERROR_INIT;
    struct each *each = helper->each;
    helper->inside++;
    pthread_mutex_unlock(&helper->lock);
    take_part(each, &ignored);
    pthread_mutex_lock(&helper->lock);
    /* All its indexes are taken: nobody else need come. */
    if (helper->each == each)
        helper->each = NULL;
    helper->inside--;
    pthread_cond_broadcast(&helper->changed);
}

void parallel_helper_work(struct parallel_helper *helper)
{
    pthread_mutex_lock(&helper->lock);
    while (!helper->ended) {
        if (helper->each)
            help(helper);
        else
            pthread_cond_wait(&helper->changed, &helper->lock);
    }
    pthread_mutex_unlock(&helper->lock);
}

static void show(struct parallel_helper *helper, struct each *each)
{
    pthread_mutex_lock(&helper->lock);
    helper->each = each;
    pthread_cond_broadcast(&helper->changed);
    pthread_mutex_unlock(&helper->lock);
}

/* `each` is gone once this returns. */
static void hide(struct parallel_helper *helper)
{
    pthread_mutex_lock(&helper->lock);
    helper->each = NULL;
    while (helper->inside)
        pthread_cond_wait(&helper->changed, &helper->lock);
    pthread_mutex_unlock(&helper->lock);
}

void parallel_helper_end(struct parallel_helper *helper)
{
    pthread_mutex_lock(&helper->lock);
    helper->ended = true;
    pthread_cond_broadcast(&helper->changed);
    pthread_mutex_unlock(&helper->lock);
}

/* ---- each ---- */

static size_t helpers_for(size_t count)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = processors > 0 ? (size_t)processors : 1;
    threads = threads < THREADS_MAXIMUM ? threads : THREADS_MAXIMUM;
    size_t worth = count / WORTH_A_THREAD;
    return worth < threads - 1 ? worth : threads - 1;
}

int parallel_each(size_t count, parallel_fn *work, void *context, struct parallel_helper *helper,
                  struct error *err)
{
    struct each each = {
        .crew = crew_new(), .work = work, .context = context, .count = count, .failed = SIZE_MAX};
    size_t helpers = helpers_for(count);
    struct error ignored = ERROR_INIT;
    /* A thread that cannot be had is done without. */
    for (size_t i = 0; i < helpers; i++)
        crew_start(each.crew, take_part, &each, &ignored);
    if (helper)
        show(helper, &each);
    take_part(&each, err);
    if (helper)
        hide(helper);
    crew_join(each.crew, &ignored);
    crew_free(each.crew);
    if (each.failed == SIZE_MAX)
        return 0;
    *err = each.error;
    return -1;
}
