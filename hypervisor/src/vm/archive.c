/* Archives of images; see archive.h. */
#include "vm/archive.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "host/disk.h"
#include "host/machine.h"
#include "host/serial.h"
#include "lib/console.h"
#include "mem/page.h"
#include "vm/vm.h"

enum { LOOKS_PER_SECOND = 10000, FILES_MAX = 4096 };

/* Those that were read; an atomic says how many. */
static struct range archives[ARCHIVES_MAX];
static unsigned archive_count;

/* The one that is being read. Both flags are atomics. */
struct archive_job {
    struct task task;
    uint32_t active; /* somebody sets it up or reads; exchanged: a whole word */
    bool reading;    /* it is set up, and the task's */
    uint64_t look_at;
    unsigned number, order;
    int disk;
    uint8_t *bytes;
    uint64_t at, size, asked; /* in sectors */
};
static struct archive_job job;

/* Of the block for so many bytes, at most the largest one's. */
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

    __atomic_store_n(&job.reading, false, __ATOMIC_RELAXED);
    page_free(NULL, disk_close(job.disk), DISK_ORDER); /* NULL where it does not let them go */
    if (wrong == NULL) {
        archives[archive_count] = (struct range){(uint64_t)job.bytes, size};
        __atomic_store_n(&archive_count, archive_count + 1, __ATOMIC_RELEASE);
    } else {
        page_free(NULL, job.bytes, job.order);
    }
    __atomic_store_n(&job.active, false, __ATOMIC_RELEASE); /* pairs with archive_begin() */
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

/* Each search goes through all files, with interrupts off. */
static const char *what_is_wrong(void)
{
    const uint64_t size = job.size * DISK_SECTOR;
    struct cpio_file file;
    size_t offset = 0;

    if (!cpio_is_archive(job.bytes, size))
        return "no cpio archive is on it";
    for (unsigned count = 0; cpio_next(job.bytes, size, &offset, &file); count++)
        if (count == FILES_MAX)
            return "its archive has more than 4,096 files";
    return NULL;
}

static void step(void)
{
    int state = disk_state(job.disk);

    if (state == DISK_BUSY) {
        job.look_at = hyp_time() + machine.timebase / LOOKS_PER_SECOND;
        sched_block();
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

static bool is_reading(void)
{
    return __atomic_load_n(&job.reading, __ATOMIC_ACQUIRE); /* pairs with archive_begin() */
}

static void run(struct task *task)
{
    do {
        if (is_reading())
            step();
        else
            sched_block();
        cpu_serve_interrupts();
        serial_deliver();
    } while (sched_goes_on(task));
}

static bool is_ready(struct task *task, uint64_t *wake_at)
{
    (void)task;
    *wake_at = is_reading() ? job.look_at : ~0ul;
    return is_reading() && job.look_at <= hyp_time();
}

static const struct task_ops ops = {.run = run, .is_ready = is_ready};

/* Opens the disk and takes memory for all that is on it; what is wrong, or NULL. */
static const char *open_disk(unsigned number)
{
    void *pages = page_alloc(NULL, DISK_ORDER);
    bool fits;

    job.disk = pages != NULL ? disk_open(number, pages) : -1;
    if (job.disk < 0) {
        page_free(NULL, pages, DISK_ORDER); /* no device has been told of them */
        return pages != NULL ? "it is not there, or in use" : "there is no memory for its requests";
    }
    job.size = disk_capacity(job.disk);
    job.at = 0;
    fits = job.size <= (PAGE_4K << (PAGE_ORDERS - 1)) / DISK_SECTOR; /* its bytes can be counted */
    job.order = fits ? order_for(job.size * DISK_SECTOR) : 0;
    job.bytes = fits ? page_alloc_raw(NULL, job.order) : NULL;
    if (job.bytes != NULL && job.size > 0 && ask())
        return NULL;
    page_free(NULL, job.bytes, job.order);
    page_free(NULL, disk_close(job.disk), DISK_ORDER);
    return job.bytes == NULL ? "there is no memory for what is on it"
                             : "it has no sectors, or a read cannot be started";
}

bool archive_begin(unsigned number)
{
    const char *wrong = "another archive is being read";

    if (!__atomic_exchange_n(&job.active, true, __ATOMIC_ACQ_REL)) {
        wrong = archive_count < ARCHIVES_MAX ? open_disk(number) : "no more archives can be read";
        if (wrong != NULL)
            __atomic_store_n(&job.active, false, __ATOMIC_RELEASE);
    }
    if (wrong != NULL) {
        print("hv: disk %u: %s\n", number, wrong);
        return false;
    }
    job.number = number;
    job.look_at = 0;
    if (job.task.ops == NULL) {
        sched_init_task(&job.task, &ops, &job, TASK_WEIGHT, ~0u);
        job.task.state = TASK_BLOCKED;
    }
    vm_await();
    __atomic_store_n(&job.reading, true, __ATOMIC_RELEASE);
    sched_wake(&job.task);
    return true;
}
