/* What this host's KVM can do, found out by guests of a few instructions. Emulators of
 * virtualization leave out debug events and 32-bit paging more often than not, and say nothing.
 * What cannot be tried does not work. */
#ifndef PROBE_H
#define PROBE_H

#include "host/kvm/kvm.h"

/* What it reports to a debugger. */
struct probe_debug {
    bool int3, breakpoint, watchpoint, step;
};

struct probe_debug probe_debug(const struct kvm *kvm);

/* Whether a vCPU that waits to be interrupted (`request_interrupt_window`) comes back at the first
 * instruction where it can be, and not at some later one. */
bool probe_window(const struct kvm *kvm);

/* Whether it runs 32-bit code with paging: some software KVMs end it in a triple fault. `path` as
 * kvm_open takes it. */
bool probe_paging32(const char *path);

#endif
