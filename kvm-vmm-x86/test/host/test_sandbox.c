/* Unit tests of the sandbox: its tables allow only bounded calls, all of which have names; its
 * filter allows exactly these. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "host/sandbox/calls.h"
#include "host/sandbox/filter.h"

enum { ALL_NEEDS = ~0, SELF = 4711 };

static bool is_in(const int *numbers, size_t count, int number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* Whether a run with these needs may make this call with these arguments. */
static bool allows(unsigned needs, int number, const uint64_t arguments[6])
{
    for (unsigned i = 0; i < sandbox_call_count; i++) {
        const struct sandbox_call *call = &sandbox_calls[i];
        bool good = call->number == number && (call->needs == 0 || (call->needs & needs) != 0);

        for (unsigned c = 0; c < SANDBOX_CONDITIONS_MAX; c++) {
            const struct sandbox_condition *condition = &call->conditions[c];

            good &= (arguments[condition->argument] & condition->mask) ==
                    (condition->value == SANDBOX_SELF ? SELF : condition->value);
        }
        if (good)
            return true;
    }
    return false;
}

/* No need allows these calls, with any arguments. */
static void test_never(void **state)
{
    static const int never[] = {SYS_execve,
                                SYS_execveat,
                                SYS_fork,
                                SYS_vfork,
                                SYS_clone3,
                                SYS_ptrace,
                                SYS_bpf,
                                SYS_mount,
                                SYS_setns,
                                SYS_process_vm_readv,
                                SYS_process_vm_writev,
                                SYS_io_uring_setup,
                                SYS_io_uring_register,
                                SYS_open_by_handle_at,
                                SYS_pidfd_getfd,
                                SYS_userfaultfd,
                                SYS_init_module,
                                SYS_personality,
                                SYS_setuid,
                                SYS_chroot,
                                SYS_ioctl};

    (void)state;
    for (unsigned i = 0; i < sandbox_call_count; i++)
        assert_false(is_in(never, sizeof never / sizeof never[0], sandbox_calls[i].number));
}

/* Each row of these calls has a condition. */
static void test_with_conditions(void **state)
{
    static const int bounded[] = {SYS_mmap,   SYS_mprotect, SYS_clone, SYS_prctl,
                                  SYS_socket, SYS_fcntl,    SYS_kill,  SYS_unshare};

    (void)state;
    for (unsigned i = 0; i < sandbox_call_count; i++)
        if (is_in(bounded, sizeof bounded / sizeof bounded[0], sandbox_calls[i].number))
            assert_int_not_equal(sandbox_calls[i].conditions[0].mask, 0);
}

static void test_arguments(void **state)
{
    const uint64_t thread[6] = {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                CLONE_CHILD_CLEARTID};
    const uint64_t process[6] = {CLONE_VM | CLONE_VFORK | 17},
                   spaces[6] = {thread[0] | CLONE_NEWUSER};
    const uint64_t data[6] = {0, 4096, PROT_READ | PROT_WRITE};
    const uint64_t code[6] = {0, 4096, PROT_READ | PROT_EXEC};
    const uint64_t local[6] = {1}, internet[6] = {2};
    const uint64_t copy[6] = {CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | 17};

    (void)state;
    assert_true(allows(0, SYS_clone, thread));
    assert_false(allows(ALL_NEEDS, SYS_clone, process));
    assert_false(allows(ALL_NEEDS, SYS_clone, spaces));
    assert_true(allows(0, SYS_mmap, data) && allows(0, SYS_mprotect, data));
    assert_false(allows(ALL_NEEDS, SYS_mmap, code) || allows(ALL_NEEDS, SYS_mprotect, code));
    assert_true(allows(SANDBOX_USER_NET, SYS_socket, internet));
    assert_false(allows(ALL_NEEDS & ~SANDBOX_USER_NET, SYS_socket, internet));
    assert_true(allows(SANDBOX_VSOCK, SYS_socket, local));
    assert_true(allows(SANDBOX_FORK, SYS_socket, local));
    assert_false(allows(ALL_NEEDS & ~(SANDBOX_VSOCK | SANDBOX_FORK), SYS_socket, local));
    assert_true(allows(SANDBOX_FORK, SYS_clone, copy));
    assert_false(allows(ALL_NEEDS & ~SANDBOX_FORK, SYS_clone, copy));
    assert_true(allows(SANDBOX_SHARE, SYS_renameat2, data));
    assert_false(allows(ALL_NEEDS & ~SANDBOX_SHARE, SYS_renameat2, data));
}

/* Each call is in the table once, or each time with another condition; each ioctl is there once. */
static void test_no_row_twice(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sandbox_call_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (sandbox_calls[k].number == sandbox_calls[i].number)
                assert_memory_not_equal(sandbox_calls[k].conditions, sandbox_calls[i].conditions,
                                        sizeof sandbox_calls[i].conditions);
    for (unsigned i = 0; i < sandbox_ioctl_count; i++)
        for (unsigned k = 0; k < i; k++)
            assert_int_not_equal(sandbox_ioctls[k].request, sandbox_ioctls[i].request);
    assert_int_equal(sandbox_ioctls[0].request, KVM_RUN);
}

/* Landlock decides calls that name files, and --sandbox=learn looks at them: each such call of the
 * list has a row, and each row has a call of the list. */
static void test_namings(void **state)
{
    static const char *const words[] = {"open",  "link",  "rename",   "mkdir", "rmdir",
                                        "mknod", "creat", "truncate", "bind"};
    static const char *const others[] = {"readlink",       "readlinkat",   "ftruncate",
                                         "timerfd_create", "memfd_create", "epoll_create1"};

    (void)state;
    for (unsigned i = 0; i < sandbox_call_count; i++) {
        const char *name = sandbox_call_name(sandbox_calls[i].number);
        bool names_a_file = false;

        for (unsigned w = 0; w < sizeof words / sizeof words[0]; w++)
            names_a_file |= strstr(name, words[w]) != NULL;
        for (unsigned o = 0; o < sizeof others / sizeof others[0]; o++)
            names_a_file &= strcmp(name, others[o]) != 0;
        if (names_a_file != sandbox_names_a_file(sandbox_calls[i].number))
            fail_msg("%s", name);
    }
    for (unsigned n = 0; n < sandbox_naming_count; n++) {
        unsigned i = 0;

        while (i < sandbox_call_count && sandbox_calls[i].number != sandbox_namings[n].number)
            i++;
        if (i == sandbox_call_count)
            fail_msg("%s", sandbox_call_name(sandbox_namings[n].number));
    }
}

static void test_not_into_the_terminal(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sandbox_ioctl_count; i++)
        assert_int_not_equal(sandbox_ioctls[i].request, TIOCSTI);
}

/* --- the filter --- */

/* Evaluates the filter as the kernel does. */
static uint32_t run(const struct sock_filter *code, unsigned count, const struct seccomp_data *data)
{
    uint32_t a = 0;

    for (unsigned pc = 0; pc < count; pc++) {
        const struct sock_filter *i = &code[pc];

        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(i->k % 4 == 0 && i->k < sizeof *data);
            memcpy(&a, (const char *)data + i->k, sizeof a);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= i->k;
            break;
        case BPF_JMP | BPF_JA:
            pc += i->k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            pc += a >= i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            pc += a > i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += a == i->k ? i->jt : i->jf;
            break;
        case BPF_RET | BPF_K:
            return i->k;
        default:
            fail_msg("instruction %u: %#x", pc, i->code);
        }
    }
    fail_msg("the filter's end is passed");
    return 0;
}

/* The verdict for that call by the tables. */
static uint32_t expected(unsigned needs, const struct seccomp_data *data)
{
    const uint64_t *args = (const uint64_t *)data->args;

    if (data->nr == SYS_clone3)
        return SECCOMP_RET_ERRNO | ENOSYS;
    if (data->nr == SYS_ioctl)
        for (unsigned i = 0; i < sandbox_ioctl_count; i++)
            if (sandbox_ioctls[i].request == (i == 0 ? (uint32_t)args[1] : args[1]) &&
                (sandbox_ioctls[i].needs == 0 || (sandbox_ioctls[i].needs & needs) != 0))
                return SECCOMP_RET_ALLOW;
    return allows(needs, data->nr, args) ? SECCOMP_RET_ALLOW : SECCOMP_RET_TRAP;
}

/* Each call with each value of any row, also with one bit changed and with the upper half set, for
 * each argument. */
static void test_filter_says_what_the_tables_say(void **state)
{
    static const unsigned all_needs[] = {0,
                                         SANDBOX_SHARE,
                                         SANDBOX_SERVER | SANDBOX_DISK,
                                         SANDBOX_USER_NET | SANDBOX_NET,
                                         SANDBOX_SNAPSHOT,
                                         SANDBOX_FORK,
                                         SANDBOX_CACHE | SANDBOX_VSOCK | SANDBOX_TRAVEL,
                                         (unsigned)ALL_NEEDS};
    static struct sock_filter code[SANDBOX_FILTER_MAX];
    uint64_t values[256] = {0, SELF, SELF | 1ull << 32, TIOCSTI, PROT_EXEC, CLONE_VFORK};
    unsigned count = 6;

    (void)state;
    for (unsigned i = 0; i < sandbox_call_count; i++)
        values[count++] = sandbox_calls[i].conditions[0].value;
    for (unsigned i = 0; i < sandbox_ioctl_count; i++)
        values[count++] = sandbox_ioctls[i].request;
    for (unsigned n = 0; n < sizeof all_needs / sizeof all_needs[0]; n++) {
        unsigned length = sandbox_filter_make(code, all_needs[n], SELF, SECCOMP_RET_TRAP);

        for (int number = 0; number < 500; number++)
            for (unsigned v = 0; v < 3 * count; v++) {
                uint64_t value = values[v / 3] ^ (v % 3 == 1) ^ (uint64_t)(v % 3 == 2) << 40;
                struct seccomp_data data = {.nr = number,
                                            .arch = AUDIT_ARCH_X86_64,
                                            .args = {value, value, value, value, value, value}};

                assert_int_equal(run(code, length, &data), expected(all_needs[n], &data));
            }
    }
}

/* The same for the learning filter, except for calls that name files. */
static void test_filter_that_learns(void **state)
{
    static struct sock_filter code[SANDBOX_FILTER_MAX];
    unsigned length = sandbox_filter_make(code, ALL_NEEDS, SELF, SECCOMP_RET_USER_NOTIF);

    (void)state;
    for (int number = 0; number < 500; number++) {
        struct seccomp_data data = {.nr = number, .arch = AUDIT_ARCH_X86_64};
        uint32_t otherwise = expected(ALL_NEEDS, &data);

        assert_int_equal(run(code, length, &data),
                         otherwise == SECCOMP_RET_TRAP || sandbox_names_a_file(number)
                             ? SECCOMP_RET_USER_NOTIF
                             : otherwise);
    }
}

/* Calls of the 32-bit and of the x32 table end the process. */
static void test_other_tables_of_calls(void **state)
{
    static struct sock_filter code[SANDBOX_FILTER_MAX];
    unsigned length = sandbox_filter_make(code, 0, SELF, SECCOMP_RET_TRAP);
    struct seccomp_data data = {.nr = SYS_read, .arch = AUDIT_ARCH_X86_64};

    (void)state;
    assert_int_equal(run(code, length, &data), SECCOMP_RET_ALLOW);
    data.nr |= 0x40000000;
    assert_int_equal(run(code, length, &data), SECCOMP_RET_KILL_PROCESS);
    data = (struct seccomp_data){.nr = SYS_read, .arch = AUDIT_ARCH_I386};
    assert_int_equal(run(code, length, &data), SECCOMP_RET_KILL_PROCESS);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(sandbox_call_name(SYS_read), "read");
    assert_string_equal(sandbox_call_name(SYS_landlock_restrict_self), "landlock_restrict_self");
    assert_null(sandbox_call_name(-1));
    assert_null(sandbox_call_name(100000));
    for (unsigned i = 0; i < sandbox_call_count; i++)
        assert_non_null(sandbox_call_name(sandbox_calls[i].number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_with_conditions),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_no_row_twice),
        cmocka_unit_test(test_namings),
        cmocka_unit_test(test_not_into_the_terminal),
        cmocka_unit_test(test_filter_says_what_the_tables_say),
        cmocka_unit_test(test_filter_that_learns),
        cmocka_unit_test(test_other_tables_of_calls),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
