/* TIME (SBI 6): the timer of guests that do not use Sstc. */
#include "sbi/sbi.h"

#include "vm/sched.h"

struct sbi_result sbi_time(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    if (function != 0)
        return sbi_error(SBI_NOT_SUPPORTED);
    sbi_count(v, EVENT_SET_TIMER);
    vcpu_set_timer(v, a[0]);
    sched_arm(v);
    return sbi_value(0);
}
