/* Makes directories. */
#include "lib.h"

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2) {
        fprintf(2, "usage: mkdir PATH ...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (mkdir(argv[i]) < 0) {
            fprintf(2, "mkdir: %s: cannot be made\n", argv[i]);
            status = 1;
        }
    }
    return status;
}
