/* BASE (SBI 4): what this is, and what it offers. */
#include "sbi/sbi.h"

struct sbi_result sbi_base(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    (void)v;
    switch (function) {
    case BASE_SPEC:
        return sbi_value(SBI_SPEC_VERSION);
    case BASE_IMPL_ID:
        return sbi_value(SBI_IMPLEMENTATION_ID);
    case BASE_IMPL_VERSION:
        return sbi_value(SBI_IMPLEMENTATION_VERSION);
    case BASE_PROBE:
        return sbi_value(sbi_offers(a[0]));
    case BASE_VENDOR: /* 0 is a legal value for all three */
    case BASE_ARCH:
    case BASE_IMP:
        return sbi_value(0);
    default:
        return sbi_error(SBI_NOT_SUPPORTED);
    }
}
