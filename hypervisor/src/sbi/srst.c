/* SRST (SBI 10): power off and reboot of the guest. */
#include "sbi/sbi.h"

#include "vm/vm.h"

struct sbi_result sbi_srst(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    if (function != 0)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (a[0] > SRST_WARM || (a[1] > SRST_FAILURE && a[1] < 0xe0000000) || a[1] > ~0u)
        return sbi_error(SBI_INVALID_PARAM);
    vm_stop(v->vm, a[0] != SRST_SHUTDOWN    ? END_REBOOT
                   : a[1] == SRST_NO_REASON ? END_SHUTDOWN
                                            : END_FAILURE);
    return sbi_value(0);
}
