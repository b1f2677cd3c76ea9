/* Prints its arguments; its status is their number. */
#include "lib.h"

int main(int argc, char **argv)
{
    printf("Hello from ring %ld, process %d:", system_call(-1, 0, 0, 0) == -1 ? 3L : 0L, getpid());
    for (int i = 0; i < argc; i++)
        printf(" %s", argv[i]);
    printf("\n");
    return argc;
}
