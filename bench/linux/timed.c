/*
 * Runs in a guest and measures the time of a command.
 *
 *   timed COMMAND ARGUMENTS
 *
 * Prints `begin`, runs it with its output discarded, and prints `end MICROSECONDS` if its status is
 * 0.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec begin, end;
    int status = -1, null = open("/dev/null", O_WRONLY);
    pid_t child;

    if (argc < 2 || null < 0)
        return 2;
    printf("begin\n");
    fflush(stdout);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    child = fork();
    if (child == 0) {
        dup2(null, STDOUT_FILENO);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "%s: status %#x\n", argv[1], (unsigned)status);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("end %lld\n",
           (long long)(end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000);
    return 0;
}
