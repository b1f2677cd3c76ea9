/* Where a client may connect: `[HOST:]PORT` or `unix:PATH`, as --gdb takes it; --serial takes the
 * latter. Loopback unless a host is named. Guest N of a run has port + N, or PATH.N (guest 0: PATH
 * itself). */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>

#include "base/error.h"

enum { ENDPOINT_HOST_MAX = 256, ENDPOINT_PATH_MAX = 108 /* sun_path, unix(7) */ };

struct endpoint {
    const char *option; /* that asks for it */
    bool is_unix;
    bool takes_files; /* a unix socket whose clients may pass descriptors */
    bool is_private;  /* a unix socket that only programs of this user may open: mode 0600 */
    char path[ENDPOINT_PATH_MAX];
    char host[ENDPOINT_HOST_MAX];
    unsigned port; /* 0: the system chooses */
};

/* The endpoint of `guest`. -1: `error` says what is wrong. */
int endpoint_parse(struct endpoint *endpoint, const char *text, unsigned guest,
                   struct error *error) MUST_CHECK;
/* The same for the PATH of a `unix:PATH` that another option takes. */
int endpoint_unix(struct endpoint *endpoint, const char *option, const char *path, unsigned guest,
                  struct error *error) MUST_CHECK;

#endif
