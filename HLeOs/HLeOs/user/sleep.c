/* Waits for some milliseconds. */
#include "lib.h"

int main(int argc, char **argv)
{
    if (argc != 2 || atoi(argv[1]) < 0) {
        fprintf(2, "usage: sleep MILLISECONDS\n");
        return 2;
    }
    return sleep((unsigned long)atoi(argv[1])) == 0 ? 0 : 1;
}
