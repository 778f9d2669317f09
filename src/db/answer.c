#include "db/answer.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>

#define LOOKS 100

static bool several_processors;

static void count_processors(void)
{
    cpu_set_t set;
    several_processors = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
}

bool answer_comes_soon(int socket)
{
    static pthread_once_t counted = PTHREAD_ONCE_INIT;
    struct pollfd look = {.fd = socket, .events = POLLIN};
    pthread_once(&counted, count_processors);
    for (int i = 0; several_processors && i < LOOKS; i++)
        if (poll(&look, 1, 0) > 0)
            return true;
    return false;
}
