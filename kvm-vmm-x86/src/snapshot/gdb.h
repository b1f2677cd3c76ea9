/* gdb on a snapshot: `target remote | kvm-vmm snapshot gdb FOLDER`. */
#ifndef SNAPSHOT_GDB_H
#define SNAPSHOT_GDB_H

#include "snapshot/still.h"

/* Speaks the remote protocol on standard input and output until the debugger leaves. */
void snapshot_gdb_serve(struct snapshot_still *still);

#endif
