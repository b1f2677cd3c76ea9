/* Copies files, or its standard input, to its standard output. */
#include "lib.h"

static bool copy(int file)
{
    static char bytes[1024];
    long count;

    while ((count = read(file, bytes, sizeof bytes)) > 0)
        if (write(1, bytes, (size_t)count) != count)
            return false;
    return count == 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2)
        return copy(0) ? 0 : 1;
    for (int i = 1; i < argc; i++) {
        int file = open(argv[i], HLEOS_OPEN_READ);

        if (file < 0 || !copy(file)) {
            fprintf(2, "cat: %s: cannot be %s\n", argv[i], file < 0 ? "opened" : "copied");
            status = 1;
        }
        close(file);
    }
    return status;
}
