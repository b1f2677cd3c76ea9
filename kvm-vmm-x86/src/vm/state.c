/* A guest's state as chunks; see state.h. */
#include "vm/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/kvm_state.h"

enum { VERSION = 1, DEVICES_MAX = 16 * 1024 };

/* What this VMM knows of a vCPU and KVM does not. An exit that is tried again later is not part of
 * it: the instruction has not been executed, and will be again. */
struct saved_vcpu {
    uint64_t access_done; /* of a large hypercall: so much of it is out already */
};

size_t vm_state_size(unsigned vcpus)
{
    return (1 + vcpus) * (size_t)KVM_STATE_MAX + DEVICES_MAX;
}

static int save_vcpu(const struct vcpu *vcpu, const struct kvm *kvm, struct chunk_writer *writer,
                     struct error *error)
{
    struct saved_vcpu saved = {.access_done = vcpu->access_done};
    char name[CHUNK_NAME];

    if (vcpu->items_done > 0)
        return error_set(error, "vCPU %u waits in the middle of a string input", vcpu->id);
    snprintf(name, sizeof name, "vcpu %u progress", vcpu->id);
    chunk_write(writer, name, VERSION, &saved, sizeof saved);
    return kvm_save_vcpu(kvm, &vcpu->cpu, vcpu->id, writer, error);
}

/* In the order of loading, the way that an interrupt takes walked backwards: what is put into a
 * local APIC, or raised at a controller, before that has its state would be lost with it. */
int vm_save(struct vm *vm, struct chunk_writer *writer, struct error *error)
{
    struct kvm kvm;
    int result = 0;

    if (kvm_open(&kvm, vm->config->kvm, error) < 0)
        return -1;
    machine_quiesce(&vm->machine);
    for (unsigned i = 0; i < vm->vcpu_count && result == 0; i++)
        result = save_vcpu(&vm->vcpus[i], &kvm, writer, error);
    if (result == 0)
        result = kvm_save_vm(vm->fd, vm->irqchip, writer, error);
    machine_save(&vm->machine, writer);
    kvm_close(&kvm);
    if (result == 0 && writer->full)
        return error_set(error, "%s: its state is larger than %zu bytes", vm->name, writer->room);
    return result;
}

static int load_vcpu(struct vcpu *vcpu, const char *part, const struct chunk *chunk,
                     struct error *error)
{
    struct saved_vcpu saved;

    if (strcmp(part, "progress") != 0)
        return kvm_load_vcpu(&vcpu->cpu, part, chunk, error);
    if (chunk_copy(chunk, VERSION, &saved, sizeof saved, error) < 0)
        return -1;
    vcpu->access_done = saved.access_done;
    vcpu->again = vcpu->counted = false;
    return 0;
}

static int load_chunk(struct vm *vm, const struct chunk *chunk, struct error *error)
{
    char *part;
    unsigned long id;

    if (strncmp(chunk->name, "vcpu ", 5) == 0) {
        id = strtoul(chunk->name + 5, &part, 10);
        if (*part != ' ' || id >= vm->vcpu_count)
            return error_set(error, "a saved state of \"%s\"; there are %u vCPUs", chunk->name,
                             vm->vcpu_count);
        return load_vcpu(&vm->vcpus[id], part + 1, chunk, error);
    }
    if (strncmp(chunk->name, "vm ", 3) == 0)
        return kvm_load_vm(vm->fd, chunk->name + 3, chunk, error);
    return machine_load(&vm->machine, chunk, error);
}

int vm_load(struct vm *vm, struct chunk_reader *reader, struct error *error)
{
    struct chunk chunk;
    int more;

    while ((more = chunk_next(reader, &chunk, error)) > 0)
        if (load_chunk(vm, &chunk, error) < 0)
            return -1;
    return more;
}
