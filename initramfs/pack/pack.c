/*
 * pack: writes an initial ramdisk from a list, as a cpio archive of the kind that Linux unpacks
 * ("newc": Documentation/driver-api/early-userspace/buffer-format). The same list gives the same
 * bytes: all times are 0, all owners are root, and inodes count up. To pack devices needs no
 * privileges.
 *
 *   pack < LIST > ARCHIVE       LIST: one line for each entry, after that of its folder
 *     dir PATH MODE
 *     file PATH MODE SOURCE
 *     link PATH TARGET
 *     device PATH MODE MAJOR MINOR      a character device
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ALIGNMENT = 4, LINE = 1024 };

struct entry {
    const char *path;
    unsigned mode, major, minor;
    const void *data;
    size_t size;
};

static unsigned long offset; /* of the archive so far */
static unsigned inode;

static void fail(const char *what, const char *why) __attribute__((noreturn));
static void fail(const char *what, const char *why)
{
    fprintf(stderr, "pack: %s: %s\n", what, why);
    exit(1);
}

static void put(const void *bytes, size_t count)
{
    if (fwrite(bytes, 1, count, stdout) != count)
        fail("standard output", strerror(errno));
    offset += count;
}

static void align(void)
{
    static const char zeros[ALIGNMENT];

    put(zeros, (ALIGNMENT - offset % ALIGNMENT) % ALIGNMENT);
}

/* Writes thirteen numbers of eight hexadecimal digits, the name and the data, both padded to four
 * bytes. Names have no leading slash. */
static void put_entry(const struct entry *entry)
{
    const char *name = entry->path[0] == '/' ? entry->path + 1 : entry->path;
    char header[128];
    int length = snprintf(header, sizeof header,
                          "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", ++inode,
                          entry->mode, 0, 0, S_ISDIR(entry->mode) ? 2 : 1, 0, entry->size, 0, 0,
                          entry->major, entry->minor, strlen(name) + 1, 0);

    put(header, (size_t)length);
    put(name, strlen(name) + 1);
    align();
    put(entry->data, entry->size);
    align();
}

static void put_file(const char *path, unsigned mode, const char *source)
{
    FILE *file = fopen(source, "re");
    struct stat status;
    char *data;

    if (file == NULL || fstat(fileno(file), &status) != 0)
        fail(source, strerror(errno));
    data = malloc((size_t)status.st_size + 1);
    if (data == NULL || fread(data, 1, (size_t)status.st_size + 1, file) != (size_t)status.st_size)
        fail(source, "cannot read all of it");
    put_entry(&(struct entry){
        .path = path, .mode = S_IFREG | mode, .data = data, .size = (size_t)status.st_size});
    free(data);
    fclose(file);
}

/* Packs one line of the list. False if the line is not valid. */
static bool put_line(const char *line)
{
    char path[LINE], other[LINE];
    unsigned mode, major, minor;

    if (sscanf(line, "dir %s %o", path, &mode) == 2)
        put_entry(&(struct entry){.path = path, .mode = S_IFDIR | mode});
    else if (sscanf(line, "file %s %o %s", path, &mode, other) == 3)
        put_file(path, mode, other);
    else if (sscanf(line, "link %s %s", path, other) == 2)
        put_entry(&(struct entry){
            .path = path, .mode = S_IFLNK | 0777, .data = other, .size = strlen(other)});
    else if (sscanf(line, "device %s %o %u %u", path, &mode, &major, &minor) == 4)
        put_entry(
            &(struct entry){.path = path, .mode = S_IFCHR | mode, .major = major, .minor = minor});
    else
        return line[0] == '#' || line[strspn(line, " \t\n")] == '\0';
    return true;
}

int main(void)
{
    char line[LINE];

    while (fgets(line, sizeof line, stdin) != NULL)
        if (!put_line(line))
            fail("no such entry", line);
    put_entry(&(struct entry){.path = "TRAILER!!!"});
    if (fflush(stdout) != 0)
        fail("standard output", strerror(errno));
    return 0;
}
