/* The shell's own commands: the table is at the end. */
#include "shell/commands.h"

#include <stddef.h>

#include "common/string.h"
#include "cpu.h"
#include "cpu/boot.h"
#include "cpu/lock.h"
#include "cpu/machine.h"
#include "cpu/panic.h"
#include "device/pci.h"
#include "fs/system.h"
#include "interrupt.h"
#include "iostream.h"
#include "kmalloc.h"
#include "memory/page.h"
#include "process/programs.h"
#include "shell/jobs.h"
#include "thread.h"
#include "timer.h"
#include "timer/rtc.h"

static void threads(int argc, char **argv)
{
    struct thread_info t;

    (void)argc;
    (void)argv;
    println("  id  name             prio  state      switches  ms on the cpu");
    for (unsigned i = 0; thread_info(i, &t); i++)
        println("%4u  %-15s  %4d  %-8s  %9lu  %13lu", t.id, t.name, t.priority, t.state, t.switches,
                t.ticks);
}

static void print_memory_map(void)
{
    static const char *const types[] = {"?", "usable", "reserved", "ACPI", "ACPI NVS", "bad"};
    const struct boot_info *info = boot_information();

    for (unsigned i = 0; i < info->memory_count; i++) {
        const struct boot_memory *m = &info->memory[i];

        println("  %012lx-%012lx  %s", m->base, m->base + m->length - 1,
                types[m->type < sizeof types / sizeof types[0] ? m->type : 0]);
    }
}

static void mem(int argc, char **argv)
{
    struct page_stats pages = page_stats();
    struct kmalloc_stats heap = kmalloc_stats();

    (void)argc;
    (void)argv;
    print_memory_map();
    println("pages: %zu of %zu free (%zu MB)", pages.free, pages.usable, pages.free >> 8);
    println("heap: %zu blocks, %zu bytes used of %zu mapped, most ever %zu", heap.blocks,
            heap.bytes_used, heap.bytes_mapped, heap.bytes_peak);
    println("      %lu allocations, %lu frees, %lu failures", heap.allocations, heap.frees,
            heap.failures);
}

static void irq(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    println("%s", interrupt_controller()->name);
    for (unsigned v = 0; v < INTERRUPT_VECTORS; v++) {
        struct interrupt_stats s = interrupt_stats(v);

        if (s.name != NULL || s.count > 0)
            println("  %02x  %10lu  %s", v, s.count,
                    s.name != NULL             ? s.name
                    : v < INTERRUPT_EXCEPTIONS ? "exception"
                                               : "unused");
    }
    println("  spurious: %lu", interrupt_spurious_count());
}

static void print_function(void *context, const struct pci_function *f)
{
    (void)context;
    println("  %02x:%02x.%u  %04x:%04x  %02x.%02x.%02x  %s", f->bus, f->device, f->function,
            f->vendor, f->id, f->class_, f->subclass, f->interface, pci_class_text(f));
}

static void pci(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (pci_scan(print_function, NULL) == 0)
        println("no PCI bus");
}

/* The processors, and the locks that they have waited for. */
static void cpus(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < cpu_count(); i++)
        println("  cpu %-2u  APIC %-3u  %s", i, cpu_at(i)->apic_id,
                i == CPU_READ(id) ? "runs this" : "");
    for (const struct lock *l = lock_contended(NULL); l != NULL; l = lock_contended(l))
        println("  lock %-8s  rank %-2u  taken %lu times, waited for %lu times", l->name, l->rank,
                l->takes, l->waits);
}

static void date(int argc, char **argv)
{
    struct rtc_date d;

    (void)argc;
    (void)argv;
    if (rtc_date(&d) < 0)
        println("the clock gives no date");
    else
        println("%04u-%02u-%02u %02u:%02u:%02u", d.year, d.month, d.day, d.hour, d.minute,
                d.second);
}

static void uptime(int argc, char **argv)
{
    uint64_t ms = timer_now() / TIMER_NS_PER_MS;

    (void)argc;
    (void)argv;
    println("up %lu.%03lu s, %lu ticks, %lu thread switches", ms / 1000, ms % 1000, timer_ticks(),
            thread_switch_count());
}

static void run(int argc, char **argv)
{
    if (argc < 2) {
        jobs_list();
    } else if (jobs_run(argv[1]) < 0) {
        println("%s: no such job", argv[1]);
    }
}

static void list_programs(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (const struct program *p = programs; p->name != NULL; p++)
        println("  %-10s %6zu bytes", p->name, (size_t)(p->end - p->file));
}

static void demo(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    jobs_run_all();
}

/* The wrong order is never waited for here: the rule is broken all the same. */
static void take_out_of_order(void)
{
    static struct lock inner = LOCK_INIT("inner", LOCK_SERIAL),
                       outer = LOCK_INIT("outer", LOCK_WAIT);
    uint64_t flags = lock_take(&inner), more = lock_take(&outer);

    lock_give(&outer, more);
    lock_give(&inner, flags);
}

static void panic_now(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "order") == 0)
        take_out_of_order();
    panic("as you wish");
}

static void reboot(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    println("rebooting");
    system_sync();
    machine_reboot();
}

static void halt(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    println("halting");
    system_sync();
    machine_end(MACHINE_GOOD);
}

const struct shell_command shell_commands[] = {
    {"threads", "", "the threads there are", threads},
    {"mem", "", "memory map, pages, heap", mem},
    {"irq", "", "interrupts, by vector", irq},
    {"pci", "", "what is on the PCI bus", pci},
    {"date", "", "the wall clock", date},
    {"uptime", "", "time since boot", uptime},
    {"demo", "", "five jobs at once, for a second", demo},
    {"programs", "", "the programs; their name runs them", list_programs},
    {"run", "[JOB]", "runs one of the jobs, or lists them", run},
    {"cpus", "", "the processors, and locks that were waited for", cpus},
    {"panic", "[order]", "ends in a panic; by two locks in the wrong order", panic_now},
    {"reboot", "", "starts the machine again", reboot},
    {"halt", "", "stops the machine", halt},
    {0},
};
