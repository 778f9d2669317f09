#include "base/stop.h"

#include "base/error.h"

#include <signal.h>
#include <stdatomic.h>

static atomic_bool requested;

static void on_signal(int signal)
{
    (void)signal;
    atomic_store(&requested, true);
}

void stop_install(void)
{
    /* No SA_RESTART: a waiting system call returns with EINTR and its loop sees the flag. */
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

void stop_request(void)
{
    atomic_store(&requested, true);
}

void stop_clear(void)
{
    atomic_store(&requested, false);
}

bool stop_requested(void)
{
    return atomic_load(&requested);
}

int stop_check(struct error *err)
{
    if (!stop_requested())
        return 0;
    return error_set(err, ERROR_INTERRUPTED, "interrupted");
}
