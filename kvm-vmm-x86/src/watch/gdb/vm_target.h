/* What gdb's stub asks of a machine (gdb/target.h), answered by a VM: the context is its
 * struct debug. */
#ifndef GDB_VM_TARGET_H
#define GDB_VM_TARGET_H

#include "watch/gdb/target.h"

extern const struct gdb_ops debug_target_ops;

#endif
