#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

int cli_main(struct os *os, int argc, char **argv)
{
    (void)os;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("kedge " KEDGE_VERSION);
        return 0;
    }
    fputs("kedge: error: no command\n", stderr);
    return 2;
}
