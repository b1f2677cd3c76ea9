/* The story of the boot, in order. Everything after it happens in answer to a trap. */
#include "kernel/cpu/descriptors.h"
#include "kernel/cpu/fault.h"
#include "kernel/device/clock.h"
#include "kernel/device/console.h"
#include "kernel/device/pic.h"
#include "kernel/device/uart.h"
#include "kernel/file/file.h"
#include "kernel/memory/boot_info.h"
#include "kernel/memory/image.h"
#include "kernel/memory/page.h"
#include "kernel/memory/space.h"
#include "kernel/process/process.h"
#include "kernel/process/scheduler.h"

#define FIRST_PROGRAM "bin/shell"

void __attribute__((noreturn)) kernel_main(uint32_t magic, uint32_t information);

/* The kernel option `fault`: a bug on purpose, to show what a real one would look like. Writes to
 * constants, which even the kernel may not. */
static void __attribute__((noinline)) fault_on_purpose(void)
{
    *(volatile char *)rodata_begin = 0;
}

void kernel_main(uint32_t magic, uint32_t information)
{
    uart_init();                        /* a panic can be read from here on */
    descriptors_init();                 /* exceptions are caught */
    boot_info_read(magic, information); /* how much memory there is */
    console_init(boot_info.loader);     /* the fast way out */
    page_init();                        /* pages can be had */
    space_init();                       /* our own page tables: the loader's memory is forgotten */
    file_init();                        /* the programs are there */
    pic_init();                         /* devices can call */
    uart_receive(true);                 /* keys arrive; before pic_init the first would be lost */
    clock_init();                       /* time passes */
    console_print("1K OS: %u KB free, %s\n", page_count_free() * 4, space_protection());
    if (boot_info_option("fault"))
        fault_on_purpose();
    if (process_spawn(FIRST_PROGRAM, false) != FIRST_PROCESS)
        fault_panic("cannot start " FIRST_PROGRAM);
    scheduler_run();
}
