/*
 * The sandbox's program for seccomp, in the kernel's classic BPF: made from sandbox_calls at each
 * start, in microseconds, for what the run needs.
 */
#ifndef HOST_SANDBOX_FILTER_H
#define HOST_SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stdint.h>
#include <sys/types.h>

enum { SANDBOX_FILTER_MAX = 640 };

/* Returns how many instructions there are. `needs`: a set of enum sandbox_need; `self`: the process
 * that may get signals; `otherwise`: SECCOMP_RET_... for a call that is not allowed. */
unsigned sandbox_filter_make(struct sock_filter program[SANDBOX_FILTER_MAX], unsigned needs,
                             pid_t self, uint32_t otherwise);

#endif
