/* Lists the processes. */
#include "lib.h"

int main(int argc, char **argv)
{
    struct hleos_process p;

    (void)argc;
    (void)argv;
    printf("%5s %6s %6s  %-7s %s\n", "id", "parent", "KB", "state", "name");
    for (unsigned i = 0; process_info(i, &p) == 0; i++)
        printf("%5u %6u %6u  %-7s %.*s\n", p.id, p.parent, p.pages * 4, p.ended ? "ended" : "there",
               HLEOS_PROCESS_NAME_MAX, p.name);
    return 0;
}
