/* Saves and loads the state of a vCPU and of a VM; see state.h. */
#include "host/kvm/state.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/clock.h"
#include "host/kvm/msrs.h"

enum { VERSION = 1, XSAVE_MAX = 32 * 1024 };

/* Parts of a fixed size with one ioctl to get and one to set them. */
struct part {
    const char *name;
    size_t size;
    unsigned long get, set;
    bool optional; /* not every vCPU has it: no local APIC in the kernel, no XCR0 */
};

/* The order follows the dependencies: mode and XCR0 before the registers that they allow, the local
 * APIC before its timer's register, events and the MP state last. */
static const struct part before_msrs[] = {
    {"sregs", sizeof(struct kvm_sregs), KVM_GET_SREGS, KVM_SET_SREGS, false}, /* 4.13, 4.14 */
    {"xcrs", sizeof(struct kvm_xcrs), KVM_GET_XCRS, KVM_SET_XCRS, true},      /* 4.33, 4.34 */
    {"debugregs", sizeof(struct kvm_debugregs), KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS,
     false},                                                                       /* 4.37 */
    {"lapic", sizeof(struct kvm_lapic_state), KVM_GET_LAPIC, KVM_SET_LAPIC, true}, /* 4.57, 4.58 */
};
static const struct part after_msrs[] = {
    {"regs", sizeof(struct kvm_regs), KVM_GET_REGS, KVM_SET_REGS, false}, /* 4.11 */
    {"events", sizeof(struct kvm_vcpu_events), KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS,
     false},                                                                        /* 4.31 */
    {"mp", sizeof(struct kvm_mp_state), KVM_GET_MP_STATE, KVM_SET_MP_STATE, false}, /* 4.38 */
};
static const struct part vm_parts[] = {
    {"pit", sizeof(struct kvm_pit_state2), KVM_GET_PIT2, KVM_SET_PIT2, false}, /* 4.74, 4.75 */
};

enum { BEFORE = sizeof before_msrs / sizeof before_msrs[0] };
enum { AFTER = sizeof after_msrs / sizeof after_msrs[0] };
enum { VM_PARTS = sizeof vm_parts / sizeof vm_parts[0] };

/* Has the PDPTRs too: with PAE paging their values may differ from memory (4.131, Linux 5.14). */
static const struct part sregs2 = {"sregs2", sizeof(struct kvm_sregs2), KVM_GET_SREGS2,
                                   KVM_SET_SREGS2, true};

static int cannot_get(const char *what, struct error *error)
{
    return error_set(error, "cannot get %s from KVM: %s", what, strerror(errno));
}

static int cannot_set(const char *what, struct error *error)
{
    return error_set(error, "KVM refuses the saved %s: %s", what, strerror(errno));
}

/* ---- CPUID: 4.94 and 4.93 ------------------------------------------------------------------ */

int kvm_get_cpuid(const struct kvm_cpu *cpu, struct kvm_cpuid_entry2 entries[KVM_CPUID_MAX],
                  struct error *error)
{
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[KVM_CPUID_MAX];
    } cpuid = {.head.nent = KVM_CPUID_MAX};

    if (ioctl(cpu->fd, KVM_GET_CPUID2, &cpuid) < 0)
        return cannot_get("the CPUID table", error);
    memcpy(entries, cpuid.entries, sizeof cpuid.entries);
    return (int)cpuid.head.nent;
}

static int save_cpuid(const struct kvm_cpu *cpu, const char *name, struct chunk_writer *writer,
                      struct error *error)
{
    struct kvm_cpuid_entry2 entries[KVM_CPUID_MAX];
    int count = kvm_get_cpuid(cpu, entries, error);

    if (count < 0)
        return -1;
    chunk_write(writer, name, VERSION, entries, (size_t)count * sizeof entries[0]);
    return 0;
}

static int load_cpuid(const struct kvm_cpu *cpu, const struct chunk *chunk, struct error *error)
{
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[KVM_CPUID_MAX];
    } cpuid = {.head.nent = (uint32_t)(chunk->size / sizeof cpuid.entries[0])};

    if (cpuid.head.nent > KVM_CPUID_MAX ||
        chunk_copy(chunk, VERSION, cpuid.entries, cpuid.head.nent * sizeof cpuid.entries[0],
                   error) < 0)
        return -1;
    return ioctl(cpu->fd, KVM_SET_CPUID2, &cpuid) < 0 ? cannot_set(chunk->name, error) : 0;
}

/* ---- The extended state: 4.42, 4.43, and 4.134 where the kernel has it (5.17) --------------- */

static int save_xsave(const struct kvm *kvm, const struct kvm_cpu *cpu, const char *name,
                      struct chunk_writer *writer, struct error *error)
{
    int wide = ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2), result = 0;
    unsigned long request = wide > 0 ? KVM_GET_XSAVE2 : KVM_GET_XSAVE;
    int size = wide > 0 ? wide : (int)sizeof(struct kvm_xsave);
    uint8_t *area;

    if (size > XSAVE_MAX)
        return error_set(error, "KVM's extended state has %d bytes; at most %d are supported", size,
                         (int)XSAVE_MAX);
    area = calloc(1, (size_t)size);
    if (area == NULL)
        return error_set(error, "out of memory");
    if (ioctl(cpu->fd, request, area) < 0)
        result = cannot_get(name, error);
    else
        chunk_write(writer, name, VERSION, area, (size_t)size);
    free(area);
    return result;
}

/* KVM reads as many bytes as the guest's features need; a saved area has that size, or the 4 KB of
 * KVM_SET_XSAVE. */
static int load_xsave(const struct kvm_cpu *cpu, const struct chunk *chunk, struct error *error)
{
    uint8_t *area;
    int result;

    if (chunk->size < sizeof(struct kvm_xsave) || chunk->size > XSAVE_MAX)
        return error_set(error, "the saved state of %s has %zu bytes", chunk->name, chunk->size);
    area = calloc(1, XSAVE_MAX);
    if (area == NULL)
        return error_set(error, "out of memory");
    memcpy(area, chunk->bytes, chunk->size);
    result = ioctl(cpu->fd, KVM_SET_XSAVE, area) < 0 ? cannot_set(chunk->name, error) : 0;
    free(area);
    return result;
}

/*
 * ---- The time-stamp counter: devices/vcpu.rst, 4.1 (5.16) -------------------------------------
 *
 * Writing it as a register is inexact: KVM takes a value near that of another vCPU for an attempt
 * to synchronise the two (in a guest's first second it takes it for the zero of a new vCPU). Its
 * offset from the host's counter is exact, and equal for synchronised vCPUs. The offset is saved
 * with the host's counter at that moment. When it is loaded, it is corrected by how far the host's
 * counter has moved since, also if the host was rebooted: the guest's counter continues from its
 * saved value, as kvm-clock does. If KVM does not return the offset, the register is used. The
 * counter is loaded before the local APIC, whose timer may wait for a value of it.
 */
struct saved_tsc {
    uint64_t offset, host;
    uint32_t khz; /* 0: not known */
    uint32_t unused;
};

static struct kvm_device_attr tsc_offset(uint64_t *offset)
{
    return (struct kvm_device_attr){
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)offset};
}

/* Saves the offset; false: KVM does not return it. */
static bool save_tsc(const struct kvm_cpu *cpu, const char *name, struct chunk_writer *writer)
{
    struct saved_tsc tsc = {.host = cpu->host_tsc};
    struct kvm_device_attr attr = tsc_offset(&tsc.offset);
    int khz = ioctl(cpu->fd, KVM_GET_TSC_KHZ, 0);

    tsc.khz = khz > 0 ? (uint32_t)khz : 0;
    if (ioctl(cpu->fd, KVM_GET_DEVICE_ATTR, &attr) < 0)
        return false;
    chunk_write(writer, name, VERSION + 1, &tsc, sizeof tsc);
    return true;
}

/* A counter of another speed is scaled if the host's processor can do that. Two measurements of one
 * counter may differ by 250 in a million. */
static int set_speed(const struct kvm_cpu *cpu, uint32_t khz, struct error *error)
{
    int have = ioctl(cpu->fd, KVM_GET_TSC_KHZ, 0);

    if (have <= 0 || khz == 0 || llabs((long long)khz - have) * 1000000 <= 250 * (long long)have ||
        ioctl(cpu->fd, KVM_SET_TSC_KHZ, (unsigned long)khz) == 0)
        return 0;
    return error_set(error,
                     "the guest's time-stamp counter had %u kHz; this host has %d kHz "
                     "and cannot scale it",
                     khz, have);
}

static int load_tsc(const struct kvm_cpu *cpu, const struct chunk *chunk, struct error *error)
{
    struct saved_tsc tsc;
    struct kvm_device_attr attr = tsc_offset(&tsc.offset);

    if (chunk_copy(chunk, VERSION + 1, &tsc, sizeof tsc, error) < 0 ||
        set_speed(cpu, tsc.khz, error) < 0)
        return -1;
    tsc.offset += tsc.host - cpu->host_tsc;
    return ioctl(cpu->fd, KVM_SET_DEVICE_ATTR, &attr) < 0 ? cannot_set(chunk->name, error) : 0;
}

/* ---- A vCPU --------------------------------------------------------------------------------- */

static int save_part(int fd, const struct part *part, const char *name, struct chunk_writer *writer,
                     struct error *error)
{
    uint8_t bytes[4096] = {0};

    if (ioctl(fd, part->get, bytes) < 0)
        return part->optional ? 0 : cannot_get(name, error);
    chunk_write(writer, name, VERSION, bytes, part->size);
    return 0;
}

_Static_assert(offsetof(struct kvm_sregs, tr) == offsetof(struct kvm_sregs2, tr), "one for both");

static void mend(uint8_t *sregs)
{
    struct kvm_segment task;

    memcpy(&task, sregs + offsetof(struct kvm_sregs, tr), sizeof task);
    kvm_mend_sregs(&task);
    memcpy(sregs + offsetof(struct kvm_sregs, tr), &task, sizeof task);
}

static int load_part(int fd, const struct part *part, const struct chunk *chunk,
                     struct error *error)
{
    uint8_t bytes[4096];

    if (chunk_copy(chunk, VERSION, bytes, part->size, error) < 0)
        return -1;
    if (part->set == KVM_SET_SREGS || part->set == KVM_SET_SREGS2)
        mend(bytes);
    return ioctl(fd, part->set, bytes) < 0 ? cannot_set(chunk->name, error) : 0;
}

struct saver {
    const struct kvm_cpu *cpu;
    unsigned id;
    char name[CHUNK_NAME];
    struct chunk_writer *writer;
};

static const char *name_of(struct saver *s, const char *part)
{
    snprintf(s->name, sizeof s->name, "vcpu %u %s", s->id, part);
    return s->name;
}

static int save_parts(struct saver *s, const struct part *parts, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (save_part(s->cpu->fd, &parts[i], name_of(s, parts[i].name), s->writer, error) < 0)
            return -1;
    return 0;
}

/* Saves both where both exist: the one that is loaded later counts. */
static int save_special(struct saver *s, struct error *error)
{
    if (save_parts(s, before_msrs, BEFORE, error) < 0)
        return -1;
    return save_parts(s, &sregs2, 1, error);
}

/* The registers are read before the local APIC. If the APIC's timer expires in between, it is in
 * both, and interrupts once too often; in the other order it would be in neither. They are loaded
 * after it. */
int kvm_save_vcpu(const struct kvm *kvm, const struct kvm_cpu *cpu, unsigned id,
                  struct chunk_writer *writer, struct error *error)
{
    struct saver s = {.cpu = cpu, .id = id, .writer = writer};
    struct kvm_mp_state mp;
    struct kvm_msrs_saved msrs;

    /* If a start-up IPI is pending, this makes KVM process it, which sets CS and RIP. That must be
     * done before they are read. */
    if (ioctl(cpu->fd, KVM_GET_MP_STATE, &mp) < 0)
        return cannot_get("mp", error);
    if (save_cpuid(cpu, name_of(&s, "cpuid"), writer, error) < 0)
        return -1;
    if (kvm_read_msrs(kvm, cpu, save_tsc(cpu, name_of(&s, "tsc"), writer), &msrs, error) < 0)
        return -1;
    if (save_special(&s, error) < 0 ||
        save_xsave(kvm, cpu, name_of(&s, "xsave"), writer, error) < 0) {
        kvm_release_msrs(&msrs);
        return -1;
    }
    chunk_write(writer, name_of(&s, "msrs"), VERSION, msrs.entries,
                msrs.count * sizeof msrs.entries[0]);
    kvm_release_msrs(&msrs);
    return save_parts(&s, after_msrs, AFTER, error);
}

static const struct part *find_part(const char *name, const struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    return NULL;
}

int kvm_load_vcpu(const struct kvm_cpu *cpu, const char *part, const struct chunk *chunk,
                  struct error *error)
{
    const struct part *p = find_part(part, before_msrs, BEFORE);

    if (p == NULL)
        p = find_part(part, after_msrs, AFTER);
    if (p == NULL)
        p = find_part(part, &sregs2, 1);
    if (p != NULL && load_part(cpu->fd, p, chunk, error) < 0)
        return -1;
    if (p != NULL && p->set == KVM_SET_REGS) /* the copy that KVM updates at each exit */
        memcpy(&cpu->run->s.regs.regs, chunk->bytes, sizeof cpu->run->s.regs.regs);
    if (p != NULL)
        return 0;
    if (strcmp(part, "cpuid") == 0)
        return load_cpuid(cpu, chunk, error);
    if (strcmp(part, "xsave") == 0)
        return load_xsave(cpu, chunk, error);
    if (strcmp(part, "msrs") == 0)
        return kvm_load_msrs(cpu, chunk, error);
    if (strcmp(part, "tsc") == 0)
        return load_tsc(cpu, chunk, error);
    return error_set(error, "a saved state of \"%s\", which this VMM does not know", chunk->name);
}

/* ---- A VM ----------------------------------------------------------------------------------- */

/* PICs and I/O APIC: 4.26, 4.27. */
static const char *const chips[] = {[KVM_IRQCHIP_PIC_MASTER] = "pic 0",
                                    [KVM_IRQCHIP_PIC_SLAVE] = "pic 1",
                                    [KVM_IRQCHIP_IOAPIC] = "ioapic"};
enum { CHIPS = sizeof chips / sizeof chips[0] };

static int save_chips(int vm, struct chunk_writer *writer, struct error *error)
{
    char name[CHUNK_NAME];

    for (uint32_t i = 0; i < CHIPS; i++) {
        struct kvm_irqchip chip = {.chip_id = i};

        snprintf(name, sizeof name, "vm %s", chips[i]);
        if (ioctl(vm, KVM_GET_IRQCHIP, &chip) < 0)
            return cannot_get(name, error);
        chunk_write(writer, name, VERSION, &chip, sizeof chip);
    }
    return 0;
}

/* The time of kvm-clock (4.29, 4.30): it continues from its saved value. */
static int save_clock(int vm, uint64_t moment, struct chunk_writer *writer, struct error *error)
{
    struct kvm_clock_data clock = {0};
    uint64_t now;

    if (ioctl(vm, KVM_GET_CLOCK, &clock) < 0)
        return cannot_get("its clock", error);
    now = clock.clock - (clock_steady() - moment);
    chunk_write(writer, "vm clock", VERSION, &now, sizeof now);
    return 0;
}

int kvm_save_vm(int vm, bool irqchip, uint64_t moment, struct chunk_writer *writer,
                struct error *error)
{
    if (irqchip && (save_chips(vm, writer, error) < 0 ||
                    save_part(vm, &vm_parts[0], "vm pit", writer, error) < 0))
        return -1;
    return save_clock(vm, moment, writer, error);
}

static int load_clock(int vm, uint64_t moment, const struct chunk *chunk, struct error *error)
{
    struct kvm_clock_data clock = {0};
    uint64_t now;

    if (chunk_copy(chunk, VERSION, &now, sizeof now, error) < 0)
        return -1;
    clock.clock = now + (clock_steady() - moment);
    return ioctl(vm, KVM_SET_CLOCK, &clock) < 0 ? cannot_set(chunk->name, error) : 0;
}

static int load_chip(int vm, uint32_t id, const struct chunk *chunk, struct error *error)
{
    struct kvm_irqchip chip;

    if (chunk_copy(chunk, VERSION, &chip, sizeof chip, error) < 0)
        return -1;
    chip.chip_id = id; /* whatever the chunk has */
    return ioctl(vm, KVM_SET_IRQCHIP, &chip) < 0 ? cannot_set(chunk->name, error) : 0;
}

int kvm_load_vm(int vm, uint64_t moment, const char *part, const struct chunk *chunk,
                struct error *error)
{
    const struct part *p = find_part(part, vm_parts, VM_PARTS);

    if (p != NULL)
        return load_part(vm, p, chunk, error);
    if (strcmp(part, "clock") == 0)
        return load_clock(vm, moment, chunk, error);
    for (uint32_t i = 0; i < CHIPS; i++)
        if (strcmp(part, chips[i]) == 0)
            return load_chip(vm, i, chunk, error);
    return error_set(error, "a saved state of \"%s\", which this VMM does not know", chunk->name);
}

/* EINVAL: the guest has no kvm-clock. */
void kvm_mark_paused(const struct kvm_cpu *cpu)
{
    (void)!ioctl(cpu->fd, KVM_KVMCLOCK_CTRL);
}
