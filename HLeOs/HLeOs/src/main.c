/* HLeOs from the loader's jump to the shell. It prints what it finds. */
#include "actions.h"
#include "common/string.h"
#include "common/x86.h"
#include "cpu.h"
#include "cpu/boot.h"
#include "cpu/panic.h"
#include "interrupt.h"
#include "interrupt/acpi.h"
#include "iostream.h"
#include "kmalloc.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "process.h"
#include "process/system_call.h"
#include "selftest/bench.h"
#include "smp.h"
#include "thread.h"
#include "timer.h"
#include "vga.h"

void kernel_main(uint64_t boot_info, uint64_t image);

static void greet(const struct boot_info *info)
{
    bool silent = info->command_line[0] == '\0';

    print("\033[1;36mHLeOs\033[0m, loaded by %s%s", info->loader, silent ? "" : ": ");
    iostream_write(info->command_line, strlen(info->command_line));
    print("\n");
}

static void init_memory(const struct boot_info *info)
{
    page_init(info);
    paging_init(info);
    page_release_low(info); /* the loader's page tables were there */
    vga_init();
    kmalloc_init();
    println("memory: %lu MB, top at %#lx, kernel at %#lx", page_stats().usable >> 8,
            page_stats().top, info->kernel_base);
}

static void init_interrupts(const struct boot_info *info)
{
    unsigned tables = acpi_init(info->rsdp);

    if (tables > 0)
        println("acpi: revision %u, %u tables", acpi_revision(), tables);
    else
        println("acpi: no tables");
    interrupt_init_controller();
    println("interrupts: %s", interrupt_controller()->name);
}

static void init_time(void)
{
    timer_init();
    println("clock: TSC %lu.%03lu MHz by the %s, tick by the %s", timer_source_hz() / 1000000,
            timer_source_hz() / 1000 % 1000, timer_reference(), timer_tick_source());
}

/* `cpus=N` on the command line limits the number of processors. */
static void init_processors(void)
{
    const char *option = boot_option("cpus");
    unsigned most = CPU_MAX, count, missing;

    if (option != NULL && option[0] >= '1' && option[0] <= '9')
        most = (unsigned)(option[0] - '0') * (option[1] != '\0' ? 10 : 1) +
               (option[1] != '\0' ? (unsigned)(option[1] - '0') : 0);
    count = smp_init(most, &missing);
    println("processors: %u", count);
    if (missing > 0)
        println("processors: %u more did not start", missing);
}

void kernel_main(uint64_t boot_info, uint64_t image)
{
    struct thread *user;

    bench_mark_entry();
    cpu_init();       /* cpu_this(), and the processor's modes */
    interrupt_init(); /* faults are reported */
    iostream_init();  /* println */
    boot_take(boot_info, image);
    greet(boot_information());
    init_memory(boot_information());     /* pages, the kernel's own page tables, kmalloc */
    init_interrupts(boot_information()); /* devices may interrupt */
    thread_init();                       /* this code becomes the idle thread */
    init_time();                         /* the clock runs */
    process_init();                      /* programs may run */
    system_call_init();                  /* and make system calls */
    iostream_init_input();               /* getch */
    init_processors();                   /* threads run in parallel */
    user = thread_create("user", THREAD_PRIORITY_NORMAL, actions_main, NULL);
    if (user == NULL)
        panic("no memory for the first thread");
    thread_detach(user);
    x86_sti();
    thread_idle();
}
