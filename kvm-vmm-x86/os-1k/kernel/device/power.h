/* The end of the machine. */
#ifndef KERNEL_DEVICE_POWER_H
#define KERNEL_DEVICE_POWER_H

/* Ends the machine: well if `code` is 0, else with DEBUG_EXIT_STATUS(code). */
void __attribute__((noreturn)) power_off(unsigned code);

#endif
