/* What HLeOs does once it runs, by its command line: `test=all` or `test=NAME`, `bench=all`,
 * `demo=no`; else the jobs of the demonstration and then the shell. */
#ifndef HLEOS_USER_H
#define HLEOS_USER_H

#include <stdint.h>

/* The moment of the kernel's entry, for the figure "entry to prompt". */
void user_mark_entry(void);
uint64_t user_entry_tsc(void);

/* The first thread. */
intptr_t user_main(void *argument);

#endif
