/* The kernel's services on the host, for a test that has threads; see host.c. */
#ifndef MKIMAGE_HOST_H
#define MKIMAGE_HOST_H

#include <stdbool.h>

/* Called after each release of a lock, and repeatedly while the caller waits for one: the test may
 * switch to another of its threads. NULL: there is one thread, and a wait for a lock stops the
 * program. */
extern void (*host_switch)(bool waits);

#endif
