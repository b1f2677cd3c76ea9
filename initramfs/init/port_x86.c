/* The debug-exit port of an x86 machine: abi/debug_exit.h. */
#include <sys/io.h>
#include <unistd.h>

#include "abi/debug_exit.h"
#include "initramfs/init/port.h"

enum { WIDTH = 4 };

void port_exit(int status)
{
    sync();
    if (ioperm(DEBUG_EXIT_PORT, WIDTH, 1) == 0)
        outl((unsigned)status >> 1, DEBUG_EXIT_PORT);
}
