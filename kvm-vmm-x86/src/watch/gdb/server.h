/*
 * The gdb server of one guest: a socket, and the session of the debugger that connects. All of it
 * runs on the main thread, from the event loop; nothing waits for a client.
 *
 * A debugger that connects stops the guest. If its connection breaks, the guest runs on, unless it
 * waits for a debugger (-S) and has never run.
 *
 *
 */
#ifndef GDB_SERVER_H
#define GDB_SERVER_H

#include "host/events.h"
#include "host/socket.h"
#include "watch/gdb/debug.h"
#include "watch/gdb/stub.h"

struct vm_end;

struct debug_server {
    struct vm *vm;
    int (*status)(const struct vm_end *end); /* what the run ends with, for this end; set before */
    bool open;     /* the socket is there, whatever becomes of the guest */
    bool serving;  /* the guest lives */
    bool wait;     /* it waits for a debugger to let it run */
    bool attached; /* a session has begun */
    bool leaving;  /* it is over, and its guest not let go yet */
    bool news;     /* the guest may have stopped; atomic */
    struct debug debug;
    struct gdb_stub stub;
    struct socket_server socket;
    struct event_source listener, client;
    uint8_t input[4096]; /* from the client; between at and end: not fed to the stub yet */
    size_t input_at, input_end;
    uint8_t output[GDB_ANSWER_MAX + 64]; /* for the client; between at and end: not sent yet */
    size_t output_at, output_end;
};

/* Nothing happens if `where` is NULL. Opens the socket at `where`, as --gdb takes it, unless that
 * is done already, and makes the VM ready to be debugged. `wait`: it does not run before a debugger
 * lets it. Before the VM starts, and again when it starts again. */
int debug_server_open(struct debug_server *server, struct vm *vm, const char *where, bool wait,
                      struct error *error) MUST_CHECK;
/* Each time that the event loop comes round, whether or not there is a server: tells the debugger
 * what has become of the guest. */
void debug_server_service(struct debug_server *server);
/* The VM's threads are over, or never were: tells the debugger, and hangs up. */
void debug_server_end(struct debug_server *server);
/* The same for good: closes the socket. */
void debug_server_close(struct debug_server *server);

#endif
