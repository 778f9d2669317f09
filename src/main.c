/*
 * kedge: the program. Everything it can do is a row in src/cli/commands.c.
 */
#include "base/os.h"
#include "base/stop.h"
#include "cli/cli.h"

int main(int argc, char **argv)
{
    stop_install();
    return cli_main(os_real(), argc, argv);
}
