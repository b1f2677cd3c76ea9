/* Removes names of files, and empty directories. */
#include "lib.h"

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2) {
        fprintf(2, "usage: rm PATH ...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (unlink(argv[i]) < 0) {
            fprintf(2, "rm: %s: cannot be removed\n", argv[i]);
            status = 1;
        }
    }
    return status;
}
