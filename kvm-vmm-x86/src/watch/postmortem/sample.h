/* Where a guest turns round that was stopped by a limit: it is stepped through a little further. */
#ifndef POSTMORTEM_SAMPLE_H
#define POSTMORTEM_SAMPLE_H

#include "vm/vm.h"
#include "watch/explain/loop.h"

/*
 * Executes some thousand instructions of the first vCPU. What it writes to devices goes nowhere,
 * what it reads is what it read last. The vCPU must not run, nor its VM be used again.
 */
struct loop sample_loop(struct vm *vm);

#endif
