/* Processes that write and read files at the same time: `stressfs [ROUNDS]`. Status 0 if each has
 * read what it had written. */
#include "lib.h"

enum { PROCESSES = 4, BLOCKS = 20, BLOCK = 500 };

static bool one_file(const char *path, char mark)
{
    static char bytes[BLOCK];
    int file = open(path, HLEOS_OPEN_CREATE | HLEOS_OPEN_READ_WRITE | HLEOS_OPEN_TRUNCATE);
    bool good = file >= 0;

    for (int i = 0; i < BLOCKS && good; i++) {
        memset(bytes, mark + i, sizeof bytes);
        good = write(file, bytes, sizeof bytes) == sizeof bytes;
    }
    good = good && lseek(file, 0, HLEOS_SEEK_SET) == 0;
    for (int i = 0; i < BLOCKS && good; i++) {
        good = read(file, bytes, sizeof bytes) == sizeof bytes;
        for (int j = 0; j < BLOCK; j++)
            good &= bytes[j] == (char)(mark + i);
    }
    good &= read(file, bytes, 1) == 0;
    close(file);
    return unlink(path) == 0 && good;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5, failed = 0, status;

    for (int p = 0; p < PROCESSES; p++) {
        char path[] = "/stress0";
        int process;

        path[7] = (char)('0' + p);
        process = fork();
        if (process == 0) {
            for (int round = 0; round < rounds; round++)
                if (!one_file(path, (char)('a' + p)))
                    exit(1);
            exit(0);
        }
        failed |= process < 0;
    }
    while (wait(&status) > 0)
        failed |= status != 0;
    printf("stressfs: %s\n", failed ? "FAILED" : "ok");
    return failed;
}
