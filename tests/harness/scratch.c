#include "harness/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ON_DISK, IN_MEMORY, ROOTS };

static struct {
    char roots[ROOTS][32];
    pid_t owner;
    pid_t keeper;
    int alive; /* closed by the end of the last process that works here */
    int count;
} scratch;

static void die(const char *what)
{
    perror(what);
    abort();
}

static int remove_one(const char *path, const struct stat *there, int kind, struct FTW *where)
{
    (void)there;
    (void)where;
    if (kind == FTW_DP || kind == FTW_DNR)
        rmdir(path);
    else
        unlink(path);
    return 0;
}

static void remove_roots(void)
{
    for (int i = 0; i < ROOTS; i++)
        if (scratch.roots[i][0])
            nftw(scratch.roots[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Nothing that is sent to the tests ends it, and nobody who reads their output waits for it. */
static void keep(int ended)
{
    char c = 0;
    setsid();
    int nowhere = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(nowhere, fd);
    while (read(ended, &c, 1) < 0 && errno == EINTR)
        ;
    remove_roots();
    _exit(0);
}

static void start_keeper(void)
{
    int ends[2];
    sigset_t all, before;
    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    scratch.keeper = fork();
    if (scratch.keeper < 0)
        die("fork");
    if (scratch.keeper == 0) {
        close(ends[1]);
        keep(ends[0]);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[0]);
    scratch.alive = ends[1];
}

static void end(void)
{
    if (getpid() != scratch.owner)
        return;
    remove_roots();
    kill(scratch.keeper, SIGKILL);
    waitpid(scratch.keeper, NULL, 0);
}

static void begin(void)
{
    if (scratch.owner)
        return;
    strcpy(scratch.roots[ON_DISK], "/tmp/kedge-test-XXXXXX");
    strcpy(scratch.roots[IN_MEMORY], "/dev/shm/kedge-test-XXXXXX");
    if (!mkdtemp(scratch.roots[ON_DISK]))
        die("mkdtemp");
    if (!mkdtemp(scratch.roots[IN_MEMORY]))
        scratch.roots[IN_MEMORY][0] = '\0';
    scratch.owner = getpid();
    start_keeper();
    atexit(end);
}

static void name_new(int root, char ret_path[static 64])
{
    begin();
    const char *top = scratch.roots[root][0] ? scratch.roots[root] : scratch.roots[ON_DISK];
    snprintf(ret_path, 64, "%s/%ld-%d", top, (long)getpid(), ++scratch.count);
}

void scratch_folder(char ret_path[static 64])
{
    name_new(ON_DISK, ret_path);
    if (mkdir(ret_path, 0700) < 0)
        die(ret_path);
}

void scratch_folder_in_memory(char ret_path[static 64])
{
    name_new(IN_MEMORY, ret_path);
    if (mkdir(ret_path, 0700) < 0)
        die(ret_path);
}

void scratch_file(char ret_path[static 64])
{
    name_new(ON_DISK, ret_path);
    int fd = open(ret_path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        die(ret_path);
    close(fd);
}
