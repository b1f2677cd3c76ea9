/* The virtio memory balloon; see balloon.h. A page in the balloon is released to the host; it reads
 * as zeroes when the guest uses it again. */
#include "dev/virtio/balloon.h"

#include <stddef.h>
#include <string.h>

/* Requests served while the lock is held, and page numbers in one request: Linux sends 256. */
enum { BATCH = 4, PAGES_MAX = 1024 };

/* Releases the whole pages of a range of RAM, which may reach into another memory slot. */
static void release(const struct balloon *b, uint64_t at, uint64_t size)
{
    const struct backend *backend = b->device.backend;

    while (size > 0) {
        const struct memory_slot *slot = memory_slot_at(backend->memory, at);
        uint64_t n, first, end;

        if (slot == NULL)
            return;
        n = slot->size - (at - slot->base);
        n = n < size ? n : size;
        first = (at - slot->base + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
        end = (at - slot->base + n) & ~(uint64_t)(PAGE_SIZE - 1);
        if (first < end && !slot->read_only && backend->release != NULL &&
            backend->release(slot->host + first, end - first, slot->backing))
            memory_log_write(backend->memory, slot->base + first, end - first);
        at += n;
        size -= n;
    }
}

/* The buffers of the request are the free pages. */
static void take_report(struct balloon *b, const struct virtio_chain *chain)
{
    for (uint32_t i = 0; i < chain->count; i++)
        if (chain->part[i].writable)
            release(b, chain->part[i].at, chain->part[i].size);
}

/* A request with the numbers of 4 KB pages. */
static void take_pages(struct balloon *b, const struct virtio_chain *chain)
{
    uint32_t pages[PAGES_MAX];
    uint64_t size = chain->readable < sizeof pages ? chain->readable : sizeof pages;

    if (virtio_read(&b->device.virtio, chain, 0, pages, size) != VIRTIO_OK)
        return;
    for (uint64_t i = 0; i < size / sizeof pages[0]; i++) {
        uint64_t at = (uint64_t)pages[i] << VIRTIO_BALLOON_PAGE_SHIFT;

        if (memory_holds(b->device.backend->memory, at, PAGE_SIZE))
            release(b, at, PAGE_SIZE);
    }
}

static bool serve(struct balloon *b, unsigned queue)
{
    struct virtio_part parts[BALLOON_QUEUE_SIZE];
    struct virtio_chain chain = {.part = parts, .room = BALLOON_QUEUE_SIZE};
    struct virtio *v = &b->device.virtio;

    virtio_stop_listening(v, queue);
    for (unsigned i = 0; i < BATCH; i++) {
        if (!virtio_pop(v, queue, &chain))
            return virtio_listen(v, queue) == VIRTIO_MORE;
        if (queue == VIRTIO_BALLOON_REPORTING)
            take_report(b, &chain);
        else if (queue == VIRTIO_BALLOON_INFLATE)
            take_pages(b, &chain);
        if (virtio_push(v, &chain, 0) != VIRTIO_OK)
            virtio_broken(v, "a used ring that cannot be written");
    }
    return true;
}

/* Not while the guest is being saved: the interrupt controllers may be saved already, and would
 * lack the interrupt. */
static void tell_driver(struct balloon *b)
{
    uint32_t asked = __atomic_load_n(&b->asked, __ATOMIC_RELAXED);

    if (b->device.quiet || asked == b->config.num_pages)
        return;
    b->config.num_pages = asked;
    virtio_config_changed(&b->device.virtio);
}

static bool balloon_run(struct virtio_device *device)
{
    bool more = false;

    tell_driver((struct balloon *)device);
    for (unsigned queue = 0; queue < device->kind->virtio.queues && virtio_device_is_open(device);
         queue++)
        more |= serve((struct balloon *)device, queue);
    return more;
}

/* The driver writes the number of pages in the balloon. */
static void on_configure(struct virtio *v, uint32_t offset, uint64_t value, unsigned width)
{
    struct balloon *b = v->context;

    if (offset == offsetof(struct virtio_balloon_config, actual) &&
        width == sizeof b->config.actual)
        __atomic_store_n(&b->config.actual, (uint32_t)value, __ATOMIC_RELAXED);
}

static void on_reset(struct virtio *v)
{
    struct balloon *b = v->context;

    __atomic_store_n(&b->config.actual, 0, __ATOMIC_RELAXED);
}

static void *balloon_state(struct virtio_device *device)
{
    return &((struct balloon *)device)->config;
}

static bool balloon_loaded(struct virtio_device *device)
{
    struct balloon *b = (struct balloon *)device;

    __atomic_store_n(&b->asked, b->config.num_pages, __ATOMIC_RELAXED);
    return true; /* any two numbers are valid */
}

static const struct virtio_kind kind = {
    .virtio = {.name = "balloon",
               .id = VIRTIO_ID_BALLOON,
               .queues = VIRTIO_BALLOON_REPORTING + 1,
               .reset = on_reset,
               .configure = on_configure},
    .run = balloon_run,
    .state = balloon_state,
    .state_size = sizeof(struct virtio_balloon_config),
    .loaded = balloon_loaded,
};

void balloon_init(struct balloon *b, const struct backend *backend, unsigned index)
{
    *b = (struct balloon){0};
    virtio_device_init(&b->device, &kind, backend, index,
                       VIRTIO_BALLOON_F_DEFLATE_ON_OOM | VIRTIO_BALLOON_F_REPORTING,
                       BALLOON_QUEUE_SIZE, &b->config, sizeof b->config);
}

void balloon_ask(struct balloon *balloon, uint64_t bytes)
{
    __atomic_store_n(&balloon->asked, (uint32_t)(bytes >> VIRTIO_BALLOON_PAGE_SHIFT),
                     __ATOMIC_RELAXED);
    virtio_device_wake(&balloon->device);
}

void balloon_read(struct balloon *balloon, uint64_t *asked, uint64_t *given)
{
    uint64_t pages = __atomic_load_n(&balloon->asked, __ATOMIC_RELAXED);

    *asked = pages << VIRTIO_BALLOON_PAGE_SHIFT;
    pages = __atomic_load_n(&balloon->config.actual, __ATOMIC_RELAXED);
    *given = pages << VIRTIO_BALLOON_PAGE_SHIFT;
}
