/*
 * Runs random operations with processes, pipes, files and memory, for some seconds (10, or its
 * argument), in two processes at the same time, to find errors of the kernel. Files are made in
 * /grind, which must not exist before. Status 0 if no error was found. The order depends only on
 * the argument after the seconds.
 */
#include "lib.h"

static uint64_t seed = 1;

/* Marsaglia's xorshift64. */
static unsigned random_below(unsigned limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % limit;
}

static void fail(const char *what)
{
    fprintf(2, "grind: %s\n", what);
    exit(1);
}

static void reap_one(void)
{
    if (wait(NULL) < 0)
        fail("a child is missing");
}

static void child_that_ends(void)
{
    int process = fork();

    if (process == 0)
        exit((int)random_below(256));
    if (process > 0)
        reap_one();
}

/* The grandchild is an orphan. */
static void child_that_forks(void)
{
    int process = fork();

    if (process == 0) {
        fork();
        fork();
        exit(0);
    }
    if (process > 0)
        reap_one();
}

static void child_that_is_killed(void)
{
    int process = fork();

    if (process == 0)
        for (;;)
            if (random_below(2) == 0)
                sleep(1);
    if (process < 0)
        return;
    if (random_below(2) == 0)
        sleep(random_below(3));
    if (kill(process) < 0)
        fail("a child cannot be killed");
    reap_one();
}

static void memory_to_and_fro(void)
{
    long bytes = (long)random_below(20 * 4096);
    char *block = sbrk(bytes);

    if (block == (char *)-1)
        return;
    for (long i = 0; i < bytes; i += 512) {
        if (block[i] != 0)
            fail("new memory is not empty");
        block[i] = 1;
    }
    sbrk(-bytes);
}

static void two_copies_of_a_page(void)
{
    volatile char *block = malloc(10000);
    int process, status = 0;

    if (block == NULL)
        return;
    for (int i = 0; i < 10000; i++)
        block[i] = (char)i;
    process = fork();
    if (process == 0) {
        for (int i = 0; i < 10000; i++)
            block[i]++;
        exit(block[9999] == (char)10000 ? 0 : 1);
    }
    for (int i = 0; i < 10000; i += 100)
        if (block[i] != (char)i)
            fail("a child writes to its parent's memory");
    if (process > 0 && (wait(&status) < 0 || status != 0))
        fail("a child's memory is wrong");
    free((void *)block);
}

/* echo hi | cat, whose output is read back. */
static void programs_in_a_pipe(void)
{
    static const char *const echo[] = {"echo", "hi", NULL}, *const cat[] = {"cat", NULL};
    int a[2], b[2], left = 0;
    char text[8] = "";
    long got = 0, some;

    if (pipe(a) < 0)
        return;
    if (pipe(b) < 0) {
        close(a[0]);
        close(a[1]);
        return;
    }
    for (int i = 0; i < 2; i++) {
        int process = fork();

        left += process > 0;
        if (process != 0)
            continue;
        if (i == 0) {
            close(0);
            dup(a[0]);
            close(1);
            dup(b[1]);
        } else {
            close(1);
            dup(a[1]);
        }
        close(a[0]);
        close(a[1]);
        close(b[0]);
        close(b[1]);
        exec(i == 0 ? "/bin/cat" : "/bin/echo", i == 0 ? cat : echo);
        exit(1);
    }
    close(a[0]);
    close(a[1]);
    close(b[1]);
    while (got < (long)sizeof text - 1 &&
           (some = read(b[0], text + got, sizeof text - 1 - (size_t)got)) > 0)
        got += some;
    close(b[0]);
    if (got != 0 && strcmp(text, "hi\n") != 0) /* no output: memory was out */
        fail("a pipe changes what goes through it");
    while (left-- > 0)
        reap_one();
}

static void files_opened_and_closed(void)
{
    static const char *const paths[] = {"/",         "/bin",     "/dev/null",
                                        "/bin/echo", "/nowhere", "bin/sh"};
    int files[20], count = 0;
    char bytes[200];

    while (count < 20 && random_below(20) != 0) {
        files[count] = random_below(3) == 0 ? dup((int)random_below(20))
                                            : open(paths[random_below(6)], (int)random_below(3));
        if (files[count] >= 0 && files[count] > 2)
            count++;
    }
    for (int i = 0; i < count; i++) {
        struct hleos_stat stat;

        if (fstat(files[i], &stat) < 0)
            fail("an open file has no status");
        if (stat.type != HLEOS_DEVICE)
            read(files[i], bytes, random_below(200));
    }
    while (count > 0)
        if (close(files[--count]) < 0)
            fail("an open file cannot be closed");
}

static void bad_addresses(void)
{
    uintptr_t bad[] = {0, 1, 0x1000, 0x800000000000, 0xffff800000100000, 0xffffffff80000000, ~0UL};
    uintptr_t at = bad[random_below(7)];

    if (read(0, (void *)at, 0) > 0 || pipe((int *)at) >= 0 || open((char *)at, 0) >= 0 ||
        exec((char *)at, (const char *const *)at) >= 0 || write(1, (void *)at, 1) > 0)
        fail("a bad address is taken");
}

static void mappings_to_and_fro(void)
{
    size_t size = 1 + random_below(5 * 4096);
    int file = random_below(2) == 0 ? -1 : open("/bin/echo", HLEOS_OPEN_READ);
    volatile char *block = mmap(size, file, random_below(3) * 1000);

    if (file >= 0)
        close(file);
    if (block == MAP_FAILED)
        return;
    for (size_t i = 0; i < size; i += 512)
        block[i] = (char)(block[i] + 1);
    if (munmap((void *)block, size) < 0)
        fail("a mapping cannot be removed");
}

/* A name that both processes use. */
static const char *some_name(void)
{
    static const char *const names[] = {"a", "b", "c", "d/a", "d/b", "d", "./d/../a", "/grind/e"};

    return names[random_below(sizeof names / sizeof names[0])];
}

/* Which of these calls succeed depends on the other process, which uses the same names. */
static void names_made_and_taken_away(void)
{
    const char *name = some_name();
    int file;

    switch (random_below(6)) {
    case 0:
        (void)mkdir(name);
        break;
    case 1:
        (void)link(name, some_name());
        break;
    case 2:
        (void)mknod(name, HLEOS_DEVICE_NULL);
        break;
    case 3:
        file = open(name, HLEOS_OPEN_CREATE | HLEOS_OPEN_READ_WRITE);
        if (file >= 0) {
            (void)unlink(name);
            (void)write(file, name, strlen(name));
            close(file);
        }
        break;
    default:
        (void)unlink(name);
    }
}

/* The other process may remove the directory meanwhile. */
static void into_a_directory_and_back(void)
{
    if (chdir("d") < 0)
        return;
    (void)unlink(some_name());
    (void)mkdir("e");
    (void)chdir("e");
    (void)unlink("/grind/d/e");
    (void)unlink("/grind/d");
    if (chdir("/grind") < 0)
        fail("/grind is missing");
}

/* Writes a file that only this process uses, and reads the same bytes. */
static void a_file_written_and_read(void)
{
    static char bytes[9000];
    char name[24];
    size_t size = random_below(sizeof bytes), at = random_below(30000);
    int file;
    long put, got;

    fmt_snprint(name, sizeof name, "/grind/own%d", getpid());
    file = open(name, HLEOS_OPEN_CREATE | HLEOS_OPEN_READ_WRITE |
                          (random_below(3) == 0 ? HLEOS_OPEN_TRUNCATE : 0));
    if (file < 0)
        return; /* out of inodes, memory or space */
    memset(bytes, (int)at, sizeof bytes);
    lseek(file, (long)at, HLEOS_SEEK_SET);
    put = write(file, bytes, size);
    if (random_below(20) == 0 && fsync(file) < 0)
        fail("a file cannot be synced");
    memset(bytes, 0, sizeof bytes);
    lseek(file, (long)at, HLEOS_SEEK_SET);
    got = put > 0 ? read(file, bytes, (size_t)put) : put;
    if (got != put)
        fail("what was written cannot be read");
    for (long i = 0; i < got; i++)
        if (bytes[i] != (char)at)
            fail("a file does not hold what was written");
    close(file);
    if (random_below(10) == 0 && unlink(name) < 0)
        fail("a file's name is missing");
}

static void (*const operations[])(void) = {
    child_that_ends,           child_that_forks,          child_that_is_killed,
    memory_to_and_fro,         mappings_to_and_fro,       two_copies_of_a_page,
    programs_in_a_pipe,        files_opened_and_closed,   bad_addresses,
    a_file_written_and_read, /* from here on a file system is needed */
    names_made_and_taken_away, into_a_directory_and_back,
};

enum { OPERATIONS = sizeof operations / sizeof operations[0], OF_DISKS = 3 };

static void grind(unsigned long until, bool disk)
{
    unsigned long rounds = 0;
    char own[24];

    for (; uptime() < until; rounds++)
        operations[random_below(disk ? OPERATIONS : OPERATIONS - OF_DISKS)]();
    fmt_snprint(own, sizeof own, "/grind/own%d", getpid());
    (void)unlink(own);
    printf("grind: %lu operations%s\n", rounds, disk ? "" : ", none of them with a disk");
}

/* Removes the files of the operations. False if the directory contains others. */
static bool clean_up(void)
{
    static const char *const names[] = {"d/a", "d/b", "d/e", "a", "b", "c", "d", "e"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(names[i]);
    return chdir("/") == 0 && unlink("/grind") == 0;
}

int main(int argc, char **argv)
{
    unsigned long until = uptime() + (argc > 1 ? (unsigned long)atoi(argv[1]) : 10) * 1000;
    bool disk = mkdir("/grind") == 0 && chdir("/grind") == 0;
    int failed = 0, status;

    seed = argc > 2 ? (uint64_t)atoi(argv[2]) + 1 : 1;
    for (int i = 0; i < 2; i++) {
        int process;

        seed = seed * 77 + 13;
        process = fork();
        if (process == 0) {
            grind(until, disk);
            exit(0);
        }
        failed |= process < 0;
    }
    for (int i = 0; i < 2; i++)
        failed |= wait(&status) < 0 || status != 0;
    if (disk && !clean_up()) {
        fprintf(2, "grind: /grind cannot be removed\n");
        failed = 1;
    }
    return failed;
}
