/*
 * A random load on a folder, the same for the same seed; in a guest, and on the host.
 *
 *   load run FOLDER SEED COUNT    so many operations; prints a sum of what they answered
 *   load look FOLDER              prints a sum of what is there: names, kinds, modes, links, bytes,
 *                                 attributes
 *
 * Operations meet few names, so that most find something. What they answer depends on the folder
 * and the seed alone: a folder that is shared and a plain one of the same kind give the same sums.
 * With LOAD_TRACE in the environment each operation and its answer is a line on standard error.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NAMES = 7, FOLDERS = 4, FILE_MAX = 200000, PIECE = 40000, PAGE = 4096 };

struct sum {
    uint64_t value;
};

static struct sum answers = {14695981039346656037u};
static uint64_t state;
static uint8_t bytes[FILE_MAX + PIECE];

static void add(struct sum *sum, const void *what, size_t size) /* FNV-1a */
{
    for (size_t i = 0; i < size; i++)
        sum->value = (sum->value ^ ((const uint8_t *)what)[i]) * 1099511628211u;
}

static uint64_t draw(uint64_t below) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * 2685821657736338717u >> 33) % below;
}

struct path {
    char text[32];
};

/* A file in one of the folders, a folder among them or in them. */
static struct path any(void)
{
    struct path p;
    unsigned folder = (unsigned)draw(FOLDERS);

    if (folder == 0)
        snprintf(p.text, sizeof p.text, "f%u", (unsigned)draw(NAMES));
    else
        snprintf(p.text, sizeof p.text, "d%u/f%u", folder, (unsigned)draw(NAMES));
    return p;
}

static struct path any_folder(void)
{
    struct path p;

    snprintf(p.text, sizeof p.text, "d%u", (unsigned)(1 + draw(FOLDERS - 1)));
    return p;
}

static int64_t result(int64_t value)
{
    return value < 0 ? -errno : value;
}

/* Closes the file too. */
static int64_t and_close(int fd, int64_t value)
{
    return close(fd) < 0 ? -errno : value;
}

static size_t fill(void)
{
    size_t size = 1 + draw(PIECE);
    uint8_t first = (uint8_t)draw(256);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(first + i * 7);
    return size;
}

/* --- operations: each draws the same numbers whatever it finds --- */

static int64_t create(void)
{
    struct path p = any();
    int flags = draw(2) ? O_EXCL : O_TRUNC;
    int fd = open(p.text, O_CREAT | O_WRONLY | flags, 0600 | (mode_t)draw(0100));

    return fd < 0 ? -errno : and_close(fd, 0);
}

static int64_t write_some(void)
{
    struct path p = any();
    size_t size = fill();
    off_t at = (off_t)draw(FILE_MAX - PIECE);
    int flags = draw(4) == 0 ? O_APPEND : 0;
    bool sync = draw(8) == 0;
    int fd = open(p.text, O_RDWR | flags);
    struct stat status;
    int64_t n;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0 || (flags && status.st_size > FILE_MAX - PIECE))
        return and_close(fd, -1);
    n = result(flags ? write(fd, bytes, size) : pwrite(fd, bytes, size, at));
    if (sync && fsync(fd) < 0)
        n = -errno;
    return and_close(fd, n);
}

static int64_t read_some(void)
{
    struct path p = any();
    off_t at = (off_t)draw(FILE_MAX);
    int fd = open(p.text, O_RDONLY);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = pread(fd, bytes, PIECE, at);
    if (n > 0)
        add(&answers, bytes, (size_t)n);
    return and_close(fd, result(n));
}

static int64_t set_size(void)
{
    struct path p = any();
    off_t size = (off_t)draw(FILE_MAX);

    return result(truncate(p.text, size));
}

static int64_t allocate(void)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE};
    struct path p = any();
    int mode = modes[draw(3)];
    off_t at = (off_t)draw(FILE_MAX - PIECE), size = (off_t)(1 + draw(PIECE));
    int fd = open(p.text, O_RDWR);

    return fd < 0 ? -errno : and_close(fd, result(fallocate(fd, mode, at, size)));
}

static int64_t move(void)
{
    static const unsigned flags[] = {0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
    unsigned flag = flags[draw(4)];
    bool folders = draw(6) == 0;
    struct path from = folders ? any_folder() : any(), to = folders ? any_folder() : any();

    return result(renameat2(AT_FDCWD, from.text, AT_FDCWD, to.text, flag));
}

static int64_t make_link(void)
{
    struct path from = any(), to = any();

    return result(link(from.text, to.text));
}

static int64_t make_symlink(void)
{
    struct path p = any();
    unsigned target = (unsigned)draw(NAMES);
    char text[16];

    snprintf(text, sizeof text, "f%u", target);
    return result(symlink(text, p.text));
}

static int64_t read_link(void)
{
    struct path p = any();
    ssize_t n = readlink(p.text, (char *)bytes, PIECE);

    if (n > 0)
        add(&answers, bytes, (size_t)n);
    return result(n);
}

static int64_t remove_file(void)
{
    struct path p = any();

    return result(unlink(p.text));
}

static int64_t make_folder(void)
{
    struct path p = draw(2) ? any_folder() : any();

    return result(mkdir(p.text, 0700 | (mode_t)draw(0100)));
}

static int64_t remove_folder(void)
{
    struct path p = draw(4) == 0 ? any_folder() : any();

    return result(rmdir(p.text));
}

static int64_t set_mode(void)
{
    struct path p = any();

    return result(chmod(p.text, 0700 | (mode_t)draw(0100)));
}

static int64_t change_attribute(void)
{
    struct path p = any();
    unsigned what = (unsigned)draw(4);
    size_t size = 1 + draw(100);
    char name[16];
    ssize_t n;

    snprintf(name, sizeof name, "user.%u", (unsigned)draw(3));
    memset(bytes, (int)draw(256), size);
    if (what == 0)
        return result(lremovexattr(p.text, name));
    if (what != 1)
        return result(lsetxattr(p.text, name, bytes, size, what == 2 ? 0 : XATTR_CREATE));
    n = lgetxattr(p.text, name, bytes, PIECE);
    if (n > 0)
        add(&answers, bytes, (size_t)n);
    return result(n);
}

/* Bytes that are written to a shared mapping, and read from one. */
static int64_t map(void)
{
    struct path p = any();
    size_t at = draw(PIECE), size = 1 + draw(PAGE);
    uint8_t value = (uint8_t)draw(256);
    bool write = draw(2);
    int fd = open(p.text, O_RDWR);
    struct stat status;
    int64_t n = 0;
    uint8_t *m;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
        return and_close(fd, -2);
    m = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (m == MAP_FAILED)
        return and_close(fd, -errno);
    at %= (size_t)status.st_size;
    size = at + size < (size_t)status.st_size ? size : (size_t)status.st_size - at;
    if (write) {
        memset(m + at, value, size);
        n = result(msync(m, (size_t)status.st_size, MS_SYNC));
        futimens(fd, NULL); /* tmpfs does not; who caches the file would not know */
    } else {
        add(&answers, m + at, size);
    }
    munmap(m, (size_t)status.st_size);
    return and_close(fd, n);
}

/* A file without a name, which gets one. */
static int64_t nameless(void)
{
    struct path p = any();
    size_t size = fill();
    bool keep = draw(3) > 0;
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    char self[32];
    int64_t n;

    if (fd < 0)
        return -errno;
    n = result(write(fd, bytes, size));
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (keep && linkat(AT_FDCWD, self, AT_FDCWD, p.text, AT_SYMLINK_FOLLOW) < 0)
        n = -errno;
    return and_close(fd, n);
}

/* A file that loses its name while it is open. */
static int64_t removed_while_open(void)
{
    struct path p = any();
    size_t size = fill();
    int fd = open(p.text, O_RDWR);
    struct stat status;
    int64_t n;

    if (fd < 0)
        return -errno;
    n = result(unlink(p.text));
    if (n == 0)
        n = result(pwrite(fd, bytes, size, 100));
    memset(bytes, 0, size);
    if (n > 0 && pread(fd, bytes, size, 100) > 0)
        add(&answers, bytes, size);
    if (fstat(fd, &status) == 0)
        add(&answers, &status.st_size, sizeof status.st_size);
    return and_close(fd, n);
}

static int64_t copy(void)
{
    struct path from = any(), to = any();
    off_t at = (off_t)draw(PIECE), into = (off_t)draw(FILE_MAX - PIECE);
    size_t size = 1 + draw(PIECE);
    int in = open(from.text, O_RDONLY), out = in < 0 ? -1 : open(to.text, O_WRONLY);
    int64_t n = in < 0 || out < 0 ? -errno : result(copy_file_range(in, &at, out, &into, size, 0));

    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return n;
}

struct operation {
    const char *name;
    int64_t (*run)(void);
    unsigned weight;
};

static const struct operation operations[] = {{"create", create, 8},
                                              {"write", write_some, 10},
                                              {"read", read_some, 8},
                                              {"truncate", set_size, 4},
                                              {"fallocate", allocate, 3},
                                              {"rename", move, 8},
                                              {"link", make_link, 5},
                                              {"symlink", make_symlink, 3},
                                              {"readlink", read_link, 2},
                                              {"unlink", remove_file, 6},
                                              {"mkdir", make_folder, 4},
                                              {"rmdir", remove_folder, 3},
                                              {"chmod", set_mode, 3},
                                              {"xattr", change_attribute, 6},
                                              {"mmap", map, 6},
                                              {"O_TMPFILE", nameless, 4},
                                              {"unlink an open file", removed_while_open, 3},
                                              {"copy_file_range", copy, 4}};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static const struct operation *choose(void)
{
    unsigned all = 0, chosen;
    const struct operation *o = operations;

    for (unsigned i = 0; i < OPERATIONS; i++)
        all += operations[i].weight;
    for (chosen = (unsigned)draw(all); chosen >= o->weight; o++)
        chosen -= o->weight;
    return o;
}

/* --- what is there --- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_attributes(struct sum *sum, const char *path)
{
    char list[1000], value[1000], *names[32];
    ssize_t size = llistxattr(path, list, sizeof list), n;
    unsigned count = 0;

    for (char *at = list; size > 0 && at < list + size && count < 32; at += strlen(at) + 1)
        if (strncmp(at, "user.", 5) == 0)
            names[count++] = at;
    qsort(names, count, sizeof names[0], by_name);
    for (unsigned i = 0; i < count; i++) {
        n = lgetxattr(path, names[i], value, sizeof value);
        add(sum, names[i], strlen(names[i]));
        add(sum, value, n > 0 ? (size_t)n : 0);
    }
}

static void look(struct sum *sum, const char *path);

static void look_inside(struct sum *sum, const char *path)
{
    DIR *folder = opendir(path);
    char *names[100], inner[PATH_MAX];
    struct dirent *e;
    unsigned count = 0;

    while (folder != NULL && (e = readdir(folder)) != NULL && count < 100)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            names[count++] = strdup(e->d_name);
    if (folder == NULL || closedir(folder) < 0 || count == 100)
        exit(1);
    qsort(names, count, sizeof names[0], by_name);
    for (unsigned i = 0; i < count; i++) {
        add(sum, names[i], strlen(names[i]) + 1);
        snprintf(inner, sizeof inner, "%s/%s", path, names[i]);
        look(sum, inner);
        free(names[i]);
    }
}

static void look(struct sum *sum, const char *path)
{
    struct stat status;
    uint64_t about[3] = {0};
    ssize_t n = 0;
    int fd;

    if (lstat(path, &status) < 0)
        exit(1);
    about[0] = status.st_mode;
    if (!S_ISDIR(status.st_mode)) {
        about[1] = (uint64_t)status.st_size;
        about[2] = status.st_nlink;
    }
    add(sum, about, sizeof about);
    add_attributes(sum, path);
    if (getenv("LOAD_TRACE") != NULL)
        fprintf(stderr, "%s mode %o size %llu links %llu\n", path, (unsigned)about[0],
                (unsigned long long)about[1], (unsigned long long)about[2]);
    if (S_ISDIR(status.st_mode)) {
        look_inside(sum, path);
    } else if (S_ISLNK(status.st_mode)) {
        n = readlink(path, (char *)bytes, sizeof bytes);
        add(sum, bytes, n > 0 ? (size_t)n : 0);
    } else {
        fd = open(path, O_RDONLY);
        n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
        if (n != status.st_size)
            exit(1);
        add(sum, bytes, (size_t)n);
        close(fd);
    }
}

int main(int argc, char **argv)
{
    const bool trace = getenv("LOAD_TRACE") != NULL;
    struct sum all = {14695981039346656037u};

    umask(0);
    if (argc == 3 && strcmp(argv[1], "look") == 0) {
        if (chdir(argv[2]) < 0)
            return 1;
        look_inside(&all, ".");
        printf("tree %016llx\n", (unsigned long long)all.value);
        return 0;
    }
    if (argc != 5 || strcmp(argv[1], "run") != 0 || chdir(argv[2]) < 0)
        return 2;
    state = strtoull(argv[3], NULL, 10) * 2654435769u + 88172645463325252u;
    for (long i = 0; i < atol(argv[4]); i++) {
        const struct operation *o = choose();
        int64_t answer = o->run();

        add(&answers, &answer, sizeof answer);
        if (trace)
            fprintf(stderr, "%ld %s: %lld\n", i, o->name, (long long)answer);
    }
    printf("answers %016llx\n", (unsigned long long)answers.value);
    return 0;
}
