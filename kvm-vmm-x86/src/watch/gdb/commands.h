/* The handlers of packets, for the table in stub.c. Each takes a payload behind its first letter
 * and writes the answer's payload to stub->reply. */
#ifndef GDB_COMMANDS_H
#define GDB_COMMANDS_H

#include "watch/gdb/stub.h"

/* run.c: running, stopping, threads */
void gdb_on_why(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_continue(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_continue_signal(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_step(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_step_signal(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_verbose(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_detach(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_kill(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_choose(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_is_alive(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_put_stop(struct gdb_stub *stub);

/* state.c: registers, memory, breakpoints */
void gdb_on_read_all(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_write_all(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_read_one(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_write_one(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_read_memory(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_write_hex(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_write_binary(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_insert(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_remove(struct gdb_stub *stub, struct gdb_scan *scan);

/* query.c: what we are and can */
void gdb_on_query(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_set(struct gdb_stub *stub, struct gdb_scan *scan);

/* monitor.c: `line` is what the user typed behind `monitor`. */
void gdb_monitor(struct gdb_stub *stub, char *line, struct text *text);

/* stub.c: parts of answers. */
void gdb_reply_error(struct gdb_stub *stub, int error);
void gdb_reply_result(struct gdb_stub *stub, int result);
/* Ends stub->reply and sends it. */
void gdb_send(struct gdb_stub *stub);

#endif
