/* The machine's end; see machine.h. */
#include "HLeOs/HLeOs/src/hleos/machine.h"

#include "HLeOs/HLeOs/src/hleos/asm.h"
#include "HLeOs/HLeOs/src/hleos/device/serial.h"
#include "HLeOs/HLeOs/src/hleos/iostream.h"
#include "abi/debug_exit.h"

enum { BOCHS_SHUTDOWN_PORT = 0x8900 };
enum { KBC_COMMAND = 0x64, KBC_INPUT_FULL = 2, KBC_PULSE_RESET = 0xfe, LOOKS = 100000 };

static void stand_still(void) __attribute__((noreturn));
static void stand_still(void)
{
    for (;;) {
        asm_cli();
        asm_hlt();
    }
}

void machine_end(enum machine_end how)
{
    asm_cli();
    serial_flush();
    asm_outb(DEBUG_EXIT_PORT, (uint8_t)how);
    for (const char *p = "Shutdown"; *p != '\0'; p++)
        asm_outb(BOCHS_SHUTDOWN_PORT, (uint8_t)*p);
    iostream_emergency();
    println("The machine is halted; it may be switched off.");
    stand_still();
}

/* By the keyboard controller's reset line, and if that does nothing, by a triple fault. */
void machine_reboot(void)
{
    static const struct asm_table_register no_idt;

    asm_cli();
    serial_flush();
    for (int look = 0; look < LOOKS && (asm_inb(KBC_COMMAND) & KBC_INPUT_FULL); look++)
        asm_pause();
    asm_outb(KBC_COMMAND, KBC_PULSE_RESET);
    for (int look = 0; look < LOOKS; look++)
        asm_pause();
    asm_lidt(&no_idt);
    __asm__ volatile("ud2");
    stand_still();
}
