/* The handlers of packets in other files than stub.c, for its table. Each takes a payload behind
 * its first letter and writes the answer's payload to stub->reply. */
#ifndef GDB_COMMANDS_H
#define GDB_COMMANDS_H

#include "watch/gdb/stub.h"

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

/* query.c: what the stub is and can do, `monitor` */
void gdb_on_query(struct gdb_stub *stub, struct gdb_scan *scan);
void gdb_on_set(struct gdb_stub *stub, struct gdb_scan *scan);

#endif
