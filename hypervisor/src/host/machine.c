/* Reads the machine's device tree (Devicetree Specification v0.4, chapter 3; the RISC-V bindings of
 * the Linux kernel's documentation for what is not there). */
#include "host/machine.h"

#include "common/string.h"
#include "cpu/hyp.h"
#include "lib/console.h"
#include "lib/random.h"

struct machine machine = {.bootargs = ""};

static void add_range(struct range *ranges, unsigned *count, uint64_t start, uint64_t size)
{
    if (size == 0)
        return;
    if (*count == MACHINE_RANGES_MAX) {
        print("hv: device tree: more than %d memory ranges; the rest is not used\n",
              MACHINE_RANGES_MAX);
        return;
    }
    ranges[(*count)++] = (struct range){start, size};
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
            add_range(machine.memory, &machine.memory_count, start, size);
    }
    for (unsigned i = 0; fdt_reservation(fdt, i, &start, &size); i++)
        add_range(machine.reserved, &machine.reserved_count, start, size);
    for (int n = parent < 0 ? -1 : fdt_child(fdt, parent); n >= 0; n = fdt_sibling(fdt, n))
        for (unsigned i = 0; fdt_reg(fdt, n, i, &start, &size); i++)
            add_range(machine.reserved, &machine.reserved_count, start, size);
}

static bool hart_is_usable(const struct fdt *fdt, int node)
{
    const char *type = fdt_text(fdt, node, "device_type");
    const char *status = fdt_text(fdt, node, "status");

    return type != NULL && strcmp(type, "cpu") == 0 &&
           (status == NULL || strcmp(status, "okay") == 0);
}

/* What a hart can do: one string, or in newer trees a list, which rules where there are both. */
static void read_isa(const struct fdt *fdt, int hart, char isa[ISA_SIZE])
{
    const char *text = fdt_text(fdt, hart, "riscv,isa");
    struct fdt_property list;

    if (fdt_property(fdt, hart, "riscv,isa-extensions", &list))
        isa_join((const char *)list.value, list.size, isa);
    else if (text == NULL || string_copy(isa, text, ISA_SIZE) >= ISA_SIZE)
        isa[0] = '\0';
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

static void read_device(const struct fdt *fdt, int node, struct machine_device *device)
{
    uint64_t base, size;

    if (node >= 0 && fdt_reg(fdt, node, 0, &base, &size))
        *device = (struct machine_device){base, fdt_u32(fdt, node, "interrupts", 0)};
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

/* Which hart a PLIC context interrupts: its interrupts-extended lists, context by context, the
 * phandle of a hart's interrupt controller and an interrupt number; S-mode's is 9. */
static void read_contexts(const struct fdt *fdt, int plic)
{
    struct fdt_property p;
    uint32_t phandle, number;
    uint64_t hartid, size;

    if (!fdt_property(fdt, plic, "interrupts-extended", &p))
        return;
    for (unsigned i = 0; fdt_cell(&p, 2 * i, &phandle) && fdt_cell(&p, 2 * i + 1, &number); i++) {
        int controller = fdt_find_phandle(fdt, phandle);

        if (number != 9 || controller < 0 ||
            !fdt_reg(fdt, fdt_parent(fdt, controller), 0, &hartid, &size))
            continue;
        for (unsigned h = 0; h < machine.hart_count; h++)
            if (machine.hartids[h] == hartid)
                machine.plic_context[h] = i;
    }
}

static void read_plic(const struct fdt *fdt)
{
    int node = fdt_find_compatible(fdt, -1, "sifive,plic-1.0.0");

    if (node < 0)
        node = fdt_find_compatible(fdt, -1, "riscv,plic0");
    for (unsigned i = 0; i < CPUS_MAX; i++)
        machine.plic_context[i] = ~0u;
    read_device(fdt, node, &machine.plic);
    if (node >= 0)
        read_contexts(fdt, node);
}

/* A goldfish RTC: the low half, which keeps the high half for the next read. */
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
    add_range(machine.reserved, &machine.reserved_count, (uintptr_t)bytes, size);
    read_memory(fdt);
    read_harts(fdt);
    read_chosen(fdt);
    read_uart(fdt);
    read_device(fdt, fdt_find_compatible(fdt, -1, "sifive,test0"), &machine.finisher);
    read_plic(fdt);
    read_virtio(fdt);
    read_clock(fdt);
    if (machine.hart_count == 0 || machine.memory_count == 0 || machine.timebase == 0) {
        print("hv: this machine has %u harts with the H extension, %u memory ranges, timebase "
              "%lu: cannot run guests\n",
              machine.hart_count, machine.memory_count, machine.timebase);
        return -1;
    }
    return 0;
}
