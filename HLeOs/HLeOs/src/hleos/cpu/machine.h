/* Ends and restarts of the whole machine. */
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

/* All processors but this one stand still from now on. If another one says that, this one does. */
void machine_stop_others(void);
/* In a non-maskable interrupt: true if it came from there. */
bool machine_is_stopping(void);
/* Lets the consoles finish, then leaves by the debug-exit port, by Bochs's shutdown port, or stands
 * still. */
void machine_end(enum machine_end how) __attribute__((noreturn));
void machine_reboot(void) __attribute__((noreturn));

#endif
