/* IPI (SBI 7): a software interrupt to each vCPU of a mask. */
#include "sbi/sbi.h"

#include "vm/vm.h"

void sbi_send_ipis(struct vcpu *v, uint64_t vcpus)
{
    for (; vcpus != 0; vcpus &= vcpus - 1) {
        struct vcpu *to = v->vm->vcpus[__builtin_ctzl(vcpus)];

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
