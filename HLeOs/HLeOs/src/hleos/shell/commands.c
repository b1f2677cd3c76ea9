/* The shell's own commands. The table is at the end. */
#include "shell/commands.h"

#include <stddef.h>

#include "common/string.h"
#include "cpu/lock.h"
#include "cpu/machine.h"
#include "cpu/panic.h"
#include "device/pci.h"
#include "fs/system.h"
#include "iostream.h"
#include "process/proc.h"
#include "process/programs.h"
#include "shell/jobs.h"
#include "thread.h"
#include "timer.h"
#include "timer/rtc.h"

/* These commands print what the files of /proc contain. */
static void threads(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    proc_show("threads");
}

static void mem(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    proc_show("memory");
}

static void irq(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    proc_show("interrupts");
}

static void cpus(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    proc_show("processors");
    proc_show("locks");
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

/* Takes two locks in the wrong order. This never has to wait, but still breaks the rule. */
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
    panic("requested at the prompt");
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
    {"threads", "", "lists the threads", threads},
    {"mem", "", "shows the memory map, pages and heap", mem},
    {"irq", "", "shows interrupts, by vector", irq},
    {"pci", "", "lists PCI devices", pci},
    {"date", "", "shows the time of day", date},
    {"uptime", "", "shows the time since boot", uptime},
    {"demo", "", "runs five jobs at once for a second", demo},
    {"programs", "", "lists the programs; their name runs them", list_programs},
    {"run", "[JOB]", "runs one of the jobs, or lists them", run},
    {"cpus", "", "lists the processors, and locks that were waited for", cpus},
    {"panic", "[order]", "panics; `order`: by taking two locks in the wrong order", panic_now},
    {"reboot", "", "restarts the machine", reboot},
    {"halt", "", "stops the machine", halt},
    {0},
};
