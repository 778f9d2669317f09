/*
 * The program kedge on an operating system that fails on demand, for torture tests. Never
 * installed.
 *
 *     KEDGE_TEST_FAULT=kill:17       what happens at which call (harness/os_faulty.h)
 *     KEDGE_TEST_FAULT_READS=1       SQLite's reads count too
 *     KEDGE_TEST_FAULT_COUNT=FILE    how many calls there were, written there at the end
 */
#include "harness/os_faulty.h"
#include "harness/vfs_faulty.h"

#include "base/stop.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

static void write_count(void)
{
    const char *path = getenv("KEDGE_TEST_FAULT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%ld\n", os_faulty_calls());
    fclose(file);
}

int main(int argc, char **argv)
{
    stop_install();
    struct os *os = os_faulty_from_environment();
    vfs_faulty_install(getenv("KEDGE_TEST_FAULT_READS") != NULL);
    atexit(write_count);
    return cli_main(os, argc, argv);
}
