/* HLeOs, from the loader's jump to the shell, as a story. */
#include "boot.h"
#include "common/x86.h"
#include "cpu.h"
#include "interrupt.h"
#include "interrupt/acpi.h"
#include "iostream.h"
#include "kmalloc.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "panic.h"
#include "thread.h"
#include "timer.h"
#include "user.h"
#include "vga.h"

void kernel_main(uint64_t boot_info, uint64_t image);

static void greet(const struct boot_info *info)
{
    bool silent = info->command_line[0] == '\0';

    println("\033[1;36mHLeOs\033[0m, loaded by %s%s%s", info->loader, silent ? "" : ": ",
            info->command_line);
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

void kernel_main(uint64_t boot_info, uint64_t image)
{
    struct thread *user;

    user_mark_entry();
    cpu_init();       /* the processor's own tables, and who we are */
    interrupt_init(); /* faults are reported */
    iostream_init();  /* println */
    boot_take(PHYS(boot_info), PHYS(image));
    greet(boot_information());
    init_memory(boot_information());     /* pages, our own page tables, kmalloc */
    acpi_init(boot_information()->rsdp); /* which hardware there is */
    interrupt_init_controller();         /* devices may interrupt */
    thread_init();                       /* this is a thread: the idle one */
    timer_init();                        /* time passes */
    iostream_init_input();               /* getch */
    user = thread_create("user", THREAD_PRIORITY_NORMAL, user_main, NULL);
    if (user == NULL)
        panic("no memory for the first thread");
    thread_detach(user);
    x86_sti();
    thread_idle();
}
