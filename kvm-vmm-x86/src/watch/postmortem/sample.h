/* Where a guest turns round that was stopped by a limit: it is stepped through a little further. */
#ifndef POSTMORTEM_SAMPLE_H
#define POSTMORTEM_SAMPLE_H

#include "watch/explain/loop.h"
#include "watch/postmortem/worker.h"

/*
 * Executes some thousand instructions of the vCPU. What it writes to devices goes nowhere,
 * what it reads is what it read last. Afterwards it can no longer run.
 */
struct loop sample_loop(struct worker *worker, struct vcpu *vcpu);

#endif
