/*
 * The hypervisor's own messages: print() for ordinary ones, panic() for defects of the hypervisor.
 * console_init() and console_set_output() set where the bytes go and how the machine ends.
 */
#ifndef LIB_CONSOLE_H
#define LIB_CONSOLE_H

#include "common/fmt.h"
#include "lib/types.h"

/* Takes as many of the bytes as there is room for, and says how many. */
typedef size_t console_output(const char *text, size_t length);

/* `urgent` is the output of panic(), which takes no lock; at first print() uses it too. `end` does
 * not return. */
void console_init(console_output *urgent, void (*end)(bool failed));
void console_set_output(console_output *output, size_t (*room)(void));
/* Guests' bytes to the machine's console, one writer at a time; how many it took. Some room is kept
 * for the hypervisor's messages. */
size_t console_write(const char *text, size_t length);
/* How many bytes it would take. */
size_t console_room(void);

/* One piece of a line of the hypervisor's. A line begins with "hv: " by convention. */
void print(const char *format, ...) FMT_PRINTF(1, 2);

/* For defects of the hypervisor itself, never for what a guest or a file can cause. */
__attribute__((noreturn)) void panic(const char *format, ...) FMT_PRINTF(1, 2);

#endif
