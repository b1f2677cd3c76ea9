/* lab-probe [--values | --json [SECONDS]]: what works on this host's /dev/kvm. Each check runs in a
 * process of its own, for at most SECONDS (5). All run at the same time, except the two that
 * measure. Exit status: 0 complete, 1 incomplete, 2 missing, 3 denied. With --counter: the rate of
 * the host's time-stamp counter in kHz, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/probe/checks.h"

enum verdict { COMPLETE, INCOMPLETE, MISSING, DENIED };
enum outcome { WORKS, FAILS, HANGS };

/* These checks do not decide whether this KVM is complete: figures, and features that QEMU's SVM,
 * and so the lab, does not have either. That reports neither int3 nor debug registers to KVM, and
 * marks entries of PAE's pointer table as accessed, which KVM treats as an error when the guest
 * writes CR4. */
#define OPTIONAL 1
#define ALONE    2 /* measures, so it runs alone */

struct check {
    const char *name;
    const char *about;
    int (*run)(struct guest *);
    unsigned flags;
};

static const struct check checks[] = {
    {"real", "16-bit real mode, port output, HLT", modes_real, 0},
    {"real_int", "a software interrupt in real mode", modes_real_int, 0},
    {"protected", "32-bit protected mode", modes_protected, 0},
    {"paged", "32-bit paging", modes_paged, 0},
    {"pae", "32-bit PAE paging", modes_pae, 0},
    {"pae_cr4", "32-bit PAE paging, a change of CR4", modes_pae_cr4, OPTIONAL},
    {"long", "64-bit long mode", modes_long, 0},
    {"mmio", "an access where no memory is", platform_mmio, 0},
    {"int3", "int3 reported to the debugger", debug_int3, OPTIONAL},
    {"breakpoint", "hardware breakpoint", debug_breakpoint, OPTIONAL},
    {"watchpoint", "hardware watchpoint", debug_watchpoint, OPTIONAL},
    {"step", "single steps", debug_step, 0},
    {"msrs", "model-specific registers", platform_msrs, 0},
    {"irqchip", "interrupts through the kernel's controllers", platform_irqchip, 0},
    {"smp", "two processors in one guest", platform_smp, 0},
    {"msr_10a", "MSR 0x10a, ARCH_CAPABILITIES", platform_msr_capabilities, OPTIONAL},
    {"exits", "speed of port exits", speed_exits, OPTIONAL | ALONE},
    {"instructions", "speed of guest code", speed_instructions, OPTIONAL | ALONE},
};

#define CHECK_COUNT (sizeof(checks) / sizeof(checks[0]))

/* The result of each check, in the table's order. */
struct result {
    pid_t pid;
    int pipe;
    enum outcome outcome;
    char reason[96];
};

static struct result results[CHECK_COUNT];
static int64_t limit_ms = 5000; /* of one check */

struct answer {
    int code;
    char reason[96];
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void start(const struct check *check, struct result *result)
{
    int ends[2] = {-1, -1};

    result->pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    result->pipe = ends[0];
    if (result->pid == 0) {
        struct guest guest;
        struct answer answer = {.code = check->run(&guest)};

        memcpy(answer.reason, guest.reason, sizeof(answer.reason));
        _exit(write(ends[1], &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
    }
    close(ends[1]);
}

/* Waits for the answer until the time `end`. Does not wait for a killed child that does not end. */
static void finish(struct result *result, int64_t end)
{
    struct pollfd ready = {.fd = result->pipe, .events = POLLIN};
    struct answer answer = {.code = -EIO, .reason = "the check itself failed"};
    int64_t left = end - now_ms();

    result->outcome = FAILS;
    if (result->pid < 0) {
        strcpy(result->reason, "cannot start a process for the check");
        return;
    }
    if (poll(&ready, 1, left > 0 ? (int)left : 0) == 0) {
        result->outcome = HANGS;
        strcpy(answer.reason, "the guest does not return to the VMM");
    } else if (read(result->pipe, &answer, sizeof(answer)) == sizeof(answer) && answer.code == 0) {
        result->outcome = WORKS;
    }
    memcpy(result->reason, answer.reason, sizeof(result->reason));
    kill(result->pid, SIGKILL);
    close(result->pipe);
    waitpid(result->pid, NULL, WNOHANG);
}

static void run_checks(void)
{
    int64_t end = now_ms() + limit_ms;

    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (!(checks[i].flags & ALONE))
            start(&checks[i], &results[i]);
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (!(checks[i].flags & ALONE))
            finish(&results[i], end);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (checks[i].flags & ALONE) {
            start(&checks[i], &results[i]);
            finish(&results[i], now_ms() + limit_ms);
        }
    }
}

static enum verdict judge(void)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (!(checks[i].flags & OPTIONAL) && results[i].outcome != WORKS)
            return INCOMPLETE;
    return COMPLETE;
}

static enum verdict look_for_device(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return errno == EACCES || errno == EPERM ? DENIED : MISSING;
    close(fd);
    return COMPLETE;
}

static const char *const verdict_names[] = {"complete", "incomplete", "missing", "denied"};
static const char *const outcome_names[] = {"works", "fails", "hangs"};

static void print_table(enum verdict verdict)
{
    for (size_t i = 0; i < CHECK_COUNT && verdict < MISSING; i++)
        printf("  %-12s %-6s %s%s%s%s\n", checks[i].name, outcome_names[results[i].outcome],
               checks[i].about, results[i].reason[0] ? ": " : "", results[i].reason,
               checks[i].flags & OPTIONAL ? " (not decisive)" : "");
    printf("KVM is %s\n", verdict_names[verdict]);
}

static void print_values(enum verdict verdict)
{
    printf("kvm=%s\n", verdict_names[verdict]);
    for (size_t i = 0; i < CHECK_COUNT && verdict < MISSING; i++)
        printf("%s=%s %s\n", checks[i].name, outcome_names[results[i].outcome], results[i].reason);
}

/* None of these strings needs escaping. */
static void print_json(enum verdict verdict)
{
    printf("{\"kvm\": \"%s\", \"checks\": {", verdict_names[verdict]);
    for (size_t i = 0; i < CHECK_COUNT && verdict < MISSING; i++)
        printf("%s\n  \"%s\": {\"outcome\": \"%s\", \"decisive\": %s, \"detail\": \"%s\"}",
               i ? "," : "", checks[i].name, outcome_names[results[i].outcome],
               checks[i].flags & OPTIONAL ? "false" : "true", results[i].reason);
    printf("}}\n");
}

int main(int argc, char **argv)
{
    enum verdict verdict;

    if (argc == 2 && strcmp(argv[1], "--counter") == 0)
        return printf("%u\n", speed_counter()) < 0;
    verdict = look_for_device();
    if (argc == 3)
        limit_ms = strtol(argv[2], NULL, 10) * 1000;
    if (argc > 3 || limit_ms <= 0 || limit_ms > 3600000 ||
        (argc >= 2 && strcmp(argv[1], "--values") && strcmp(argv[1], "--json"))) {
        fprintf(stderr, "usage: %s [--values | --json [SECONDS] | --counter]\n", argv[0]);
        return 125;
    }
    if (verdict < MISSING) {
        run_checks();
        verdict = judge();
    }
    if (argc == 1)
        print_table(verdict);
    else if (strcmp(argv[1], "--json") == 0)
        print_json(verdict);
    else
        print_values(verdict);
    return (int)verdict;
}
