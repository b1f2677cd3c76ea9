/* Unpacked kernels in the user's cache; see kernel_cache.h. Each run has one writer: if it unpacks
 * a second kernel, a later run caches that one. */
#include "boot/linux/kernel_cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/events.h"
#include "host/files/cache.h"
#include "host/threads.h"

enum { NAME_SIZE = 64, KERNELS_MOST = 8 };

#define FAMILY "kernel-"
#define SECRET "secret"

/* Guests that restart are created in parallel. */
static struct lock guard;

static struct {
    struct cached_key key;
    bool taken;     /* a kernel is to be written, or has been */
    uint8_t *bytes; /* owned by the writer once it runs; the writer frees them */
    size_t size;
    struct thread writer;
    bool writing;
    unsigned written;          /* the writer is about to end; atomic */
    enum kernel_cache_use use; /* under the lock */
} kernel_cache;

static void set_use(enum kernel_cache_use use)
{
    lock_take(&guard);
    kernel_cache.use = use;
    lock_release(&guard);
}

static void make_name(char name[NAME_SIZE], const struct cached_key *key)
{
    int used = snprintf(name, NAME_SIZE, FAMILY);

    for (size_t i = 0; i < sizeof key->hash; i++)
        used += snprintf(name + used, NAME_SIZE - (size_t)used, "%02x", key->hash[i]);
}

static bool secret(uint8_t bytes[SIPHASH_SECRET])
{
    bool known = cache_secret(SECRET, bytes, SIPHASH_SECRET);

    if (!known)
        set_use(KERNEL_CACHE_FAILED);
    return known;
}

static bool find(const struct cached_key *key, struct cached_kernel *kernel)
{
    char name[NAME_SIZE];
    size_t size;
    const uint8_t *file;

    make_name(name, key);
    file = cache_map(name, &size);
    if (file == NULL)
        return false;
    kernel->bytes = cached_open(file, size, key, &kernel->size);
    if (kernel->bytes == NULL) {
        (void)cache_unmap(file, size);
        return false;
    }
    kernel->context = (void *)file;
    kernel->context_size = size;
    set_use(KERNEL_CACHE_HIT);
    return true;
}

static bool release(struct cached_kernel *kernel)
{
    return cache_unmap(kernel->context, kernel->context_size);
}

static void *write_kernel(void *argument)
{
    struct cached_header header;
    char name[NAME_SIZE];

    (void)argument;
    thread_step_back(); /* the guest comes first: the user waits for it */
    header = cached_header_of(&kernel_cache.key, kernel_cache.bytes, kernel_cache.size);
    make_name(name, &kernel_cache.key);
    set_use(cache_write(&(struct cache_write){.name = name,
                                              .family = FAMILY,
                                              .most = KERNELS_MOST,
                                              .head = &header,
                                              .head_size = sizeof header,
                                              .offset = CACHED_OFFSET,
                                              .bytes = kernel_cache.bytes,
                                              .size = kernel_cache.size})
                ? KERNEL_CACHE_WRITTEN
                : KERNEL_CACHE_FAILED);
    free(kernel_cache.bytes);
    kernel_cache.bytes = NULL;
    __atomic_store_n(&kernel_cache.written, 1, __ATOMIC_RELEASE); /* pairs with finish */
    events_wake();
    return NULL;
}

static void keep(const struct cached_key *key, uint8_t *bytes, size_t size)
{
    lock_take(&guard);
    if (!kernel_cache.taken) {
        kernel_cache.taken = true;
        kernel_cache.key = *key;
        kernel_cache.bytes = bytes;
        kernel_cache.size = size;
        bytes = NULL;
    }
    lock_release(&guard);
    free(bytes);
}

bool kernel_cache_is_due(void)
{
    return kernel_cache.taken && !kernel_cache.writing;
}

void kernel_cache_start(void)
{
    struct error error; /* ignored: it is only a cache */

    kernel_cache.written = 0;
    if (kernel_cache_is_due())
        kernel_cache.writing = thread_start(&kernel_cache.writer, write_kernel, NULL, &error) == 0;
}

void kernel_cache_finish(void)
{
    bool patient = true;

    while (kernel_cache.writing && patient &&
           !__atomic_load_n(&kernel_cache.written, __ATOMIC_ACQUIRE))
        patient = events_run_patiently(EVENTS_FOREVER);
    if (!patient) {
        set_use(KERNEL_CACHE_FAILED);
        return;
    }
    if (kernel_cache.writing)
        thread_join(&kernel_cache.writer);
    free(kernel_cache.bytes);
    kernel_cache.bytes = NULL; /* left over if no writer was started */
    kernel_cache.writing = kernel_cache.taken = false;
}

void kernel_cache_leave(void)
{
    lock_init(&guard);
    kernel_cache.writing = kernel_cache.taken = false;
    kernel_cache.bytes = NULL;
}

enum kernel_cache_use kernel_cache_used(void)
{
    enum kernel_cache_use use;

    lock_take(&guard);
    use = kernel_cache.use;
    lock_release(&guard);
    return use;
}

const struct cached_ops kernel_cache_ops = {
    .secret = secret, .find = find, .release = release, .keep = keep};
