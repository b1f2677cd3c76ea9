/* What guests are offered; see feature.h. henvcfg and hstateen0: Privileged Architecture 15.2.5 and
 * the Smstateen chapter. */
#include "cpu/feature.h"

#include "common/fmt.h"
#include "common/string.h"
#include "cpu/csr.h"
#include "cpu/firmware.h"
#include "lib/isa.h"

struct features features;

/* An extension: its name in the ISA string, and the enable bits without which it traps or gives
 * wrong results in a guest. */
struct extension {
    const char *name;
    uint64_t henvcfg, hstateen;
};

static const struct extension extensions[] = {
    /* cbo.inval flushes: if it discarded writes, the guest could read the memory's earlier
     * contents. */
    {"zicbom", HENVCFG_CBIE_FLUSH | HENVCFG_CBCFE, HSTATEEN_ENVCFG},
    {"zicboz", HENVCFG_CBZE, HSTATEEN_ENVCFG},
    {"zicntr", 0, 0},
    {"zicond", 0, 0},
    {"zicsr", 0, 0},
    {"zifencei", 0, 0},
    {"zihintntl", 0, 0},
    {"zihintpause", 0, 0},
    {"zacas", 0, 0},
    {"zawrs", 0, 0},
    {"zfa", 0, 0},
    {"zfh", 0, 0},
    {"zfhmin", 0, 0},
    {"zca", 0, 0},
    {"zcb", 0, 0},
    {"zcd", 0, 0},
    {"zba", 0, 0},
    {"zbb", 0, 0},
    {"zbc", 0, 0},
    {"zbs", 0, 0},
    {"zkt", 0, 0},
    {"zvfh", 0, 0},
    {"zvfhmin", 0, 0},
    {"svinval", 0, 0},
    {"svnapot", 0, 0},
    {"svpbmt", HENVCFG_PBMTE, 0},
    {"sstc", HENVCFG_STCE, 0},
};

static const char letters[] = "imafdcv";
static const char *machine_isa;

static bool offered(const struct extension *e)
{
    return isa_has(machine_isa, e->name) && (features.henvcfg & e->henvcfg) == e->henvcfg &&
           (!features.has_hstateen || (features.hstateen0 & e->hstateen) == e->hstateen);
}

/* Writes all bits that the table needs, and keeps those that read back as 1. */
static void probe_enable_bits(void)
{
    uint64_t henvcfg = 0, hstateen = HSTATEEN_SE, ignored;

    for (unsigned i = 0; i < ARRAY_SIZE(extensions); i++) {
        if (!isa_has(machine_isa, extensions[i].name))
            continue;
        henvcfg |= extensions[i].henvcfg;
        hstateen |= extensions[i].hstateen;
    }
    /* Sscsrind without the AIA has vsiselect too. */
    features.aia = csr_try_read(CSR_VSISELECT, &ignored) && csr_try_read(CSR_HVICTL, &ignored) &&
                   csr_try_read(CSR_HVIEN, &ignored);
    if (features.aia)
        hstateen |= HSTATEEN_AIA;
    features.has_henvcfg = csr_try_write(CSR_HENVCFG, henvcfg);
    if (features.has_henvcfg)
        features.henvcfg = csr_read(CSR_HENVCFG) & henvcfg;
    features.has_hstateen = csr_try_write(CSR_HSTATEEN0, hstateen);
    if (features.has_hstateen)
        features.hstateen0 = csr_read(CSR_HSTATEEN0) & hstateen;
    /* If the firmware keeps a part of the AIA for itself, guests get no part of it. */
    if (features.has_hstateen && (features.hstateen0 & HSTATEEN_AIA) != HSTATEEN_AIA) {
        features.hstateen0 &= ~HSTATEEN_AIA;
        features.aia = false;
    }
}

static void probe_translation(void)
{
    csr_write(CSR_HGATP, ATP_MODE_SV48 << ATP_MODE_SHIFT | HGATP_VMID_MASK);
    features.sv48x4 = csr_read(CSR_HGATP) >> ATP_MODE_SHIFT == ATP_MODE_SV48;
    csr_write(CSR_HGATP, ATP_MODE_SV39 << ATP_MODE_SHIFT | HGATP_VMID_MASK);
    features.vmid_bits = count_bits(csr_read(CSR_HGATP) & HGATP_VMID_MASK);
    csr_write(CSR_HGATP, 0);
    features.mmu_levels = 3;
    for (unsigned levels = 5; levels > 3; levels--) {
        uint64_t mode = ATP_MODE_SV39 + levels - 3;

        csr_write(CSR_VSATP, mode << ATP_MODE_SHIFT);
        if (csr_read(CSR_VSATP) >> ATP_MODE_SHIFT == mode) {
            features.mmu_levels = levels;
            break;
        }
    }
    csr_write(CSR_VSATP, 0);
}

/* Counts the guest interrupt files; 0 if guests cannot use them. */
static void probe_guest_files(void)
{
    uint64_t old = csr_read(CSR_HSTATUS), files;

    if (!features.aia)
        return;
    csr_write(CSR_HGEIE, ~0ul);
    files = csr_read(CSR_HGEIE);
    csr_write(CSR_HGEIE, 0);
    csr_write(CSR_HSTATUS, HSTATUS_VSXL64 | 1ul << HSTATUS_VGEIN_SHIFT);
    csr_write(CSR_VSISELECT, IMSIC_DELIVERY);
    if (csr_try_write(CSR_VSIREG, 0))
        features.guest_files = count_bits(files);
    csr_write(CSR_HSTATUS, old);
}

static void probe_vector(void)
{
    csr_set(CSR_SSTATUS, SSTATUS_VS);
    features.vector = isa_has(machine_isa, "v") && csr_try_read(CSR_VLENB, &features.vlenb) &&
                      features.vlenb > 0 && features.vlenb <= 512;
}

static void write_isa(void)
{
    char *to = features.isa;
    size_t left = sizeof features.isa;
    int n = fmt_snprint(to, left, "rv64");

    for (const char *l = letters; *l != '\0'; l++) {
        char name[2] = {*l, '\0'};

        if (isa_has(machine_isa, name) && (*l != 'v' || features.vector))
            n += fmt_snprint(to + n, left - (size_t)n, "%c", *l);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(extensions); i++)
        if (offered(&extensions[i]))
            n += fmt_snprint(to + n, left - (size_t)n, "_%s", extensions[i].name);
}

void feature_probe(const char *isa)
{
    uint64_t ignored;

    machine_isa = isa;
    probe_enable_bits();
    probe_translation();
    probe_vector();
    probe_guest_files();
    /* QEMU's spike sets the bit, and has no vstimecmp. */
    if ((features.henvcfg & HENVCFG_STCE) != 0 && !csr_try_read(CSR_VSTIMECMP, &ignored))
        features.henvcfg &= ~HENVCFG_STCE;
    /* The ISA string of a guest does not list it: a guest enables it by SBI, and starts with it
     * off. */
    firmware_switch(FWFT_AD_UPDATING, true);
    features.adue = features.has_henvcfg && csr_try_write(CSR_HENVCFG, HENVCFG_ADUE) &&
                    (csr_read(CSR_HENVCFG) & HENVCFG_ADUE) != 0;
    features.sstc = (features.henvcfg & HENVCFG_STCE) != 0;
    features.host_sstc = isa_has(machine_isa, "sstc") && csr_try_read(CSR_STIMECMP, &ignored);
    write_isa();
}

void feature_apply(void)
{
    if (features.sstc)
        csr_write(CSR_VSTIMECMP, ~0ul); /* before STCE: the reset value 0 is a pending interrupt */
    if (features.has_henvcfg)
        csr_write(CSR_HENVCFG, features.henvcfg);
    /* Turns it off if guests cannot have it: otherwise an emulator's hlv may set the A and D
     * bits. */
    firmware_switch(FWFT_AD_UPDATING, features.adue);
    if (features.has_hstateen)
        csr_write(CSR_HSTATEEN0, features.hstateen0);
}

const char *feature_mmu_type(void)
{
    static const char *const names[] = {"riscv,sv39", "riscv,sv48", "riscv,sv57"};

    return names[features.mmu_levels - 3];
}
