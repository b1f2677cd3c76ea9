/* Unpacked kernels in the user's cache; see kernel_cache.h. One writer at a time: a second kernel
 * of the same run is kept by a later one. */
#include "boot/linux/kernel_cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/cache.h"
#include "host/threads.h"

enum { NAME_SIZE = 64, KERNELS_MOST = 8 };

#define FAMILY "kernel-"
#define SECRET "secret"

static struct {
    struct cached_key key;
    bool taken;     /* a kernel is to be written, or was */
    uint8_t *bytes; /* the writer's, once it runs; it frees them */
    size_t size;
    struct thread writer;
    bool writing;
    enum kernel_cache_use use; /* the writer's until it is joined */
} kernel_cache;

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
        kernel_cache.use = KERNEL_CACHE_FAILED;
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
        cache_unmap(file, size);
        return false;
    }
    kernel->context = (void *)file;
    kernel->context_size = size;
    kernel_cache.use = KERNEL_CACHE_HIT;
    return true;
}

static void release(struct cached_kernel *kernel)
{
    cache_unmap(kernel->context, kernel->context_size);
}

static void *write_kernel(void *argument)
{
    struct cached_header header;
    char name[NAME_SIZE];

    (void)argument;
    thread_step_back(); /* the guest is what the user waits for */
    header = cached_header_of(&kernel_cache.key, kernel_cache.bytes, kernel_cache.size);
    make_name(name, &kernel_cache.key);
    kernel_cache.use = cache_write(&(struct cache_write){.name = name,
                                                         .family = FAMILY,
                                                         .most = KERNELS_MOST,
                                                         .head = &header,
                                                         .head_size = sizeof header,
                                                         .offset = CACHED_OFFSET,
                                                         .bytes = kernel_cache.bytes,
                                                         .size = kernel_cache.size})
                           ? KERNEL_CACHE_WRITTEN
                           : KERNEL_CACHE_FAILED;
    free(kernel_cache.bytes);
    kernel_cache.bytes = NULL;
    return NULL;
}

static void keep(const struct cached_key *key, uint8_t *bytes, size_t size)
{
    if (kernel_cache.taken) {
        free(bytes);
        return;
    }
    kernel_cache.taken = true;
    kernel_cache.key = *key;
    kernel_cache.bytes = bytes;
    kernel_cache.size = size;
}

void kernel_cache_start(void)
{
    struct error error; /* it is only a cache */

    if (kernel_cache.taken && !kernel_cache.writing)
        kernel_cache.writing = thread_start(&kernel_cache.writer, write_kernel, NULL, &error) == 0;
}

void kernel_cache_finish(void)
{
    if (kernel_cache.writing)
        thread_join(&kernel_cache.writer);
    free(kernel_cache.bytes);
    kernel_cache.bytes = NULL; /* that of a run in which no writer was started */
    kernel_cache.writing = kernel_cache.taken = false;
}

enum kernel_cache_use kernel_cache_used(void)
{
    return kernel_cache.use;
}

const struct cached_ops kernel_cache_ops = {
    .secret = secret, .find = find, .release = release, .keep = keep};
