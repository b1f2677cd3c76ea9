/* The devices: timer, console, and the end of the machine. */
#ifndef KERNEL_DEVICE_DEVICE_H
#define KERNEL_DEVICE_DEVICE_H

#include "common/fmt.h"
#include "kernel/kernel.h"

/* Ends the machine: with status 0 if `code` is 0, else with DEBUG_EXIT_STATUS(code). */
enum { POWER_OFF_MAX = 127 };
void __attribute__((noreturn)) power_off(unsigned code);

void clock_init(void);
void clock_tick(void); /* for each interrupt of the timer */

/* Milliseconds since clock_init. */
uint32_t clock_now(void);

/* Sets up the serial port. Wants the interrupt controllers first: a key before that would be lost.
 */
void console_init(void);

/* Output is buffered. It is written when no process can run, at the next clock tick, or when the
 * buffer is full: every prompt shows at once and costs at most one exit. */
void console_write(const char *text, size_t length);
void console_print(const char *format, ...) FMT_PRINTF(1, 2);
void console_flush(void);

/* For the serial port's interrupt: takes a received byte, or -1 if none has come, and keeps it for
 * console_read. When the ring is full the rest stays in the device and its sender waits, so piped
 * input is never lost. */
int console_receive(void);
void console_keep(char c);

/* Takes the next byte that was typed: CONSOLE_EMPTY if none has come, ERROR_END_OF_INPUT if
 * there will never be one. */
enum { CONSOLE_EMPTY = -100 };
int console_read(void);

#endif
