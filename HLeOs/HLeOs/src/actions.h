/* What HLeOs does after boot, by its command line: `test=all` or `test=NAME`, `bench=all`; else the
 * shell. */
#ifndef HLEOS_ACTIONS_H
#define HLEOS_ACTIONS_H

#include <stdint.h>

/* The first thread. */
intptr_t actions_main(void *argument);

#endif
