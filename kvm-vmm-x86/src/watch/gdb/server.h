/* One guest's place for debuggers: a socket, a thread, and the session of whoever connects. */
#ifndef DEBUG_SERVER_H
#define DEBUG_SERVER_H

#include "host/socket.h"
#include "host/threads.h"
#include "options/options.h"
#include "watch/gdb/debug.h"
#include "watch/gdb/stub.h"

struct vm_end;

struct debug_server {
    struct vm *vm;
    bool open, started;
    bool wait;                               /* the guest waits for a debugger to let it run */
    bool attached;                           /* a session has begun */
    bool leaving;                            /* it is over, and its guest not let go yet */
    int (*status)(const struct vm_end *end); /* what the run ends with, for this end; set before */
    struct socket_server socket;
    struct gdb_stub stub;
    struct debug debug;
    uint8_t
        input[4096]; /* from the client: what lies between these is still to be fed to the stub */
    size_t input_at, input_end;
    uint8_t output[GDB_ANSWER_MAX + 64]; /* for the client: not sent yet */
    size_t output_at, output_end;
    struct thread thread;
};

/* Opens the socket that the options ask for, if they do, and makes the VM ready to be debugged.
 * Before the VM starts. */
int debug_server_open(struct debug_server *server, struct vm *vm, const struct options *options,
                      struct error *error) MUST_CHECK;
/* Once the VM has started. */
int debug_server_start(struct debug_server *server, struct error *error) MUST_CHECK;
/* The VM's threads are over, or never were: tells the debugger, and ends the thread. */
void debug_server_close(struct debug_server *server);

#endif
