/* Tests of system calls, from a program's side: files, pipes, exec(). See testing.h. */
#include "testing.h"

static void a_pipe_keeps_order(void)
{
    static unsigned char bytes[5000];
    int ends[2], total = 0;
    unsigned char next = 0;
    long got;

    check(pipe(ends) == 0);
    if (fork_or_fail() == 0) {
        close(ends[0]);
        for (int size = 1; size < 3000; size += 97) {
            for (int i = 0; i < size; i++)
                bytes[i] = next++;
            check(write(ends[1], bytes, (size_t)size) == size);
        }
        exit(0);
    }
    close(ends[1]);
    for (size_t size = 1; (got = read(ends[0], bytes, size)) > 0;
         size = size * 2 % sizeof bytes + 1)
        for (long i = 0; i < got; i++, total++)
            check(bytes[i] == next++);
    check(got == 0 && total == 45136 && reap() == 0);
}

static void a_pipe_without_reader_or_writer(void)
{
    int ends[2];
    char c;

    check(pipe(ends) == 0 && read(ends[1], &c, 1) == -1 && write(ends[0], "x", 1) == -1);
    check(write(ends[1], "x", 1) == 1 && close(ends[1]) == 0);
    check(read(ends[0], &c, 1) == 1 && read(ends[0], &c, 1) == 0 && close(ends[0]) == 0);
    check(pipe(ends) == 0 && close(ends[0]) == 0 && write(ends[1], "x", 1) == -1);
}

static void programs_get_their_arguments(void)
{
    const char *argv[40];
    char text[64] = "", big[2100];
    int ends[2];

    check(pipe(ends) == 0);
    if (fork_or_fail() == 0) {
        close(1);
        check(dup(ends[1]) == 1);
        argv[0] = "echo";
        argv[1] = "one";
        argv[2] = "";
        argv[3] = "two words";
        argv[4] = NULL;
        exec("/bin/echo", argv);
        exit(1);
    }
    check(reap() == 0 && read(ends[0], text, sizeof text) == 15);
    check(strcmp(text, "one  two words\n") == 0);
    for (int i = 0; i < 40; i++)
        argv[i] = "x";
    check(exec("/bin/echo", argv) == -1); /* too many, without a NULL */
    memset(big, 'a', sizeof big);
    big[sizeof big - 1] = '\0';
    argv[1] = big;
    argv[2] = NULL;
    check(exec("/bin/echo", argv) == -1);
    argv[1] = NULL;
    check(exec("/bin/nothing", argv) == -1 && exec("", argv) == -1 && exec("/bin", argv) == -1);
    check(exec("/dev/null", argv) == -1);
}

static void exec_keeps_files_and_number(void)
{
    static const char *const argv[] = {"sh", NULL};
    char text[8] = "";
    int in[2], out[2];

    check(pipe(in) == 0 && pipe(out) == 0);
    check(write(in[1], "echo x | cat\n", 13) == 13 && close(in[1]) == 0);
    if (fork_or_fail() == 0) {
        close(0);
        dup(in[0]);
        close(1);
        dup(out[1]);
        close(out[1]);
        close(out[0]);
        exec("/bin/sh", argv);
        exit(1);
    }
    check(reap() == 0 && read(out[0], text, sizeof text) == 2 && strcmp(text, "x\n") == 0);
}

static void numbers_of_files(void)
{
    struct hleos_stat stat;
    int file = open("/dev/null", HLEOS_OPEN_READ_WRITE), count = 1;
    char c;

    check(file == 3 && write(file, "x", 1) == 1 && read(file, &c, 1) == 0);
    while (dup(file) >= 0)
        count++;
    check(count == 13 && open("/dev/null", 0) == -1 && pipe((int[2]){0}) == -1);
    check(close(7) == 0 && pipe((int[2]){0}) == -1 && dup(0) == 7); /* a pipe needs two numbers */
    check(fstat(7, &stat) == 0 && stat.type == HLEOS_DEVICE);
    check(close(-1) == -1 && close(16) == -1 && close(1 << 30) == -1 && dup(99) == -1);
    check(read(99, &c, 1) == -1 && write(-1, "x", 1) == -1 && fstat(99, &stat) == -1);
    check(close(7) == 0 && close(7) == -1 && read(7, &c, 1) == -1);
}

/* dup() and fork() share the position in a file, a second open() does not. */
static void places_in_files(void)
{
    char a[8], b[8], c[8], d[8];
    int file = open("/bin/echo", 0), same = dup(file), other = open("bin/echo", 0);
    struct hleos_stat stat;
    long size = 0, got;

    check(read(file, a, 8) == 8 && memcmp(a, "\177ELF", 4) == 0);
    check(read(same, b, 8) == 8 && read(other, c, 8) == 8 && memcmp(a, c, 8) == 0);
    check(memcmp(b, a, 8) != 0);
    if (fork_or_fail() == 0)
        exit(read(file, d, 8) != 8);
    check(reap() == 0 && read(other, c, 8) == 8 && memcmp(b, c, 8) == 0);
    check(read(other, c, 8) == 8 && read(file, d, 8) == 8 && memcmp(c, d, 8) != 0);
    check(fstat(file, &stat) == 0 && stat.type == HLEOS_FILE);
    close(other);
    other = open("/bin/echo", 0);
    while ((got = read(other, d, 8)) > 0)
        size += got;
    check(got == 0 && (unsigned long)size == stat.size);
    check(open("/proc/memory", HLEOS_OPEN_WRITE) == -1);
    check(lseek(file, 1, HLEOS_SEEK_SET) == 1 && read(file, d, 3) == 3 && memcmp(d, "ELF", 3) == 0);
    check(lseek(file, 1L << 40, HLEOS_SEEK_SET) == 1L << 40 && read(file, d, 1) == 0);
}

static void files_on_the_disk(void)
{
    int file, other;
    char bytes[8] = "";
    struct hleos_stat stat;

    if (!testing_disk())
        return;
    file = open("/filetest", HLEOS_OPEN_CREATE | HLEOS_OPEN_READ_WRITE);
    check(file >= 0 && write(file, "hello", 5) == 5 && fsync(file) == 0);
    check(lseek(file, 1, HLEOS_SEEK_SET) == 1 && read(file, bytes, 8) == 4);
    check(memcmp(bytes, "ello", 4) == 0 && lseek(file, -2, HLEOS_SEEK_CURRENT) == 3);
    check(lseek(file, -6, HLEOS_SEEK_END) == -1 && lseek(file, 0, 3) == -1);
    check(lseek(file, 5000, HLEOS_SEEK_END) == 5005 && write(file, "x", 1) == 1);
    check(fstat(file, &stat) == 0 && stat.size == 5006 && stat.type == HLEOS_FILE);
    check(link("/filetest", "/filetest2") == 0 && link("/filetest", "/filetest2") == -1);
    check(unlink("/filetest") == 0 && open("/filetest", HLEOS_OPEN_READ) == -1);
    check(unlink("/filetest2") == 0 && unlink("/filetest2") == -1);
    check(lseek(file, 0, HLEOS_SEEK_SET) == 0 && read(file, bytes, 5) == 5); /* still open */
    check(close(file) == 0);
    file = open("/filetest", HLEOS_OPEN_CREATE | HLEOS_OPEN_WRITE);
    other = open("/filetest", HLEOS_OPEN_READ);
    check(write(file, "abc", 3) == 3 && read(other, bytes, 8) == 3 && write(other, "x", 1) == -1);
    check(read(file, bytes, 1) == -1 && close(file) == 0);
    file = open("/filetest", HLEOS_OPEN_WRITE | HLEOS_OPEN_TRUNCATE);
    check(fstat(other, &stat) == 0 && stat.size == 0);
    check(unlink("/filetest") == 0);
}

static void directories_on_the_disk(void)
{
    struct hleos_entry entry;
    int file;

    if (!testing_disk())
        return;
    check(mkdir("/testdir") == 0 && mkdir("/testdir") == -1 && chdir("/testdir") == 0);
    check(mkdir("a") == 0 && mkdir("a/b") == 0 && mkdir("c/d") == -1);
    file = open("a/file", HLEOS_OPEN_CREATE | HLEOS_OPEN_WRITE);
    check(file >= 0 && close(file) == 0 && chdir("a/file") == -1 && chdir("a/b") == 0);
    check((file = open("../file", HLEOS_OPEN_READ)) >= 0 && close(file) == 0);
    check((file = open("/bin/sh", HLEOS_OPEN_READ)) >= 0 && close(file) == 0);
    check(open("bin/sh", HLEOS_OPEN_READ) == -1);
    check(unlink("/testdir/a") == -1 && open("..", HLEOS_OPEN_READ_WRITE) == -1);
    file = open("..", HLEOS_OPEN_READ);
    check(read(file, &entry, 10) == -1);
    for (int found = 0; found < 4; found++)
        check(read(file, &entry, sizeof entry) == sizeof entry);
    check(read(file, &entry, sizeof entry) == 0 && close(file) == 0);
    if (fork_or_fail() == 0)
        exit(open("../file", HLEOS_OPEN_READ) != file);
    check(reap() == 0 && unlink("../file") == 0 && chdir("/") == 0);
    check(unlink("/testdir/a/b") == 0 && unlink("/testdir/a") == 0 && unlink("/testdir") == 0);
}

/* exec() from the disk: a copy of a program. */
static void programs_on_the_disk(void)
{
    static const char *const argv[] = {"copy", "x", NULL};
    int from = open("/bin/hello", HLEOS_OPEN_READ), to;
    char bytes[700];
    long got;

    if (!testing_disk())
        return;
    to = open("/copy", HLEOS_OPEN_CREATE | HLEOS_OPEN_WRITE);
    while ((got = read(from, bytes, sizeof bytes)) > 0)
        check(write(to, bytes, (size_t)got) == got);
    check(close(to) == 0 && close(from) == 0);
    if (fork_or_fail() == 0) {
        exec("/copy", argv);
        exit(1);
    }
    check(reap() == 2 && unlink("/copy") == 0);
}

/* Files of the image can be mapped too, so this needs no disk. */
static void files_are_mapped(void)
{
    int file = open("/bin/usertests", 0), console = open("/dev/console", HLEOS_OPEN_WRITE), ends[2];
    struct hleos_stat st;
    char *all, *part, bytes[64];

    check(fstat(file, &st) == 0 && st.size > 8192);
    all = mmap(st.size + 10, file, 0);
    part = mmap(100, file, 5000);
    check((long)all > 0 && (long)part > 0 && memcmp(all + 5000, part, 100) == 0);
    check(part[100] == 0 && part[PAGE - 1] == 0); /* not more of the file than was mapped */
    check(read(file, bytes, sizeof bytes) == sizeof bytes); /* the position has not changed */
    check(memcmp(bytes, all, sizeof bytes) == 0 && all[st.size] == 0 && all[st.size + 9] == 0);
    all[0] = 'x';
    check(lseek(file, 0, HLEOS_SEEK_SET) == 0 && read(file, bytes, 4) == 4);
    check(memcmp(bytes, "\177ELF", 4) == 0);
    part = mmap(1, file, (long)st.size); /* all of it is behind the end of the file */
    check(part != MAP_FAILED && *part == 0);
    check(mmap(1, file, -1) == MAP_FAILED && mmap(1, file, (long)(1UL << 63)) == MAP_FAILED);
    check(close(file) == 0 && all[1] == 'E');
    check(mmap(1, file, 0) == MAP_FAILED && mmap(1, console, 0) == MAP_FAILED);
    check(pipe(ends) == 0 && mmap(1, ends[0], 0) == MAP_FAILED);
    check(munmap(all, st.size + 10) == 0);
}

/* Paths of the image's own files: extra slashes and dots have no effect, and a file is not a
 * directory. */
static void paths_of_the_image(void)
{
    static const char *const same[] = {"/bin/sh",   "//bin//sh",        "bin///sh",
                                       "/./bin/sh", "/bin/./../bin/sh", "/../bin/..//bin/sh"},
                             *const none[] = {"/bin/sh/",   "/bin/sh/.",  "/bin/sh/..",
                                              "/bin/s",     "/bin/shell", "/dev/no",
                                              "/no/../bin", "/proc//none"},
                             *const directories[] = {"/bin/", "//bin", "/dev//", "/proc/.//",
                                                     "/dev/../bin"};
    struct hleos_stat sh, st;

    check(stat("/bin/sh", &sh) == 0);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        check(stat(same[i], &st) == 0 && st.inode == sh.inode && st.size == sh.size);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        check(stat(none[i], &st) == -1);
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        check(stat(directories[i], &st) == 0 && st.type == HLEOS_DIRECTORY);
    check(stat("//dev//null", &st) == 0 && st.type == HLEOS_DEVICE);
    check(stat("/proc//memory", &st) == 0 && st.type == HLEOS_FILE && st.size > 0);
}

static void paths_have_a_status(void)
{
    struct hleos_stat st;

    check(stat("/bin/sh", &st) == 0 && st.type == HLEOS_FILE && st.size > 1000);
    check(stat("/bin", &st) == 0 && st.type == HLEOS_DIRECTORY);
    check(stat("/dev/null", &st) == 0 && st.type == HLEOS_DEVICE);
    check(stat("/bin/none", &st) == -1 && stat("", &st) == -1);
    FOR_BAD(at)
    check(stat((char *)*at, &st) == -1 && stat("/bin/sh", (struct hleos_stat *)*at) == -1);
    check(open("/bin/sh", 0) == 3); /* none of these opened a file */
}

static void devices_on_the_disk(void)
{
    static const char *const argv[] = {"nothing", NULL};
    struct hleos_stat st;
    int file;
    char c;

    if (!testing_disk())
        return;
    check(mkdir("/devices") == 0);
    check(mknod("/devices/nothing", HLEOS_DEVICE_NULL) == 0);
    check(mknod("/devices/nothing", HLEOS_DEVICE_NULL) == -1);
    check(mknod("/devices/x", 7) == -1 && mknod("/devices/x", 0) == -1);
    check(mknod("/devices/x", -1) == -1 && mknod("/devices/no/x", HLEOS_DEVICE_NULL) == -1);
    FOR_BAD(at)
    check(mknod((char *)*at, HLEOS_DEVICE_NULL) == -1);
    check(exec("/devices/nothing", argv) == -1);
    check(stat("/devices/nothing", &st) == 0 && st.type == HLEOS_DEVICE);
    file = open("/devices/nothing", HLEOS_OPEN_READ_WRITE);
    check(file >= 0 && write(file, "x", 1) == 1 && read(file, &c, 1) == 0 && close(file) == 0);
    check(mknod("/devices/screen", HLEOS_DEVICE_CONSOLE) == 0);
    file = open("/devices/screen", HLEOS_OPEN_WRITE);
    check(file >= 0 && write(file, "on the screen\n", 14) == 14 && read(file, &c, 1) == -1);
    check(close(file) == 0 && unlink("/devices/screen") == 0 && unlink("/devices/nothing") == 0);
    check(unlink("/devices") == 0);
}

static void directories(void)
{
    struct hleos_entry entry;
    struct hleos_stat stat;
    int file = open("/bin", 0), found = 0, count = 0;

    check(fstat(file, &stat) == 0 && stat.type == HLEOS_DIRECTORY);
    for (; read(file, &entry, sizeof entry) == sizeof entry; count++)
        found += strcmp(entry.name, "sh") == 0;
    check(found == 1 && stat.size == (unsigned)count * sizeof entry);
    check(write(file, "x", 1) == -1 && open("/bin", HLEOS_OPEN_READ_WRITE) == -1);
}

static const struct test tests[] = {
    TEST(a_pipe_keeps_order),
    TEST(a_pipe_without_reader_or_writer),
    TEST(programs_get_their_arguments),
    TEST(exec_keeps_files_and_number),
    TEST(numbers_of_files),
    TEST(places_in_files),
    TEST(files_are_mapped),
    TEST(paths_have_a_status),
    TEST(paths_of_the_image),
    TEST(directories),
    TEST(files_on_the_disk),
    TEST(directories_on_the_disk),
    TEST(devices_on_the_disk),
    TEST(programs_on_the_disk),
    {0},
};

int main(int argc, char **argv)
{
    return testing_run("filetests", tests, NULL, argc > 1 ? argv[1] : NULL);
}
