/* Ends and restarts the whole machine. */
#ifndef HLEOS_MACHINE_H
#define HLEOS_MACHINE_H

#include <stdbool.h>

/* What goes to the debug-exit port (abi/debug_exit.h); the machine's runner ends with twice this
 * plus one: 33 for good, 35 where a test failed, 37 after a panic. */
enum machine_end {
    MACHINE_GOOD = 0x10,
    MACHINE_FAILED = 0x11,
    MACHINE_PANIC = 0x12,
};

/* Stops all other processors. If another processor does this at the same time, one of the two
 * stops. */
void machine_stop_others(void);
/* In a non-maskable interrupt: true if machine_stop_others() sent it. */
bool machine_is_stopping(void);
/* Flushes the consoles, then ends the machine by the debug-exit port or Bochs's shutdown port, or
 * halts. */
void machine_end(enum machine_end how) __attribute__((noreturn));
void machine_reboot(void) __attribute__((noreturn));

#endif
