/* What is said and written about guests that have ended: --stats, --log. */
#ifndef TELL_H
#define TELL_H

#include "options/options.h"
#include "vm/vm.h"

/* -1: something could not be written; that was said. */
int tell_run(struct vm *vms, unsigned count, const struct options *options) MUST_CHECK;

#endif
