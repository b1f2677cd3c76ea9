/* Archives of images; see archive.h. */
#include "vm/archive.h"

#include "common/string.h"
#include "host/disk.h"
#include "host/machine.h"
#include "lib/console.h"
#include "mem/page.h"
#include "vm/steps.h"
#include "vm/vm.h"

enum { LOOKS_PER_SECOND = 10000, FILES_MAX = 4096 };

/* The archives that were read; their count is an atomic. */
static struct range archives[ARCHIVES_MAX];
static unsigned archive_count;

/* The archive that is being read. Only the steps use it while they are active. */
struct archive_job {
    unsigned number, order;
    int disk;
    uint8_t *bytes;
    uint64_t at, size, asked; /* in sectors */
};
static struct archive_job job;
static struct steps steps;

/* The order of a block for `size` bytes, which must not be more than the largest block. */
static unsigned order_for(uint64_t size)
{
    unsigned order = 0;

    while (PAGE_4K << order < size)
        order++;
    return order;
}

bool archive_find(const char *name, struct cpio_file *file)
{
    unsigned count = __atomic_load_n(&archive_count, __ATOMIC_ACQUIRE); /* pairs with publish() */
    bool found = cpio_find((const void *)machine.initrd.start, machine.initrd.size, name, file);

    for (unsigned i = 0; i < count && !found; i++)
        found = cpio_find((const void *)archives[i].start, archives[i].size, name, file);
    return found;
}

uint64_t archive_bytes(void)
{
    unsigned count = __atomic_load_n(&archive_count, __ATOMIC_ACQUIRE);
    uint64_t bytes = 0;

    for (unsigned i = 0; i < count; i++)
        bytes += PAGE_4K << order_for(archives[i].size);
    return bytes;
}

static void finish(const char *wrong)
{
    const unsigned number = job.number;
    const uint64_t size = job.size * DISK_SECTOR;

    page_free(NULL, disk_close(job.disk), DISK_ORDER); /* NULL: the device keeps them */
    if (wrong == NULL) {
        archives[archive_count] = (struct range){(uint64_t)job.bytes, size};
        __atomic_store_n(&archive_count, archive_count + 1, __ATOMIC_RELEASE);
    } else {
        page_free(NULL, job.bytes, job.order);
    }
    steps_end(&steps);
    if (wrong == NULL)
        print("hv: the archive on disk %u has been read, %lu KiB\n", number, size / KIB);
    else
        print("hv: disk %u: %s\n", number, wrong);
    vm_arrived();
}

static bool ask(void)
{
    job.asked = min64(job.size - job.at, DISK_SECTORS);
    return disk_begin(job.disk, false, job.at, (unsigned)job.asked) == DISK_OK;
}

/* Limits the number of files, since each search reads all headers with interrupts off. */
static const char *what_is_wrong(void)
{
    const uint64_t size = job.size * DISK_SECTOR;
    struct cpio_file file;
    size_t offset = 0;

    if (!cpio_is_archive(job.bytes, size))
        return "it has no cpio archive";
    for (unsigned count = 0; cpio_next(job.bytes, size, &offset, &file); count++)
        if (count == FILES_MAX)
            return "its archive has more than 4,096 files";
    return NULL;
}

static void step(void)
{
    int state = disk_state(job.disk);

    if (state == DISK_BUSY) {
        steps_wait(&steps, LOOKS_PER_SECOND);
        return;
    }
    if (state == DISK_OK) {
        memcpy(job.bytes + job.at * DISK_SECTOR, disk_data(job.disk), job.asked * DISK_SECTOR);
        job.at += job.asked;
    }
    if (state == DISK_OK && job.at == job.size)
        finish(what_is_wrong());
    else if (state != DISK_OK || !ask())
        finish("a read failed");
}

/* Opens the disk and allocates memory for its whole contents. Returns what is wrong, or NULL. */
static const char *open_disk(unsigned number)
{
    void *pages = page_alloc(NULL, DISK_ORDER);
    bool fits;

    job.disk = pages != NULL ? disk_open(number, pages) : -1;
    if (job.disk < 0) {
        page_free(NULL, pages, DISK_ORDER); /* no device knows them */
        return pages != NULL ? "this machine has no such virtio disk, or a guest has it"
                             : "not enough memory for its requests";
    }
    job.size = disk_capacity(job.disk);
    job.at = 0;
    fits = job.size <= (PAGE_4K << (PAGE_ORDERS - 1)) / DISK_SECTOR; /* no overflow in bytes */
    job.order = fits ? order_for(job.size * DISK_SECTOR) : 0;
    job.bytes = fits ? page_alloc_raw(NULL, job.order) : NULL;
    if (job.bytes != NULL && job.size > 0 && ask())
        return NULL;
    page_free(NULL, job.bytes, job.order);
    page_free(NULL, disk_close(job.disk), DISK_ORDER);
    return job.bytes == NULL ? "not enough memory for its contents"
                             : "it is empty, or a read cannot be started";
}

bool archive_begin(unsigned number)
{
    const char *wrong = "another archive is being read";

    if (!steps_are_active(&steps))
        wrong = archive_count < ARCHIVES_MAX ? open_disk(number)
                                             : "the most archives possible have been read";
    if (wrong != NULL) {
        print("hv: disk %u: %s\n", number, wrong);
        return false;
    }
    job.number = number;
    vm_await();
    steps_begin(&steps, step);
    return true;
}
