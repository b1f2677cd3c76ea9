/* A guest's state as chunks; see state.h. */
#include "vm/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/kvm_state.h"

enum { VERSION = 1, DEVICES_MAX = 16 * 1024 };

size_t vm_state_size(unsigned vcpus)
{
    return (1 + vcpus) * (size_t)KVM_STATE_MAX + DEVICES_MAX;
}

/* What this VMM knows of a vCPU and KVM does not: what it is in the middle of. */
static int save_unfinished(const struct vcpu *vcpu, const char *name, struct chunk_writer *writer,
                           struct error *error)
{
    const struct kvm_run *run = vcpu->cpu.run;
    struct vcpu_unfinished u = vcpu->unfinished;
    size_t taken = (size_t)vcpu->items_done * run->io.size, kept;

    if (vcpu->again && run->exit_reason == KVM_EXIT_IO) {
        if (vcpu->items_done > 0 && run->io.direction == KVM_EXIT_IO_OUT)
            return error_set(error, "vCPU %u is in the middle of a batch of port writes", vcpu->id);
        if (u.rip != run->s.regs.regs.rip)
            u.items = 0;
        kept = (size_t)u.items * u.size;
        if (taken + kept > sizeof u.bytes)
            return error_set(error, "vCPU %u has taken more than %zu bytes of one string input",
                             vcpu->id, sizeof u.bytes);
        memmove(u.bytes + taken, u.bytes, kept);
        memcpy(u.bytes, (const uint8_t *)run + run->io.data_offset, taken);
        u.rip = run->s.regs.regs.rip;
        u.access_done = vcpu->access_done;
        u.string_rip = vcpu->string_rip;
        u.size = run->io.size;
        u.items += vcpu->items_done;
    }
    chunk_write(writer, name, VERSION, &u, sizeof u);
    return 0;
}

static int save_vcpu(const struct vcpu *vcpu, const struct kvm *kvm, struct chunk_writer *writer,
                     struct error *error)
{
    char name[CHUNK_NAME];

    snprintf(name, sizeof name, "vcpu %u unfinished", vcpu->id);
    if (save_unfinished(vcpu, name, writer, error) < 0)
        return -1;
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
    if (!machine_quiesce(&vm->machine))
        result = error_set(error, "%s: a device has requests under way", vm->name);
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

/* A WRITE hypercall, the longest access, has a length of 32 bits. */
static bool can_be(const struct vcpu_unfinished *u)
{
    if (u->access_done > UINT32_MAX)
        return false;
    return u->items == 0 ||
           (u->size > 0 && u->size <= sizeof(uint32_t) && u->items <= sizeof u->bytes / u->size);
}

static int load_vcpu(struct vcpu *vcpu, const char *part, const struct chunk *chunk,
                     struct error *error)
{
    struct vcpu_unfinished unfinished;

    if (strcmp(part, "unfinished") != 0)
        return kvm_load_vcpu(&vcpu->cpu, part, chunk, error);
    if (chunk_copy(chunk, VERSION, &unfinished, sizeof unfinished, error) < 0)
        return -1;
    if (!can_be(&unfinished))
        return error_set(error, "the saved state \"%s\" is damaged", chunk->name);
    vcpu_leave_exit(vcpu);
    vcpu->unfinished = unfinished;
    /* What was found out of its former state: KVM counts the halts of the new one from 0 on. */
    __atomic_store_n(&vcpu->examined, 0, __ATOMIC_RELAXED);
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
