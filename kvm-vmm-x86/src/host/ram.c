/* Guest RAM; see ram.h. */
#include "host/ram.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* What the host's page tables and KVM's map in one entry: each page that a guest touches first is
 * an exit to the kernel, so fewer and larger ones start a guest sooner. */
#define LARGE_PAGE (UINT64_C(2) << 20)

/* A small guest would only pin memory that it never touches. */
#define LARGE_FROM (8 * LARGE_PAGE)

static void *map(void *at, uint64_t size, int flags)
{
    return mmap(at, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

/* Takes a little more, to find a place that begins where a large page does. */
static void *map_aligned(uint64_t size)
{
    uint8_t *all = map(NULL, size + LARGE_PAGE, 0);
    uint64_t before;

    if (all == MAP_FAILED)
        return MAP_FAILED;
    before = -(uintptr_t)all % LARGE_PAGE;
    if (before > 0)
        munmap(all, before);
    munmap(all + before + size, LARGE_PAGE - before);
    (void)madvise(all + before, size,
                  MADV_HUGEPAGE); /* a kernel without them does as well, slower */
    return all + before;
}

void *ram_allocate(uint64_t size, struct error *error)
{
    void *ram = size >= LARGE_FROM ? map_aligned(size) : map(NULL, size, 0);

    if (ram == MAP_FAILED) {
        error_set(error, "cannot get %llu KiB for the guest: %s", (unsigned long long)size / 1024,
                  strerror(errno));
        return NULL;
    }
    /* A core dump of the VMM tells of the VMM: the guest's memory may be large, or confidential. */
    (void)madvise(ram, size, MADV_DONTDUMP);
    return ram;
}

void ram_release(void *ram, uint64_t size)
{
    munmap(ram, size);
}
