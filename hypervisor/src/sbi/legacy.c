/* The legacy calls (SBI 5), numbered 0 to 8. They return one value in a0, and take the guest
 * virtual address of a hart mask: a bad address injects a fault at the ecall. */
#include "sbi/extension.h"

#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "vm/console.h"
#include "vm/life.h"

/* Reads the mask at guest virtual address `gva` (0: all). False: a fault was injected instead. */
static bool read_mask(struct vcpu *v, gva_t gva, uint64_t *vcpus)
{
    uint64_t all = (1ul << v->vm->vcpu_count) - 1;

    *vcpus = all;
    if (gva == 0)
        return true;
    if (!hyp_load64(gva, vcpus)) {
        const struct fault *f = &cpu_self()->fault;
        bool own = f->cause == CAUSE_LOAD_PAGE || f->cause == CAUSE_LOAD_MISALIGNED;

        v->regs.pc -= 4;
        vcpu_inject(v, own ? f->cause : CAUSE_LOAD_ACCESS, gva);
        return false;
    }
    *vcpus &= all;
    return true;
}

static struct sbi_result with_mask(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    uint64_t vcpus;

    if (!read_mask(v, a[0], &vcpus))
        return sbi_value(0);
    if (function == SBI_LEGACY_SEND_IPI)
        sbi_send_ipis(v, vcpus);
    else if (function == SBI_LEGACY_FENCE_I)
        sbi_fence_i(v, vcpus);
    else
        sbi_fence_vma(v, vcpus, a[1], a[2]);
    return sbi_value(0);
}

struct sbi_result sbi_legacy(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    char c = (char)a[0];
    uint64_t pending;

    switch (function) {
    case SBI_LEGACY_SET_TIMER:
        sbi_count(v, EVENT_SET_TIMER);
        vcpu_set_timer(v, a[0]);
        return sbi_value(0);
    case SBI_LEGACY_PUTCHAR:
        (void)vm_hooks.output(v->vm, &c, 1); /* lost if the console has no room */
        return sbi_value(0);
    case SBI_LEGACY_GETCHAR:
        return sbi_value((uint64_t)(int64_t)console_take(v->vm));
    case SBI_LEGACY_CLEAR_IPI:
        pending = csr_read(CSR_HVIP) & HVIP_VSSIP;
        csr_clear(CSR_HVIP, HVIP_VSSIP);
        return sbi_value(pending != 0);
    case SBI_LEGACY_SHUTDOWN:
        life_stop(v->vm, END_SHUTDOWN);
        return sbi_value(0);
    default:
        return with_mask(v, function, a);
    }
}
