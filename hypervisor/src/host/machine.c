/* Reads the machine's device tree (Devicetree Specification v0.4, chapter 3; for the rest the
 * RISC-V bindings in the Linux kernel's documentation). */
#include "host/machine.h"

#include "common/string.h"
#include "cpu/hyp.h"
#include "host/efi.h"
#include "lib/console.h"
#include "lib/random.h"

struct machine machine = {.bootargs = ""};

/* False if there is no room for it. */
static bool add_range(struct range *ranges, unsigned *count, uint64_t start, uint64_t size)
{
    for (unsigned i = 0; i < *count; i++) {
        const uint64_t offset = start - ranges[i].start;

        if (offset <= ranges[i].size && size <= ranges[i].size - offset)
            return true; /* inside a range of the list */
    }
    if (size == 0)
        return true;
    if (*count == MACHINE_RANGES_MAX)
        return false;
    ranges[(*count)++] = (struct range){start, size};
    return true;
}

static void add_memory(uint64_t start, uint64_t size)
{
    if (!add_range(machine.memory, &machine.memory_count, start, size))
        print("hv: device tree: more than %d memory ranges; the rest is not used\n",
              MACHINE_RANGES_MAX);
}

static void add_reserved(uint64_t start, uint64_t size)
{
    if (!add_range(machine.reserved, &machine.reserved_count, start, size))
        machine.ranges_lost = true;
}

static void read_memory(const struct fdt *fdt)
{
    uint64_t start, size;
    int parent = fdt_find(fdt, "/reserved-memory");

    for (int n = fdt_child(fdt, fdt_root(fdt)); n >= 0; n = fdt_sibling(fdt, n)) {
        const char *type = fdt_text(fdt, n, "device_type");

        if (type == NULL || strcmp(type, "memory") != 0)
            continue;
        for (unsigned i = 0; fdt_reg(fdt, n, i, &start, &size); i++)
            add_memory(start, size);
    }
    for (unsigned i = 0; fdt_reservation(fdt, i, &start, &size); i++)
        add_reserved(start, size);
    for (int n = parent < 0 ? -1 : fdt_child(fdt, parent); n >= 0; n = fdt_sibling(fdt, n))
        for (unsigned i = 0; fdt_reg(fdt, n, i, &start, &size); i++)
            add_reserved(start, size);
}

static bool hart_is_usable(const struct fdt *fdt, int node)
{
    const char *type = fdt_text(fdt, node, "device_type");
    const char *status = fdt_text(fdt, node, "status");

    return type != NULL && strcmp(type, "cpu") == 0 &&
           (status == NULL || strcmp(status, "okay") == 0);
}

/* Reads a hart's ISA: a list in newer trees, which is preferred, else one string. */
static void read_isa(const struct fdt *fdt, int hart, char isa[ISA_SIZE])
{
    const char *text = fdt_text(fdt, hart, "riscv,isa");
    struct fdt_property list;

    if (fdt_property(fdt, hart, "riscv,isa-extensions", &list))
        isa_join((const char *)list.value, list.size, isa);
    else if (text == NULL || string_copy(isa, text, ISA_SIZE) >= ISA_SIZE)
        isa[0] = '\0';
}

static bool has_wide_accesses(const char *isa)
{
    static const char *const names[] = {"v",      "zve32x", "zve32f", "zve64x",  "zve64f",
                                        "zve64d", "zfh",    "zfhmin", "zfbfmin", "q"};
    bool has = false;

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        has |= isa_has(isa, names[i]);
    return has;
}

static void read_harts(const struct fdt *fdt)
{
    int cpus = fdt_find(fdt, "/cpus");
    uint64_t hartid, size;

    machine.timebase = fdt_number(fdt, cpus, "timebase-frequency", 0);
    for (int n = cpus < 0 ? -1 : fdt_child(fdt, cpus); n >= 0; n = fdt_sibling(fdt, n)) {
        char isa[ISA_SIZE];

        if (!hart_is_usable(fdt, n) || !fdt_reg(fdt, n, 0, &hartid, &size))
            continue;
        if (machine.timebase == 0)
            machine.timebase = fdt_number(fdt, n, "timebase-frequency", 0);
        read_isa(fdt, n, isa);
        if (!isa_has(isa, "h") || machine.hart_count == CPUS_MAX) {
            machine.harts_left_out++;
            continue;
        }
        if (machine.hart_count == 0) {
            memcpy(machine.isa, isa, sizeof isa);
            machine.cbom_size = fdt_u32(fdt, n, "riscv,cbom-block-size", 64);
            machine.cboz_size = fdt_u32(fdt, n, "riscv,cboz-block-size", 64);
        }
        machine.wide_accesses |= has_wide_accesses(isa);
        machine.hartids[machine.hart_count++] = hartid;
    }
}

static void read_chosen(const struct fdt *fdt)
{
    int chosen = fdt_find(fdt, "/chosen");
    const char *args = fdt_text(fdt, chosen, "bootargs");
    uint64_t start = fdt_number(fdt, chosen, "linux,initrd-start", 0);
    uint64_t end = fdt_number(fdt, chosen, "linux,initrd-end", 0);
    struct fdt_property seed;

    if (args != NULL)
        machine.bootargs = args;
    if (fdt_property(fdt, chosen, "rng-seed", &seed))
        random_stir(seed.value, seed.size);
    if (end > start)
        machine.initrd = (struct range){start, end - start};
}

/* EFI's command line and initrd replace those of the tree. */
static void read_efi(void)
{
    if (efi.arguments[0] != '\0')
        machine.bootargs = efi.arguments;
    if (efi.initrd.size != 0)
        machine.initrd = efi.initrd;
    for (unsigned i = 0; i < efi.reserved_count; i++)
        add_reserved(efi.reserved[i].start, efi.reserved[i].size);
}

static void read_device(const struct fdt *fdt, int node, struct machine_device *device)
{
    struct fdt_property p;
    uint64_t base, size;
    uint32_t interrupt = 0;

    if (node < 0 || !fdt_reg(fdt, node, 0, &base, &size))
        return;
    /* The first cell is the number. An APLIC has a second one, for the kind of line. */
    if (fdt_property(fdt, node, "interrupts", &p) && !fdt_cell(&p, 0, &interrupt))
        interrupt = 0;
    *device = (struct machine_device){base, interrupt};
}

static void read_uart(const struct fdt *fdt)
{
    static const char *const names[] = {"ns16550a", "ns16550", "snps,dw-apb-uart", "sifive,uart0"};
    const unsigned sifive = ARRAY_SIZE(names) - 1;
    struct machine_device device = {0};

    for (unsigned i = 0; i < ARRAY_SIZE(names) && device.base == 0; i++) {
        int node = fdt_find_compatible(fdt, -1, names[i]);

        read_device(fdt, node, &device);
        machine.uart = (struct machine_uart){.base = device.base,
                                             .interrupt = device.interrupt,
                                             .shift = fdt_u32(fdt, node, "reg-shift", 0),
                                             .width = fdt_u32(fdt, node, "reg-io-width", 1),
                                             .sifive = i == sifive};
    }
}

/* ---- Interrupt controllers ---- */

enum { S_EXTERNAL = 9 }; /* the number of S-mode's external interrupt */

/* The hart that entry `i` of a controller's interrupts-extended list interrupts. An entry is the
 * phandle of a hart's interrupt controller and a number. Negative if it is not S-mode of a hart
 * that is used; *more is false after the last entry. */
static int listed_hart(const struct fdt *fdt, int node, unsigned i, bool *more)
{
    struct fdt_property p;
    uint32_t phandle, number;
    uint64_t hartid, size;
    int hart;

    *more = fdt_property(fdt, node, "interrupts-extended", &p) && fdt_cell(&p, 2 * i, &phandle) &&
            fdt_cell(&p, 2 * i + 1, &number);
    if (!*more || number != S_EXTERNAL)
        return -1;
    hart = fdt_find_phandle(fdt, phandle);
    if (hart < 0 || !fdt_reg(fdt, fdt_parent(fdt, hart), 0, &hartid, &size))
        return -1;
    for (unsigned h = 0; h < machine.hart_count; h++)
        if (machine.hartids[h] == hartid)
            return (int)h;
    return -1;
}

/* Each entry of the list is a context. True if S-mode of some hart is in it. */
static bool read_contexts(const struct fdt *fdt, int node)
{
    bool found = false, more = true;

    for (unsigned i = 0; more; i++) {
        int hart = listed_hart(fdt, node, i, &more);

        if (hart < 0)
            continue;
        machine.wiring[hart].context = i;
        found = true;
    }
    return found;
}

/* The page of entry `i` of an IMSIC's list. Each entry has `span` bytes; the node has one range of
 * addresses for each group of harts. 0 if no range has this entry. */
static hpa_t imsic_page(const struct fdt *fdt, int node, unsigned i, uint64_t span,
                        uint32_t *context)
{
    unsigned bits = fdt_u32(fdt, node, "riscv,hart-index-bits", 16) & 31;
    uint64_t offset = i * span, base, size;

    for (unsigned group = 0; fdt_reg(fdt, node, group, &base, &size); group++) {
        if (offset < size) {
            *context = group << bits | (uint32_t)(offset / span);
            return base + offset;
        }
        offset -= ALIGN_UP(size, span);
    }
    return 0;
}

/* Like read_contexts(), with the hart numbers that an APLIC's MSIs use. */
static bool read_imsic(const struct fdt *fdt, int node)
{
    unsigned guest_bits = fdt_u32(fdt, node, "riscv,guest-index-bits", 0);
    uint32_t ids = fdt_u32(fdt, node, "riscv,num-ids", 0), context = 0;
    uint32_t guest_ids = fdt_u32(fdt, node, "riscv,num-guest-ids", ids);
    bool found = false, more = true;

    /* The limits of the specification (3.1, 3.6). */
    if (guest_bits > 6 || ids < 63 || ids > 2047 || guest_ids < 63 || guest_ids > 2047)
        return false;
    for (unsigned i = 0; more; i++) {
        int hart = listed_hart(fdt, node, i, &more);
        hpa_t page = hart < 0 ? 0 : imsic_page(fdt, node, i, PAGE_4K << guest_bits, &context);

        if (page == 0)
            continue;
        machine.wiring[hart] = (struct machine_wiring){context, page};
        found = true;
    }
    machine.imsic_ids = ids;
    machine.imsic_guest_ids = guest_ids;
    machine.imsic_guests = (1u << guest_bits) - 1;
    return found;
}

/* Reads the APLIC whose interrupts go to S-mode, by MSI or by wire. */
static enum machine_controller read_aplic(const struct fdt *fdt, int node)
{
    uint32_t parent = fdt_u32(fdt, node, "msi-parent", 0);
    int imsic = parent != 0 ? fdt_find_phandle(fdt, parent) : -1;

    if (imsic >= 0 && fdt_is_compatible(fdt, imsic, "riscv,imsics") && read_imsic(fdt, imsic))
        return CONTROLLER_MSI;
    return read_contexts(fdt, node) ? CONTROLLER_APLIC : CONTROLLER_NONE;
}

static void read_controller(const struct fdt *fdt)
{
    static const struct {
        const char *name;
        bool aplic;
    } kinds[] = {{"riscv,aplic", true}, {"sifive,plic-1.0.0", false}, {"riscv,plic0", false}};
    struct machine_device device = {0};

    for (unsigned i = 0; i < CPUS_MAX; i++)
        machine.wiring[i].context = ~0u;
    for (unsigned i = 0; i < ARRAY_SIZE(kinds) && machine.controller == CONTROLLER_NONE; i++) {
        for (int n = fdt_find_compatible(fdt, -1, kinds[i].name);
             n >= 0 && machine.controller == CONTROLLER_NONE;
             n = fdt_find_compatible(fdt, n, kinds[i].name)) {
            device = (struct machine_device){0};
            read_device(fdt, n, &device);
            if (kinds[i].aplic)
                machine.controller = read_aplic(fdt, n);
            else if (read_contexts(fdt, n))
                machine.controller = CONTROLLER_PLIC;
        }
    }
    machine.controller_base = device.base;
    if (device.base == 0)
        machine.controller = CONTROLLER_NONE;
}

/* Reads a goldfish RTC. A read of the low half latches the high half. */
static void read_clock(const struct fdt *fdt)
{
    struct machine_device device = {0};
    const volatile uint32_t *clock;
    uint64_t time;

    read_device(fdt, fdt_find_compatible(fdt, -1, "google,goldfish-rtc"), &device);
    if (device.base == 0 || machine.timebase == 0)
        return;
    clock = (const volatile uint32_t *)device.base;
    time = clock[0];
    time |= (uint64_t)clock[1] << 32;
    machine.epoch = time - machine_nanoseconds(hyp_time());
}

static void read_virtio(const struct fdt *fdt)
{
    for (int n = fdt_find_compatible(fdt, -1, "virtio,mmio");
         n >= 0 && machine.virtio_count < MACHINE_VIRTIO_MAX;
         n = fdt_find_compatible(fdt, n, "virtio,mmio"))
        read_device(fdt, n, &machine.virtio[machine.virtio_count++]);
}

int machine_read(const void *bytes)
{
    struct fdt *fdt = &machine.fdt;
    uint32_t size = fdt_size(bytes);
    int error = fdt_open(fdt, bytes, size);

    if (error != FDT_OK) {
        print("hv: device tree at %p: %s\n", bytes, fdt_error_text(error));
        return error;
    }
    add_reserved((uintptr_t)bytes, size);
    read_memory(fdt);
    read_harts(fdt);
    read_chosen(fdt);
    read_efi();
    read_uart(fdt);
    read_device(fdt, fdt_find_compatible(fdt, -1, "sifive,test0"), &machine.finisher);
    read_controller(fdt);
    read_virtio(fdt);
    read_clock(fdt);
    if (machine.hart_count == 0 || machine.memory_count == 0 || machine.timebase == 0) {
        print("hv: this machine has %u harts with the H extension, %u memory ranges, timebase "
              "%lu: cannot run guests\n",
              machine.hart_count, machine.memory_count, machine.timebase);
        return -1;
    }
    if (machine.ranges_lost) {
        print("hv: this machine reserves more than %d ranges of memory: cannot avoid all of them\n",
              MACHINE_RANGES_MAX);
        return -1;
    }
    return 0;
}
