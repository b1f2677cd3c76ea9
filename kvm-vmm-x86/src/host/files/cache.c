/* The user's cache; see cache.h. */
#include "host/files/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/files/files.h"
#include "host/guard.h"

enum { FORGOTTEN_AFTER = 3600 /* seconds */, SECRET_MAX = 32 };

/* The XDG specification says that relative paths in the environment are invalid. */
const char *cache_folder(char path[PATH_MAX])
{
    const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
    int n = 0;

    if (cache != NULL && cache[0] == '/')
        n = snprintf(path, PATH_MAX, "%s/mini-kvm", cache);
    else if (home != NULL && home[0] == '/')
        n = snprintf(path, PATH_MAX, "%s/.cache/mini-kvm", home);
    return n > 0 && n < PATH_MAX ? path : NULL;
}

/* Opens the folder. If `make`, creates it and its parent first. -1 on failure. */
static int open_folder(bool make)
{
    char folder[PATH_MAX], base[PATH_MAX];

    if (cache_folder(folder) == NULL)
        return -1;
    snprintf(base, sizeof base, "%.*s", (int)(strrchr(folder, '/') - folder), folder);
    if (make && mkdir(folder, 0700) < 0 && errno == ENOENT && mkdir(base, 0700) == 0)
        (void)mkdir(folder, 0700); /* an error shows when it is opened */
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_ours(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

const uint8_t *cache_map(const char *name, size_t *size)
{
    void *bytes = MAP_FAILED;
    struct stat st;
    int folder = open_folder(false), fd = -1;

    if (folder >= 0) {
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        close(folder);
    }
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && is_ours(&st) && st.st_size > 0)
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return NULL;
    if (!guard_add_file(bytes, (size_t)st.st_size)) {
        munmap(bytes, (size_t)st.st_size);
        return NULL;
    }
    *size = (size_t)st.st_size;
    return bytes;
}

bool cache_unmap(const uint8_t *bytes, size_t size)
{
    bool whole = guard_remove_file(bytes);

    munmap((void *)bytes, size);
    return whole;
}

/* A writer's file ends with its process ID: whether that process has ended. A writer on another
 * machine may look like that: then its file is removed, and it caches nothing this time. */
static bool is_orphan(const char *name)
{
    long pid = atol(strrchr(name, '.') + 1);

    return pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/* Whether a file was left by a writer that did not finish. */
static bool is_forgotten(const char *name, const struct cache_write *write, const struct stat *st)
{
    return name[0] == '.' && strncmp(name + 1, write->family, strlen(write->family)) == 0 &&
           (is_orphan(name) || st->st_mtim.tv_sec < time(NULL) - FORGOTTEN_AFTER);
}

/* Removes the oldest file of a family if there are already `most`, to make room for one more. */
static void make_room(int folder, const struct cache_write *write)
{
    DIR *dir = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    char oldest[NAME_MAX + 1] = "";
    time_t age = 0;
    unsigned count = 0;
    struct dirent *entry;
    struct stat st;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (is_forgotten(entry->d_name, write, &st))
            (void)unlinkat(folder, entry->d_name, 0);
        if (strncmp(entry->d_name, write->family, strlen(write->family)) == 0 &&
            (count++ == 0 || st.st_mtim.tv_sec < age)) {
            snprintf(oldest, sizeof oldest, "%s", entry->d_name);
            age = st.st_mtim.tv_sec;
        }
    }
    if (dir != NULL)
        closedir(dir);
    if (count >= write->most)
        (void)unlinkat(folder, oldest, 0);
}

static bool write_at(int fd, uint64_t offset, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = pwrite(fd, bytes, count, (off_t)offset);

        if (n <= 0)
            return false;
        bytes += n;
        count -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/* Writes the whole file under a temporary name before it gets the right one. `durable`: also syncs
 * it to the disk. */
static bool write_file(int folder, const struct cache_write *write, bool durable)
{
    char name[NAME_MAX];
    bool done;
    int fd;

    snprintf(name, sizeof name, ".%s.%ld", write->name, (long)getpid());
    fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    done = ftruncate(fd, (off_t)(write->offset + write->size)) == 0 &&
           write_at(fd, 0, write->head, write->head_size) &&
           write_at(fd, write->offset, write->bytes, write->size) && (!durable || fsync(fd) == 0);
    done &= close(fd) == 0;
    done = done && renameat(folder, name, folder, write->name) == 0;
    if (!done)
        (void)unlinkat(folder, name, 0);
    return done;
}

bool cache_write(const struct cache_write *write)
{
    int folder = open_folder(true);
    bool done;

    if (folder < 0)
        return false;
    make_room(folder, write);
    done = write_file(folder, write, false);
    close(folder);
    return done;
}

static bool read_secret(int folder, const char *name, uint8_t *bytes, size_t size)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    bool good;

    if (fd < 0)
        return false;
    good = fstat(fd, &st) == 0 && is_ours(&st) && !(st.st_mode & (S_IRWXG | S_IRWXO)) &&
           st.st_size == (off_t)size && read(fd, bytes, size) == (ssize_t)size;
    close(fd);
    return good;
}

/* Makes a new secret. It replaces one that is damaged or that others could read. */
static void make_secret(int folder, const char *name, size_t size)
{
    uint8_t bytes[SECRET_MAX];
    struct cache_write write = {.name = name, .bytes = bytes, .size = size};

    if (getrandom(bytes, size, 0) == (ssize_t)size)
        (void)write_file(folder, &write, true);
}

bool cache_secret(const char *name, uint8_t *bytes, size_t size)
{
    int folder = size <= SECRET_MAX ? open_folder(true) : -1;
    bool good;

    if (folder < 0)
        return false;
    good = read_secret(folder, name, bytes, size);
    if (!good) {
        make_secret(folder, name, size);
        good = read_secret(folder, name, bytes, size);
    }
    close(folder);
    return good;
}
