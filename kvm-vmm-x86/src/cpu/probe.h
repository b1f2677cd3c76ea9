/* What this host's KVM can do, tested with guests of a few instructions. Software KVMs often lack
 * debug events and 32-bit paging without saying so. A test that cannot be run counts as failed. */
#ifndef PROBE_H
#define PROBE_H

#include "host/kvm/kvm.h"

/* The debug events that KVM reports. */
struct probe_debug {
    bool int3, breakpoint, watchpoint, step;
};

struct probe_debug probe_debug(const struct kvm *kvm);

/* Whether KVM_RUN with `request_interrupt_window` returns at the first instruction at which the
 * guest can be interrupted, and not later. */
bool probe_window(const struct kvm *kvm);

/* Whether it runs 32-bit code with paging: some software KVMs end it in a triple fault. `path` as
 * kvm_open takes it. */
bool probe_paging32(const char *path);

#endif
