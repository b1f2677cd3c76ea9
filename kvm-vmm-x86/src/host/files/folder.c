/* Folders that are written as a whole or not at all; see folder.h. */
#include "host/files/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/address.h"
#include "base/memory.h"
#include "host/files/pack.h"

enum { RUN_PAGES = 64, RUN = RUN_PAGES * PAGE_SIZE };

static void add_page(uint32_t *sum, uint64_t number, const uint8_t *page, size_t size)
{
    *sum = (uint32_t)crc32(*sum, (const uint8_t *)&number, sizeof number);
    *sum = (uint32_t)crc32(*sum, page, (unsigned)size);
}

static void finish_sum(uint32_t *sum, uint64_t size)
{
    *sum = (uint32_t)crc32(*sum, (const uint8_t *)&size, sizeof size);
}

static size_t page_at(uint64_t at, uint64_t size)
{
    return size - at < PAGE_SIZE ? (size_t)(size - at) : PAGE_SIZE;
}

bool folder_join(char joined[FOLDER_PATH_MAX], const char *path, const char *name)
{
    return snprintf(joined, FOLDER_PATH_MAX, "%s/%s", path, name) < FOLDER_PATH_MAX;
}

/* --- writing --- */

static const char *reason(void)
{
    return errno != 0 ? strerror(errno) : "a file is shorter than it was";
}

static int cannot_write(const struct folder *f, const char *name, struct error *error)
{
    return error_set(error, "cannot write %s.tmp/%s: %s", f->path, name, reason());
}

void folder_open(struct folder *folder, const char *path, const struct folder_files *files,
                 const bool *stop)
{
    *folder = (struct folder){.files = *files, .stop = stop};
    snprintf(folder->path, sizeof folder->path, "%s", path);
}

void folder_close_files(struct folder_files *files)
{
    for (unsigned i = 0; i < files->count; i++) {
        if (files->fds[i] >= 0)
            close(files->fds[i]);
        files->fds[i] = -1;
    }
}

void folder_move_files(struct folder_files *to, struct folder_files *from)
{
    for (unsigned i = 0; i < from->count; i++) {
        if (from->fds[i] >= 0)
            to->fds[to->count++] = from->fds[i];
        from->fds[i] = -1;
    }
}

/* Takes the descriptor of a file of the list; each file is written once. */
static int take_file(struct folder *f, const char *name, uint64_t size, struct error *error)
{
    unsigned i = 0;
    struct stat st;
    int fd;

    while (i < f->files.count && strcmp(f->files.names[i], name) != 0)
        i++;
    if (i == f->files.count || f->files.fds[i] < 0)
        return error_set(error, "no file \"%s\" was passed to be written", name);
    fd = f->files.fds[i];
    f->files.fds[i] = -1;
    f->written[i] = true;
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        errno = EINVAL;
    else if (ftruncate(fd, 0) == 0 && ftruncate(fd, (off_t)size) == 0)
        return fd;
    cannot_write(f, name, error);
    close(fd);
    return -1;
}

static int write_at(const struct folder *f, int fd, const uint8_t *bytes, size_t size, uint64_t at)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, bytes, size, (off_t)at);

        if (__atomic_load_n(f->stop, __ATOMIC_RELAXED)) {
            errno = ECANCELED;
            return -1;
        }
        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0) { /* a file system (FUSE) may return 0, and would again */
            errno = EIO;
            return -1;
        }
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
            at += (uint64_t)n;
        }
    }
    return 0;
}

/* A file that is being written. */
struct sink {
    const struct folder *folder;
    int fd;
    struct pack *pack; /* NULL: not packed */
    uint32_t sum;
};

static int write_run(struct sink *s, const uint8_t *bytes, size_t size, uint64_t at)
{
    if (size == 0)
        return 0;
    return s->pack != NULL ? pack_write(s->pack, bytes, size, at)
                           : write_at(s->folder, s->fd, bytes, size, at);
}

/* Writes the pages at `bytes` to `at`, in runs. Zero pages become holes. */
static int write_pages(struct sink *s, const uint8_t *bytes, uint64_t size, uint64_t at)
{
    uint64_t first = 0, pos = 0;

    while (pos < size) {
        size_t part = page_at(pos, size);
        bool zero = memory_is_zero(bytes + pos, part);

        if (!zero)
            add_page(&s->sum, (at + pos) / PAGE_SIZE, bytes + pos, part);
        if (zero || pos - first == RUN) {
            if (write_run(s, bytes + first, pos - first, at + first) < 0)
                return -1;
            first = zero ? pos + part : pos;
        }
        pos += part;
    }
    return first < size ? write_run(s, bytes + first, size - first, at + first) : 0;
}

static int close_file(const struct folder *f, int fd, const char *name, int result,
                      struct error *error)
{
    if (result == 0)
        result = fdatasync(fd);
    if (result < 0)
        cannot_write(f, name, error);
    if (close(fd) < 0 && result == 0)
        return cannot_write(f, name, error);
    return result;
}

int folder_put(struct folder *folder, const char *name, const void *bytes, size_t size,
               uint32_t *sum, struct error *error)
{
    struct sink sink = {.folder = folder, .fd = take_file(folder, name, size, error)};

    if (sink.fd < 0)
        return -1;
    if (close_file(folder, sink.fd, name, write_pages(&sink, bytes, size, 0), error) < 0)
        return -1;
    finish_sum(&sink.sum, size);
    *sum = sink.sum;
    return 0;
}

/* Finds the next range of anonymous memory that was touched: reading others would fill page tables
 * with zero pages. Documentation/admin-guide/mm/pagemap.rst: bits 63 and 62. */
static uint64_t touched_end(int pagemap, const uint8_t *host, uint64_t from, uint64_t size,
                            uint64_t *begin)
{
    uint64_t entries[512], pages = (size - from) / PAGE_SIZE, count, i;
    uintptr_t first = ((uintptr_t)host + from) / PAGE_SIZE;
    ssize_t n;

    count = pages < 512 ? pages : 512;
    n = pagemap < 0 ? -1
                    : pread(pagemap, entries, count * sizeof entries[0],
                            (off_t)(first * sizeof entries[0]));
    *begin = from;
    if (n != (ssize_t)(count * sizeof entries[0]))
        return size - from > RUN ? from + RUN : size; /* pagemap cannot be read: take all pages */
    for (i = 0; i < count && entries[i] >> 62 == 0; i++)
        ;
    *begin = from + i * PAGE_SIZE;
    while (i < count && entries[i] >> 62 != 0)
        i++;
    return from + i * PAGE_SIZE;
}

static int write_slot(struct sink *sink, const struct memory_slot *slot, uint64_t at)
{
    int pagemap =
        slot->backing == MEMORY_ANONYMOUS ? open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) : -1;
    uint64_t from = 0, begin;
    int result = 0;

    while (from < slot->size && result == 0) {
        uint64_t end = touched_end(pagemap, slot->host, from, slot->size, &begin);

        if (begin < end)
            result = write_pages(sink, slot->host + begin, end - begin, at + begin);
        from = end > from ? end : begin;
    }
    if (pagemap >= 0)
        close(pagemap);
    return result;
}

/* Writes the pages of the log: at their offsets from `at`, or one after another if packed. */
static int write_logged(struct sink *sink, const struct memory_slot *slot, uint64_t *at,
                        const uint64_t *log)
{
    struct memory_run run;
    uint64_t page = 0;
    int result = 0;

    while (result == 0 && memory_next_run(slot, log, &page, &run)) {
        uint64_t from = run.gpa - slot->base;

        result =
            write_pages(sink, slot->host + from, run.size, sink->pack != NULL ? *at : *at + from);
        if (sink->pack != NULL)
            *at += run.size;
    }
    if (sink->pack == NULL)
        *at += slot->size;
    return result;
}

static int write_memory(struct sink *sink, const struct folder_memory *from, uint64_t *at)
{
    int result = 0;

    for (unsigned i = 0; i < from->memory->count && result == 0; i++) {
        const struct memory_slot *slot = &from->memory->slots[i];

        if (from->logs != NULL && from->logs[i] != NULL) {
            result = write_logged(sink, slot, at, from->logs[i]);
            continue;
        }
        if (from->logs == NULL)
            result = write_slot(sink, slot, *at);
        *at += from->logs == NULL || sink->pack == NULL ? slot->size : 0;
    }
    return result;
}

int folder_put_memory(struct folder *folder, const char *name, const struct folder_memory *from,
                      uint32_t *sum, struct error *error)
{
    uint64_t size = memory_bytes(from->memory), end = 0;
    struct sink sink = {.folder = folder};
    int result = 0;

    sink.fd = take_file(folder, name, from->packed ? 0 : size, error);
    if (sink.fd < 0)
        return -1;
    if (from->packed) {
        sink.pack = pack_open(sink.fd, folder->stop);
        errno = ENOMEM;
        result = sink.pack != NULL ? 0 : -1;
    }
    if (result == 0)
        result = write_memory(&sink, from, &end);
    if (result == 0 && from->packed)
        result = pack_end(sink.pack, end);
    result = close_file(folder, sink.fd, name, result, error);
    pack_close(sink.pack);
    finish_sum(&sink.sum, end);
    *sum = sink.sum;
    return result;
}

/* The next range of a file that is not a hole; false at the end. On a file system without holes the
 * whole file is one range. */
static bool next_data(int fd, uint64_t size, uint64_t *from, uint64_t *end)
{
    off_t data = lseek(fd, (off_t)*from, SEEK_DATA), hole;

    if (*from >= size || (data < 0 && errno == ENXIO))
        return false;
    if (data < 0) {
        *end = size;
        return true;
    }
    hole = lseek(fd, data, SEEK_HOLE);
    *from = (uint64_t)data / PAGE_SIZE * PAGE_SIZE;
    *end = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
    if (*end < size)
        *end = (*end + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    return *from < size;
}

static bool read_at(int fd, uint8_t *bytes, size_t size, uint64_t at)
{
    ssize_t n = 1;

    for (size_t got = 0; got < size && n > 0; got += n > 0 ? (size_t)n : 0)
        n = pread(fd, bytes + got, size - got, (off_t)(at + got));
    return n > 0;
}

/* Calls `each` with runs of a file's data; -1 if reading fails (errno 0: file too short). */
static int walk_file(int fd, uint64_t size,
                     int (*each)(void *context, const uint8_t *bytes, size_t size, uint64_t at),
                     void *context)
{
    uint8_t *bytes = malloc(RUN);
    uint64_t from = 0, end;
    int result = bytes != NULL ? 0 : -1;

    while (result == 0 && next_data(fd, size, &from, &end)) {
        for (; result == 0 && from < end; from += RUN) {
            size_t part = end - from < RUN ? (size_t)(end - from) : RUN;

            errno = 0;
            result = read_at(fd, bytes, part, from) ? each(context, bytes, part, from) : -1;
        }
        from = end;
    }
    free(bytes);
    return result;
}

static int into_folder(void *context, const uint8_t *bytes, size_t size, uint64_t at)
{
    return write_pages(context, bytes, size, at);
}

int folder_put_file(struct folder *folder, const char *name, int fd, uint64_t size, uint32_t *sum,
                    struct error *error)
{
    struct sink sink = {.folder = folder, .fd = take_file(folder, name, size, error)};
    int result;

    if (sink.fd < 0)
        return -1;
    result = walk_file(fd, size, into_folder, &sink);
    finish_sum(&sink.sum, size);
    *sum = sink.sum;
    return close_file(folder, sink.fd, name, result, error);
}

/* --- reading --- */

/* ANY_SIZE: the file may have any size. */
#define ANY_SIZE UINT64_MAX

static int open_of_size(const char *path, const char *name, uint64_t size, struct error *error)
{
    char joined[FOLDER_PATH_MAX];
    struct stat st;
    int fd;

    if (!folder_join(joined, path, name))
        return error_set(error, "a path of %zu bytes is too long", strlen(path));
    fd = open(joined, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        error_set(error, "%s: %s", joined, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        error_set(error, "%s: not a plain file", joined);
    else if (size != ANY_SIZE && (uint64_t)st.st_size != size)
        error_set(error, "%s: not a file of %llu bytes", joined, (unsigned long long)size);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int into_sum(void *context, const uint8_t *bytes, size_t size, uint64_t at)
{
    for (size_t pos = 0; pos < size; pos += PAGE_SIZE) {
        size_t part = page_at(pos, size);

        if (!memory_is_zero(bytes + pos, part))
            add_page(context, (at + pos) / PAGE_SIZE, bytes + pos, part);
    }
    return 0;
}

uint32_t folder_sum_bytes(const void *bytes, size_t size)
{
    uint32_t sum = 0;

    (void)!into_sum(&sum, bytes, size, 0);
    finish_sum(&sum, size);
    return sum;
}

int folder_sum(const char *path, const char *name, uint64_t size, uint32_t *sum,
               struct error *error)
{
    int fd = open_of_size(path, name, size, error), result;

    if (fd < 0)
        return -1;
    *sum = 0;
    result = walk_file(fd, size, into_sum, sum);
    if (result < 0)
        error_set(error, "%s/%s: cannot read it: %s", path, name, reason());
    finish_sum(sum, size);
    close(fd);
    return result;
}

int folder_sum_packed(const char *path, const char *name, uint64_t size, uint32_t *sum,
                      struct error *error)
{
    int fd = open_of_size(path, name, ANY_SIZE, error), result;
    char joined[FOLDER_PATH_MAX];

    if (fd < 0)
        return -1;
    *sum = 0;
    (void)!folder_join(joined, path, name); /* cannot fail: it was opened by that path */
    result = pack_read(fd, joined, size, into_sum, sum, error);
    finish_sum(sum, size);
    close(fd);
    return result;
}

static int into_file(void *context, const uint8_t *bytes, size_t size, uint64_t at)
{
    static const bool never;
    const struct folder unstopped = {.stop = &never};

    return write_at(&unstopped, *(int *)context, bytes, size, at);
}

int folder_copy(const char *path, const char *name, int fd, struct error *error)
{
    struct stat st;
    int from, result;

    if (fstat(fd, &st) < 0)
        return error_set(error, "%s/%s: %s", path, name, strerror(errno));
    from = open_of_size(path, name, (uint64_t)st.st_size, error);
    if (from < 0)
        return -1;
    result = walk_file(from, (uint64_t)st.st_size, into_file, &fd);
    if (result < 0)
        error_set(error, "%s/%s: cannot copy it: %s", path, name, reason());
    close(from);
    return result;
}

int folder_real_path(char real[FOLDER_PATH_MAX], const char *path, size_t length,
                     struct error *error)
{
    char whole[PATH_MAX], *found;
    size_t size;

    snprintf(whole, sizeof whole, "%.*s", (int)length, path);
    found = realpath(whole, NULL);
    if (found == NULL)
        return error_set(error, "%s: %s", whole, strerror(errno));
    size = strlen(found);
    if (size < FOLDER_PATH_MAX)
        memcpy(real, found, size + 1);
    free(found);
    return size < FOLDER_PATH_MAX ? 0 : error_set(error, "%s: a path too long", whole);
}

int folder_full_path(char full[FOLDER_PATH_MAX], const char *path, struct error *error)
{
    char here[PATH_MAX];
    int n;

    if (path[0] == '/')
        n = snprintf(full, FOLDER_PATH_MAX, "%s", path);
    else if (getcwd(here, sizeof here) == NULL)
        return error_set(error, "cannot find the current folder: %s", strerror(errno));
    else
        n = snprintf(full, FOLDER_PATH_MAX, "%s/%s", here, path);
    return n < FOLDER_PATH_MAX ? 0 : error_set(error, "%s: a path too long", path);
}
