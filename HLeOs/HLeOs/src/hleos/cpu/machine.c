/* Reset and power off; see machine.h. */
#include "cpu/machine.h"

#include <stddef.h>

#include "abi/debug_exit.h"
#include "common/x86.h"
#include "cpu.h"
#include "cpu/console.h"

enum { BOCHS_SHUTDOWN_PORT = 0x8900 };
enum { KBC_COMMAND = 0x64, KBC_INPUT_FULL = 2, KBC_PULSE_RESET = 0xfe, LOOKS = 100000 };

static struct cpu *ender; /* the processor that ends the machine */

void machine_stop_others(void)
{
    struct cpu *other = NULL, *cpu = cpu_this();

    if (__atomic_compare_exchange_n(&ender, &other, cpu, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        cpu_signal_stop();
    else if (other != cpu)
        x86_stop();
}

bool machine_is_stopping(void)
{
    return __atomic_load_n(&ender, __ATOMIC_RELAXED) != NULL;
}

void machine_end(enum machine_end how)
{
    x86_cli();
    machine_stop_others();
    console_flush();
    x86_out8(DEBUG_EXIT_PORT, (uint8_t)how);
    for (int look = 0; look < LOOKS; look++)
        x86_pause(); /* newer QEMUs stop the processor some time later */
    for (const char *p = "Shutdown"; *p != '\0'; p++)
        x86_out8(BOCHS_SHUTDOWN_PORT, (uint8_t)*p);
    console_begin();
    console_say("The machine is halted; it may be switched off.");
    x86_stop();
}

/* Resets with the keyboard controller's reset line, and if that fails, with a triple fault. */
void machine_reboot(void)
{
    static const struct x86_table_register no_idt;

    x86_cli();
    machine_stop_others();
    console_flush();
    for (int look = 0; look < LOOKS && (x86_in8(KBC_COMMAND) & KBC_INPUT_FULL); look++)
        x86_pause();
    x86_out8(KBC_COMMAND, KBC_PULSE_RESET);
    for (int look = 0; look < LOOKS; look++)
        x86_pause();
    x86_lidt(&no_idt);
    __asm__ volatile("ud2");
    x86_stop();
}
