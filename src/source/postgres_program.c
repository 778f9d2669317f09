#include "source/postgres_program.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/text.h"
#include "io/process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct candidate {
    char *path;
    int major; /* 0: none */
};

/* The server's own version is the best, then the oldest of the newer ones. */
static bool better(int major, int best, int server)
{
    return major >= server && (best < server || major < best);
}

static void consider(struct os *os, const char *path, int major, int server, struct candidate *best,
                     int *newest)
{
    struct stat there;
    if (file_stat(os, path, &there, NULL) <= 0)
        return;
    if (major > *newest)
        *newest = major;
    if (!better(major, best->major, server))
        return;
    free(best->path);
    *best = (struct candidate){mem_string(path), major};
}

/* Where the packages of Debian and of PostgreSQL's own repositories put them: the folder's name is
 * the version. */
static void consider_folder(struct os *os, const char *folder, const char *prefix, int server,
                            struct candidate *best, int *newest)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;
    while (listing && (entry = readdir(listing))) {
        if (!text_starts(entry->d_name, prefix))
            continue;
        int major = atoi(entry->d_name + strlen(prefix));
        SCOPED(string) char *path = mem_format("%s/%s/bin/pg_dump", folder, entry->d_name);
        if (major >= 9)
            consider(os, path, major, server, best, newest);
    }
    if (listing)
        closedir(listing);
}

/* "pg_dump (PostgreSQL) 15.4" -> 15; 0 when it does not say. */
static int ask_version(struct os *os, const char *path)
{
    SCOPED(text_list) struct text_list arguments = TEXT_LIST_INIT;
    SCOPED(text_list) struct text_list environment = TEXT_LIST_INIT;
    text_list_add(&arguments, "pg_dump");
    text_list_add(&arguments, "--version");
    text_list_add(&environment, "LC_ALL=C");
    struct process_options options = {.os = os,
                                      .program = path,
                                      .arguments = &arguments,
                                      .environment = &environment,
                                      .timeout_ms = 10000};
    SCOPED(process) struct process *process = NULL;
    char text[128] = "";
    size_t size = 0;
    struct error ignored = ERROR_INIT;
    if (process_start(&options, &process, &ignored) < 0 ||
        process_read(process, text, sizeof text - 1, &size, &ignored) <= 0)
        return 0;
    text[size] = '\0';
    const char *digits = strpbrk(text, "0123456789");
    return digits ? atoi(digits) : 0;
}

static void consider_path(struct os *os, int server, struct candidate *best, int *newest)
{
    const char *folders = getenv("PATH");
    SCOPED(string) char *copy = mem_string(folders ? folders : "/usr/local/bin:/usr/bin");
    char *rest = NULL;
    for (char *folder = strtok_r(copy, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest)) {
        SCOPED(string) char *path = path_join(folder, "pg_dump");
        struct stat there;
        if (*folder == '/' && file_stat(os, path, &there, NULL) > 0)
            consider(os, path, ask_version(os, path), server, best, newest);
    }
}

int postgres_program_find(struct os *os, int server, char **ret_path, struct error *err)
{
    struct candidate best = {0};
    int newest = 0;
    consider_folder(os, "/usr/lib/postgresql", "", server, &best, &newest);
    consider_folder(os, "/usr", "pgsql-", server, &best, &newest);
    if (best.major != server)
        consider_path(os, server, &best, &newest);
    if (best.path) {
        *ret_path = best.path;
        return 0;
    }
    if (newest)
        error_set(err, ERROR_SOURCE,
                  "the server is PostgreSQL %d and the newest pg_dump here is %d", server, newest);
    else
        error_set(err, ERROR_SOURCE, "no pg_dump was found");
    return error_hint(err, "install the package postgresql-client-%d", server);
}

int postgres_equipped(struct os *os, const char *server_version, char **ret_finding,
                      struct error *err)
{
    SCOPED(string) char *path = NULL;
    if (postgres_program_find(os, atoi(server_version), &path, err) < 0)
        return -1;
    *ret_finding = mem_string(path);
    return 0;
}
