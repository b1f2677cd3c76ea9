/* A guest's state as chunks; see state.h. */
#include "vm/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpuid.h"
#include "host/clock.h"
#include "host/kvm/debug.h"
#include "host/kvm/state.h"
#include "vm/ticks.h"

enum { VERSION = 1, DEVICES_MAX = 24 * 1024 };
enum { HLT_LENGTH = 1 };
enum { ITEMS_OFFSET = 4096 }; /* offset of the items of a port access in kvm_run (5) */

/* A port or MMIO write that is not finished, for instance a hypercall that waits for input. KVM has
 * finished the instruction and will not execute it again, so a loaded vCPU handles this exit first.
 */
struct waiting_write {
    uint64_t address;           /* the port, or guest-physical */
    uint64_t access_done;       /* bus_cpu.done */
    uint32_t reason;            /* KVM_EXIT_IO or KVM_EXIT_MMIO */
    uint32_t size, count, done; /* items, and how many of them are written */
    uint8_t bytes[UNFINISHED_MAX];
};

size_t vm_state_size(unsigned vcpus)
{
    return (1 + vcpus) * (size_t)KVM_STATE_MAX + DEVICES_MAX +
           vcpus * (sizeof(struct vcpu_unfinished) +
                    (1 + WRITE_PARTS_MAX) *
                        (sizeof(struct chunk_header) + sizeof(struct waiting_write)));
}

/* Saves a string input that is not finished, which KVM does not know. A loaded vCPU may still have
 * one from its load, if an interrupt came before the instruction. */
static int save_input(const struct vcpu *vcpu, const char *name, struct chunk_writer *writer,
                      struct error *error)
{
    const struct kvm_run *run = vcpu->cpu.run;
    struct vcpu_unfinished u = vcpu->unfinished;
    size_t taken = (size_t)vcpu->items_done * run->io.size, kept;

    if (u.rip == UINT64_MAX)
        u.items = 0;
    if (vcpu->again && run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN) {
        if (u.rip != run->s.regs.regs.rip && u.items > 0 && taken > 0)
            return error_set(error, "vCPU %u is in the middle of two string inputs", vcpu->id);
        kept = (size_t)u.items * u.size;
        if (taken + kept > sizeof u.bytes)
            return error_set(error, "vCPU %u has taken more than %zu bytes of one string input",
                             vcpu->id, sizeof u.bytes);
        memmove(u.bytes + taken, u.bytes, kept);
        memcpy(u.bytes, (const uint8_t *)run + run->io.data_offset, taken);
        if (u.items == 0 || u.rip == run->s.regs.regs.rip) {
            u.rip = run->s.regs.regs.rip;
            u.string_rip = vcpu->string_rip;
            u.size = run->io.size;
            u.items += vcpu->items_done;
        }
    }
    chunk_write(writer, name, VERSION, &u, sizeof u);
    return 0;
}

/* Keeps a further MMIO write of the same instruction, since KVM will not report it again. */
static bool keep_part(struct vcpu *vcpu)
{
    const struct kvm_run *run = vcpu->cpu.run;
    struct write_part *part = &vcpu->parts[vcpu->part_count];

    if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
        vcpu->part_count == WRITE_PARTS_MAX)
        return false;
    *part = (struct write_part){.address = run->mmio.phys_addr, .size = run->mmio.len};
    memcpy(part->bytes, run->mmio.data, sizeof part->bytes);
    vcpu->part_count++;
    return true;
}

/* Makes KVM finish the instruction of a waiting write. For `outs` KVM has done so already, for
 * `out` it has not. The exit in kvm_run is preserved. */
static int finish_write(struct vcpu *vcpu, struct error *error)
{
    struct kvm_run *run = vcpu->cpu.run;
    uint32_t reason = run->exit_reason;
    char exit[sizeof run->padding];
    int code;

    memcpy(exit, run->padding, sizeof exit);
    do
        code = kvm_finish_exit(&vcpu->cpu);
    while (code == 0 && keep_part(vcpu));
    run->exit_reason = reason;
    memcpy(run->padding, exit, sizeof exit);
    if (code == 0)
        return error_set(error, "vCPU %u makes an access in several parts", vcpu->id);
    if (code != -EINTR && code != -EAGAIN)
        return error_set(error, "vCPU %u: KVM cannot finish its access: %s", vcpu->id,
                         strerror(-code));
    return 0;
}

static int save_write(struct vcpu *vcpu, const char *name, struct chunk_writer *writer,
                      struct error *error)
{
    const struct kvm_run *run = vcpu->cpu.run;
    struct waiting_write w = {.reason = run->exit_reason, .access_done = vcpu->for_bus.done};

    if (vcpu->again && w.reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT) {
        w.address = run->io.port;
        w.size = run->io.size;
        w.count = run->io.count;
        w.done = vcpu->items_done;
        memcpy(w.bytes, (const uint8_t *)run + run->io.data_offset, (size_t)w.size * w.count);
    } else if (vcpu->again && w.reason == KVM_EXIT_MMIO && run->mmio.is_write) {
        w.address = run->mmio.phys_addr;
        w.size = run->mmio.len;
        w.count = 1;
        memcpy(w.bytes, run->mmio.data, sizeof run->mmio.data);
    } else
        return 0;
    chunk_write(writer, name, VERSION, &w, sizeof w);
    if (finish_write(vcpu, error) < 0)
        return -1;
    for (unsigned i = 0; i < vcpu->part_count; i++) {
        w = (struct waiting_write){.address = vcpu->parts[i].address,
                                   .reason = KVM_EXIT_MMIO,
                                   .size = vcpu->parts[i].size,
                                   .count = 1};
        memcpy(w.bytes, vcpu->parts[i].bytes, sizeof vcpu->parts[i].bytes);
        chunk_write(writer, name, VERSION, &w, sizeof w);
    }
    return 0;
}

/* A vCPU that waits at a HLT is saved so that it executes the HLT again: its interrupt has not come
 * yet. */
static int save_halted(struct vcpu *vcpu, const struct kvm *kvm, struct chunk_writer *writer,
                       struct error *error)
{
    struct kvm_regs regs = vcpu->cpu.run->s.regs.regs;
    int result;

    regs.rip -= HLT_LENGTH;
    if (kvm_write_general(&vcpu->cpu, &regs) < 0)
        return error_set(error, "vCPU %u: KVM refuses its registers", vcpu->id);
    result = kvm_save_vcpu(kvm, &vcpu->cpu, vcpu->id, writer, error);
    regs.rip += HLT_LENGTH;
    if (kvm_write_general(&vcpu->cpu, &regs) < 0)
        return error_set(error, "vCPU %u: KVM refuses its registers", vcpu->id);
    return result;
}

static int save_vcpu(struct vcpu *vcpu, const struct kvm *kvm, struct chunk_writer *writer,
                     struct error *error)
{
    char name[CHUNK_NAME];

    snprintf(name, sizeof name, "vcpu %u unfinished", vcpu->id);
    if (save_input(vcpu, name, writer, error) < 0)
        return -1;
    snprintf(name, sizeof name, "vcpu %u write", vcpu->id);
    if (save_write(vcpu, name, writer, error) < 0)
        return -1;
    if (vcpu->again && vcpu->cpu.run->exit_reason == KVM_EXIT_HLT)
        return save_halted(vcpu, kvm, writer, error);
    return kvm_save_vcpu(kvm, &vcpu->cpu, vcpu->id, writer, error);
}

/* Returns the time at which the counters were read. */
static uint64_t set_host_tsc(struct vm *vm)
{
    uint64_t now = clock_cycles(), moment = clock_steady();

    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vm->vcpus[i].cpu.host_tsc = now;
    return moment;
}

/* The order is that of loading, against the direction of interrupts: an interrupt that is raised at
 * a local APIC or a controller before that has its state would be lost. */
int vm_save(struct vm *vm, struct chunk_writer *writer, struct error *error)
{
    struct kvm kvm;
    uint64_t moment;
    int result = 0;

    if (kvm_open(&kvm, vm->config->kvm, error) < 0)
        return -1;
    if (vm_is_asleep(vm))
        result = error_set(error, "%s: it sleeps (S3); it can be saved when it is awake", vm->name);
    else if (!machine_quiesce(&vm->machine))
        result = error_set(error, "%s: a device has requests under way", vm->name);
    moment = set_host_tsc(vm);
    for (unsigned i = 0; i < vm->vcpu_count && result == 0; i++)
        result = save_vcpu(&vm->vcpus[i], &kvm, writer, error);
    if (result == 0)
        result = kvm_save_vm(vm->fd, vm->irqchip, moment, writer, error);
    machine_save(&vm->machine, writer);
    kvm_close(&kvm);
    if (result == 0 && writer->full)
        return error_set(error, "%s: its state is larger than %zu bytes", vm->name, writer->room);
    return result;
}

static bool input_can_be(const struct vcpu_unfinished *u)
{
    return u->items == 0 ||
           (u->size > 0 && u->size <= sizeof(uint32_t) && u->items <= sizeof u->bytes / u->size);
}

/* A WRITE hypercall, the longest access, has a length of 32 bits. */
static bool write_can_be(const struct waiting_write *w)
{
    if (w->access_done > UINT32_MAX || w->done >= w->count || w->size == 0)
        return false;
    if (w->reason == KVM_EXIT_MMIO)
        return w->count == 1 && w->size <= sizeof((struct kvm_run *)0)->mmio.data;
    return w->reason == KVM_EXIT_IO && w->address <= UINT16_MAX && w->size <= sizeof(uint32_t) &&
           w->count <= sizeof w->bytes / w->size;
}

static int load_input(struct vcpu *vcpu, const struct chunk *chunk, struct error *error)
{
    struct vcpu_unfinished unfinished;

    if (chunk_copy(chunk, VERSION, &unfinished, sizeof unfinished, error) < 0)
        return -1;
    if (!input_can_be(&unfinished))
        return error_set(error, "the saved state \"%s\" is damaged", chunk->name);
    vm_drop_exit(vcpu);
    vcpu->unfinished = unfinished;
    vcpu->in_string = true;
    /* The result belongs to the old state: KVM counts the halts of a new vCPU from 0. */
    __atomic_store_n(&vcpu->examined, 0, __ATOMIC_RELAXED);
    return 0;
}

static int load_write(struct vcpu *vcpu, const struct chunk *chunk, struct error *error)
{
    struct kvm_run *run = vcpu->cpu.run;
    struct waiting_write w;

    if (chunk_copy(chunk, VERSION, &w, sizeof w, error) < 0)
        return -1;
    if (!write_can_be(&w) || vcpu->cpu.run_size < ITEMS_OFFSET + sizeof w.bytes)
        return error_set(error, "the saved state \"%s\" is damaged", chunk->name);
    if (vcpu->again) {
        if (w.reason != KVM_EXIT_MMIO || vcpu->part_count == WRITE_PARTS_MAX)
            return error_set(error, "the saved state \"%s\" is damaged", chunk->name);
        vcpu->parts[vcpu->part_count] = (struct write_part){.address = w.address, .size = w.size};
        memcpy(vcpu->parts[vcpu->part_count++].bytes, w.bytes, sizeof vcpu->parts[0].bytes);
        return 0;
    }
    run->exit_reason = w.reason;
    if (w.reason == KVM_EXIT_MMIO) {
        run->mmio.phys_addr = w.address;
        run->mmio.len = w.size;
        run->mmio.is_write = 1;
        memcpy(run->mmio.data, w.bytes, sizeof run->mmio.data);
    } else {
        run->io.direction = KVM_EXIT_IO_OUT;
        run->io.port = (uint16_t)w.address;
        run->io.size = (uint8_t)w.size;
        run->io.count = w.count;
        run->io.data_offset = ITEMS_OFFSET;
        memcpy((uint8_t *)run + ITEMS_OFFSET, w.bytes, (size_t)w.size * w.count);
    }
    vcpu->items_done = w.done;
    vcpu->for_bus.done = w.access_done;
    pause_keep_exit(vcpu);
    vcpu->counted = true; /* counted by the VMM that saved it */
    return 0;
}

static int load_vcpu(struct vcpu *vcpu, const char *part, const struct chunk *chunk,
                     struct error *error)
{
    if (strcmp(part, "unfinished") == 0)
        return load_input(vcpu, chunk, error);
    if (strcmp(part, "write") == 0)
        return load_write(vcpu, chunk, error);
    return kvm_load_vcpu(&vcpu->cpu, part, chunk, error);
}

static int load_chunk(struct vm *vm, uint64_t moment, const struct chunk *chunk,
                      struct error *error)
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
        return kvm_load_vm(vm->fd, moment, chunk->name + 3, chunk, error);
    return machine_load(&vm->machine, chunk, error);
}

int vm_check_cpu(struct vm *vm, struct chunk_reader reader, struct error *error)
{
    struct kvm_cpuid_entry2 here[KVM_CPUID_MAX], saved[KVM_CPUID_MAX];
    struct chunk chunk;
    int more, count = kvm_get_cpuid(&vm->vcpus[0].cpu, here, error);

    if (count < 0)
        return -1;
    while ((more = chunk_next(&reader, &chunk, error)) > 0) {
        if (strcmp(chunk.name, "vcpu 0 cpuid") != 0)
            continue;
        if (chunk.size > sizeof saved)
            return error_set(error, "the saved state \"%s\" is damaged", chunk.name);
        memcpy(saved, chunk.bytes, chunk.size);
        return cpuid_check(saved, chunk.size / sizeof saved[0], here, (size_t)count, error);
    }
    return more < 0 ? -1 : error_set(error, "the saved state lacks the vCPU's CPUID");
}

int vm_load(struct vm *vm, struct chunk_reader *reader, struct error *error)
{
    uint64_t moment = set_host_tsc(vm);
    struct chunk chunk;
    int more;

    while ((more = chunk_next(reader, &chunk, error)) > 0)
        if (load_chunk(vm, moment, &chunk, error) < 0)
            return -1;
    if (vm->own_irqchip)
        ticks_loaded(&vm->vcpus[0]);
    return more;
}

/* ---- Back to a state of the same VM --------------------------------------------------------- */

/* Compares a device's saved and current state; both have the same order. */
static bool has_changed(const struct chunk *saved, struct chunk_reader *now)
{
    struct chunk chunk;
    struct error ignored;

    return chunk_next(now, &chunk, &ignored) <= 0 || strcmp(chunk.name, saved->name) != 0 ||
           chunk.size != saved->size || memcmp(chunk.bytes, saved->bytes, saved->size) != 0;
}

static void live_again(struct vm *vm)
{
    lock_take(&vm->lock);
    vm->end = (struct vm_end){.kind = END_NONE};
    lock_release(&vm->lock);
    lock_take(&vm->gate.lock);
    vm->gate.ending = false;
    lock_release(&vm->gate.lock);
}

/* CPUID must not be set again, and has not changed. Most devices have not changed either, and
 * comparing is faster than loading. */
int vm_rewind(struct vm *vm, struct chunk_reader saved, struct chunk_writer room,
              struct error *error)
{
    struct chunk_reader now;
    struct chunk chunk;
    const char *part;
    uint64_t moment;
    int more;

    for (unsigned i = 0; i < vm->vcpu_count; i++)
        __atomic_store_n(&vm->vcpus[i].requests, 0, __ATOMIC_RELAXED);
    moment = set_host_tsc(vm);
    machine_save(&vm->machine, &room);
    now = (struct chunk_reader){.bytes = room.bytes, .size = room.used};
    while ((more = chunk_next(&saved, &chunk, error)) > 0) {
        part = strrchr(chunk.name, ' ');
        if (strncmp(chunk.name, "vcpu ", 5) == 0 && strcmp(part, " cpuid") == 0)
            continue;
        if (strncmp(chunk.name, "vcpu ", 5) != 0 && strncmp(chunk.name, "vm ", 3) != 0 &&
            !has_changed(&chunk, &now))
            continue;
        if (load_chunk(vm, moment, &chunk, error) < 0)
            return -1;
    }
    live_again(vm);
    ticks_input(vm);
    return more;
}
