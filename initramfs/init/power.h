/* The ends of a machine. None of these returns. */
#ifndef INITRAMFS_POWER_H
#define INITRAMFS_POWER_H

/* Switches it off. A status other than 0 is handed to the machine's debug-exit port where it has
 * one (abi/debug_exit.h), which makes every status odd: 2 arrives as 3. */
void power_end(int status) __attribute__((noreturn));

void power_restart(void) __attribute__((noreturn));

#endif
