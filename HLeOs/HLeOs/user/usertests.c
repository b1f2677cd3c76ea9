/* Tests of system calls, from a program's side: processes, memory, faults. See testing.h. */
#include "testing.h"

static void bad_pointers(void)
{
    const char *argv[] = {"echo", NULL, NULL};
    int ends[2];

    check(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    FOR_BAD(at)
    {
        check(write(1, (void *)*at, 10) == -1 && write(ends[1], (void *)*at, 10) == -1);
        check(pipe((int *)*at) == -1 && open((char *)*at, 0) == -1);
        check(exec((char *)*at, (const char *const *)*at) == -1 &&
              exec("/bin/echo", (const char *const *)*at) == -1);
        argv[1] = (const char *)*at;
        check(*at == 0 || exec("/bin/echo", argv) == -1);
        check(fstat(0, (struct hleos_stat *)*at) == -1);
        check(system_info((struct hleos_system *)*at) == -1);
        check(read(open("/bin/echo", 0), (void *)*at, 10) == -1 && close(5) == 0);
    }
    check(pipe((int *)(uintptr_t)main) == -1); /* not writable */
}

static void text_that_ends_nowhere(void)
{
    char *end = sbrk(PAGE);

    memset(end, 'a', PAGE);
    check(open(end, 0) == -1 && open(end + PAGE - 3, 0) == -1);
    check(exec(end + PAGE - 1, NULL) == -1);
}

static void memory_without_a_value_is_empty(void)
{
    static volatile char bytes[3 * PAGE];

    for (size_t i = 0; i < sizeof bytes; i++)
        check(bytes[i] == 0);
}

static void exit_and_wait(void)
{
    for (int i = 0; i < 100; i++) {
        int process = fork_or_fail(), status = -1;

        if (process == 0)
            exit(i + 1000);
        check(wait(&status) == process && status == ((i + 1000) & 0xff));
    }
    check(wait(NULL) == -1);
}

static void wait_keeps_a_child_whose_status_has_no_place(void)
{
    int process = fork_or_fail(), status = -1;

    if (process == 0)
        exit(7);
    check(wait((int *)0x1000) == -1);
    check(wait(&status) == process && status == 7);
}

static void children_of_children(void)
{
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 2; j++)
            if (fork_or_fail() == 0) {
                if (fork_or_fail() == 0)
                    exit(0);
                exit(reap());
            }
    for (int i = 0; i < 20; i++)
        check(reap() == 0);
}

/* Children that end before their parent, and children that end after it, are all freed. */
static void orphans(void)
{
    for (int i = 0; i < 30; i++) {
        if (fork_or_fail() == 0) {
            if (fork_or_fail() == 0)
                exit(0);
            if (fork_or_fail() == 0) {
                sleep((unsigned long)i % 3);
                exit(0);
            }
            if (i % 2 != 0)
                sleep(2); /* the first child ends; nothing waits for it */
            exit(0);
        }
        check(reap() == 0);
    }
}

static void pages_are_copied_when_written(void)
{
    static volatile int data[4 * PAGE / sizeof(int)];
    int ends[2];

    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
        data[i] = (int)i;
    check(pipe(ends) == 0);
    for (int child = 0; child < 3; child++) {
        if (fork_or_fail() > 0)
            continue;
        for (size_t i = 0; i < sizeof data / sizeof data[0]; i += 3)
            data[i] = -child;
        if (fork_or_fail() == 0) { /* a grandchild */
            data[0] = 99;
            exit(0);
        }
        check(reap() == 0 && data[0] == -child && data[1] == 1 && data[3] == -child);
        exit(0);
    }
    data[3] = 33;
    for (int child = 0; child < 3; child++)
        check(reap() == 0);
    check(data[0] == 0 && data[3] == 33 && data[6] == 6);
    /* The kernel too writes to a shared page. */
    if (fork_or_fail() == 0) {
        check(write(ends[1], "abcd", 4) == 4);
        check(read(ends[0], (void *)&data[512], 4) == 4 && data[512] == 0x64636261);
        exit(0);
    }
    check(reap() == 0 && data[512] == 512);
}

/* Without sharing, the children would need 160 MB. */
static void forks_share(void)
{
    struct hleos_system before, after;
    long bytes = 8L << 20;
    char *block = sbrk(bytes);
    int children[20];

    check(block != (char *)-1);
    for (long i = 0; i < bytes; i += PAGE)
        block[i] = 1;
    check(system_info(&before) == 0);
    for (int i = 0; i < 20; i++) {
        children[i] = fork_or_fail();
        if (children[i] == 0) {
            sleep(100000);
            exit(1);
        }
    }
    check(system_info(&after) == 0 && before.pages_free - after.pages_free < 20 * 50);
    for (int i = 0; i < 20; i++) {
        check(kill(children[i]) == 0);
        check(reap() == HLEOS_STATUS_KILLED);
    }
}

/* A child runs `operation` and is killed during it. */
static void kill_while(void (*operation)(int *ends))
{
    int ends[2], process;

    check(pipe(ends) == 0);
    process = fork_or_fail();
    if (process == 0) {
        operation(ends);
        exit(1);
    }
    sleep(3);
    check(kill(process) == 0);
    check(reap() == HLEOS_STATUS_KILLED);
    check(kill(process) == -1);
    close(ends[0]);
    close(ends[1]);
}

static void spin(int *ends)
{
    (void)ends;
    for (;;)
        __asm__ volatile("pause");
}

static void sleep_long(int *ends)
{
    (void)ends;
    sleep(1000000);
}

static void read_empty(int *ends)
{
    char c;

    read(ends[0], &c, 1);
}

static void write_full(int *ends)
{
    static char bytes[3 * PAGE];

    write(ends[1], bytes, sizeof bytes);
}

static void read_console(int *ends)
{
    char c;

    (void)ends;
    while (read(0, &c, 1) >= 0) /* without a keyboard, input ends */
        ;
}

static void wait_for_child(int *ends)
{
    int process = fork_or_fail();

    if (process == 0) {
        sleep(10);
        exit(0);
    }
    (void)ends;
    wait(NULL);
    sleep(1000000);
}

static void kill_ends_all_waiting(void)
{
    kill_while(spin);
    kill_while(sleep_long);
    kill_while(read_empty);
    kill_while(write_full);
    kill_while(read_console);
    kill_while(wait_for_child);
    check(kill(0) == -1 && kill(-1) == -1 && kill(1 << 30) == -1);
    if (fork_or_fail() == 0) {
        kill(getpid());
        exit(1);
    }
    check(reap() == HLEOS_STATUS_KILLED);
}

/* Memory from sbrk() is zero, and is mapped and freed by pages. */
static void memory_grows_and_shrinks(void)
{
    char *begin = sbrk(0), *block = sbrk(100 * PAGE);

    check(block == begin);
    for (int i = 0; i < 100 * PAGE; i += 16)
        check(block[i] == 0);
    block[50 * PAGE] = 1;
    check(sbrk(-51 * PAGE) == begin + 100 * PAGE && sbrk(51 * PAGE) == begin + 49 * PAGE);
    check(block[50 * PAGE] == 0);
    check(sbrk(-100 * PAGE) == begin + 100 * PAGE && sbrk(0) == begin);
    check(sbrk(-(1L << 40)) == (void *)-1 && sbrk(1L << 40) == (void *)-1);
    if (fork_or_fail() == 0) {
        *(volatile char *)begin = 1;
        exit(0);
    }
    check(reap() == HLEOS_STATUS_FAULT + 14);
}

/* A page is mapped with its first byte and freed with it. System calls may use the last byte, and
 * none behind it. */
static void memory_by_odd_sizes(void)
{
    char *begin = sbrk(0), *end;
    int file = open("/bin/echo", 0);

    check(sbrk(-1) == (void *)-1 && sbrk(0) == begin); /* the program file's memory stays */
    check(sbrk(1) == begin && sbrk(2 * PAGE - ((long)begin + 1) % PAGE) == begin + 1);
    end = sbrk(0);
    check((uintptr_t)end % PAGE == 0);
    memcpy(end - 2, "/", 2);
    check(open(end - 2, 0) == 4 && close(4) == 0);
    end[-1] = '/';
    check(open(end - 2, 0) == -1 && pipe((int *)(end - 4)) == -1);
    check(read(file, end - 8, 16) == -1 && read(file, end - 8, 8) == 8);
    check(sbrk(1 - PAGE) == end);
    end[-PAGE] = 'x';
    check(sbrk(-1) == end - PAGE + 1);
    if (fork_or_fail() == 0)
        exit(end[-PAGE]);
    check(reap() == HLEOS_STATUS_FAULT + 14);
}

/* Allocates all memory; further calls must return an error. */
static void memory_runs_out(void)
{
    static const char *const argv[] = {"echo", NULL};
    struct hleos_system system;
    int ends[2];

    check(system_info(&system) == 0);
    if (system.pages_usable > 60000)
        return; /* there is more than one program may have */
    if (fork_or_fail() == 0) {
        while (sbrk(64 * PAGE) != (void *)-1)
            ;
        while (sbrk(PAGE) != (void *)-1)
            ;
        for (int i = 0; i < 20; i++) {
            int process = fork();

            if (process == 0)
                exit(0);
            if (process > 0)
                reap();
            if (pipe(ends) == 0) {
                close(ends[0]);
                close(ends[1]);
            }
        }
        exec("/bin/echo", argv);
        exit(5);
    }
    check(reap() == 5);
}

static void heap(void)
{
    enum { COUNT = 200 };
    static unsigned char *blocks[COUNT];
    char *end = NULL;

    for (int round = 0; round < 5; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            blocks[i] = malloc(i * 13 + 1);
            check(blocks[i] != NULL && (uintptr_t)blocks[i] % 16 == 0);
            memset(blocks[i], (int)i, i * 13 + 1);
        }
        for (unsigned i = 0; i < COUNT; i++) {
            check(blocks[i][0] == i && blocks[i][i * 13] == i);
            if (i % 2 == 0)
                free(blocks[i]);
        }
        for (unsigned i = 1; i < COUNT; i += 2) {
            check(blocks[i][0] == i && blocks[i][i * 13] == i);
            free(blocks[i]);
        }
        if (round == 0)
            end = sbrk(0);
        check(end == sbrk(0)); /* all of it is free again */
    }
    check(malloc(1UL << 40) == NULL && malloc(~0UL) == NULL);
}

static void faults(void)
{
    static const struct {
        const char *operation;
        int vector;
    } operations[] = {{"0", 14}, {"1", 14}, {"2", 14}, {"3", 14},
                      {"5", 14}, {"6", 13}, {"9", 0},  {"10", 6}};

    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        const char *argv[] = {"abuse", operations[i].operation, NULL};

        if (fork_or_fail() == 0) {
            exec("/bin/abuse", argv);
            exit(1);
        }
        check(reap() == HLEOS_STATUS_FAULT + operations[i].vector);
    }
}

/* A child inherits the vector registers, and changes to them do not affect its parent. */
static void registers_of_the_fpu(void)
{
    uint64_t value = 0x123456789abcdef, back;

    __asm__ volatile("movq %0, %%xmm5" : : "r"(value) : "xmm5");
    if (fork_or_fail() == 0) {
        __asm__ volatile("movq %%xmm5, %0; pxor %%xmm5, %%xmm5" : "=r"(back) : : "xmm5");
        sleep(1);
        exit(back != value);
    }
    check(reap() == 0);
    __asm__ volatile("movq %%xmm5, %0" : "=r"(back));
    check(back == value);
}

static void memory_is_mapped(void)
{
    enum { SIZE = 3 * PAGE - 5, MOST = 16 };
    char *a = mmap(SIZE, -1, 0), *b = mmap(1, -1, 0), *c;

    check(a != MAP_FAILED && b != MAP_FAILED && (b < a || b > a + SIZE));
    for (int i = 0; i < SIZE; i++)
        check(a[i] == 0);
    a[SIZE - 1] = 'a';
    if (fork_or_fail() == 0) { /* it has the old contents, and keeps its own changes */
        check(a[SIZE - 1] == 'a');
        a[SIZE - 1] = 'b';
        exit(munmap(b, 1));
    }
    check(reap() == 0 && a[SIZE - 1] == 'a' && *b == 0);
    check(munmap(a + PAGE, PAGE) == -1 && munmap(a, PAGE) == -1 && munmap(a, SIZE) == 0);
    if (fork_or_fail() == 0)
        exit(a[0]);
    check(reap() == HLEOS_STATUS_FAULT + 14 && munmap(a, SIZE) == -1);
    for (int i = 1; i < MOST; i++)
        check(mmap(1, -1, 0) != MAP_FAILED);
    check(mmap(1, -1, 0) == MAP_FAILED && munmap(b, 1) == 0);
    c = mmap(1, -1, 0);
    check(c != MAP_FAILED && *c == 0);
}

static void mappings_that_cannot_be(void)
{
    char *a = mmap(PAGE, -1, 0), *data = sbrk(PAGE);

    check(a != MAP_FAILED && data != (char *)-1);
    check(mmap(0, -1, 0) == MAP_FAILED && mmap(~0UL, -1, 0) == MAP_FAILED);
    check(mmap((1UL << 63) + PAGE, -1, 0) == MAP_FAILED && mmap(1UL << 40, -1, 0) == MAP_FAILED);
    check(mmap(1, 15, 0) == MAP_FAILED && mmap(1, -2, 0) == MAP_FAILED);
    check(mmap(1, 0, 0) == MAP_FAILED && mmap(1, 1 << 30, 0) == MAP_FAILED);
    FOR_BAD(at)
    check(munmap((void *)*at, PAGE) == -1);
    check(munmap(a, 0) == -1 && munmap(a, 2 * PAGE) == -1 && munmap(a, ~0UL) == -1);
    check(munmap(data, PAGE) == -1 && munmap((void *)(uintptr_t)main, PAGE) == -1);
    if (fork_or_fail() == 0) { /* the page behind it is not its own */
        a[PAGE] = 1;
        exit(0);
    }
    check(reap() == HLEOS_STATUS_FAULT + 14);
    check(munmap(a, PAGE) == 0 && munmap(a, PAGE) == -1);
}

/* A mapping that does not fit uses no memory; exec() removes mappings like the rest of the
 * image. */
static void mappings_and_the_rest(void)
{
    static const char *const argv[] = {"echo", NULL};
    struct hleos_system system, after;
    char *a = mmap(PAGE, -1, 0);

    check(a != MAP_FAILED && system_info(&system) == 0);
    if (system.pages_usable < 60000) {
        check(mmap(256UL << 20, -1, 0) == MAP_FAILED && system_info(&after) == 0);
        check(after.pages_free + 200 >= system.pages_free); /* page tables stay */
    }
    if (fork_or_fail() == 0) {
        exec("/bin/echo", argv);
        exit(1);
    }
    check(reap() == 0 && *a == 0);
}

static void many_processes(void)
{
    static const char *const argv[] = {"forktest", NULL};

    if (fork_or_fail() == 0) {
        exec("/bin/forktest", argv);
        exit(9);
    }
    check(reap() == 0);
}

static const struct test tests[] = {
    TEST(bad_pointers),
    TEST(text_that_ends_nowhere),
    TEST(memory_without_a_value_is_empty),
    TEST(exit_and_wait),
    TEST(wait_keeps_a_child_whose_status_has_no_place),
    TEST(children_of_children),
    TEST(orphans),
    TEST(pages_are_copied_when_written),
    TEST(forks_share),
    TEST(kill_ends_all_waiting),
    TEST(memory_grows_and_shrinks),
    TEST(memory_by_odd_sizes),
    TEST(memory_runs_out),
    TEST(heap),
    TEST(faults),
    TEST(memory_is_mapped),
    TEST(mappings_that_cannot_be),
    TEST(mappings_and_the_rest),
    TEST(registers_of_the_fpu),
    TEST(many_processes),
    {0},
};

int main(int argc, char **argv)
{
    if (fork_or_fail() == 0) { /* the kernel keeps page tables for so many stacks */
        many_processes();
        exit(0);
    }
    reap();
    return testing_run("usertests", tests, NULL, argc > 1 ? argv[1] : NULL);
}
