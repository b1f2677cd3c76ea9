/* Lists the processes: prints /proc/processes. */
#include "lib.h"

int main(int argc, char **argv)
{
    int file = open("/proc/processes", HLEOS_OPEN_READ);
    char text[512];
    long got = -1;

    (void)argc;
    (void)argv;
    while (file >= 0 && (got = read(file, text, sizeof text)) > 0)
        if (write(1, text, (size_t)got) != got)
            return 1;
    if (got < 0)
        fprintf(2, "ps: /proc/processes: cannot be read\n");
    return got < 0;
}
