/* What HLeOs does once it runs, by its command line: `test=all` or `test=NAME`, `bench=all`; else
 * the shell. */
#ifndef HLEOS_USER_H
#define HLEOS_USER_H

#include <stdint.h>

/* The first thread. */
intptr_t user_main(void *argument);

#endif
