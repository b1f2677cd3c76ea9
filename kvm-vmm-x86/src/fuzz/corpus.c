/* Inputs in memory and in folders; see corpus.h. */
#include "fuzz/corpus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, NUMBER_MAX = 999999 };

static int make_folder(const char *folder, struct error *error)
{
    return mkdir(folder, 0777) < 0 && errno != EEXIST
               ? error_set(error, "%s: %s", folder, strerror(errno))
               : 0;
}

static int join(char path[PATH_ROOM], const char *folder, const char *name, struct error *error)
{
    return snprintf(path, PATH_ROOM, "%s/%s", folder, name) >= PATH_ROOM
               ? error_set(error, "%s: the path is too long", folder)
               : 0;
}

/* Removes the file if it cannot be written as a whole. */
static int write_all(int fd, const char *path, const uint8_t *bytes, size_t size,
                     struct error *error)
{
    size_t done = 0;
    ssize_t n = 0;
    int why = 0;

    while (done < size && why == 0)
        if ((n = write(fd, bytes + done, size - done)) >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            why = errno;
    if (close(fd) < 0 && why == 0)
        why = errno;
    if (why == 0)
        return 0;
    unlink(path);
    return error_set(error, "%s: %s", path, strerror(why));
}

int corpus_write(const char *folder, const char *name, const void *bytes, size_t size,
                 struct error *error)
{
    char path[PATH_ROOM];
    int fd;

    if (make_folder(folder, error) < 0 || join(path, folder, name, error) < 0)
        return -1;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return fd < 0 ? error_set(error, "%s: %s", path, strerror(errno))
                  : write_all(fd, path, bytes, size, error);
}

int corpus_write_new(const char *folder, const char *kind, int digits, unsigned *number,
                     const void *bytes, size_t size, struct error *error)
{
    char name[64], path[PATH_ROOM], beside[PATH_ROOM + sizeof ".txt"];
    int fd;

    if (make_folder(folder, error) < 0)
        return -1;
    while (++*number <= NUMBER_MAX) {
        snprintf(name, sizeof name, "%s-%0*u", kind, digits, *number);
        if (join(path, folder, name, error) < 0)
            return -1;
        snprintf(beside, sizeof beside, "%s.txt", path);
        if (access(beside, F_OK) == 0)
            continue;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0)
            return write_all(fd, path, bytes, size, error);
        if (errno != EEXIST)
            return error_set(error, "%s: %s", path, strerror(errno));
    }
    return error_set(error, "%s: all names up to %s-%u are in use; remove some files", folder, kind,
                     NUMBER_MAX);
}

int corpus_add(struct corpus *c, const uint8_t *bytes, size_t size, bool save, struct error *error)
{
    struct corpus_input *input = &c->inputs[c->count];

    if (c->count == CORPUS_MAX)
        return 0;
    input->bytes = malloc(size > 0 ? size : 1);
    if (input->bytes == NULL)
        return error_set(error, "out of memory");
    memcpy(input->bytes, bytes, size);
    input->size = size;
    c->count++;
    if (!save || c->folder == NULL)
        return 0;
    return corpus_write_new(c->folder, "input", 6, &c->number, bytes, size, error);
}

static int read_one(struct corpus *c, const char *name, size_t most, struct error *error)
{
    char path[PATH_ROOM];
    uint8_t *bytes = malloc(most);
    struct stat status;
    int fd, result = -1;
    ssize_t n;

    if (bytes == NULL)
        return error_set(error, "out of memory");
    if (join(path, c->folder, name, error) < 0)
        goto end;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0) {
        error_set(error, "%s: %s", path, strerror(errno));
        goto end;
    }
    n = S_ISREG(status.st_mode) ? read(fd, bytes, most) : 0;
    close(fd);
    if (n < 0)
        error_set(error, "%s: %s", path, strerror(errno));
    else
        result = S_ISREG(status.st_mode) ? corpus_add(c, bytes, (size_t)n, false, error) : 0;
end:
    free(bytes);
    return result;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lists at most CORPUS_MAX entries of any kind. */
static int list(const char *folder, char *names[CORPUS_MAX], unsigned *count, struct error *error)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int result = 0;

    if (dir == NULL)
        return error_set(error, "%s: %s", folder, strerror(errno));
    while (result == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (*count == CORPUS_MAX)
            result =
                error_set(error, "%s: more than %d files; start with fewer", folder, CORPUS_MAX);
        else if ((names[*count] = strdup(entry->d_name)) == NULL)
            result = error_set(error, "out of memory");
        else
            ++*count;
    }
    if (result == 0 && errno != 0)
        result = error_set(error, "%s: %s", folder, strerror(errno));
    closedir(dir);
    qsort(names, *count, sizeof *names, compare);
    return result;
}

int corpus_open(struct corpus *c, const char *folder, size_t most, struct error *error)
{
    char **names;
    unsigned count = 0;
    int result;

    *c = (struct corpus){.folder = folder};
    if (folder == NULL)
        return 0;
    if (make_folder(folder, error) < 0)
        return -1;
    names = calloc(CORPUS_MAX, sizeof *names);
    if (names == NULL)
        return error_set(error, "out of memory");
    result = list(folder, names, &count, error);
    for (unsigned i = 0; i < count; i++) {
        if (names[i][0] != '.' && result == 0)
            result = read_one(c, names[i], most, error);
        free(names[i]);
    }
    free(names);
    return result;
}

void corpus_close(struct corpus *c)
{
    for (unsigned i = 0; i < c->count; i++)
        free(c->inputs[i].bytes);
    c->count = 0;
}
