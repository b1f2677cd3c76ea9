/* Reads small files of a folder as a whole; see folder_read.h. */
#include "host/files/folder_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads up to `room` bytes, or to the end of the file; -1: see errno. */
static ssize_t read_all(int fd, char *bytes, size_t room)
{
    size_t size = 0;

    while (size < room) {
        ssize_t n = read(fd, bytes + size, room - size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        size += (size_t)n;
    }
    return (ssize_t)size;
}

/* A file that grows meanwhile is read up to its old size. */
static char *read_file(int fd, const char *path, uint64_t limit, size_t *size, struct error *error)
{
    struct stat st;
    ssize_t n = -1;
    char *bytes;

    if (fstat(fd, &st) < 0) {
        error_set(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > limit) {
        error_set(error, S_ISREG(st.st_mode) ? "%s is too large" : "%s is not a plain file", path);
        return NULL;
    }
    bytes = malloc((size_t)st.st_size + 1);
    errno = ENOMEM;
    if (bytes != NULL)
        n = read_all(fd, bytes, (size_t)st.st_size);
    if (n < 0) {
        error_set(error, "cannot read %s: %s", path, strerror(errno));
        free(bytes);
        return NULL;
    }
    *size = (size_t)n;
    return bytes;
}

char *folder_read(const char *path, const char *name, uint64_t limit, size_t *size,
                  struct error *error)
{
    char joined[FOLDER_PATH_MAX];
    char *bytes;
    int fd;

    if (!folder_join(joined, path, name)) {
        error_set(error, "a path of %zu bytes is too long", strlen(path));
        return NULL;
    }
    fd = open(joined, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        error_set(error, "cannot open %s: %s", joined, strerror(errno));
        return NULL;
    }
    bytes = read_file(fd, joined, limit, size, error);
    close(fd);
    return bytes;
}
