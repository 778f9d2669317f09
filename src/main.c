/*
 * kedge: the program. Everything it can do is a row in src/cli/commands.c.
 */
#include "base/mem.h"
#include "base/os.h"
#include "base/stop.h"
#include "cli/cli.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    stop_install();
    int status = cli_main(os_real(), argc, argv);
    if (!MEM_LEFT_AT_THE_END)
        return status;
    /* What libraries have registered for the end only gives memory back, too. */
    fflush(NULL);
    _exit(status);
}
