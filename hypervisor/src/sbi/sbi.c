/* The table of SBI extensions, the decoding of calls, and the short extensions; see sbi.h. Calling
 * convention: SBI 3. */
#include "sbi/sbi.h"

#include "common/string.h"
#include "sbi/extension.h"
#include "vm/life.h"
#include "vm/memory.h"

enum { ARGUMENTS = 6, NARROW_FUNCTIONS = 8 };

struct extension {
    uint64_t first, last;
    const char *name;
    sbi_handler *call;
    uint8_t narrow[NARROW_FUNCTIONS]; /* for each function: a mask of the 32-bit arguments */
};

static sbi_handler base, set_timer, srst, sta, own;

static const struct extension extensions[] = {
    {SBI_LEGACY_SET_TIMER, SBI_LEGACY_SHUTDOWN, "legacy", sbi_legacy, {0}},
    {SBI_BASE, SBI_BASE, "BASE", base, {0}},
    {SBI_TIME, SBI_TIME, "TIME", set_timer, {0}},
    {SBI_IPI, SBI_IPI, "IPI", sbi_ipi, {0}},
    {SBI_RFENCE, SBI_RFENCE, "RFENCE", sbi_rfence, {0}},
    {SBI_HSM, SBI_HSM, "HSM", sbi_hsm, {[HSM_SUSPEND] = 1}},
    {SBI_SRST, SBI_SRST, "SRST", srst, {[0] = 1 | 1 << 1}},
    {SBI_DBCN, SBI_DBCN, "DBCN", sbi_dbcn, {0}},
    {SBI_SUSP, SBI_SUSP, "SUSP", sbi_susp, {[0] = 1}},
    {SBI_PMU, SBI_PMU, "PMU", sbi_pmu, {0}},
    {SBI_STA, SBI_STA, "STA", sta, {[STA_SET_SHMEM] = 1 << 2}},
    {SBI_SSE, SBI_SSE, "SSE", sbi_sse, {7, 7, 1, 1, 1, 1, 0, 1}},
    {SBI_FWFT, SBI_FWFT, "FWFT", sbi_fwft, {1, 1}},
    {SBI_OWN, SBI_OWN, "mini-kvm", own, {0}},
};

static const struct extension *find(uint64_t id)
{
    for (unsigned i = 0; i < ARRAY_SIZE(extensions); i++)
        if (id >= extensions[i].first && id <= extensions[i].last)
            return &extensions[i];
    return NULL;
}

const char *sbi_extension_name(uint64_t extension)
{
    const struct extension *e = find(extension);

    return e != NULL ? e->name : "(unknown)";
}

/* Cuts 32-bit arguments, whose upper halves may hold anything. No other place does so. */
static void take_arguments(const struct vcpu *v, const struct extension *e, uint64_t a[ARGUMENTS])
{
    uint64_t function = v->regs.x[16];

    for (unsigned i = 0; i < ARGUMENTS; i++) {
        a[i] = v->regs.x[10 + i];
        if (function < NARROW_FUNCTIONS && (e->narrow[function] >> i & 1) != 0)
            a[i] = (uint32_t)a[i];
    }
}

void sbi_call(struct vcpu *v)
{
    uint64_t *x = v->regs.x;
    const struct extension *e = find(x[17]);
    const uint64_t ecall_at = v->regs.pc;
    uint64_t a[ARGUMENTS];
    struct sbi_result r;

    v->regs.pc += 4;
    if (e == NULL) {
        r = sbi_error(SBI_NOT_SUPPORTED);
    } else if (e->call == sbi_legacy) {
        memcpy(a, &x[10], sizeof a);
        r = sbi_legacy(v, x[17], a);
        if (v->regs.pc == ecall_at + 4)
            x[10] = r.value;
        return;
    } else {
        take_arguments(v, e, a);
        r = e->call(v, x[16], a);
    }
    x[10] = (uint64_t)r.error;
    x[11] = r.value;
}

/* BASE (SBI 4): the implementation's version, and its extensions. */
static struct sbi_result base(struct vcpu *v, uint64_t function, const uint64_t a[6])
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
        return sbi_value(find(a[0]) != NULL);
    case BASE_VENDOR: /* 0 is valid for all three */
    case BASE_ARCH:
    case BASE_IMP:
        return sbi_value(0);
    default:
        return sbi_error(SBI_NOT_SUPPORTED);
    }
}

/* TIME (SBI 6): the timer of guests that do not use Sstc. */
static struct sbi_result set_timer(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    if (function != 0)
        return sbi_error(SBI_NOT_SUPPORTED);
    sbi_count(v, EVENT_SET_TIMER);
    vcpu_set_timer(v, a[0]);
    return sbi_value(0);
}

/* SRST (SBI 10): power off and reboot of the guest. */
static struct sbi_result srst(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    if (function != 0)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (a[0] > SRST_WARM || (a[1] > SRST_FAILURE && a[1] < 0xe0000000))
        return sbi_error(SBI_INVALID_PARAM);
    life_stop(v->vm, a[0] != SRST_SHUTDOWN    ? END_REBOOT
                     : a[1] == SRST_NO_REASON ? END_SHUTDOWN
                                              : END_FAILURE);
    return sbi_value(0);
}

/* STA (SBI 16): steal time. Each vCPU reports in 64 bytes of guest memory how long it waited for a
 * hart. */
static struct sbi_result sta(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    static const uint8_t zeros[64];

    if (function != STA_SET_SHMEM)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (a[0] == ~0ul && a[1] == ~0ul) {
        v->steal = ~0ul;
        return sbi_value(0);
    }
    if (a[2] != 0 || (a[0] & (sizeof zeros - 1)) != 0)
        return sbi_error(SBI_INVALID_PARAM);
    if (a[1] != 0 || !memory_write(v->vm, a[0], zeros, sizeof zeros))
        return sbi_error(SBI_INVALID_ADDRESS);
    v->steal = a[0];
    v->steal_sequence = 0;
    return sbi_value(0);
}

/* The hypervisor's own extension: a guest clones itself a0 times. The call returns the clone's
 * number, from 1 on, in a clone, and 0 in the guest itself. The manifest limits the number of
 * clones; failed attempts count. */
static struct sbi_result own(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    bool allowed;

    if (function != OWN_CLONE)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (a[0] < 1 || a[0] > VMS_MAX)
        return sbi_error(SBI_INVALID_PARAM);
    lock_take(&v->vm->lock);
    allowed = a[0] <= v->vm->config.clones;
    if (allowed)
        v->vm->config.clones -= (unsigned)a[0];
    lock_drop(&v->vm->lock);
    if (!allowed)
        return sbi_error(SBI_DENIED);
    return life_clone(v->vm, (unsigned)a[0], v) ? sbi_value(0) : sbi_error(SBI_FAILED);
}
