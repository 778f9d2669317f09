#include "io/crew.h"

#include "base/error.h"
#include "base/stop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_NS 100000000L

struct member {
    struct crew *crew;
    crew_fn *work;
    void *context;
    pthread_t thread;
    struct member *next;
};

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool failed;
    struct error failure;
    struct member *members;
};

struct crew *crew_new(void)
{
    struct crew *crew = MEM_NEW(struct crew);
    pthread_mutex_init(&crew->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&crew->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return crew;
}

static void *live(void *argument)
{
    struct member *member = argument;
    struct error err = ERROR_INIT;
    if (member->work(member->context, &err) < 0)
        crew_fail(member->crew, &err);
    return NULL;
}

int crew_start(struct crew *crew, crew_fn *work, void *context, struct error *err)
{
    struct member *member = MEM_NEW(struct member);
    *member = (struct member){.crew = crew, .work = work, .context = context};
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&member->thread, NULL, live, member);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure) {
        free(member);
        return error_set_errno(err, ERROR_FAILED, failure, "start a thread");
    }
    member->next = crew->members;
    crew->members = member;
    return 0;
}

int crew_join(struct crew *crew, struct error *err)
{
    while (crew->members) {
        struct member *member = crew->members;
        crew->members = member->next;
        pthread_join(member->thread, NULL);
        free(member);
    }
    return crew_check(crew, err);
}

void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

void crew_lock(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
}

void crew_unlock(struct crew *crew)
{
    pthread_mutex_unlock(&crew->lock);
}

static void note(struct crew *crew, const struct error *failure)
{
    if (crew->failed)
        return;
    crew->failed = true;
    crew->failure = *failure;
    pthread_cond_broadcast(&crew->changed);
}

void crew_wait(struct crew *crew)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_NS;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&crew->changed, &crew->lock, &until);
    struct error stopped = ERROR_INIT;
    if (stop_check(&stopped) < 0)
        note(crew, &stopped);
}

void crew_wake(struct crew *crew)
{
    pthread_cond_broadcast(&crew->changed);
}

bool crew_failed(const struct crew *crew)
{
    return crew->failed;
}

void crew_fail(struct crew *crew, const struct error *failure)
{
    crew_lock(crew);
    note(crew, failure);
    crew_unlock(crew);
}

int crew_check(struct crew *crew, struct error *err)
{
    crew_lock(crew);
    bool failed = crew->failed;
    if (failed && err)
        *err = crew->failure;
    crew_unlock(crew);
    return failed ? -1 : 0;
}
