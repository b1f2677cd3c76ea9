/* --probe; see probe.h. The rules that defects break: Privileged Architecture 15.2.3 (hvip and
 * vsip), 15.3 (hlvx) and 15.5.1 (order of faults). */
#include "mon/probe.h"

#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/power.h"
#include "lib/console.h"
#include "mem/gstage.h"

/* ---- Defects of emulators. hlv and hlvx access a guest's memory, so no guest has to run. ---- */

#define NOTHING_AT 0x40000000ul /* the test's G stage maps nothing there */

static const struct fault *load_fault(gpa_t gpa)
{
    uint64_t ignored;

    return hyp_load64(gpa, &ignored) ? NULL : &cpu_self()->fault;
}

static bool has_no_htinst(void)
{
    const struct fault *fault = load_fault(NOTHING_AT);

    return fault != NULL && fault->htinst == 0;
}

static bool has_wrong_hlvx_cause(void)
{
    uint16_t ignored;

    return !hyp_fetch16(NOTHING_AT, &ignored) && cpu_self()->fault.cause != CAUSE_LOAD_GUEST_PAGE;
}

/* The firmware is at the start of memory and protected by PMP: the correct cause is an access
 * fault. */
static bool has_wrong_pmp_cause(void)
{
    const struct fault *fault = load_fault(machine.memory[0].start);

    return fault != NULL && fault->cause == CAUSE_LOAD_GUEST_PAGE;
}

static bool hides_vsip(void)
{
    bool hidden;

    csr_write(CSR_HVIP, HVIP_VSTIP);
    hidden = (csr_read(CSR_VSIP) & 1ul << IRQ_S_TIMER) == 0;
    csr_write(CSR_HVIP, 0);
    return hidden;
}

static bool shows_junk_in_hvip(void)
{
    bool junk;

    csr_write(CSR_HVIP, 0);
    firmware_set_timer(0); /* a timer interrupt of our own waits */
    junk = (csr_read(CSR_HVIP) & ~HVIP_ALL) != 0;
    firmware_set_timer(~0ul);
    return junk;
}

/* Makes a store for which the walk of the guest's page table, and not the store itself, faults in
 * the G stage. */
static bool has_wrong_walk_cause(void)
{
    bool stored;

    csr_write(CSR_VSATP, ATP_MODE_SV39 << ATP_MODE_SHIFT | NOTHING_AT / PAGE_4K);
    hyp_fence_vvma();
    stored = hyp_store64(0, 0);
    csr_write(CSR_VSATP, 0);
    hyp_fence_vvma();
    return !stored && cpu_self()->fault.cause != CAUSE_STORE_GUEST_PAGE;
}

/* Uses a table at guest physical 4 KiB that is also its own second and third level, and has a leaf
 * for itself without the A bit. */
bool probe_writes_read_only(void)
{
    enum { PTE_V = 1, PTE_R = 2, PTE_W = 4 };
    const uint64_t self = PAGE_4K >> 2, leaf = self | PTE_V | PTE_R | PTE_W;
    const uint64_t hgatp = csr_read(CSR_HGATP);
    volatile uint64_t *table = page_alloc(NULL, ORDER_4K);
    struct gstage stage;
    uint64_t ignored;
    bool written;

    if (table == NULL || gstage_init(&stage, 3, NULL) != GSTAGE_OK ||
        gstage_map(&stage, PAGE_4K, (hpa_t)table, GSTAGE_4K, PERM_R) != GSTAGE_OK)
        return true;
    table[0] = self | PTE_V;
    table[1] = leaf;
    firmware_switch(FWFT_AD_UPDATING, true);
    if (features.has_henvcfg)
        csr_write(CSR_HENVCFG, HENVCFG_ADUE);
    csr_write(CSR_HSTATUS, HSTATUS_VSXL64 | HSTATUS_SPVP);
    csr_write(CSR_HGATP, gstage_hgatp(&stage, 1));
    csr_write(CSR_VSATP, ATP_MODE_SV39 << ATP_MODE_SHIFT | 1);
    hyp_fence_gvma();
    hyp_fence_vvma();
    (void)hyp_load64(PAGE_4K, &ignored);
    written = table[1] != leaf;
    csr_write(CSR_VSATP, 0);
    hyp_fence_vvma();
    csr_write(CSR_HGATP, hgatp);
    hyp_fence_gvma();
    feature_apply();
    while (!gstage_shrink(&stage, ~0u)) /* frees the page too */
        ;
    return written;
}

struct defect {
    const char *text;
    bool (*is_shown)(void);
};

static const struct defect defects[] = {
    {"htinst is 0 after a guest page fault on a load (allowed, but costs a fetch)", has_no_htinst},
    {"hlvx of an unmapped guest physical address is not a guest page fault on a load",
     has_wrong_hlvx_cause},
    {"an access that PMP forbids is reported as a guest page fault", has_wrong_pmp_cause},
    {"a timer interrupt set in hvip is not seen in vsip", hides_vsip},
    {"hvip reads bits that are not the guest's", shows_junk_in_hvip},
    {"a fault in the page walk for a guest's store is not reported as a store's",
     has_wrong_walk_cause},
    {"a hart sets A in a page that the G stage maps read-only", probe_writes_read_only},
};

/* Tests with a G stage that maps only the gigabyte in which memory begins. */
static void list_defects(void)
{
    hpa_t block = ALIGN_DOWN(machine.memory[0].start, gstage_size(GSTAGE_1G));
    struct gstage stage;

    if (gstage_init(&stage, 3, NULL) != GSTAGE_OK ||
        gstage_map(&stage, block, block, GSTAGE_1G, PERM_RWX) != GSTAGE_OK) {
        print("hv:  no memory for these tests\n");
        return;
    }
    csr_write(CSR_VSATP, 0);
    csr_write(CSR_HSTATUS, HSTATUS_VSXL64 | HSTATUS_SPVP);
    csr_write(CSR_HGATP, gstage_hgatp(&stage, 1));
    hyp_fence_gvma();
    for (unsigned i = 0; i < ARRAY_SIZE(defects); i++)
        print("hv:  %-9s  %s\n", defects[i].is_shown() ? "shown" : "not shown", defects[i].text);
}

void probe_page(void)
{
    print("hv: probe of hart %lu\n", cpu_self()->hartid);
    print("hv:  isa        %s\n", machine.isa);
    print("hv:  hedeleg    0x%lx\n", csr_read(CSR_HEDELEG));
    print("hv:  hideleg    0x%lx\n", csr_read(CSR_HIDELEG));
    print("hv:  henvcfg    %s0x%lx\n", features.has_henvcfg ? "" : "absent ", features.henvcfg);
    print("hv:  hstateen0  %s0x%lx\n", features.has_hstateen ? "" : "absent ", features.hstateen0);
    print("hv:  G stage    Sv39x4%s, %u bits of VMID\n", features.sv48x4 ? " Sv48x4" : "",
          features.vmid_bits);
    print("hv:  VS stage   up to %s\n", feature_mmu_type());
    print("hv:  Sstc       guest %s, host %s\n", features.sstc ? "yes" : "no",
          features.host_sstc ? "yes" : "no");
    print("hv:  AIA        guest %s, %u interrupt files of a hart for guests\n",
          features.aia ? "yes" : "no", features.guest_files);
    print("hv:  vector     %s, %lu bytes a register\n", features.vector ? "yes" : "no",
          features.vlenb);
    print("hv: known defects of emulators, tested on this hart:\n");
    list_defects();
    power_off(false);
}
