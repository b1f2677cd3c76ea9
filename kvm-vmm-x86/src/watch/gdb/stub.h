/*
 * The stub: one debugger's session with one machine, in the remote serial protocol (GDB manual,
 * appendix E). All-stop: when one vCPU stops, all do. Pure: bytes come in by gdb_stub_feed, go out
 * through `send`, and the machine is behind `struct gdb_ops`.
 *
 * Threads are vCPUs; gdb counts them from 1.
 */
#ifndef GDB_STUB_H
#define GDB_STUB_H

#include "common/gdb/packet.h"
#include "watch/gdb/target.h"

/* The longest answer to one packet: all a `monitor` command prints, in hex and in packets. */
enum { GDB_ANSWER_MAX = 72 * 1024 };

struct gdb_stub {
    const struct gdb_ops *ops;
    void *context;
    /* Called with at most GDB_ANSWER_MAX bytes between two calls of a function below. */
    void (*send)(void *to, const void *bytes, size_t count);
    void *to;
    enum gdb_arch arch; /* as described to this debugger */
    bool fixed;         /* `monitor arch` chose `next_arch` for the sessions to come */
    enum gdb_arch next_arch;
    bool no_ack, next_no_ack;
    bool resumed; /* some debugger has let the machine run */
    bool running; /* the debugger waits for a stop */
    bool asked;   /* by `monitor`: it waits for an answer instead */
    bool over;    /* the session is: detached, killed, or the guest ended */
    bool knows_swbreak, knows_hwbreak;
    unsigned general, control; /* vCPUs that the packet H chose, for registers and for c and s */
    struct gdb_stop stop;      /* the last one */
    struct gdb_parser parser;
    struct gdb_scan scan;    /* the packet that is handled, behind what was read of it */
    struct gdb_writer reply; /* the last packet sent, to be sent again */
};

/* A debugger has connected, and the machine has stopped. What the last one chose by `monitor`
 * stays.
 */
void gdb_stub_begin(struct gdb_stub *stub, const struct gdb_stop *stop);

/* Bytes from the debugger: takes them up to the first that is answered, and returns how many it
 * took, so that a caller can wait until the answer has gone. Those after the end of the session are
 * ignored. */
size_t gdb_stub_feed(struct gdb_stub *stub, const uint8_t *bytes, size_t count);

/* The machine has stopped, or is over. */
void gdb_stub_stopped(struct gdb_stub *stub, const struct gdb_stop *stop);

/*
 * The handlers of packets that stand in other files than stub.c, for its table. Each takes what is
 * left in stub->scan and answers with 0 for "OK", a negative errno for an error, or
 * GDB_ANSWERED when it has written the answer to stub->reply itself.
 */
enum { GDB_ANSWERED = 1 };

/* state.c: registers, memory, breakpoints */
int gdb_on_read_all(struct gdb_stub *stub);
int gdb_on_write_all(struct gdb_stub *stub);
int gdb_on_read_one(struct gdb_stub *stub);
int gdb_on_write_one(struct gdb_stub *stub);
int gdb_on_read_memory(struct gdb_stub *stub);
int gdb_on_write_hex(struct gdb_stub *stub);
int gdb_on_write_binary(struct gdb_stub *stub);
int gdb_on_insert(struct gdb_stub *stub);
int gdb_on_remove(struct gdb_stub *stub);

/* query.c: what the stub is and can do, `monitor` */
int gdb_on_query(struct gdb_stub *stub);

#endif
