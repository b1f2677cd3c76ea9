/* Disks on files and block devices of the host; see disk.h. */
#include "host/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct file_disk {
    struct disk disk;
    struct aio *aio;
    int file, overlay;  /* `overlay`: -1 without one */
    uint64_t file_size; /* in bytes; the rest of the last sector reads as zeroes */
    uint8_t *written;   /* one bit for each sector that is in the overlay */
    size_t written_size;
};

static bool is_written(const struct file_disk *d, uint64_t sector)
{
    return d->written[sector / 8] >> sector % 8 & 1;
}

static void mark_written(struct file_disk *d, uint64_t offset, uint64_t size)
{
    for (uint64_t s = offset / DISK_SECTOR; s < (offset + size) / DISK_SECTOR; s++)
        d->written[s / 8] |= (uint8_t)(1 << s % 8);
}

/* The number of bytes from `offset` on that are all in the overlay, or all not (`in`). */
static uint64_t run_length(const struct file_disk *d, uint64_t offset, uint64_t size, bool *in)
{
    uint64_t first = offset / DISK_SECTOR, s = first + 1, end = (offset + size) / DISK_SECTOR;

    *in = is_written(d, first);
    while (s < end && is_written(d, s) == *in)
        s++;
    return s * DISK_SECTOR - offset; /* after a short read it is not at a sector's start */
}

/* Takes the first pieces of a request that hold `size` bytes, and shortens the last of them. */
static void cut_pieces(struct disk_request *r, uint64_t size)
{
    unsigned i = 0;

    while (size > r->pieces[i].size)
        size -= r->pieces[i++].size;
    r->cut = r->pieces[i].size - size;
    r->pieces[i].size = size;
    r->job.pieces = r->pieces;
    r->job.count = i + 1;
}

/* `moved` bytes of the job are done: drops them from the front of the request. */
static void advance(struct disk_request *r, uint64_t moved)
{
    r->offset += moved;
    r->size -= moved;
    r->pieces[r->job.count - 1].size += r->cut;
    while (moved > 0 && moved >= r->pieces->size) {
        moved -= r->pieces->size;
        r->pieces++;
        r->count--;
    }
    if (moved > 0) {
        r->pieces->at = (uint8_t *)r->pieces->at + moved;
        r->pieces->size -= moved;
    }
}

static void on_job(struct aio_job *job);

/* A failed write marks no sectors as written: those that were not in the overlay keep their old
 * contents. */
static void finish(struct file_disk *d, struct disk_request *r, int code)
{
    if (code == 0 && d->overlay >= 0 && r->order != DISK_READ)
        mark_written(d, r->begin, r->end - r->begin);
    r->done(r, code);
}

static void start(struct file_disk *d, struct disk_request *r, enum aio_kind kind, int fd)
{
    r->job.kind = kind;
    r->job.fd = fd;
    r->job.offset = r->offset;
    r->job.done = on_job;
    aio_submit(d->aio, &r->job);
}

/* Reads or writes the part that is in one file. */
static void go_on(struct file_disk *d, struct disk_request *r)
{
    uint64_t size = r->size;
    bool write = r->order == DISK_WRITE;

    r->in_overlay = d->overlay >= 0;
    if (r->in_overlay && !write)
        size = run_length(d, r->offset, size, &r->in_overlay);
    cut_pieces(r, size);
    r->job.size = size;
    start(d, r, write ? AIO_WRITE : AIO_READ, r->in_overlay ? d->overlay : d->file);
}

/* A file's end may be in the middle of its last sector. */
static uint64_t fill_last_sector(const struct file_disk *d, const struct disk_request *r)
{
    uint64_t filled = 0;

    if (r->offset < d->file_size || r->offset >= d->disk.size || r->in_overlay)
        return 0;
    for (unsigned i = 0; i < r->job.count; i++) {
        memset(r->pieces[i].at, 0, r->pieces[i].size);
        filled += r->pieces[i].size;
    }
    return filled;
}

static void on_moved(struct file_disk *d, struct disk_request *r, int64_t moved)
{
    if (moved == 0 && r->order == DISK_READ)
        moved = (int64_t)fill_last_sector(d, r);
    if (moved == -EAGAIN || moved == -EINTR)
        moved = 0;
    else if (moved <= 0) {
        finish(d, r, moved < 0 ? (int)moved : -EIO); /* 0: the file was truncated meanwhile */
        return;
    }
    advance(r, (uint64_t)moved);
    if (r->size == 0)
        finish(d, r, 0);
    else
        go_on(d, r);
}

/* If the file system cannot make holes, writes zeroes. */
static void write_zeroes(struct file_disk *d, struct disk_request *r)
{
    static const uint8_t zeroes[65536];

    r->zeroes.at = (uint8_t *)(uintptr_t)zeroes;
    r->zeroes.size = r->size < sizeof zeroes ? r->size : sizeof zeroes;
    r->job.pieces = &r->zeroes;
    r->job.count = 1;
    r->job.size = r->zeroes.size;
    start(d, r, AIO_WRITE, d->overlay >= 0 ? d->overlay : d->file);
}

static void on_allocated(struct file_disk *d, struct disk_request *r, int64_t result)
{
    bool unsupported =
        result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL || result == -ENODEV;

    if (unsupported && r->order == DISK_DISCARD) /* a hint: nothing has to happen */
        r->done(r, 0);
    else if (unsupported)
        write_zeroes(d, r);
    else
        finish(d, r, (int)result);
}

static void on_zeroes_written(struct file_disk *d, struct disk_request *r, int64_t moved)
{
    if (moved <= 0) {
        finish(d, r, moved < 0 ? (int)moved : -EIO);
        return;
    }
    r->offset += (uint64_t)moved;
    r->size -= (uint64_t)moved;
    if (r->size == 0)
        finish(d, r, 0);
    else
        write_zeroes(d, r);
}

static void on_job(struct aio_job *job)
{
    struct disk_request *r =
        (struct disk_request *)((char *)job - offsetof(struct disk_request, job));
    struct file_disk *d = (struct file_disk *)r->disk;

    if (job->kind == AIO_SYNC)
        r->done(r, (int)job->result);
    else if (job->kind == AIO_ALLOCATE)
        on_allocated(d, r, job->result);
    else if (r->order != DISK_READ && r->order != DISK_WRITE)
        on_zeroes_written(d, r, job->result);
    else
        on_moved(d, r, job->result);
}

/* An overlay is not kept, so a flush has nothing to do for it. */
static void file_submit(struct disk *disk, struct disk_request *r)
{
    struct file_disk *d = (struct file_disk *)disk;
    int fd = d->overlay >= 0 ? d->overlay : d->file;

    r->disk = disk;
    r->begin = r->offset;
    r->end = r->offset + r->size;
    switch (r->order) {
    case DISK_READ:
    case DISK_WRITE:
        go_on(d, r);
        break;
    case DISK_FLUSH:
        if (d->overlay >= 0)
            r->done(r, 0);
        else
            start(d, r, AIO_SYNC, fd);
        break;
    default:
        r->job.size = r->size;
        r->job.mode = r->order == DISK_ZERO ? FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE
                                            : FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        start(d, r, AIO_ALLOCATE, fd);
        break;
    }
}

static void file_flush(struct disk *disk)
{
    aio_flush(((struct file_disk *)disk)->aio);
}

static void file_collect(struct disk *disk)
{
    aio_collect(((struct file_disk *)disk)->aio);
}

static bool file_close(struct disk *disk)
{
    struct file_disk *d = (struct file_disk *)disk;

    if (d->aio != NULL && !aio_close(d->aio))
        return false;
    if (d->written != NULL)
        munmap(d->written, d->written_size);
    if (d->overlay >= 0)
        close(d->overlay);
    if (d->file >= 0)
        close(d->file);
    free(d);
    return true;
}

static const struct disk_ops file_ops = {
    .submit = file_submit, .flush = file_flush, .collect = file_collect, .close = file_close};

/* --- opening --- */

static int lock_file(int fd, bool write, const char *path, struct error *error)
{
    struct flock lock = {.l_type = write ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
        return 0; /* some file systems have no locks */
    return error_set(error,
                     write ? "--disk %s: it is used by another guest; several share one with "
                             ",ro or ,overlay"
                           : "--disk %s: another guest writes to it",
                     path);
}

static int measure(struct file_disk *d, const struct disk_config *config, const char *path,
                   struct error *error)
{
    struct stat st;
    uint64_t bytes = 0;
    int block = DISK_SECTOR;

    if (fstat(d->file, &st) < 0)
        return error_set(error, "--disk %s: %s", path, strerror(errno));
    if (S_ISBLK(st.st_mode)) {
        if (ioctl(d->file, BLKGETSIZE64, &bytes) < 0 || ioctl(d->file, BLKSSZGET, &block) < 0)
            return error_set(error, "--disk %s: its size is not known: %s", path, strerror(errno));
    } else if (S_ISREG(st.st_mode))
        bytes = (uint64_t)st.st_size;
    else
        return error_set(error, "--disk %s: neither a file nor a block device", path);
    if (bytes == 0)
        return error_set(error, "--disk %s: it is empty; `truncate -s 1G FILE` makes it larger",
                         path);
    d->disk.block_size = config->block_size != 0 ? config->block_size : (uint32_t)block;
    d->file_size = bytes;
    d->disk.size = (bytes + DISK_SECTOR - 1) / DISK_SECTOR * DISK_SECTOR;
    if (d->disk.size % d->disk.block_size != 0 || d->disk.block_size < (uint32_t)block)
        return error_set(error,
                         "--disk %s: its %llu bytes are not a multiple of %u, its block size", path,
                         (unsigned long long)bytes, d->disk.block_size);
    return 0;
}

const char *disk_overlay_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder != NULL && *folder != '\0' ? folder : "/var/tmp"; /* not /tmp: it may be memory */
}

static int open_overlay(struct file_disk *d, const char *path, struct error *error)
{
    const char *folder = disk_overlay_folder();

    d->overlay = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (d->overlay < 0 || ftruncate(d->overlay, (off_t)d->disk.size) < 0)
        return error_set(error, "--disk %s,overlay: no temporary file in %s (TMPDIR): %s", path,
                         folder, strerror(errno));
    d->written_size = d->disk.size / DISK_SECTOR / 8 + 1;
    d->written = mmap(NULL, d->written_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (d->written == MAP_FAILED) {
        d->written = NULL;
        return error_set(error, "--disk %s,overlay: out of memory", path);
    }
    return 0;
}

static int open_file(struct file_disk *d, const struct disk_config *config, struct error *error)
{
    bool write = !config->read_only && !config->overlay;
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof path, "%.*s", (int)config->path_length, config->path) >=
        sizeof path)
        return error_set(error, "--disk: a path of %zu bytes is too long", config->path_length);

    /* O_NONBLOCK: opening a named pipe must not block; it is refused below. */
    d->file = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (d->file < 0)
        return error_set(
            error, "--disk %s: %s%s", path, strerror(errno),
            write && (errno == EACCES || errno == EROFS) ? "; ,ro or ,overlay only reads it" : "");
    (void)fcntl(d->file, F_SETFL, 0); /* otherwise io_uring returns EAGAIN if a read has to wait */
    if (measure(d, config, path, error) < 0 || lock_file(d->file, write, path, error) < 0)
        return -1;
    return config->overlay ? open_overlay(d, path, error) : 0;
}

static struct disk *open_file_disk(const struct disk_config *config, struct error *error)
{
    struct file_disk *d = calloc(1, sizeof *d);

    if (d == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    d->file = d->overlay = -1;
    d->disk.ops = &file_ops;
    /* A forked process is in the sandbox already, which forbids new rings: they could not be
     * restricted. */
    if (open_file(d, config, error) < 0 ||
        (d->aio = config->origin != NULL ? aio_open_threads(error) : aio_open(error)) == NULL) {
        disk_close(&d->disk);
        return NULL;
    }
    d->disk.fd = d->aio->fd;
    return &d->disk;
}

struct disk *disk_open(const struct disk_config *config, unsigned index, struct error *error)
{
    bool nbd = strncmp(config->path, DISK_NBD, strlen(DISK_NBD)) == 0;
    struct disk *disk = nbd ? disk_open_nbd(config, error) : open_file_disk(config, error);

    if (disk == NULL)
        return NULL;
    disk->read_only = config->read_only;
    if (config->id[0] != '\0')
        snprintf(disk->id, sizeof disk->id, "%s", config->id);
    else
        snprintf(disk->id, sizeof disk->id, "disk%u", index);
    return disk;
}

void disk_close(struct disk *disk)
{
    if (disk != NULL)
        (void)disk->ops->close(disk);
}

/* NULL: it is not a file. */
static const struct file_disk *file_of(const struct disk *disk)
{
    return disk->ops == &file_ops ? (const struct file_disk *)disk : NULL;
}

bool disk_overlay(struct disk *disk, struct disk_overlay *overlay)
{
    const struct file_disk *d = file_of(disk);

    if (d == NULL || d->overlay < 0)
        return false;
    *overlay = (struct disk_overlay){
        .fd = d->overlay, .size = d->disk.size, .map = d->written, .map_size = d->written_size};
    return true;
}

uint64_t disk_changed(const struct disk *disk)
{
    const struct file_disk *d = file_of(disk);
    struct stat st;

    if (d == NULL || fstat(d->file, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    return (uint64_t)st.st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)st.st_mtim.tv_nsec;
}

/* Sums SAMPLES blocks at equal distances, including the first and the last. */
int disk_sample(const struct disk *disk, uint32_t *sum, struct error *error)
{
    enum { SAMPLES = 64, SIZE = 4096 };
    const struct file_disk *d = file_of(disk);
    uint64_t last;
    uint8_t bytes[SIZE];

    *sum = 0;
    if (d == NULL)
        return error_set(error, "disk %s is an NBD server's, which cannot be saved", disk->id);
    last = d->file_size > SIZE ? d->file_size - SIZE : 0;
    for (unsigned i = 0; i < SAMPLES; i++) {
        ssize_t n = pread(d->file, bytes, sizeof bytes, (off_t)(last / (SAMPLES - 1) * i));

        if (n < 0)
            return error_set(error, "disk %s cannot be read: %s", disk->id, strerror(errno));
        *sum = (uint32_t)crc32(*sum, bytes, (unsigned)n);
    }
    return 0;
}

int disk_file(const struct disk *disk)
{
    return ((const struct file_disk *)disk)->file;
}

void disk_leave(struct disk *disk)
{
    aio_leave(((struct file_disk *)disk)->aio);
}

/* Copies a range that is not a hole, as much as one call copies. */
static int copy_range(int from, int to, off_t *at)
{
    off_t end = lseek(from, *at, SEEK_HOLE), out = *at;
    uint8_t bytes[65536];
    ssize_t n = copy_file_range(from, at, to, &out, (size_t)(end - *at), 0);

    if (n > 0)
        return 0;
    n = pread(from, bytes, sizeof bytes, *at); /* the file system does not support the call */
    if (n <= 0 || pwrite(to, bytes, (size_t)n, *at) != n)
        return -1;
    *at += n;
    return 0;
}

int disk_begin_with(struct disk *disk, const struct disk *origin, struct error *error)
{
    struct file_disk *d = (struct file_disk *)disk;
    const struct file_disk *o = (const struct file_disk *)origin;
    off_t at = 0;

    if (o->overlay < 0)
        return 0;
    if (d->written_size != o->written_size)
        return error_set(error, "disk %s has changed its size", disk->id);
    for (size_t i = 0; i < o->written_size; i++)
        if (o->written[i] != 0) /* pages of zeroes stay untouched */
            d->written[i] = o->written[i];
    while ((at = lseek(o->overlay, at, SEEK_DATA)) >= 0)
        if (copy_range(o->overlay, d->overlay, &at) < 0)
            return error_set(error, "the overlay of disk %s cannot be copied: %s", disk->id,
                             strerror(errno));
    return 0;
}
