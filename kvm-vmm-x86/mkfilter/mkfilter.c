/*
 * mkfilter: compiles the sandbox's tables (src/host/sandbox/calls.c) into one filter for seccomp,
 * by libseccomp, when the VMM is built: in the VMM this would add 0.4 ms and 280 KB of the library
 * to each start. Prints the instructions as rows of an initialiser. src/host/sandbox/filter.c fills
 * in what only a run knows: a call that only some needs allow returns TRACE with the set of these
 * needs, a call that is not allowed returns TRAP, and a mark stands for the process ID.
 */
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/sandbox/calls.h"
#include "host/sandbox/filter.h"

enum { BINARY_TREE = 2 }; /* the kernel evaluates it in half the time of a list */

static uint32_t action_for(unsigned needs)
{
    return needs == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_TRACE(needs);
}

static int allow(scmp_filter_ctx filter, const struct sandbox_call *call)
{
    struct scmp_arg_cmp conditions[SANDBOX_CONDITIONS_MAX];
    unsigned count = 0;

    while (count < SANDBOX_CONDITIONS_MAX && call->conditions[count].mask != 0) {
        const struct sandbox_condition *c = &call->conditions[count];

        conditions[count++] = c->mask == UINT64_MAX
                                  ? SCMP_CMP64(c->argument, SCMP_CMP_EQ, c->value, 0)
                                  : SCMP_CMP64(c->argument, SCMP_CMP_MASKED_EQ, c->mask, c->value);
    }
    return seccomp_rule_add_array(filter, action_for(call->needs), call->number, count, conditions);
}

static int allow_all(scmp_filter_ctx filter, bool learns)
{
    int code = 0;

    /* libseccomp puts a comparison with a mask before those without: KVM_RUN gets one. */
    for (unsigned i = 0; i < sandbox_ioctl_count && code == 0; i++)
        code = seccomp_rule_add(
            filter, action_for(sandbox_ioctls[i].needs), SYS_ioctl, 1,
            i == 0 ? SCMP_A1_32(SCMP_CMP_MASKED_EQ, UINT32_MAX, sandbox_ioctls[i].request)
                   : SCMP_A1_32(SCMP_CMP_EQ, sandbox_ioctls[i].request, 0));
    for (unsigned i = 0; i < sandbox_call_count && code == 0; i++)
        if (!(learns && sandbox_names_a_file(sandbox_calls[i].number)))
            code = allow(filter, &sandbox_calls[i]);
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SYS_clone3, 0);
    return code;
}

static int print(scmp_filter_ctx filter)
{
    static struct sock_filter rows[SANDBOX_FILTER_MAX + 1];
    int fd = memfd_create("filter", MFD_CLOEXEC);
    int code = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);
    ssize_t size = code == 0 ? pread(fd, rows, sizeof rows, 0) : -1;

    if (size <= 0 || (size_t)size == sizeof rows)
        return code == 0 ? -E2BIG : code;
    for (size_t i = 0; i < (size_t)size / sizeof rows[0]; i++)
        printf("{%#x, %u, %u, %#x},\n", rows[i].code, rows[i].jt, rows[i].jf, rows[i].k);
    return fflush(stdout) == 0 ? 0 : -errno;
}

/* mkfilter [learn] */
int main(int argc, char *argv[])
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    int code = filter == NULL
                   ? -ENOMEM
                   : seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (code == 0)
        code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
    if (code == 0)
        code = allow_all(filter, argc > 1 && strcmp(argv[1], "learn") == 0);
    if (code == 0)
        code = print(filter);
    if (code != 0)
        fprintf(stderr, "mkfilter: the sandbox's filter cannot be made: %s\n", strerror(-code));
    seccomp_release(filter);
    return code == 0 ? 0 : 1;
}
