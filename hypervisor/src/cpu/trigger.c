/* The harts' triggers; see trigger.h. */
#include "cpu/trigger.h"

#include "abi/sbi.h"
#include "cpu/cpu.h"
#include "cpu/firmware.h"

/* tdata1 of an mcontrol6: raises a breakpoint exception in VS and VU. */
#define MCONTROL6 (6ul << 60 | 1ul << 24 | 1ul << 23)

/* The memory shared with the firmware: one entry, in whose first word the firmware returns the
 * index. OpenSBI 1.6 writes the index after the entry, and expects a second entry after that. So
 * each trigger is installed by a call of its own. */
enum { ENTRY_INDEX, ENTRY_TDATA1, ENTRY_TDATA2, ENTRY_TDATA3, ENTRY_BEHIND, ENTRY_WORDS };

/* The triggers that should be installed, and a version number for this set; 0 if it is empty. Both
 * change only while the guest is paused. */
static struct trigger set[TRIGGERS_MAX];
static uint64_t version;

/* One for each hart. */
struct trigger_hold {
    volatile uint64_t shared[ENTRY_WORDS];
    uint64_t version; /* of the installed set; 0: none, ~0: removal failed */
    uint64_t indices; /* of the installed triggers, as a mask */
    bool told;        /* the firmware knows of `shared` */
} __attribute__((aligned(64)));
static struct trigger_hold holds[CPUS_MAX];

unsigned trigger_count(void)
{
    struct sbi_result r = {0};

    if (firmware_has(SBI_DBTR))
        r = firmware_call(SBI_DBTR, DBTR_NUMBER, 0, 0, 0, 0);
    return r.error == SBI_SUCCESS ? (unsigned)min64(r.value, TRIGGERS_MAX) : 0;
}

static bool install(struct trigger_hold *h, const struct trigger *t)
{
    uint64_t index;

    h->shared[ENTRY_INDEX] = h->shared[ENTRY_BEHIND] = ~0ul;
    h->shared[ENTRY_TDATA1] = MCONTROL6 | t->access;
    h->shared[ENTRY_TDATA2] = t->at;
    h->shared[ENTRY_TDATA3] = 0;
    if (firmware_call(SBI_DBTR, DBTR_INSTALL, 1, 0, 0, 0).error != SBI_SUCCESS)
        return false;
    index = h->shared[ENTRY_INDEX];
    if (index == ~0ul)
        index = h->shared[ENTRY_BEHIND];
    if (index > 63) /* the calls that remove it take a mask of 64 bits */
        return false;
    h->indices |= 1ul << index;
    return true;
}

static bool install_all(struct trigger_hold *h)
{
    bool good = true;

    if (!h->told)
        h->told = firmware_call(SBI_DBTR, DBTR_SET_SHMEM, (uintptr_t)h->shared, 0, 0, 0).error ==
                  SBI_SUCCESS;
    for (unsigned i = 0; i < TRIGGERS_MAX && h->told && good; i++)
        good = set[i].access == 0 || install(h, &set[i]);
    return h->told && good;
}

static bool remove_all(struct trigger_hold *h)
{
    if (h->indices == 0)
        return true;
    /* The firmware clears a trigger by writing 0, which QEMU's harts ignore. So it is disabled
     * first. */
    (void)firmware_call(SBI_DBTR, DBTR_DISABLE, 0, h->indices, 0, 0);
    if (firmware_call(SBI_DBTR, DBTR_UNINSTALL, 0, h->indices, 0, 0).error != SBI_SUCCESS)
        return false;
    h->indices = 0;
    return true;
}

void trigger_load(bool debugged)
{
    struct trigger_hold *h = &holds[cpu_self()->index];
    const uint64_t wanted = debugged ? version : 0;

    if (h->version == wanted || !remove_all(h)) /* retried at the next load */
        return;
    h->version = 0;
    if (wanted != 0)
        h->version = install_all(h) ? wanted : remove_all(h) ? 0 : ~0ul;
}

bool trigger_want(const struct trigger wanted[TRIGGERS_MAX])
{
    static uint64_t last;
    bool any = false, good;

    for (unsigned i = 0; i < TRIGGERS_MAX; i++) {
        set[i] = wanted[i];
        any |= wanted[i].access != 0;
    }
    version = any ? ++last : 0;
    trigger_load(true); /* this hart shows whether it can install them */
    good = holds[cpu_self()->index].version == version;
    trigger_load(false);
    if (!good)
        version = 0;
    return good;
}
