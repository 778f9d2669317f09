/*
 * SQL dumps that are run into a fresh SQLite file. Whatever they say, they fill that one file and
 * touch no other.
 */
#include "fuzz.h"

#include "base/os.h"
#include "harness/segments_memory.h"
#include "source/source.h"
#include "source/sqlite_replay.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

/* Enough for a dump of this size, and an end to what would calculate for ever. */
#define STEPS 200
#define STEP_SIZE 1000
#define MEMORY_MAXIMUM (64 << 20)

static int count_steps(void *context)
{
    int *steps = context;
    return ++*steps > STEPS;
}

static int steps;

static int limit(sqlite3 *handle, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    sqlite3_progress_handler(handle, STEP_SIZE, count_steps, &steps);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 1 << 20);
    return SQLITE_OK;
}

/* The folder that the dumps run in: the database is all that may ever be there. */
static const char *own_folder(void)
{
    static char folder[64];
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "%s/kedge-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        MUST(mkdtemp(folder));
        sqlite3_hard_heap_limit64(MEMORY_MAXIMUM);
        sqlite3_auto_extension((void (*)(void))limit);
    }
    return folder;
}

static void remove_folder(void)
{
    SCOPED(string) char *path = mem_format("%s/side.db", own_folder());
    unlink(path);
    rmdir(own_folder());
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *folder = opendir(own_folder());
    MUST(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

static void make_empty(const char *path)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    MUST(fd >= 0 && close(fd) == 0);
}

/* Relative names in a dump are looked for where the process is. */
static int replay_inside(const char *path, struct segments_memory *memory, struct error *err)
{
    uint64_t rows = 0;
    int outside = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(outside >= 0 && chdir(own_folder()) == 0);
    const struct load_options options = {.os = os_real()};
    int result = sqlite_replay(path, &options, segments_memory_source(memory), &rows, err);
    MUST(fchdir(outside) == 0 && close(outside) == 0);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool told;
    if (!told)
        atexit(remove_folder);
    told = true;
    SCOPED(string) char *path = mem_format("%s/side.db", own_folder());
    struct segments_memory_options options = {.piece = size % 3 ? 0 : 7};
    struct segments_memory *memory = segments_memory_new(&options);
    struct error err = ERROR_INIT;
    make_empty(path);
    steps = 0;
    if (size)
        segments_memory_add(memory, SECTION_DATA, data, size);
    if (replay_inside(path, memory, &err) < 0)
        MUST_SAY(&err);
    MUST(segments_memory_out(memory) == 0);
    MUST(count_files() == 1);
    segments_memory_free(memory);
    return 0;
}
