/* Reads and writes a machine's memory and registers; see kvmvmm.h. */
#include <stdio.h>
#include <string.h>

#include "host/kvm/debug.h"
#include "kvmvmm/machine.h"
#include "watch/explain/walk.h"

int kvmvmm_fail(struct kvmvmm_error *error, const struct error *why)
{
    snprintf(error->text, sizeof error->text, "%s", why->text);
    return -1;
}

static int not_ram(struct kvmvmm_error *error, uint64_t address, size_t count)
{
    struct error why;

    error_set(&why, "not all of the %zu bytes at %#llx are RAM", count,
              (unsigned long long)address);
    return kvmvmm_fail(error, &why);
}

int kvmvmm_read(const struct kvmvmm *m, uint64_t address, void *to, size_t count,
                struct kvmvmm_error *error)
{
    return memory_read(&m->vm.memory, address, to, count) ? 0 : not_ram(error, address, count);
}

int kvmvmm_write(struct kvmvmm *m, uint64_t address, const void *from, size_t count,
                 struct kvmvmm_error *error)
{
    return memory_write(&m->vm.memory, address, from, count) ? 0 : not_ram(error, address, count);
}

int kvmvmm_look(const struct kvmvmm *m, struct snapshot *s, struct error *error)
{
    int code;

    *s = (struct snapshot){.memory = &m->vm.memory, .address_bits = m->vm.address_bits};
    code = kvm_read_registers(&m->vm.vcpus[0].cpu, &s->regs, &s->sregs, NULL);
    return code == 0 ? 0 : error_set(error, "cannot get registers from KVM: %s", strerror(-code));
}

/* Copies page by page; `write`: into the guest. */
static int copy_linear(const struct kvmvmm *m, uint64_t address, uint8_t *bytes, size_t count,
                       bool write, struct kvmvmm_error *error)
{
    struct snapshot s;
    struct error why;

    if (kvmvmm_look(m, &s, &why) < 0)
        return kvmvmm_fail(error, &why);
    while (count > 0) {
        size_t part = PAGE_SIZE - address % PAGE_SIZE;
        gpa_t place;

        part = part < count ? part : count;
        if (!walk_place(&s, address, &place) ||
            !(write ? memory_write(&m->vm.memory, place, bytes, part)
                    : memory_read(&m->vm.memory, place, bytes, part))) {
            error_set(&why, "the guest has no memory at %#llx", (unsigned long long)address);
            return kvmvmm_fail(error, &why);
        }
        address += part;
        bytes += part;
        count -= part;
    }
    return 0;
}

int kvmvmm_read_linear(const struct kvmvmm *m, uint64_t address, void *to, size_t count,
                       struct kvmvmm_error *error)
{
    return copy_linear(m, address, to, count, false, error);
}

int kvmvmm_write_linear(struct kvmvmm *m, uint64_t address, const void *from, size_t count,
                        struct kvmvmm_error *error)
{
    return copy_linear(m, address, (uint8_t *)(uintptr_t)from, count, true, error);
}

static int registers_failed(int code, const char *what, struct kvmvmm_error *error)
{
    struct error why;

    error_set(&why, "KVM cannot %s the registers: %s", what, strerror(-code));
    return kvmvmm_fail(error, &why);
}

int kvmvmm_get_registers(const struct kvmvmm *m, struct kvm_regs *general,
                         struct kvm_sregs *special, struct kvmvmm_error *error)
{
    struct kvm_sregs ignored;
    int code = kvm_read_registers(&m->vm.vcpus[0].cpu, general,
                                  special != NULL ? special : &ignored, NULL);

    return code == 0 ? 0 : registers_failed(code, "read", error);
}

int kvmvmm_set_registers(struct kvmvmm *m, const struct kvm_regs *general,
                         const struct kvm_sregs *special, struct kvmvmm_error *error)
{
    struct vcpu *vcpu = &m->vm.vcpus[0];
    int code = special != NULL ? kvm_write_special(&vcpu->cpu, special) : 0;
    struct snapshot s;
    struct error ignored;

    if (m->breakpoints.stands && kvmvmm_look(m, &s, &ignored) == 0) {
        s.regs.rip = general->rip;
        m->breakpoints.stands = snapshot_linear_rip(&s) == m->breakpoints.at;
    }
    if (code == 0)
        code = kvm_write_general(&vcpu->cpu, general);
    return code == 0 ? 0 : registers_failed(code, "write", error);
}
