/* The table of SBI extensions, and how a call is taken apart; see sbi.h. Calling convention: SBI 3.
 */
#include "sbi/sbi.h"

#include "common/string.h"
#include "vm/vm.h"

struct extension {
    uint64_t first, last;
    const char *name;
    sbi_handler *call;
};

static const struct extension extensions[] = {
    {SBI_LEGACY_SET_TIMER, SBI_LEGACY_SHUTDOWN, "legacy", sbi_legacy},
    {SBI_BASE, SBI_BASE, "BASE", sbi_base},
    {SBI_TIME, SBI_TIME, "TIME", sbi_time},
    {SBI_IPI, SBI_IPI, "IPI", sbi_ipi},
    {SBI_RFENCE, SBI_RFENCE, "RFENCE", sbi_rfence},
    {SBI_HSM, SBI_HSM, "HSM", sbi_hsm},
    {SBI_SRST, SBI_SRST, "SRST", sbi_srst},
    {SBI_DBCN, SBI_DBCN, "DBCN", sbi_dbcn},
    {SBI_SUSP, SBI_SUSP, "SUSP", sbi_susp},
    {SBI_PMU, SBI_PMU, "PMU", sbi_pmu},
};

static const struct extension *find(uint64_t id)
{
    for (unsigned i = 0; i < ARRAY_SIZE(extensions); i++)
        if (id >= extensions[i].first && id <= extensions[i].last)
            return &extensions[i];
    return NULL;
}

bool sbi_offers(uint64_t extension)
{
    return find(extension) != NULL;
}

const char *sbi_extension_name(uint64_t extension)
{
    const struct extension *e = find(extension);

    return e != NULL ? e->name : "(unknown)";
}

void sbi_call(struct vcpu *v)
{
    const struct extension *e = find(v->x[17]);
    const uint64_t ecall_at = v->pc;
    uint64_t a[6];
    struct sbi_result r;

    memcpy(a, &v->x[10], sizeof a);
    v->pc += 4;
    if (e == NULL) {
        r = sbi_error(SBI_NOT_SUPPORTED);
    } else if (e->call == sbi_legacy) {
        r = sbi_legacy(v, v->x[17], a);
        if (v->pc == ecall_at + 4)
            v->x[10] = r.value;
        return;
    } else {
        r = e->call(v, v->x[16], a);
    }
    v->x[10] = (uint64_t)r.error;
    v->x[11] = r.value;
}

bool sbi_hart_mask(const struct vcpu *v, uint64_t mask, uint64_t base, uint64_t *vcpus)
{
    uint64_t all = (1ul << v->vm->vcpu_count) - 1;

    if (base == SBI_ALL_HARTS) {
        *vcpus = all;
        return true;
    }
    if (mask == 0) {
        *vcpus = 0;
        return true;
    }
    if (base >= v->vm->vcpu_count)
        return false;
    *vcpus = mask << base;
    return *vcpus >> base == mask && (*vcpus & ~all) == 0;
}
