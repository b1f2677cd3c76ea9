/* Where a debugger may connect: `[HOST:]PORT` or `unix:PATH`, as --gdb takes it. Loopback unless a
 * host is named. Guest N of a run has port + N, or PATH.N (guest 0: PATH itself). */
#ifndef GDB_ENDPOINT_H
#define GDB_ENDPOINT_H

#include <stdbool.h>

#include "base/error.h"

enum { GDB_HOST_MAX = 256, GDB_PATH_MAX = 108 /* sun_path, unix(7) */ };

struct gdb_endpoint {
    bool is_unix;
    char path[GDB_PATH_MAX];
    char host[GDB_HOST_MAX];
    unsigned port; /* 0: the system chooses */
};

/* The endpoint of `guest`. -1: `error` says what is wrong. */
int gdb_endpoint_parse(struct gdb_endpoint *endpoint, const char *text, unsigned guest,
                       struct error *error) MUST_CHECK;

#endif
