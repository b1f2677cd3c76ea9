/* Random bytes of the host: getrandom(2). */
#ifndef HOST_RANDOM_H
#define HOST_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* False where the host has not gathered enough yet, as right after its start; never waits. */
bool random_fill(void *bytes, size_t size);

#endif
