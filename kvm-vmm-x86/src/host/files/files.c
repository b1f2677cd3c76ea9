/* Files of the host; see files.h. */
#include "host/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/events.h"
#include "host/guard.h"
#include "host/sandbox/landlock.h"

enum { CHUNK = 64 * 1024, MAP_FROM = 1 << 20 };

/* A large file is mapped instead of copied. */
static bool map_all(int fd, uint64_t size, struct file *file)
{
    void *bytes;

    if (size < MAP_FROM)
        return false;
    bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED)
        return false;
    if (!guard_add_file(bytes, size)) {
        munmap(bytes, size);
        return false;
    }
    *file = (struct file){.bytes = bytes, .size = size, .mapped = true};
    return true;
}

static int read_all(int fd, const char *path, uint64_t limit, size_t expected, struct file *file,
                    struct error *error)
{
    size_t room = expected + 1; /* one more, to find the end without growing the buffer */
    ssize_t n;

    file->bytes = malloc(room);
    while (file->bytes != NULL) {
        if (!events_await(fd, EVENTS_READ))
            return error_set(error, "%s: the run ended while it was being read", path);
        n = read(fd, file->bytes + file->size, room - file->size);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return error_set(error, "cannot read %s: %s", path, strerror(errno));
        if (n == 0)
            return 0;
        file->size += (size_t)n;
        if (file->size > limit)
            return error_set(error, "%s is larger than %llu MiB", path,
                             (unsigned long long)limit >> 20);
        if (file->size == room) {
            uint8_t *larger = realloc(file->bytes, room += CHUNK + room / 2);

            if (larger == NULL)
                break;
            file->bytes = larger;
        }
    }
    return error_set(error, "%s: out of memory", path);
}

static int load(struct file *file, const char *path, uint64_t limit, bool plain,
                struct error *error)
{
    struct stat st;
    int result = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *file = (struct file){0};
    if (fd < 0)
        return error_set(error, "cannot open %s: %s%s", path, strerror(errno),
                         errno == EACCES && landlock_is_entered()
                             ? " (the sandbox allows no file that was made after the start)"
                             : "");
    landlock_allow(fd, LANDLOCK_READ); /* a guest that restarts is loaded from it */
    if (fstat(fd, &st) < 0)
        error_set(error, "cannot examine %s: %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        error_set(error, "%s is a directory", path);
    else if (S_ISCHR(st.st_mode))
        error_set(error, "%s is a device, not a file", path);
    else if (plain && !S_ISREG(st.st_mode))
        error_set(error, "%s is not a plain file", path);
    else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit)
        error_set(error, "%s is larger than %llu MiB", path, (unsigned long long)limit >> 20);
    else if (S_ISREG(st.st_mode) && map_all(fd, (uint64_t)st.st_size, file))
        result = 0;
    else
        result = read_all(fd, path, limit, S_ISREG(st.st_mode) ? (size_t)st.st_size : CHUNK, file,
                          error);
    if (result == 0 && file->size == 0)
        result = error_set(error, "%s is empty", path);
    if (result == 0 && S_ISREG(st.st_mode)) {
        file->fd = fd;
        file->changed = st.st_mtim;
        return 0;
    }
    if (result < 0)
        file_release(file);
    close(fd);
    return result;
}

int file_load(struct file *file, const char *path, uint64_t limit, struct error *error)
{
    return load(file, path, limit, false, error);
}

int file_load_plain(struct file *file, const char *path, uint64_t limit, struct error *error)
{
    return load(file, path, limit, true, error);
}

bool file_is_unchanged(const struct file *file)
{
    struct stat st;

    return file->fd == 0 || (fstat(file->fd, &st) == 0 && (uint64_t)st.st_size == file->size &&
                             st.st_mtim.tv_sec == file->changed.tv_sec &&
                             st.st_mtim.tv_nsec == file->changed.tv_nsec);
}

int file_load_again(struct file *again, const struct file *file, struct error *error)
{
    *again = (struct file){.size = file->size};
    if (file->fd == 0)
        return error_set(error, "it cannot be read again");
    if (!file_is_unchanged(file))
        return error_set(error, "it was changed after it was read");
    if (map_all(file->fd, file->size, again))
        return 0;
    again->bytes = malloc(file->size);
    if (again->bytes != NULL && pread(file->fd, again->bytes, file->size, 0) == (ssize_t)file->size)
        return 0;
    file_release(again);
    return error_set(error, "it cannot be read again");
}

void file_forget(struct file *file)
{
    if (file->mapped) {
        (void)guard_remove_file(file->bytes);
        munmap(file->bytes, file->size);
    } else
        free(file->bytes);
    file->bytes = NULL;
    file->mapped = false;
}

int file_look(const char *path, struct error *error)
{
    return access(path, R_OK) == 0 ? 0
                                   : error_set(error, "cannot open %s: %s", path, strerror(errno));
}

bool file_is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

void file_release(struct file *file)
{
    file_forget(file);
    if (file->fd != 0)
        close(file->fd);
    *file = (struct file){0};
}

bool files_are_one(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

void files_keep_standard(void)
{
    for (int fd = FILE_STDIN; fd <= FILE_STDERR; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            return; /* then the next open fails too, and reports it */
}
