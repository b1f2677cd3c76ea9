/* The filter; see filter.h. seccomp(2). */
#include "host/sandbox/filter.h"

#include <linux/seccomp.h>
#include <stdbool.h>

#include "host/sandbox/calls.h"

static const struct sock_filter compiled[] = {
#include "sandbox_filter.inc"
};

/* The filter for --sandbox=learn: it does not allow calls that name a file, so the learner sees
 * them. */
static const struct sock_filter compiled_to_learn[] = {
#include "sandbox_filter_learn.inc"
};

_Static_assert(sizeof compiled / sizeof compiled[0] <= SANDBOX_FILTER_MAX &&
                   sizeof compiled_to_learn / sizeof compiled_to_learn[0] <= SANDBOX_FILTER_MAX,
               "room for all of it");

/* The verdict for a call that only some options need, as mkfilter encodes it. */
static uint32_t verdict(uint32_t compiled_verdict, unsigned needs, uint32_t otherwise)
{
    bool is_open = (compiled_verdict & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE;

    if (is_open && (compiled_verdict & needs & SECCOMP_RET_DATA) != 0)
        return SECCOMP_RET_ALLOW;
    return is_open || compiled_verdict == SECCOMP_RET_TRAP ? otherwise : compiled_verdict;
}

unsigned sandbox_filter_make(struct sock_filter code[SANDBOX_FILTER_MAX], unsigned needs,
                             pid_t self, uint32_t otherwise)
{
    bool learns = otherwise == SECCOMP_RET_USER_NOTIF;
    const struct sock_filter *from = learns ? compiled_to_learn : compiled;
    unsigned count = (learns ? sizeof compiled_to_learn : sizeof compiled) / sizeof compiled[0];

    for (unsigned i = 0; i < count; i++) {
        code[i] = from[i];
        if (code[i].code == (BPF_RET | BPF_K))
            code[i].k = verdict(code[i].k, needs, otherwise);
        else if (code[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && code[i].k == SANDBOX_SELF)
            code[i].k = (uint32_t)self;
    }
    return count;
}
