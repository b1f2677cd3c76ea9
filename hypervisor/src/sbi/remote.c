/*
 * IPI (SBI 7) and RFENCE (SBI 8): interrupts to other vCPUs, and fences on them. If a vCPU runs,
 * the firmware executes the fence on its hart in M-mode, without an exit of that guest. If it does
 * not run, it executes the fence before it runs again. A vCPU that is just being scheduled is
 * either seen running here, or sees its `fences` there: both sides write first and read second
 * (sched_take()).
 */
#include "sbi/extension.h"

#include "cpu/cpu.h"
#include "cpu/hyp.h"

bool sbi_hart_mask(const struct vcpu *v, uint64_t mask, uint64_t first, uint64_t *vcpus)
{
    uint64_t all = (1ul << v->vm->vcpu_count) - 1;

    if (first == SBI_ALL_HARTS) {
        *vcpus = all;
        return true;
    }
    if (mask == 0) {
        *vcpus = 0;
        return true;
    }
    if (first >= v->vm->vcpu_count)
        return false;
    *vcpus = mask << first;
    return *vcpus >> first == mask && (*vcpus & ~all) == 0;
}

/* IPI (SBI 7): a software interrupt to each vCPU of a mask. */
void sbi_send_ipis(struct vcpu *v, uint64_t vcpus)
{
    for (; vcpus != 0; vcpus &= vcpus - 1) {
        struct vcpu *to = v->vm->vcpus[lowest_bit(vcpus)];

        sbi_count(v, EVENT_IPI_SENT);
        sbi_count(to, EVENT_IPI_RECEIVED);
        vcpu_send_ipi(to);
    }
}

struct sbi_result sbi_ipi(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    uint64_t vcpus;

    if (function != 0)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (!sbi_hart_mask(v, a[0], a[1], &vcpus))
        return sbi_error(SBI_INVALID_PARAM);
    sbi_send_ipis(v, vcpus);
    return sbi_value(0);
}

/* Sets the fence in each vCPU of the mask. Returns the harts that run one of them now. */
static uint64_t post(struct vcpu *v, uint64_t vcpus, uint32_t fence)
{
    uint64_t harts = 0;

    for (; vcpus != 0; vcpus &= vcpus - 1) {
        struct vcpu *to = v->vm->vcpus[lowest_bit(vcpus)];
        struct cpu *cpu;

        __atomic_fetch_or(&to->fences, fence, __ATOMIC_SEQ_CST);
        cpu = __atomic_load_n(&to->task.cpu, __ATOMIC_SEQ_CST);
        if (cpu != NULL && to != v)
            harts |= 1ul << cpu->index;
    }
    return harts;
}

/* Makes one call for each window of 64 hart ids that contains any of them. */
static void fence_harts(uint64_t harts, void (*fence)(uint64_t mask, uint64_t base))
{
    while (harts != 0) {
        uint64_t base = ~0ul, mask = 0;

        for (uint64_t left = harts; left != 0; left &= left - 1)
            base = min64(base, cpus[lowest_bit(left)].hartid);
        for (uint64_t left = harts; left != 0; left &= left - 1) {
            uint64_t place = cpus[lowest_bit(left)].hartid - base;

            if (place < 64) {
                mask |= 1ul << place;
                harts &= ~(left & -left);
            }
        }
        fence(mask, base);
    }
}

static void vvma(uint64_t mask, uint64_t base)
{
    firmware_remote_fence_vvma(mask, base, 0, ~0ul);
}

void sbi_fence_i(struct vcpu *v, uint64_t vcpus)
{
    fence_harts(post(v, vcpus, FENCE_I), firmware_remote_fence_i);
}

/* Fences whole address spaces: a range costs the firmware one fence for each page, and its limit
 * for that is small. */
void sbi_fence_vma(struct vcpu *v, uint64_t vcpus, uint64_t start, uint64_t size)
{
    (void)start;
    (void)size;
    fence_harts(post(v, vcpus, FENCE_VVMA), vvma);
}

static void count(struct vcpu *v, uint64_t vcpus, enum sbi_event sent)
{
    for (; vcpus != 0; vcpus &= vcpus - 1) {
        sbi_count(v, sent);
        sbi_count(v->vm->vcpus[lowest_bit(vcpus)], sent + 1);
    }
}

struct sbi_result sbi_rfence(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    uint64_t vcpus;

    if (function > RFENCE_VMA_ASID) /* the rest needs a guest with the H extension */
        return sbi_error(SBI_NOT_SUPPORTED);
    if (!sbi_hart_mask(v, a[0], a[1], &vcpus))
        return sbi_error(SBI_INVALID_PARAM);
    if (function == RFENCE_I) {
        count(v, vcpus, EVENT_FENCE_I_SENT);
        sbi_fence_i(v, vcpus);
        return sbi_value(0);
    }
    if (a[3] != ~0ul && a[2] + a[3] < a[2])
        return sbi_error(SBI_INVALID_ADDRESS);
    count(v, vcpus, function == RFENCE_VMA ? EVENT_SFENCE_SENT : EVENT_SFENCE_ASID_SENT);
    sbi_fence_vma(v, vcpus, a[2], a[3]);
    return sbi_value(0);
}
