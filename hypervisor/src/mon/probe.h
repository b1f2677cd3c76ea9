/* Tests what this machine's H extension does. */
#ifndef MON_PROBE_H
#define MON_PROBE_H

#include <stdbool.h>

/* Does a hart that sets A and D bits do so in a page that the G stage maps read-only? Then guests
 * are not offered it, as clones share such pages. True also if the test cannot be run. */
bool probe_writes_read_only(void);
/* --probe: prints all results and ends. */
__attribute__((noreturn)) void probe_page(void);

#endif
