/* The kernel's services on the host, for a test that has threads; see host.c. */
#ifndef MKIMAGE_HOST_H
#define MKIMAGE_HOST_H

#include <stdbool.h>

/* Called after each release of a lock, and again and again where the caller waits for one: the test
 * may let another of its threads run, one at a time. NULL: there is one thread, and a lock that it
 * would wait for stops the program. */
extern void (*host_switch)(bool waits);

#endif
