/* Copies to and from guest memory; see memory.h. */
#include "vm/memory.h"

#include "common/string.h"

/* The host address of `gpa`, and how many of `size` bytes lie behind it in one piece. NULL: no RAM,
 * or none could be had. `written`: see vm_back_memory(). The caller holds the lock. */
static uint8_t *piece(struct vm *vm, gpa_t gpa, uint64_t *size, uint64_t written)
{
    struct gstage_leaf leaf;

    if (!gstage_lookup(&vm->stage, gpa, &leaf)) {
        if (vm_back_memory(vm, gpa, written) != 0 || !gstage_lookup(&vm->stage, gpa, &leaf))
            return NULL;
    }
    *size = min64(*size, leaf.gpa + gstage_size(leaf.level) - gpa);
    return (uint8_t *)(leaf.hpa + (gpa - leaf.gpa));
}

bool memory_read_locked(struct vm *vm, gpa_t from, void *to, uint64_t size)
{
    uint8_t *t = to;

    if (!vm_contains(vm, from, size))
        return false;
    while (size > 0) {
        uint64_t n = size;
        const uint8_t *at = piece(vm, from, &n, 0);

        if (at == NULL)
            return false;
        memcpy(t, at, n);
        t += n, from += n, size -= n;
    }
    return true;
}

static bool write(struct vm *vm, gpa_t to, const void *from, uint64_t size, bool is_loading)
{
    const uint8_t *f = from;

    if (!vm_contains(vm, to, size))
        return false;
    while (size > 0) {
        uint64_t n = size;
        uint8_t *at = piece(vm, to, &n, is_loading ? size : 0);

        if (at == NULL)
            return false;
        memcpy(at, f, n);
        f += n, to += n, size -= n;
    }
    return true;
}

bool memory_write_locked(struct vm *vm, gpa_t to, const void *from, uint64_t size)
{
    return write(vm, to, from, size, false);
}

bool memory_read(struct vm *vm, gpa_t from, void *to, uint64_t size)
{
    bool good;

    lock_take(&vm->lock);
    good = memory_read_locked(vm, from, to, size);
    lock_drop(&vm->lock);
    return good;
}

bool memory_write(struct vm *vm, gpa_t to, const void *from, uint64_t size)
{
    bool good;

    lock_take(&vm->lock);
    good = memory_write_locked(vm, to, from, size);
    lock_drop(&vm->lock);
    return good;
}

bool memory_load(struct vm *vm, gpa_t to, const void *from, uint64_t size)
{
    bool good;

    lock_take(&vm->lock);
    good = write(vm, to, from, size, true);
    lock_drop(&vm->lock);
    return good;
}
