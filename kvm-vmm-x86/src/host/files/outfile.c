/* Files written at the end of a run; see files.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/events.h"
#include "host/files/files.h"

int outfile_open(struct outfile *file, const char *path, struct error *error)
{
    *file = (struct outfile){.path = path, .fd = -1};
    if (path == NULL)
        return 0;
    file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    file->ours = file->fd >= 0;
    /* A named pipe without a reader is an error; one whose reader is slow must not block us. */
    if (!file->ours && errno == EEXIST)
        file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    return file->fd >= 0 ? 0 : error_set(error, "cannot write %s: %s", path, strerror(errno));
}

/* A pipe or a terminal cannot be truncated (EINVAL). */
int outfile_begin(struct outfile *file)
{
    file->ours = false;
    return ftruncate(file->fd, 0) == 0 || errno == EINVAL ? 0 : -errno;
}

int outfile_write(void *context, const void *bytes, size_t count)
{
    int fd = ((struct outfile *)context)->fd, failure = 0;
    const char *from = bytes;

    while (count > 0 && failure == 0) {
        ssize_t n = write(fd, from, count);

        if (n >= 0) {
            from += n;
            count -= (size_t)n;
        } else if (errno == EAGAIN) {
            failure = events_await(fd, EVENTS_WRITE) ? 0 : -EINTR;
        } else if (errno != EINTR) {
            failure = -errno;
        }
    }
    return failure;
}

int outfile_close(struct outfile *file)
{
    int failure = file->fd >= 0 && close(file->fd) < 0 ? -errno : 0;

    file->fd = -1;
    return failure;
}

void outfile_abandon(struct outfile *file)
{
    if (file->ours)
        (void)!unlink(file->path);
    (void)!outfile_close(file);
    file->ours = false;
}
