/* The story of the boot, in order. Everything after it happens in answer to a trap. */
#include "kernel/cpu/descriptors.h"
#include "kernel/cpu/fault.h"
#include "kernel/cpu/trap.h"
#include "kernel/device/clock.h"
#include "kernel/device/console.h"
#include "kernel/file/file.h"
#include "kernel/memory/boot_info.h"
#include "kernel/memory/page.h"
#include "kernel/memory/space.h"
#include "kernel/process/process.h"

#define FIRST_PROGRAM "bin/shell"

void __attribute__((noreturn)) kernel_main(uint32_t magic, uint32_t information);

void kernel_main(uint32_t magic, uint32_t information)
{
    console_init();                     /* a panic can be read from here on */
    descriptors_init();                 /* exceptions are caught */
    boot_info_read(magic, information); /* how much memory there is, and who started us */
    page_init(boot_info.memory_end);    /* pages can be had */
    space_init();                       /* our own page tables: the loader's memory is forgotten */
    descriptors_rescue(space_kernel()); /* even an overflow of the stack is told */
    file_init();                        /* the programs are there */
    trap_allow_interrupts();            /* devices can call */
    console_start(boot_info.loader);    /* keys arrive, and text leaves by the fast way */
    clock_init();                       /* time passes */
    console_print("1K OS: %u KB free\n", page_count_free() * 4);
    fault_on_purpose();
    if (process_spawn(FIRST_PROGRAM, false) != FIRST_PROCESS)
        fault_panic("cannot start " FIRST_PROGRAM);
    trap_return(process_next());
}
