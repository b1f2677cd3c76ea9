/* --probe: what this machine's H extension does, on a page. */
#ifndef MON_PROBE_H
#define MON_PROBE_H

__attribute__((noreturn)) void probe_page(void);

#endif
