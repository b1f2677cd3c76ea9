/* Guest memory: mapping on demand, and copies; see memory.h. */
#include "vm/memory.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "mem/page.h"
#include "vm/vcpu.h"

enum { CLEAR_STEP = 65536 };

/* True if the whole block around `gpa` can be one mapping: it lies inside RAM and has one set of
 * permissions. */
static bool block_fits(const struct vm *vm, gpa_t gpa, unsigned level)
{
    gpa_t start = ALIGN_DOWN(gpa, gstage_size(level));

    if (!vm_contains(vm, start, gstage_size(level)))
        return false;
    for (unsigned i = 0; level > GSTAGE_4K && i < vm->range_count; i++)
        if (vm->ranges[i].start < start + gstage_size(level) && vm->ranges[i].end > start)
            return false;
    return true;
}

/* Clears in steps and serves interrupts between them: a block may have 1 GiB. */
static void clear(uint8_t *from, const uint8_t *to)
{
    while (from < to) {
        size_t step = min64((uint64_t)(to - from), CLEAR_STEP);

        page_zero(from, step);
        from += step;
        if (from < to)
            cpu_serve_interrupts();
    }
}

/* Clears a block except `kept` bytes from `offset`, in pieces of a size that page_zero()
 * accepts. */
static void clear_around(uint8_t *block, uint64_t size, uint64_t offset, uint64_t kept)
{
    uint64_t from = ALIGN_UP(offset, 64), to = ALIGN_DOWN(offset + min64(kept, size - offset), 64);

    if (to <= from)
        from = to = size;
    clear(block, block + from);
    clear(block + to, block + size);
}

static int map_block(struct vm *vm, gpa_t gpa, unsigned level, uint64_t written)
{
    gpa_t start = ALIGN_DOWN(gpa, gstage_size(level));
    void *memory;
    int result;

    if (!block_fits(vm, gpa, level))
        return GSTAGE_BAD_ADDRESS;
    memory = page_alloc_raw(&vm->account, 9 * level);
    if (memory == NULL)
        return GSTAGE_NO_MEMORY;
    clear_around(memory, gstage_size(level), gpa - start, written);
    lock_take(&vm->stage_lock);
    result = gstage_map(&vm->stage, start, (hpa_t)memory, level, vm_perm_at(vm, gpa));
    lock_drop(&vm->stage_lock);
    if (result != GSTAGE_OK) /* it has a smaller block, or another task was faster */
        page_free(&vm->account, memory, 9 * level);
    return result;
}

/* Replaces a shared page by a copy. No owner writes to the page meanwhile: this VM owns it too
 * until it is dropped. By then no hart and no device reads it (memory_read() checks again). */
static int replace_page(struct vm *vm, gpa_t gpa, const struct gstage_leaf *leaf)
{
    void *copy = page_alloc_raw(&vm->account, ORDER_4K);

    if (copy == NULL)
        return -1;
    memcpy(copy, (const void *)leaf->hpa, PAGE_4K);
    gstage_unshare(&vm->stage, gpa, (hpa_t)copy, vm_perm_at(vm, gpa));
    vcpu_fence_stage(vm);
    page_drop(&vm->account, (void *)leaf->hpa, ORDER_4K);
    return 0;
}

/* Makes the page at `gpa` private to the VM: the whole block around it, if it has no other owner
 * left, else a copy of the page. The VM's lock is held. */
static int unshare(struct vm *vm, gpa_t gpa)
{
    struct gstage_leaf leaf;
    LOCK_FOR_BLOCK(&vm->stage_lock);

    while (gstage_lookup(&vm->stage, gpa, &leaf) && leaf.shared) {
        if (page_shared_count((const void *)leaf.hpa, 9 * leaf.level) == 0)
            gstage_unshare(&vm->stage, gpa, leaf.hpa, vm_perm_at(vm, gpa));
        else if (leaf.level == GSTAGE_4K)
            return replace_page(vm, gpa, &leaf);
        else if (gstage_split(&vm->stage, gpa) != GSTAGE_OK)
            return -1;
    }
    return 0;
}

int memory_back(struct vm *vm, gpa_t gpa, uint64_t written)
{
    struct gstage_leaf leaf;

    if (gstage_lookup(&vm->stage, gpa, &leaf) && leaf.shared) {
        LOCK_FOR_BLOCK(&vm->lock);

        return unshare(vm, gpa);
    }
    for (int level = (int)vm->config.page_level; level >= 0; level--) {
        if (gstage_lookup(&vm->stage, gpa, &leaf))
            return 0;
        if (map_block(vm, gpa, (unsigned)level, written) == GSTAGE_OK)
            return 0;
    }
    return gstage_lookup(&vm->stage, gpa, &leaf) ? 0 : -1;
}

/* The host address of `gpa`. Cuts `size` to the bytes from there that are contiguous. NULL: not
 * mapped, or not writable; then `size` ends with that page. */
static uint8_t *piece(const struct vm *vm, gpa_t gpa, uint64_t *size, bool write)
{
    struct gstage_leaf leaf;

    if (!gstage_lookup(&vm->stage, gpa, &leaf) || (write && leaf.shared)) {
        *size = min64(*size, PAGE_4K - gpa % PAGE_4K);
        return NULL;
    }
    *size = min64(*size, leaf.gpa + gstage_size(leaf.level) - gpa);
    return (uint8_t *)(leaf.hpa + (gpa - leaf.gpa));
}

bool memory_read(struct vm *vm, gpa_t from, void *to, uint64_t size)
{
    uint8_t *t = to;

    if (!vm_contains(vm, from, size))
        return false;
    while (size > 0) {
        uint64_t n = size;
        const uint8_t *at = piece(vm, from, &n, false);

        if (at != NULL)
            memcpy(t, at, n);
        else
            memset(t, 0, n);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (piece(vm, from, &n, false) != at) /* replaced meanwhile: see replace_page() */
            continue;
        t += n, from += n, size -= n;
    }
    return true;
}

int memory_piece(struct vm *vm, gpa_t gpa, uint64_t size, bool write, struct virtio_piece *found)
{
    static const uint8_t zeros[PAGE_4K];
    uint8_t *at;

    if (!vm_contains(vm, gpa, size))
        return VIRTIO_BAD;
    at = piece(vm, gpa, &size, write);
    if (at == NULL && write) {
        vm->unbacked = gpa;
        return VIRTIO_LATER;
    }
    *found = (struct virtio_piece){at != NULL ? at : (uint8_t *)(uintptr_t)zeros, size};
    return VIRTIO_OK;
}

bool memory_poke(struct vm *vm, gpa_t to, const void *from, uint64_t size)
{
    const uint8_t *f = from;

    while (size > 0) {
        struct virtio_piece p;

        if (unshare(vm, to) != 0 || memory_piece(vm, to, size, true, &p) != VIRTIO_OK)
            return false;
        memcpy(p.at, f, p.size);
        f += p.size, to += p.size, size -= p.size;
    }
    return true;
}

bool memory_load(struct vm *vm, gpa_t to, const void *from, uint64_t size, uint64_t rest)
{
    const uint8_t *f = from;

    if (!vm_contains(vm, to, size))
        return false;
    while (size > 0) {
        uint64_t n = size;
        uint8_t *at = piece(vm, to, &n, true);

        if (at == NULL) {
            if (memory_back(vm, to, rest) != 0)
                return false;
            continue;
        }
        memcpy(at, f, n);
        f += n, to += n, size -= n;
        rest -= min64(rest, n);
    }
    return true;
}

bool memory_write(struct vm *vm, gpa_t to, const void *from, uint64_t size)
{
    return memory_load(vm, to, from, size, 0);
}
