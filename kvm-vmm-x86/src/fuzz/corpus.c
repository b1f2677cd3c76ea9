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

enum { PATH_ROOM = 4096 };

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

int corpus_write(const char *folder, const char *name, const void *bytes, size_t size,
                 struct error *error)
{
    char path[PATH_ROOM];
    FILE *file;
    bool good;

    if (make_folder(folder, error) < 0 || join(path, folder, name, error) < 0)
        return -1;
    file = fopen(path, "we");
    if (file == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    good = fwrite(bytes, 1, size, file) == size;
    good &= fclose(file) == 0;
    return good ? 0 : error_set(error, "%s: %s", path, strerror(errno));
}

int corpus_add(struct corpus *c, const uint8_t *bytes, size_t size, bool save, struct error *error)
{
    struct corpus_input *input = &c->inputs[c->count];
    char name[32];

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
    snprintf(name, sizeof name, "input-%06u", c->count);
    return corpus_write(c->folder, name, bytes, size, error);
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

int corpus_open(struct corpus *c, const char *folder, size_t most, struct error *error)
{
    struct dirent **names;
    int count, result = 0;

    *c = (struct corpus){.folder = folder};
    if (folder == NULL)
        return 0;
    if (make_folder(folder, error) < 0)
        return -1;
    count = scandir(folder, &names, NULL, alphasort);
    if (count < 0)
        return error_set(error, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.' && result == 0)
            result = read_one(c, names[i]->d_name, most, error);
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
