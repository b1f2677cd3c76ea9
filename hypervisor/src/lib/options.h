/* The hypervisor's command line (/chosen/bootargs): options first, then perhaps guests.
 *
 *   log=trap       tell every trap in words
 *   mux=lines      all guests' output line by line with their names, instead of one screen each
 *   harts=N        at most N harts are used (1 to 16)
 *   stay           the machine stays on without a running guest: they may be made in the monitor
 *   --probe        show what this machine's H extension does, and end
 *   vm NAME ...    the manifest, where the initrd has none (vm/config.h)
 */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include "lib/types.h"

struct options {
    bool log_traps;
    bool mux_lines;
    bool stay;
    bool probe;
    unsigned harts;       /* the most harts to use; 0: all */
    const char *manifest; /* the rest of the line from the first `vm`, or NULL */
};

extern struct options options;

/* False after an error message that names what is not understood. */
bool options_read(const char *line) MUST_CHECK;

#endif
