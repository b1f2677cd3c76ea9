/* Guest RAM; see ram.h. */
#include "host/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The size that one entry of the host's page tables and of KVM's maps. The first access to each
 * page is an exit to the kernel, so with fewer, larger pages a guest starts sooner. */
#define LARGE_PAGE (2 * MIB)

/* For a small guest, large pages would only use memory that it never touches. */
#define LARGE_FROM (8 * LARGE_PAGE)

/* Leaves slot->fd at -1 for anonymous memory. */
static int open_backing(struct memory_slot *slot, const char *path, struct error *error)
{
    struct stat file;

    if (slot->backing == MEMORY_ANONYMOUS)
        return 0;
    if (slot->backing == MEMORY_SHARED) {
        slot->fd = memfd_create("guest memory", MFD_CLOEXEC);
        if (slot->fd < 0 || ftruncate(slot->fd, (off_t)slot->size) < 0)
            return error_set(error, "cannot make a memfd of %llu KiB for the guest: %s",
                             (unsigned long long)(slot->size / KIB), strerror(errno));
        return 0;
    }
    slot->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* no wait for a FIFO */
    if (slot->fd < 0 || fstat(slot->fd, &file) < 0)
        return error_set(error, "%s: %s", path, strerror(errno));
    /* An access behind the file's end would raise SIGBUS. */
    if (!S_ISREG(file.st_mode) || (uint64_t)file.st_size < slot->offset + slot->size)
        return error_set(error, "%s: not a file that holds %llu KiB of guest memory", path,
                         (unsigned long long)((slot->offset + slot->size) / KIB));
    return 0;
}

/* Reserves a little more for a large slot, so that it can begin at a large page. */
static int map_slot(struct memory_slot *slot, struct error *error)
{
    int flags = slot->backing == MEMORY_SHARED ? MAP_SHARED : MAP_PRIVATE | MAP_NORESERVE;
    uint64_t more = slot->size >= LARGE_FROM ? LARGE_PAGE : 0, before;
    uint8_t *all = mmap(NULL, slot->size + more, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *ram = MAP_FAILED;

    if (all != MAP_FAILED) {
        before = more > 0 ? -(uintptr_t)all % LARGE_PAGE : 0;
        if (before > 0)
            munmap(all, before);
        if (more > before)
            munmap(all + before + slot->size, more - before);
        ram = mmap(all + before, slot->size, PROT_READ | PROT_WRITE,
                   flags | MAP_FIXED | (slot->fd < 0 ? MAP_ANONYMOUS : 0), slot->fd,
                   (off_t)slot->offset);
        if (ram == MAP_FAILED)
            munmap(all + before, slot->size);
    }
    if (ram == MAP_FAILED)
        return error_set(error, "cannot get %llu KiB for the guest: %s",
                         (unsigned long long)(slot->size / KIB), strerror(errno));
    slot->host = ram;
    if (more > 0) /* a kernel without large pages works too, slower */
        (void)madvise(ram, slot->size, MADV_HUGEPAGE);
    /* A core dump of the VMM does not include guest memory, which may be large or confidential. */
    (void)madvise(ram, slot->size, MADV_DONTDUMP);
    return 0;
}

int ram_map(struct memory *memory, enum memory_backing backing, const char *path,
            struct error *error)
{
    uint64_t offset = 0;

    for (unsigned i = 0; i < memory->count; i++) {
        struct memory_slot *slot = &memory->slots[i];

        slot->backing = backing;
        slot->offset = backing == MEMORY_FILE ? offset : 0;
        offset += slot->size;
        if (open_backing(slot, path, error) < 0 || map_slot(slot, error) < 0) {
            ram_unmap(memory);
            return -1;
        }
    }
    return 0;
}

int ram_add_rom(struct memory *memory, gpa_t base, const uint8_t *bytes, uint64_t size,
                struct error *error)
{
    struct memory_slot *slot = &memory->slots[memory->count];

    if (memory->count == MEMORY_SLOTS_MAX)
        return error_set(error, "more than %d ranges of memory", MEMORY_SLOTS_MAX);
    *slot = (struct memory_slot){.base = base, .size = size, .read_only = true, .fd = -1};
    if (map_slot(slot, error) < 0)
        return -1;
    memcpy(slot->host, bytes, size);
    memory->count++;
    return 0;
}

void ram_unmap(struct memory *memory)
{
    for (unsigned i = 0; i < memory->count; i++) {
        struct memory_slot *slot = &memory->slots[i];

        if (slot->host != NULL)
            munmap(slot->host, slot->size);
        if (slot->fd >= 0)
            close(slot->fd);
        free(slot->written);
    }
    *memory = (struct memory){0};
}

/* KVM drops its mapping at every change of protection (MMU notifiers). This change removes no
 * right, not even for a moment. */
void ram_forget_mapped(void *page, uint64_t length)
{
    if (mprotect(page, length, PROT_READ | PROT_WRITE | PROT_EXEC) == 0)
        (void)!mprotect(page, length, PROT_READ | PROT_WRITE);
}

/* Pages of a file are not released: they would read as the file's bytes again. */
bool ram_release(void *pages, uint64_t length, enum memory_backing backing)
{
    return backing != MEMORY_FILE &&
           madvise(pages, length, backing == MEMORY_SHARED ? MADV_REMOVE : MADV_DONTNEED) == 0;
}
