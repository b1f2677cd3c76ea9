/* Whether this host's KVM runs 32-bit code with paging at all: some software KVMs end it in a
 * triple fault. */
#ifndef PAGING32_H
#define PAGING32_H

#include <stdbool.h>

#include "vm/vcpu.h"

/* Runs the smallest such guest there is in a VM of its own. `vcpu` says which KVM; it is not
 * touched. */
bool paging32_works(const struct vcpu *vcpu);

#endif
