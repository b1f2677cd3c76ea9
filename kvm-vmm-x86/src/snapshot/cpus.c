/* Reads vCPUs from saved records; see cpus.h. */
#include "snapshot/cpus.h"

#include <stdlib.h>
#include <string.h>

#include "base/chunk.h"
#include "base/config.h"
#include "watch/explain/walk.h"

enum { VERSION = 1 };
enum { LAPIC_ISR = 0x100, LAPIC_IRR = 0x200, LAPIC_STEP = 0x10 };

/* The part of an extended state that every processor has (Intel SDM volume 1, 10.5.1). */
struct fxsave {
    uint16_t fcw, fsw;
    uint8_t ftw, reserved;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16];
};
_Static_assert(sizeof(struct fxsave) == 416, "Intel SDM volume 1, table 10-2");

static void read_fpu(struct kvm_fpu *fpu, const struct fxsave *area)
{
    *fpu = (struct kvm_fpu){.fcw = area->fcw,
                            .fsw = area->fsw,
                            .ftwx = area->ftw,
                            .last_opcode = area->fop,
                            .last_ip = area->fip,
                            .last_dp = area->fdp,
                            .mxcsr = area->mxcsr};
    memcpy(fpu->fpr, area->st, sizeof area->st);
    memcpy(fpu->xmm, area->xmm, sizeof area->xmm);
}

static void read_lapic(struct interrupts *i, const struct kvm_lapic_state *lapic)
{
    for (unsigned k = 0; k < 8; k++) {
        memcpy(&i->in_service[k], &lapic->regs[LAPIC_ISR + k * LAPIC_STEP], sizeof(uint32_t));
        memcpy(&i->requested[k], &lapic->regs[LAPIC_IRR + k * LAPIC_STEP], sizeof(uint32_t));
    }
}

/* Reads one record of a vCPU: registers, MP state, local APIC, or x87 and SSE state. Ignores
 * others. */
static int read_part(struct snapshot_cpu *cpu, const char *part, const struct chunk *chunk,
                     struct error *error)
{
    struct kvm_lapic_state lapic;
    struct fxsave area;

    if (strcmp(part, "regs") == 0)
        return chunk_copy(chunk, VERSION, &cpu->registers.state.regs, sizeof(struct kvm_regs),
                          error);
    if (strcmp(part, "sregs") == 0)
        return chunk_copy(chunk, VERSION, &cpu->registers.state.sregs, sizeof(struct kvm_sregs),
                          error);
    if (strcmp(part, "mp") == 0)
        return chunk_copy(chunk, VERSION, &cpu->mp_state, sizeof cpu->mp_state, error);
    if (strcmp(part, "lapic") == 0) {
        if (chunk_copy(chunk, VERSION, &lapic, sizeof lapic, error) < 0)
            return -1;
        read_lapic(&cpu->interrupts, &lapic);
        cpu->interrupts.known = true;
    }
    if (strcmp(part, "xsave") == 0) {
        if (chunk->size < sizeof area)
            return error_set(error, "the saved state of %s has %zu bytes", chunk->name,
                             chunk->size);
        memcpy(&area, chunk->bytes, sizeof area);
        read_fpu(&cpu->registers.fpu, &area);
    }
    return 0;
}

static int read_pic(struct snapshot_cpu *cpus, unsigned count, unsigned which,
                    const struct chunk *chunk, struct error *error)
{
    struct kvm_irqchip chip;

    if (chunk_copy(chunk, VERSION, &chip, sizeof chip, error) < 0)
        return -1;
    for (unsigned i = 0; i < count; i++)
        cpus[i].interrupts.pic[which] = chip.chip.pic;
    return 0;
}

int snapshot_cpus_read(struct snapshot_cpu *cpus, unsigned count, const uint8_t *state, size_t size,
                       struct error *error)
{
    struct chunk_reader reader = {.bytes = state, .size = size};
    uint64_t seen = 0; /* one bit for each vCPU with registers */
    struct chunk chunk;
    char *part;
    int more;

    _Static_assert(CPUS_MAX <= 64, "a bit each");
    while ((more = chunk_next(&reader, &chunk, error)) > 0) {
        if (strncmp(chunk.name, "vcpu ", 5) == 0) {
            unsigned long id = strtoul(chunk.name + 5, &part, 10);

            if (*part != ' ' || id >= count)
                return error_set(error, "a saved state of \"%s\"; there are %u vCPUs", chunk.name,
                                 count);
            if (read_part(&cpus[id], part + 1, &chunk, error) < 0)
                return -1;
            if (strcmp(part, " regs") == 0)
                seen |= UINT64_C(1) << id;
        }
        if (strncmp(chunk.name, "vm pic ", 7) == 0 &&
            read_pic(cpus, count, chunk.name[7] == '1', &chunk, error) < 0)
            return -1;
    }
    if (more == 0 && seen != UINT64_MAX >> (64 - count))
        return error_set(error, "the saved state lacks the registers of a vCPU");
    return more;
}

const struct snapshot *snapshot_cpus_in_kernel(const struct snapshot_cpu *cpus, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct snapshot *s = &cpus[i].registers.state;

        if (walk_paging(s) != WALK_OFF && snapshot_cpl(s) == 0)
            return s;
    }
    return &cpus[0].registers.state;
}

const char *snapshot_cpu_state(const struct snapshot_cpu *cpu)
{
    switch (cpu->mp_state) {
    case KVM_MP_STATE_HALTED:
        return ", halted";
    case KVM_MP_STATE_UNINITIALIZED:
    case KVM_MP_STATE_INIT_RECEIVED:
        return ", not started";
    default:
        return "";
    }
}
