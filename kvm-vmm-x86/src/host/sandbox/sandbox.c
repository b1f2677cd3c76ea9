/* The sandbox; see sandbox.h. seccomp(2), filter.c; Landlock, landlock.c. */
#include "host/sandbox/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "host/sandbox/filter.h"
#include "host/sandbox/landlock.h"
#include "host/sandbox/learn.h"
#include "host/terminal.h"

enum { STATUS_FAILED = 125 };

static enum sandbox_mode sandbox_mode = SANDBOX_OFF;

void sandbox_begin(enum sandbox_mode mode)
{
    sandbox_mode = mode;
    if (mode == SANDBOX_ON)
        landlock_begin();
    if (mode == SANDBOX_LEARN)
        landlock_begin_learning();
}

/* --- a call that is not allowed --- */

struct line {
    char text[256];
    size_t used;
};

static void add(struct line *line, const char *text)
{
    size_t length = strlen(text);

    if (length < sizeof line->text - line->used) {
        memcpy(line->text + line->used, text, length);
        line->used += length;
    }
}

static void add_hex(struct line *line, uint64_t value)
{
    char digits[19] = "0x";
    unsigned length = 2;

    for (int shift = value == 0 ? 0 : (63 - __builtin_clzll(value)) / 4 * 4; shift >= 0; shift -= 4)
        digits[length++] = "0123456789abcdef"[value >> shift & 15];
    digits[length] = '\0';
    add(line, digits);
}

/* Async-signal-safe: the thread may hold any lock. Other threads may still run; the program ends
 * here. */
static void on_forbidden(int signal, siginfo_t *info, void *context)
{
    static const int arguments[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10};
    const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
    const char *name = sandbox_call_name(info->si_syscall);
    struct line line = {.used = 0};
    char thread[16] = "?";

    (void)signal;
    terminal_abandon();
    (void)prctl(PR_GET_NAME, thread);
    add(&line, "kvm-vmm: the sandbox forbids ");
    add(&line, name != NULL ? name : "a system call that has no name");
    for (unsigned i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
        add(&line, i == 0 ? "(" : ", ");
        add_hex(&line, (uint64_t)registers[arguments[i]]);
    }
    add(&line, ") in the thread ");
    add(&line, thread);
    add(&line, "; --no-sandbox runs without it\n");
    if (write(STDERR_FILENO, line.text, line.used) < 0)
        _exit(STATUS_FAILED);
    _exit(STATUS_FAILED);
}

static int take_signal(struct error *error)
{
    struct sigaction action = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO};

    sigfillset(&action.sa_mask);
    return sigaction(SIGSYS, &action, NULL) == 0
               ? 0
               : error_set(error, "the sandbox cannot install its signal handler: %s",
                           strerror(errno));
}

/* --- the filter --- */

/* Kernels before 5.16 would turn on the Speculative Store Bypass mitigation for each thread with a
 * filter. It is for programs that run foreign code in their own address space; ours runs in the
 * guest's, so it stays off. */
static int enter_seccomp(unsigned needs, struct error *error)
{
    bool learn = sandbox_mode == SANDBOX_LEARN;
    uint32_t otherwise = learn ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_TRAP;
    struct sock_filter code[SANDBOX_FILTER_MAX];
    struct sock_fprog program = {
        .len = (unsigned short)sandbox_filter_make(code, needs, getpid(), otherwise),
        .filter = code};
    unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    int failed = 0;
    long fd;

    if (learn) {
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
        failed = sandbox_learn_begin(needs);
    }
    if (failed == 0) {
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
        failed = fd < 0 ? -errno : learn ? sandbox_learn_watch((int)fd) : 0;
    }
    return failed == 0 ? 0 : error_set(error, "seccomp: %s", strerror(-failed));
}

/* Landlock and the filter belong to a thread: another thread that runs already would be outside the
 * sandbox. */
static bool is_alone(void)
{
    struct stat tasks;

    return stat("/proc/self/task", &tasks) < 0 || tasks.st_nlink <= 3;
}

int sandbox_enter(unsigned needs, struct error *error)
{
    struct error why;
    int files = 1;

    if (sandbox_mode == SANDBOX_OFF)
        return 1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(error, "the sandbox: no_new_privs: %s", strerror(errno));
    if (!is_alone())
        return error_set(error, "the sandbox: a thread was started before it");
    if (sandbox_mode == SANDBOX_ON)
        files = landlock_enter(&why);
    if (files < 0 || take_signal(&why) < 0 || enter_seccomp(needs, &why) < 0)
        return error_set(error, "the sandbox cannot be set up: %.300s (--no-sandbox runs without)",
                         why.text);
    return files;
}
