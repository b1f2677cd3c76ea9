/* A guest's memory in KVM; see memory.h. */
#include "host/kvm/memory.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

static int set_slot(int vm, const struct memory *memory, unsigned number, bool logged,
                    struct error *error)
{
    const struct memory_slot *slot = &memory->slots[number];
    struct kvm_userspace_memory_region region = {.slot = number,
                                                 .flags = (logged ? KVM_MEM_LOG_DIRTY_PAGES : 0) |
                                                          (slot->read_only ? KVM_MEM_READONLY : 0),
                                                 .guest_phys_addr = slot->base,
                                                 .memory_size = slot->size,
                                                 .userspace_addr = (uintptr_t)slot->host};

    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return error_set(error, "KVM refuses %#llx bytes of guest memory at %#llx%s: %s",
                         (unsigned long long)slot->size, (unsigned long long)slot->base,
                         logged            ? ", with a log of the pages written"
                         : slot->read_only ? ", read-only"
                                           : "",
                         strerror(errno));
    return 0;
}

int kvm_add_memory(int vm, const struct memory *memory, struct error *error)
{
    for (unsigned i = 0; i < memory->count; i++)
        if (set_slot(vm, memory, i, memory->slots[i].logged, error) < 0)
            return -1;
    return 0;
}

/* The log of this process is on whenever KVM's is. */
int kvm_log_memory(int vm, struct memory *memory, unsigned slot, bool logged, struct error *error)
{
    int result;

    if (logged && memory_set_logged(&memory->slots[slot], true) < 0)
        return error_set(error, "out of memory");
    result = set_slot(vm, memory, slot, logged, error);
    if (!logged || result < 0)
        (void)!memory_set_logged(&memory->slots[slot], false);
    return result;
}

int kvm_take_log(int vm, const struct memory *memory, unsigned slot, uint64_t *log,
                 struct error *error)
{
    struct kvm_dirty_log dirty = {.slot = slot, .dirty_bitmap = log};

    if (ioctl(vm, KVM_GET_DIRTY_LOG, &dirty) < 0)
        return error_set(error, "cannot get the pages written in slot %u from KVM: %s", slot,
                         strerror(errno));
    memory_take_written(&memory->slots[slot], log);
    return 0;
}
