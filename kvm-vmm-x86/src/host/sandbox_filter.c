/* The filter; see sandbox_filter.h. seccomp_rule_add(3). */
#include "host/sandbox_filter.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "host/sandbox_calls.h"

static bool is_needed(unsigned needs, unsigned by)
{
    return by == 0 || (needs & by) != 0;
}

static int allow(scmp_filter_ctx filter, const struct sandbox_call *call)
{
    struct scmp_arg_cmp conditions[SANDBOX_CONDITIONS_MAX];
    unsigned count = 0;

    while (count < SANDBOX_CONDITIONS_MAX && call->conditions[count].mask != 0) {
        const struct sandbox_condition *c = &call->conditions[count];

        conditions[count++] = c->mask == UINT64_MAX
                                  ? SCMP_CMP64(c->argument, SCMP_CMP_EQ, c->value)
                                  : SCMP_CMP64(c->argument, SCMP_CMP_MASKED_EQ, c->mask, c->value);
    }
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call->number, count, conditions);
}

/* Calls that name a file: in a run that learns they are asked about, since no Landlock is. */
static bool names_a_file(int number)
{
    static const int naming[] = {SYS_open,    SYS_openat, SYS_unlink, SYS_unlinkat, SYS_mkdir,
                                 SYS_mkdirat, SYS_rmdir,  SYS_rename, SYS_truncate, SYS_mknodat};

    for (unsigned i = 0; i < sizeof naming / sizeof naming[0]; i++)
        if (naming[i] == number)
            return true;
    return false;
}

static int allow_all(scmp_filter_ctx filter, unsigned needs, pid_t self, bool learns)
{
    const struct sandbox_call to_self = {
        .number = SYS_tgkill, .conditions = {{UINT32_MAX, (uint64_t)self, 0}}}; /* signals */
    int code = 0;

    /* libseccomp puts a comparison with a mask before those without: KVM_RUN gets one. */
    for (unsigned i = 0; i < sandbox_ioctl_count && code == 0; i++)
        if (is_needed(needs, sandbox_ioctls[i].needs))
            code = seccomp_rule_add(
                filter, SCMP_ACT_ALLOW, SYS_ioctl, 1,
                i == 0 ? SCMP_A1_32(SCMP_CMP_MASKED_EQ, UINT32_MAX, sandbox_ioctls[i].request)
                       : SCMP_A1_32(SCMP_CMP_EQ, sandbox_ioctls[i].request));
    for (unsigned i = 0; i < sandbox_call_count && code == 0; i++)
        if (is_needed(needs, sandbox_calls[i].needs) &&
            !(learns && names_a_file(sandbox_calls[i].number)))
            code = allow(filter, &sandbox_calls[i]);
    if (code == 0)
        code = allow(filter, &to_self);
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SYS_clone3, 0);
    return code;
}

int sandbox_filter_make(scmp_filter_ctx *filter, unsigned needs, pid_t self, uint32_t otherwise)
{
    int code;

    *filter = seccomp_init(otherwise);
    if (*filter == NULL)
        return -ENOMEM;
    code = seccomp_attr_set(*filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (code == 0) /* the filter looks for ioctl first, for KVM_RUN is the call that counts */
        code = seccomp_syscall_priority(*filter, SYS_ioctl, 255);
    return code == 0 ? allow_all(*filter, needs, self, otherwise == SCMP_ACT_NOTIFY) : code;
}
