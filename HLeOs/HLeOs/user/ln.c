/* Gives a file a second name. */
#include "lib.h"

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(2, "usage: ln OLD NEW\n");
        return 2;
    }
    if (link(argv[1], argv[2]) < 0) {
        fprintf(2, "ln: %s: cannot be made a name of %s\n", argv[2], argv[1]);
        return 1;
    }
    return 0;
}
