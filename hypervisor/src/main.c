/*
 * The hypervisor from its first C instruction to its guests. The comment to the right of each call
 * in main() says what becomes possible.
 */
#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "host/machine.h"
#include "host/power.h"
#include "host/serial.h"
#include "lib/console.h"
#include "lib/options.h"
#include "mem/page.h"
#include "mon/gdb.h"
#include "mon/mux.h"
#include "mon/probe.h"
#include "mon/trap_log.h"
#include "sbi/sbi.h"
#include "vm/archive.h"
#include "vm/clone.h"
#include "vm/life.h"
#include "vm/run.h"
#include "vm/save.h"
#include "vm/trap.h"

void main(uint64_t hartid, const void *fdt);

/* ---- Memory: what the device tree lists, minus what is in use ---- */

/*
 * Finds the first range in use that overlaps [start, end), and cuts it to that. False if there is
 * none.
 */
static bool first_used(uint64_t start, uint64_t end, struct range *used)
{
    bool found = false;
    struct range all[MACHINE_RANGES_MAX + 3];
    unsigned count = machine.reserved_count;

    memcpy(all, machine.reserved, sizeof machine.reserved);
    all[count++] = (struct range){(uint64_t)image_start, (uint64_t)(moves_start - image_start)};
    all[count++] = (struct range){(uint64_t)moves_end, (uint64_t)(image_end - moves_end)};
    all[count++] = machine.initrd;
    for (unsigned i = 0; i < count; i++) {
        uint64_t from = all[i].start > start ? all[i].start : start;
        uint64_t to = min64(all[i].start + all[i].size, end);

        if (from < to && (!found || from < used->start)) {
            *used = (struct range){from, to - from};
            found = true;
        }
    }
    return found;
}

/* Calls `take` for each free piece of memory. */
static void each_free(void (*take)(uint64_t start, uint64_t end))
{
    for (unsigned i = 0; i < machine.memory_count; i++) {
        uint64_t at = machine.memory[i].start, end = at + machine.memory[i].size;
        struct range used;

        while (at < end && first_used(at, end, &used)) {
            if (used.start > at)
                take(at, used.start);
            at = used.start + used.size;
        }
        if (at < end)
            take(at, end);
    }
}

static uint64_t lowest = ~0ul, highest;
static struct range table; /* the page allocator's */

static void find_table_place(uint64_t start, uint64_t end)
{
    uint64_t size = ALIGN_UP(page_table_size(lowest, highest), PAGE_4K);

    start = ALIGN_UP(start, PAGE_4K);
    if (table.start == 0 && end > start && end - start >= size)
        table = (struct range){start, size};
}

static void give_to_allocator(uint64_t start, uint64_t end)
{
    if (start <= table.start && table.start < end) {
        page_give_range(start, table.start);
        start = table.start + table.size;
    }
    page_give_range(start, end);
}

static void memory_init(void)
{
    for (unsigned i = 0; i < machine.memory_count; i++) {
        lowest = min64(lowest, ALIGN_DOWN(machine.memory[i].start, PAGE_1G));
        if (machine.memory[i].start + machine.memory[i].size > highest)
            highest = machine.memory[i].start + machine.memory[i].size;
    }
    each_free(find_table_place);
    if (table.start == 0) {
        print("hv: no room in memory for the page allocator's table\n");
        power_off(true);
    }
    page_init(lowest, highest, (uint8_t *)table.start);
    each_free(give_to_allocator);
}

/* ---- Guests ---- */

static int parse_manifest(struct vm_config *configs)
{
    struct config_error error;
    struct cpio_file file = {.name = "command line"};
    const char *initrd = (const char *)machine.initrd.start;
    int count;

    if (options.manifest != NULL) {
        file.data = (const uint8_t *)options.manifest;
        file.size = strlen(options.manifest);
    } else if (!archive_find("manifest", &file)) {
        if (options.stay)
            return 0;
        print("hv: no guests: neither a command line with 'vm ...' nor %s\n",
              cpio_is_archive(initrd, machine.initrd.size) ? "a file 'manifest' in the initrd"
                                                           : "an initrd that is a cpio archive");
        return -1;
    }
    count = config_parse((const char *)file.data, file.size, configs, VMS_MAX, &error);
    if (count < 0)
        print("hv: %s, line %u: %s\n", file.name, error.line, error.text);
    else if (count == 0 && !options.stay)
        print("hv: %s: describes no guest\n", file.name);
    return count;
}

static void guests_start(void)
{
    static struct vm_config configs[VMS_MAX];
    int count = parse_manifest(configs);
    bool failed = count <= 0;

    for (int i = 0; i < count; i++) {
        struct vm *vm;

        cpu_interrupts_are_off(); /* the boot so far is not counted: no guest waits yet */
        vm = life_create(&configs[i]);
        failed |= vm == NULL || !life_start(vm);
    }
    if (!options.stay)
        vm_all_started(failed);
}

static void limit_harts(uint64_t hartid)
{
    /* The boot hart must stay among those kept. */
    for (unsigned i = 0; i < machine.hart_count; i++) {
        struct machine_wiring wiring = machine.wiring[0];

        if (machine.hartids[i] != hartid || i == 0)
            continue;
        machine.hartids[i] = machine.hartids[0];
        machine.hartids[0] = hartid;
        machine.wiring[0] = machine.wiring[i];
        machine.wiring[i] = wiring;
    }
    if (options.harts != 0 && options.harts < machine.hart_count)
        machine.hart_count = options.harts;
}

/* Seconds. OpenSBI 1.1 may send a hart to where it sent the one that booted (boot.S): if a boot
 * loader was there, the hart does not come. */
enum { HART_PATIENCE = 20 };

static void start_other_harts(void)
{
    for (unsigned i = 0; i < cpu_count; i++) {
        struct cpu *cpu = &cpus[i];
        uint8_t *stack;

        if (cpu->online)
            continue;
        stack = page_alloc(NULL, CPU_STACK_ORDER);
        if (stack == NULL || !cpu_start(cpu, stack + (PAGE_4K << CPU_STACK_ORDER), run_hart,
                                        HART_PATIENCE * machine.timebase))
            print("hv: hart %lu does not start; continuing without it\n", cpu->hartid);
    }
}

static void greet(void)
{
    print("hv: %u hart%s, %lu MiB free, timebase %lu Hz, guests get %s, %s\n", cpu_count,
          cpu_count == 1 ? "" : "s", page_free_count() * PAGE_4K / MIB, machine.timebase,
          features.isa, feature_mmu_type());
}

/* Sets the functions of higher layers that VMs call. */
static void connect(void)
{
    vm_hooks = (struct vm_hooks){.run = run_vcpu,
                                 .call = sbi_call,
                                 .event = sse_deliver,
                                 .trapped = options.log_traps ? trap_log : NULL,
                                 .output = mux_output,
                                 .clone = clone_step,
                                 .save = save_step,
                                 .breakpoint = gdb_breakpoint,
                                 .paused = gdb_paused,
                                 .started = mux_greet,
                                 .ended = mux_forget};
    cpu_set_interrupt_handler(trap_interrupt);
}

void main(uint64_t hartid, const void *fdt)
{
    cpus[0].hartid = hartid;
    __asm__ volatile("mv tp, %0" : : "r"(&cpus[0])); /* traps of the hypervisor are recognised */
    firmware_init();                                 /* output */
    console_init(firmware_write, power_off);         /* print() */
    if (machine_read(fdt) != 0)                      /* what there is */
        power_off(true);
    if (!options_read(machine.bootargs)) /* what is wanted */
        power_off(true);
    limit_harts(hartid);
    cpu_init_boot(machine.hartids, machine.hart_count, hartid); /* cpu_self() */
    memory_init();                                              /* page_alloc() */
    serial_init(); /* output without the firmware, if possible */
    console_set_output(serial_write, serial_room);
    feature_probe(machine.isa); /* what guests may have */
    features.adue = features.adue && !probe_writes_read_only();
    connect();           /* guests may call */
    cpu_init_hart();     /* guests on this hart */
    start_other_harts(); /* guests on all harts */
    if (options.probe)
        probe_page(); /* does not return */
    greet();
    serial_listen(mux_input); /* typed characters */
    guests_start();           /* they load when a hart is free */
    run_hart();
}
