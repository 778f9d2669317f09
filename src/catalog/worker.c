#include "catalog/worker.h"

#include "base/mem.h"
#include "base/moment.h"
#include "base/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEARTBEAT_TIMEOUT_NS MOMENT_DAY

struct worker {
    char host[128];
    char boot_id[37];
    long pid;
    uint64_t start_ticks;
};

static void find_host(char ret_host[static 128])
{
    memset(ret_host, 0, 128);
    if (gethostname(ret_host, 127) < 0 || !ret_host[0])
        strcpy(ret_host, "localhost");
    for (char *slash = ret_host; (slash = strchr(slash, '/')); slash++)
        *slash = '_';
}

static void find_self(struct os *os, struct worker *ret_worker)
{
    *ret_worker = (struct worker){.pid = (long)os->getpid(os)};
    find_host(ret_worker->host);
    os_boot_id(os, ret_worker->boot_id);
    os_process_start(os, (pid_t)ret_worker->pid, &ret_worker->start_ticks);
}

static int parse(const char *text, struct worker *ret_worker)
{
    int end = 0;
    *ret_worker = (struct worker){0};
    if (sscanf(text, "%127[^/]/%36[^/]/%ld/%" SCNu64 "%n", ret_worker->host, ret_worker->boot_id,
               &ret_worker->pid, &ret_worker->start_ticks, &end) != 4 ||
        text[end])
        return -1;
    return ret_worker->pid > 0 && ret_worker->pid <= INT32_MAX ? 0 : -1;
}

char *worker_self(struct os *os)
{
    struct worker self;
    find_self(os, &self);
    return mem_format("%s/%s/%ld/%" PRIu64, self.host, self.boot_id[0] ? self.boot_id : "-",
                      self.pid, self.start_ticks);
}

enum worker_state worker_check(struct os *os, const char *worker_id)
{
    struct worker worker, self;
    if (parse(worker_id, &worker) < 0)
        return WORKER_DEAD;
    find_self(os, &self);
    if (strcmp(worker.host, self.host) != 0)
        return WORKER_ELSEWHERE;
    if (self.boot_id[0] && strcmp(worker.boot_id, self.boot_id) != 0)
        return WORKER_REBOOTED;
    uint64_t start_ticks = 0;
    int found = os_process_start(os, (pid_t)worker.pid, &start_ticks);
    if (found <= 0)
        return found < 0 ? WORKER_UNKNOWN : WORKER_DEAD;
    return start_ticks == worker.start_ticks ? WORKER_ALIVE : WORKER_DEAD;
}

char *worker_epitaph(struct os *os, const char *worker_id, int64_t heartbeat_ns)
{
    struct worker worker;
    int known = parse(worker_id, &worker);
    switch (worker_check(os, worker_id)) {
    case WORKER_ALIVE:
        break;
    case WORKER_REBOOTED:
        return mem_string("interrupted: the machine was restarted meanwhile");
    case WORKER_DEAD:
        if (known < 0)
            return mem_string("interrupted: nobody is working on it");
        return mem_format("interrupted: process %ld ended before it was done", worker.pid);
    case WORKER_ELSEWHERE:
    case WORKER_UNKNOWN:
        if (os->clock_wall_ns(os) - heartbeat_ns > HEARTBEAT_TIMEOUT_NS)
            return mem_format("interrupted: no sign of process %ld on %s for a day", worker.pid,
                              worker.host);
        break;
    }
    return NULL;
}
