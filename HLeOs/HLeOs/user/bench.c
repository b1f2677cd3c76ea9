/*
 * Measures system calls: `bench` prints all figures, `bench NAME` one. They are in cycles of the
 * TSC, which are instructions under QEMU's -icount, and the median of several runs, so that a tick
 * in one of them has no effect.
 */
#include "lib.h"

enum { RUNS = 9, CALLS = 500, FORKS = 10, TRIPS = 100, PAGES = 64, PAGE = 4096 };

static uint64_t clock(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void __attribute__((noreturn)) stop(const char *what)
{
    fprintf(2, "bench: %s\n", what);
    exit(1);
}

static uint64_t by_syscall(void)
{
    uint64_t start = clock();

    for (int i = 0; i < CALLS; i++)
        system_call(HLEOS_GETPID, 0, 0, 0);
    return (clock() - start) / CALLS;
}

static uint64_t by_interrupt(void)
{
    uint64_t start = clock();

    for (int i = 0; i < CALLS; i++)
        system_call_by_interrupt(HLEOS_GETPID, 0, 0, 0);
    return (clock() - start) / CALLS;
}

static uint64_t fork_exit_wait(void)
{
    uint64_t start = clock();

    for (int i = 0; i < FORKS; i++) {
        int process = fork();

        if (process == 0)
            exit(0);
        if (process < 0 || wait(NULL) != process)
            stop("no process");
    }
    return (clock() - start) / FORKS;
}

static uint64_t fork_exec_wait(void)
{
    static const char *const argv[] = {"kill", "-1", NULL}; /* a program that prints nothing else */
    uint64_t start = clock();

    for (int i = 0; i < FORKS; i++) {
        int process = fork();

        if (process == 0) {
            close(2);
            exec("/bin/kill", argv);
            exit(1);
        }
        if (process < 0 || wait(NULL) != process)
            stop("no process");
    }
    return (clock() - start) / FORKS;
}

/* Sends a byte to a child and back. */
static uint64_t pipe_round_trip(void)
{
    int to[2], from[2], process;
    uint64_t start;
    char byte = 'x';

    if (pipe(to) < 0 || pipe(from) < 0 || (process = fork()) < 0)
        stop("no pipe");
    if (process == 0) {
        close(to[1]);
        while (read(to[0], &byte, 1) == 1 && write(from[1], &byte, 1) == 1)
            ;
        exit(0);
    }
    start = clock();
    for (int i = 0; i < TRIPS; i++)
        if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1)
            stop("the pipe is broken");
    start = (clock() - start) / TRIPS;
    close(to[1]);
    close(to[0]);
    close(from[0]);
    close(from[1]);
    wait(NULL);
    return start;
}

/* The first write to a page that is shared since a fork, while the other process still has it. */
static uint64_t page_fault(void)
{
    static volatile char pages[PAGES * PAGE] __attribute__((aligned(PAGE)));
    uint64_t start;
    int process, ends[2];
    char byte;

    for (int i = 0; i < PAGES; i++)
        pages[i * PAGE] = 1;
    if (pipe(ends) < 0 || (process = fork()) < 0)
        stop("no process");
    if (process == 0) {
        close(ends[1]);
        read(ends[0], &byte, 1); /* end of input, when the parent closes its end */
        exit(0);
    }
    start = clock();
    for (int i = 0; i < PAGES; i++)
        pages[i * PAGE]++;
    start = (clock() - start) / PAGES;
    close(ends[0]);
    close(ends[1]);
    wait(NULL);
    return start;
}

/* Four processes work at the same time, each with its own children: the time shows the gain from
 * more processors. */
static uint64_t four_processes(void)
{
    uint64_t start = clock();

    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (int j = 0; j < FORKS; j++) {
                for (volatile int work = 0; work < 20 * CALLS; work++)
                    ;
                fork_exit_wait();
            }
            exit(0);
        }
    for (int i = 0; i < 4; i++)
        if (wait(NULL) < 0)
            stop("no process");
    return clock() - start;
}

static uint64_t open_read_close(void)
{
    uint64_t start = clock();
    char bytes[100];

    for (int i = 0; i < TRIPS; i++) {
        int file = open("/bin/echo", HLEOS_OPEN_READ);

        if (read(file, bytes, sizeof bytes) != sizeof bytes || close(file) < 0)
            stop("no file");
    }
    return (clock() - start) / TRIPS;
}

struct figure {
    const char *name;
    uint64_t (*run)(void);
};

static const struct figure figures[] = {
    {"system_call", by_syscall},          {"system_call_by_interrupt", by_interrupt},
    {"fork_exit_wait", fork_exit_wait},   {"fork_exec_wait", fork_exec_wait},
    {"pipe_round_trip", pipe_round_trip}, {"page_fault", page_fault},
    {"open_read_close", open_read_close}, {"four_processes", four_processes},
};

static uint64_t middle(uint64_t (*run)(void))
{
    uint64_t values[RUNS];

    for (int i = 0; i < RUNS; i++) {
        uint64_t value = run();
        int at = i;

        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
    return values[RUNS / 2];
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (argc < 2 || strcmp(argv[1], figures[i].name) == 0)
            printf("bench %s %lu\n", figures[i].name, (unsigned long)middle(figures[i].run));
    return 0;
}
