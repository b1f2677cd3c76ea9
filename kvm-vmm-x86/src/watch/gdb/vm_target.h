/* What gdb's stub asks of a machine (gdb/target.h), answered by a VM: the context is its struct vm.
 */
#ifndef DEBUG_TARGET_H
#define DEBUG_TARGET_H

#include "watch/gdb/target.h"

extern const struct gdb_ops debug_target_ops;

#endif
