/* What this machine's H extension does, found out by trying. */
#ifndef MON_PROBE_H
#define MON_PROBE_H

#include <stdbool.h>

/* Does a hart that sets A and D bits do so in a page that the G stage maps read-only? Guests cannot
 * be given that: clones share such pages. True where it cannot be found out. */
bool probe_writes_read_only(void);
/* --probe: all of it on a page. */
__attribute__((noreturn)) void probe_page(void);

#endif
