/* What this host's KVM reports to a debugger. Emulators of virtualization leave out int3 and debug
 * registers more often than not, and say nothing. */
#ifndef DEBUG_PROBE_H
#define DEBUG_PROBE_H

#include "host/kvm.h"
#include "watch/gdb/breakpoints.h"

/* Runs a few instructions in a VM of its own, four times. What cannot be tried does not work. */
struct gdb_features debug_probe(const struct kvm *kvm);

#endif
