/*
 * The sandbox's filter for seccomp. libseccomp compiles it of sandbox_calls when the VMM is built
 * (mkfilter/mkfilter.c); here it gets what only a run knows.
 */
#ifndef HOST_SANDBOX_FILTER_H
#define HOST_SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stdint.h>
#include <sys/types.h>

enum { SANDBOX_FILTER_MAX = 1024 };

/* Writes the filter; how many instructions it has. `needs`: a set of enum sandbox_need; `self`: the
 * process that may get signals; `otherwise`: SECCOMP_RET_... for a call that is not allowed. */
unsigned sandbox_filter_make(struct sock_filter code[SANDBOX_FILTER_MAX], unsigned needs,
                             pid_t self, uint32_t otherwise);

#endif
