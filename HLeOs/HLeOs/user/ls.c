/* Lists files and directories, by default the current one: type, inode, links, bytes, name. */
#include "lib.h"

static const char *type_text(const struct hleos_stat *stat)
{
    static const char *const texts[] = {"?", "directory", "file", "device", "pipe"};

    return texts[stat->type < sizeof texts / sizeof texts[0] ? stat->type : 0];
}

static bool describe(const char *path, const char *name)
{
    struct hleos_stat stat;
    int file = open(path, HLEOS_OPEN_READ);
    bool good = file >= 0 && fstat(file, &stat) == 0;

    if (good)
        printf("%-9s %5u %3u %8lu  %s\n", type_text(&stat), stat.inode, stat.links,
               (unsigned long)stat.size, name);
    else
        fprintf(2, "ls: %s: cannot be opened\n", path);
    close(file);
    return good;
}

static bool list(const char *path)
{
    struct hleos_entry entry;
    struct hleos_stat stat;
    size_t length = strlen(path);
    const char *separator = length > 0 && path[length - 1] == '/' ? "" : "/";
    int file = open(path, HLEOS_OPEN_READ);
    bool good = true;

    if (file < 0 || fstat(file, &stat) < 0 || stat.type != HLEOS_DIRECTORY) {
        close(file);
        return describe(path, path);
    }
    while (read(file, &entry, sizeof entry) == sizeof entry) {
        char name[HLEOS_NAME_MAX + 1] = "", full[160];

        memcpy(name, entry.name, sizeof entry.name);
        fmt_snprint(full, sizeof full, "%s%s%s", path, separator, name);
        if (entry.inode != 0)
            good &= describe(full, name);
    }
    close(file);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;

    if (argc < 2)
        return list(".") ? 0 : 1;
    for (int i = 1; i < argc; i++)
        good &= list(argv[i]);
    return good ? 0 : 1;
}
