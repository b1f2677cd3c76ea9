/* An initial ramdisk in memory; see cpio.h. */
#include "run/cpio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ALIGNMENT = 4 };

static void put(struct cpio *c, const void *bytes, size_t size)
{
    size_t room = c->room;

    while (room - c->size < size)
        room = room == 0 ? 1 << 20 : room * 2;
    if (room != c->room && !c->failed) {
        uint8_t *more = realloc(c->bytes, room);

        c->failed = more == NULL;
        if (c->failed)
            return;
        c->bytes = more;
        c->room = room;
    }
    if (c->failed)
        return;
    if (size > 0)
        memcpy(c->bytes + c->size, bytes, size);
    c->size += size;
}

static void align(struct cpio *c)
{
    static const char zeros[ALIGNMENT];

    put(c, zeros, (ALIGNMENT - c->size % ALIGNMENT) % ALIGNMENT);
}

struct entry {
    const char *path;
    unsigned mode, major, minor;
    const void *bytes;
    size_t size;
};

static void put_entry(struct cpio *c, const struct entry *e)
{
    char header[128];
    int length = snprintf(header, sizeof header,
                          "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X",
                          ++c->inode, e->mode, 0, 0, S_ISDIR(e->mode) ? 2 : 1, 0, e->size, 0, 0,
                          e->major, e->minor, strlen(e->path) + 1, 0);

    put(c, header, (size_t)length);
    put(c, e->path, strlen(e->path) + 1);
    align(c);
    put(c, e->bytes, e->size);
    align(c);
}

void cpio_folder(struct cpio *cpio, const char *path)
{
    put_entry(cpio, &(struct entry){.path = path, .mode = S_IFDIR | 0755});
}

void cpio_file(struct cpio *cpio, const char *path, unsigned mode, const void *bytes, size_t size)
{
    put_entry(cpio,
              &(struct entry){.path = path, .mode = S_IFREG | mode, .bytes = bytes, .size = size});
}

void cpio_device(struct cpio *cpio, const char *path, unsigned major, unsigned minor)
{
    put_entry(cpio, &(struct entry){
                        .path = path, .mode = S_IFCHR | 0600, .major = major, .minor = minor});
}

void cpio_end(struct cpio *cpio)
{
    put_entry(cpio, &(struct entry){.path = "TRAILER!!!"});
}
