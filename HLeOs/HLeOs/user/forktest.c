/* Forks until the maximum of processes exists and fork() fails, and waits for all of them. Then
 * fork() must work again. Status 0 if it does. */
#include "lib.h"

enum { MANY = 2000 };

int main(int argc, char **argv)
{
    int count = 0, process = 0;

    (void)argc;
    (void)argv;
    while (count < MANY && (process = fork()) > 0)
        count++;
    if (count < MANY && process == 0)
        exit(0);
    printf("forktest: %d children\n", count);
    if (count == 0 || count == MANY)
        return 1;
    for (int i = 0; i < count; i++)
        if (wait(NULL) < 0)
            return 2;
    if (wait(NULL) != -1)
        return 3;
    process = fork();
    if (process == 0)
        exit(0);
    return process > 0 && wait(NULL) == process ? 0 : 4;
}
