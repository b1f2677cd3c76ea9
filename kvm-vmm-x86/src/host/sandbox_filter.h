/*
 * The sandbox's filter for seccomp: made by libseccomp from sandbox_calls, for what the run needs.
 */
#ifndef HOST_SANDBOX_FILTER_H
#define HOST_SANDBOX_FILTER_H

#include <seccomp.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* 0, or a negative errno value. `needs`: a set of enum sandbox_need; `self`: the process that may
 * get signals; `otherwise`: SCMP_ACT_... for a call that is not allowed. The caller releases
 * `*filter` in any case: seccomp_release() accepts NULL. */
int sandbox_filter_make(scmp_filter_ctx *filter, unsigned needs, pid_t self,
                        uint32_t otherwise) MUST_CHECK;

#endif
