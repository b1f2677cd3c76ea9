/* Tests of system calls on the disk's file system, from a program's side: large files, many names,
 * several processes, full disks. See testing.h. */
#include "testing.h"

enum { BLOCK = 4096, WRITERS = 4 };

static unsigned char bytes[16 * BLOCK];

static int make(const char *path)
{
    return open(path, HLEOS_OPEN_CREATE | HLEOS_OPEN_READ_WRITE);
}

static void make_empty(const char *path)
{
    check(close(make(path)) == 0);
}

static bool there(const char *path)
{
    struct hleos_stat st;

    return stat(path, &st) == 0;
}

/* "c" and a number, as a name. */
static const char *name_of(char c, unsigned number)
{
    static char name[16];

    fmt_snprint(name, sizeof name, "%c%u", c, number);
    return name;
}

/* Writes a block at each place where the kind of pointer changes: inode, indirect block, double
 * indirect blocks. There are holes in between. */
static void a_large_file_with_holes(void)
{
    static const long blocks[] = {0,    21,   22,   22 + 1023,        22 + 1024,
                                  2047, 2070, 9999, 22 + 1024 + 2047, 22 + 1024 + 2048};
    enum { COUNT = sizeof blocks / sizeof blocks[0] };
    int file = make("large");
    struct hleos_stat st;

    for (int i = 0; i < COUNT; i++) {
        memset(bytes, i + 1, BLOCK);
        check(lseek(file, blocks[i] * BLOCK, HLEOS_SEEK_SET) == blocks[i] * BLOCK);
        check(write(file, bytes, BLOCK) == BLOCK);
    }
    check(fstat(file, &st) == 0 && st.size == 10000L * BLOCK);
    for (int i = 0; i < COUNT; i++) {
        check(lseek(file, blocks[i] * BLOCK, HLEOS_SEEK_SET) >= 0);
        check(read(file, bytes, BLOCK) == BLOCK);
        check(bytes[0] == i + 1 && bytes[BLOCK - 1] == i + 1);
    }
    check(lseek(file, 5000L * BLOCK, HLEOS_SEEK_SET) >= 0 && read(file, bytes, BLOCK) == BLOCK);
    check(bytes[0] == 0 && bytes[BLOCK - 1] == 0);
    check(lseek(file, INT64_MAX - 5, HLEOS_SEEK_SET) >= 0 && write(file, bytes, 100) == -1);
    check(close(file) == 0 && unlink("large") == 0);
}

/* Writes in pieces of many sizes, none of which divides a block. */
static void writes_of_all_sizes(void)
{
    int file = make("sizes");
    long total = 0, at = 0, got;

    for (long size = 1; size < (long)sizeof bytes; size = size * 3 + 1) {
        for (long i = 0; i < size; i++)
            bytes[i] = (unsigned char)((total + i) % 251);
        check(write(file, bytes, (size_t)size) == size);
        total += size;
    }
    check(lseek(file, 0, HLEOS_SEEK_SET) == 0);
    while ((got = read(file, bytes, 777)) > 0)
        for (long i = 0; i < got; i++, at++)
            check(bytes[i] == at % 251);
    check(got == 0 && at == total && close(file) == 0 && unlink("sizes") == 0);
}

/* A write behind the end of a file that was truncated leaves a hole. */
static void truncated_under_a_writer(void)
{
    int one = make("cut"), two;

    check(write(one, "abcd", 4) == 4);
    two = open("cut", HLEOS_OPEN_WRITE | HLEOS_OPEN_TRUNCATE);
    check(two >= 0 && write(one, "x", 1) == 1 && lseek(one, 0, HLEOS_SEEK_SET) == 0);
    check(read(one, bytes, 10) == 5 && memcmp(bytes, "\0\0\0\0x", 5) == 0);
    check(open("cut", HLEOS_OPEN_READ | HLEOS_OPEN_TRUNCATE) == -1);
    if (fork_or_fail() == 0) {
        for (int i = 0; i < 30; i++)
            check(close(open("cut", HLEOS_OPEN_WRITE | HLEOS_OPEN_TRUNCATE)) == 0);
        exit(0);
    }
    for (int i = 0; i < 30; i++) {
        long got;

        check(lseek(one, 0, HLEOS_SEEK_SET) == 0 && write(one, "0123456789", 10) == 10);
        check(lseek(one, 0, HLEOS_SEEK_SET) == 0);
        got = read(one, bytes, 100);
        check(got == 0 || (got == 10 && memcmp(bytes, "0123456789", 10) == 0));
    }
    check(reap() == 0 && close(one) == 0 && close(two) == 0 && unlink("cut") == 0);
}

/* A parent and its child share a file position: neither overwrites the other's bytes. */
static void a_shared_place(void)
{
    enum { ROUNDS = 200, SIZE = 10 };
    int file = make("shared"), child = fork_or_fail(), count[2] = {0, 0};

    memset(bytes, child == 0 ? 'c' : 'p', SIZE);
    for (int i = 0; i < ROUNDS; i++)
        check(write(file, bytes, SIZE) == SIZE);
    if (child == 0)
        exit(0);
    check(reap() == 0 && lseek(file, 0, HLEOS_SEEK_SET) == 0);
    while (read(file, bytes, SIZE) == SIZE) {
        for (int i = 1; i < SIZE; i++)
            check(bytes[i] == bytes[0]);
        count[bytes[0] == 'c']++;
    }
    check(count[0] == ROUNDS && count[1] == ROUNDS && close(file) == 0 && unlink("shared") == 0);
}

/* Several processes use the same directory, each with its own names. */
static void several_make_and_take_away(void)
{
    enum { NAMES = 20 };

    for (int w = 0; w < WRITERS; w++) {
        if (fork_or_fail() > 0)
            continue;
        for (unsigned i = 0; i < NAMES; i++) {
            int file = make(name_of((char)('a' + w), i));

            check(write(file, name_of((char)('a' + w), i), 2) == 2 && close(file) == 0);
            if (i % 2 == 1)
                check(unlink(name_of((char)('a' + w), i / 2)) == 0);
        }
        exit(0);
    }
    for (int w = 0; w < WRITERS; w++)
        check(reap() == 0);
    for (int w = 0; w < WRITERS; w++)
        for (unsigned i = 0; i < NAMES; i++) {
            check(there(name_of((char)('a' + w), i)) == (i >= NAMES / 2));
            check((unlink(name_of((char)('a' + w), i)) == 0) == (i >= NAMES / 2));
        }
}

/* Several processes use one name: each call may fail, but must have no other effect. */
static void several_want_one_name(void)
{
    for (int w = 0; w < WRITERS; w++) {
        if (fork_or_fail() > 0)
            continue;
        for (int i = 0; i < 25; i++) {
            int file = make("one");

            if (file >= 0)
                check(write(file, "x", 1) == 1 && close(file) == 0);
            (void)link("one", "two");
            (void)unlink(w % 2 == 0 ? "one" : "two");
            if (mkdir("one") == 0 && chdir("one") == 0) {
                (void)unlink("../one");
                check(chdir("/disktest") == 0);
            }
        }
        exit(0);
    }
    for (int w = 0; w < WRITERS; w++)
        check(reap() == 0);
    (void)unlink("one");
    (void)unlink("two");
    check(!there("one") && !there("two"));
}

static void many_names(void)
{
    enum { NAMES = 300 };
    struct hleos_stat st;

    make_empty("file");
    for (unsigned i = 0; i < NAMES; i++)
        check(link("file", name_of('n', i)) == 0);
    check(stat("file", &st) == 0 && st.links == NAMES + 1 && unlink("file") == 0);
    for (unsigned i = 0; i < NAMES; i++)
        check(there(name_of('n', (i * 7 + 3) % NAMES)));
    for (unsigned i = 0; i < NAMES; i++)
        check(unlink(name_of('n', (i * 7 + 3) % NAMES)) == 0);
    check(unlink(name_of('n', 0)) == -1);
}

static void names_that_cannot_be(void)
{
    char longest[HLEOS_NAME_MAX + 2];

    memset(longest, 'l', sizeof longest);
    longest[HLEOS_NAME_MAX + 1] = '\0';
    check(make(longest) == -1 && mkdir(longest) == -1 && open(longest, 0) == -1);
    longest[HLEOS_NAME_MAX] = '\0';
    make_empty(longest);
    check(unlink(longest) == 0 && mkdir("d") == 0 && mkdir("d/e") == 0);
    check(unlink(".") == -1 && unlink("..") == -1 && unlink("/") == -1 && unlink("") == -1);
    check(unlink("d/.") == -1 && unlink("d/e/..") == -1 && unlink("d/e/.") == -1);
    check(unlink("d") == -1 && mkdir(".") == -1 && mkdir("d/..") == -1 && mkdir("/") == -1);
    check(mkdir("") == -1 && make("") == -1 && chdir("") == -1);
    check(make("d") == -1 && make(".") == -1 && link("d", "f") == -1 && link(".", "f") == -1);
    make_empty("f");
    check(chdir("f") == -1 && make("f/x") == -1 && mkdir("f/x") == -1 && unlink("f/x") == -1);
    check(link("f", "f/x") == -1 && link("f/x", "y") == -1 && mkdir("f") == -1);
    check(make("g/") == -1 && open("f/", 0) == -1 && link("f", "d") == -1 && link("g", "h") == -1);
    check(link("f", "g/") == -1 && !there("g") && unlink("f/") == -1 && there("f"));
    check(unlink("f") == 0 && unlink("d//e/") == 0 && unlink("d") == 0);
}

/* The current directory of a process is removed: the process can leave it, and can make nothing in
 * it. */
static void a_directory_that_is_taken_away(void)
{
    check(mkdir("gone") == 0);
    for (int stays = 0; stays < 2; stays++) {
        if (fork_or_fail() > 0) {
            check(reap() == 0 && !there("gone") && mkdir("gone") == 0);
            continue;
        }
        check(chdir("gone") == 0 && unlink("/disktest/gone") == 0);
        check(make("x") == -1 && mkdir("x") == -1 && open("../gone", 0) == -1);
        check(chdir("..") == -1);
        if (!stays)
            check(chdir("/") == 0 && there("disktest"));
        exit(0);
    }
    check(unlink("gone") == 0);
}

/* Reads into freed memory, and writes from it, must fail. */
static void memory_that_was_given_back(void)
{
    char *block = sbrk(2 * PAGE);
    int file = make("freed");
    struct hleos_stat st;

    check(write(file, block, PAGE) == PAGE && sbrk(-2 * PAGE) != (void *)-1);
    check(write(file, block, PAGE) == -1 && lseek(file, 0, HLEOS_SEEK_SET) == 0);
    check(read(file, block, PAGE) == -1);
    check(fstat(file, &st) == 0 && st.size == PAGE);
    for (int i = 0; i < 50; i++)
        check(write(file, (void *)-1L, 1) == -1 && write(file, NULL, 5000) == -1);
    check(fstat(file, &st) == 0 && st.size == PAGE && close(file) == 0 && unlink("freed") == 0);
}

/* None of these files is a program: exec() returns an error and the process continues. */
static void files_that_are_no_programs(void)
{
    static const char *const argv[] = {"none", NULL};
    int file = make("none");

    check(exec("none", argv) == -1);
    check(write(file, "\177ELF", 4) == 4 && exec("none", argv) == -1);
    memset(bytes, 0xff, sizeof bytes);
    check(write(file, bytes, sizeof bytes) == sizeof bytes && exec("none", argv) == -1);
    check(mkdir("d") == 0 && exec("d", argv) == -1 && exec("none/", argv) == -1);
    check(close(file) == 0 && unlink("none") == 0 && unlink("d") == 0);
}

/* A file is open and has no name when its process ends or is killed. */
static void a_file_without_a_name(void)
{
    for (int how = 0; how < 2; how++) {
        if (fork_or_fail() == 0) {
            int file = make("unnamed");

            check(write(file, bytes, sizeof bytes) == sizeof bytes && unlink("unnamed") == 0);
            check(lseek(file, 0, HLEOS_SEEK_SET) == 0 && read(file, bytes, 10) == 10);
            if (how == 0)
                exit(0);
            kill(getpid());
        }
        check(reap() == (how == 0 ? 0 : HLEOS_STATUS_KILLED) && !there("unnamed"));
    }
}

/* Uses all inodes twice. The count must be equal: all inodes of the first time are free again. */
static void inodes_run_out(void)
{
    unsigned first = 0;

    for (int round = 0; round < 2; round++) {
        unsigned count = 0;
        int file;

        while ((file = make(name_of('i', count))) >= 0 && close(file) == 0)
            if (++count == 20000)
                break; /* the disk is too large for this test */
        check(count > 100 && (round == 0 || count == first));
        check(count == 20000 || (mkdir("d") == -1 && mknod("d", HLEOS_DEVICE_NULL) == -1));
        first = count;
        while (count > 0)
            check(unlink(name_of('i', --count)) == 0);
    }
}

/* On a full disk a write writes the bytes that fit; other calls still work. */
static void blocks_run_out(void)
{
    enum { BLOCKS_MAX = 8192 };
    struct hleos_system system;
    long put, total = 0, at = 0, got;
    int file, small;

    check(system_info(&system) == 0);
    if (system.blocks_free > BLOCKS_MAX) {
        printf("  left out: the disk is larger than %d MB\n", BLOCKS_MAX / (1024 * 1024 / BLOCK));
        return;
    }
    file = make("full");
    small = make("small");
    check(write(small, "kept", 4) == 4);
    for (;;) {
        memset(bytes, (int)(total / (long)sizeof bytes), sizeof bytes);
        put = write(file, bytes, sizeof bytes);
        total += put > 0 ? put : 0;
        if (put != sizeof bytes)
            break;
    }
    check(system_info(&system) == 0 && system.blocks_free < 8);
    check(write(file, bytes, sizeof bytes) <= 0 && fsync(file) == 0);
    check(lseek(small, 0, HLEOS_SEEK_SET) == 0 && write(small, "same", 4) == 4);
    check(lseek(file, 0, HLEOS_SEEK_SET) == 0);
    while ((got = read(file, bytes, sizeof bytes)) > 0)
        for (long end = at + got; at < end; at += 512)
            check(bytes[at % (long)sizeof bytes] == (unsigned char)(at / (long)sizeof bytes));
    check(got == 0 && at >= total && close(file) == 0 && unlink("full") == 0);
    check(lseek(small, 64 * BLOCK, HLEOS_SEEK_SET) >= 0 && write(small, "more", 4) == 4);
    check(close(small) == 0 && unlink("small") == 0);
}

static const struct test tests[] = {
    TEST(blocks_run_out), /* first: `quick` skips it, as it writes the whole disk */
    TEST(a_large_file_with_holes),
    TEST(writes_of_all_sizes),
    TEST(truncated_under_a_writer),
    TEST(a_shared_place),
    TEST(several_make_and_take_away),
    TEST(several_want_one_name),
    TEST(many_names),
    TEST(names_that_cannot_be),
    TEST(a_directory_that_is_taken_away),
    TEST(memory_that_was_given_back),
    TEST(files_that_are_no_programs),
    TEST(a_file_without_a_name),
    TEST(inodes_run_out),
    {0},
};

int main(int argc, char **argv)
{
    if (!testing_disk())
        return 0;
    if (argc > 1 && strcmp(argv[1], "quick") == 0)
        return testing_run("disktests", tests + 1, "/disktest", NULL);
    return testing_run("disktests", tests, "/disktest", argc > 1 ? argv[1] : NULL);
}
