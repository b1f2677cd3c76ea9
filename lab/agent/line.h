/* A line: one virtio-serial port of the machine and the process that serves it. A client on the
 * host holds the port's socket for the time of one command. */
#ifndef LAB_AGENT_LINE_H
#define LAB_AGENT_LINE_H

#include <stdatomic.h>
#include <stdint.h>

struct line_status {
    _Atomic uint32_t busy;     /* a client is connected */
    _Atomic uint64_t sessions; /* how many there have been */
};

/* Serves the port for ever. `status` is shared with init. */
__attribute__((noreturn)) void line_serve(unsigned line, struct line_status *status);

#endif
