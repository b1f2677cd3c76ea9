/* Three ways to end a machine; each one is ignored where it does not exist. */
#include "kernel/device/device.h"

#include "abi/debug_exit.h"
#include "abi/hypercall.h"
#include "common/x86.h"

/* The power management port of the PIIX4, as PC firmware places it: soft off. */
enum { PIIX4_PM_CONTROL = 0x604, PIIX4_SOFT_OFF = 0x2000 };

void power_off(unsigned code)
{
    console_flush();
    if (code == 0) {
        x86_out8(HC_PORT, HC_EXIT);
        x86_out16(PIIX4_PM_CONTROL, PIIX4_SOFT_OFF);
    } else {
        x86_out8(DEBUG_EXIT_PORT, (unsigned char)code);
    }
    x86_stop();
}
