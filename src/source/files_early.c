#include "source/files_early.h"

#include "base/error.h"
#include "base/os.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct files_early {
    struct os *os;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    uint64_t gathered;
    int fd;
    bool wanted;
    bool ended;
    int failure; /* errno of the first */
};

struct files_early *files_early_new(struct os *os)
{
    struct files_early *early = MEM_NEW(struct files_early);
    early->os = os;
    early->fd = -1;
    pthread_mutex_init(&early->lock, NULL);
    pthread_cond_init(&early->changed, NULL);
    return early;
}

static void *sync_thread(void *context)
{
    struct files_early *early = context;
    pthread_mutex_lock(&early->lock);
    for (;;) {
        while (!early->wanted && !early->ended)
            pthread_cond_wait(&early->changed, &early->lock);
        if (early->ended)
            break;
        early->wanted = false;
        int fd = early->fd;
        pthread_mutex_unlock(&early->lock);
        int failure = early->os->syncfs(early->os, fd) < 0 ? errno : 0;
        pthread_mutex_lock(&early->lock);
        early->failure = early->failure ? early->failure : failure;
    }
    pthread_mutex_unlock(&early->lock);
    return NULL;
}

void files_early_wrote(struct files_early *early, int fd, uint64_t bytes)
{
    pthread_mutex_lock(&early->lock);
    early->gathered += bytes;
    if (early->gathered >= FILES_EARLY_STEP) {
        early->gathered = 0;
        early->fd = fd;
        early->wanted = true;
        /* Without a thread the sync at the end does it all. */
        if (!early->started)
            early->started = pthread_create(&early->thread, NULL, sync_thread, early) == 0;
        pthread_cond_signal(&early->changed);
    }
    pthread_mutex_unlock(&early->lock);
}

int files_early_end(struct files_early *early, struct error *err)
{
    pthread_mutex_lock(&early->lock);
    early->ended = true;
    pthread_cond_signal(&early->changed);
    pthread_mutex_unlock(&early->lock);
    if (early->started)
        pthread_join(early->thread, NULL);
    early->started = false;
    if (early->failure)
        return error_set_errno(err, ERROR_FAILED, early->failure, "write the restored files");
    return 0;
}

void files_early_free(struct files_early *early)
{
    if (!early)
        return;
    struct error ignored = ERROR_INIT;
    files_early_end(early, &ignored);
    pthread_cond_destroy(&early->changed);
    pthread_mutex_destroy(&early->lock);
    free(early);
}
