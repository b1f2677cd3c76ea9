/*
 * The hypervisor's own words: print() for what is always said, panic() for defects of ours. Where
 * the bytes go, and how the machine ends, is said by console_init() and console_set_output().
 */
#ifndef LIB_CONSOLE_H
#define LIB_CONSOLE_H

#include "common/fmt.h"
#include "lib/types.h"

/* Takes as many of the bytes as there is room for, and says how many. */
typedef size_t console_output(const char *text, size_t length);

/* `urgent` is the output of panic(), past any lock; it begins as that of print() too. `end` does
 * not return. */
void console_init(console_output *urgent, void (*end)(bool failed));
void console_set_output(console_output *output, size_t (*room)(void));
/* Guests' bytes to the machine's console, one writer at a time; how many it took. Some room is kept
 * for what the hypervisor has to say. */
size_t console_write(const char *text, size_t length);
/* How many bytes it would take. */
size_t console_room(void);

/* One piece of a line of the hypervisor's. A line begins with "hv: " by convention. */
void print(const char *format, ...) FMT_PRINTF(1, 2);

/* For defects of the hypervisor itself, never for what a guest or a file can cause. */
__attribute__((noreturn)) void panic(const char *format, ...) FMT_PRINTF(1, 2);

#endif
