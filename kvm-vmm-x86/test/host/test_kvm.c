/*
 * Unit tests of host/kvm/kvm.c and firmware.c with recorded answers: this program's ioctl acts as
 * the KVM of hosts that we do not have. Each test has the answers of its host.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cmocka_all.h"
#include "host/kvm/kvm.h"

enum { VM_FD = 1000, CPU_FD, MSRS = 2, CALLS_MAX = 32 };
enum { MISC_ENABLE = 0x1a0, MTRR_DEF_TYPE = 0x2ff };

static struct recorded {
    bool has_tss, has_identity_map; /* extensions */
    int refuses_tss;                /* errno */
    struct kvm_mp_state mp;
    struct kvm_regs regs;
    struct kvm_vcpu_events events;
    struct kvm_msr_entry msrs[MSRS];
    uint64_t xcr0;
    unsigned long calls[CALLS_MAX]; /* calls that change something, in order */
    unsigned count;
} host;

static bool was_called(unsigned long request)
{
    for (unsigned i = 0; i < host.count; i++)
        if (host.calls[i] == request)
            return true;
    return false;
}

static int extension(long number)
{
    return number == KVM_CAP_SET_TSS_ADDR            ? host.has_tss
           : number == KVM_CAP_SET_IDENTITY_MAP_ADDR ? host.has_identity_map
                                                     : 0;
}

static int access_msr(struct kvm_msrs *msrs, bool set)
{
    for (unsigned i = 0; i < MSRS; i++) {
        if (host.msrs[i].index != msrs->entries[0].index)
            continue;
        if (set)
            host.msrs[i].data = msrs->entries[0].data;
        else
            msrs->entries[0].data = host.msrs[i].data;
        return 1;
    }
    return 0;
}

static int refuse(int code)
{
    errno = code;
    return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *p;

    va_start(args, request);
    p = va_arg(args, void *);
    va_end(args);
    (void)fd;
    if (request != KVM_CHECK_EXTENSION && host.count < CALLS_MAX)
        host.calls[host.count++] = request;
    switch (request) {
    case KVM_CHECK_EXTENSION:
        return extension((long)p);
    case KVM_CREATE_VM:
        return VM_FD;
    case KVM_SET_TSS_ADDR:
        return host.refuses_tss != 0 ? refuse(host.refuses_tss) : 0;
    case KVM_SET_IDENTITY_MAP_ADDR:
        return 0;
    case KVM_GET_MP_STATE:
        memcpy(p, &host.mp, sizeof host.mp);
        return 0;
    case KVM_GET_REGS:
        memcpy(p, &host.regs, sizeof host.regs);
        return 0;
    case KVM_GET_VCPU_EVENTS:
        memcpy(p, &host.events, sizeof host.events);
        return 0;
    case KVM_GET_MSRS:
    case KVM_SET_MSRS:
        return access_msr(p, request == KVM_SET_MSRS);
    case KVM_SET_XCRS:
        host.xcr0 = ((struct kvm_xcrs *)p)->xcrs[0].value;
        return 0;
    default: /* including KVM_GET_STATS_FD: a kernel before 5.14 */
        return refuse(ENOTTY);
    }
}

static int set_up(void **state)
{
    (void)state;
    host = (struct recorded){.has_tss = true, .has_identity_map = true};
    return 0;
}

/* An old Intel processor needs both pages even for a real-mode guest, which has no interrupt
 * controllers. */
static void test_pages_of_intel_are_reserved_at_creation(void **state)
{
    struct kvm kvm = {.fd = 3};
    struct error error;

    (void)state;
    assert_int_equal(kvm_create_vm(&kvm, &error), VM_FD);
    assert_int_equal(host.count, 3);
    assert_int_equal(host.calls[0], KVM_CREATE_VM);
    assert_true(was_called(KVM_SET_TSS_ADDR) && was_called(KVM_SET_IDENTITY_MAP_ADDR));
    host = (struct recorded){.has_tss = false}; /* a KVM without them, as some nested ones */
    assert_int_equal(kvm_create_vm(&kvm, &error), VM_FD);
    assert_int_equal(host.count, 1);
    host = (struct recorded){.has_tss = true, .refuses_tss = EEXIST};
    assert_int_equal(kvm_create_vm(&kvm, &error), -1);
    assert_non_null(strstr(error.text, "its TSS and identity map"));
}

static void test_misc_enable_is_amended(void **state)
{
    struct kvm_cpu cpu = {.fd = CPU_FD};
    const struct kvm_cpuid2 cpuid = {0};
    enum {
        PEBS_UNAVAILABLE = 1 << 12,
        BTS_UNAVAILABLE = 1 << 11
    }; /* as KVM on Intel has them set */

    (void)state;
    host.msrs[0] =
        (struct kvm_msr_entry){.index = MISC_ENABLE, .data = PEBS_UNAVAILABLE | BTS_UNAVAILABLE};
    host.msrs[1] = (struct kvm_msr_entry){.index = MTRR_DEF_TYPE, .data = 0x401};
    kvm_set_firmware_state(&cpu, &cpuid);
    assert_int_equal(host.msrs[0].data, PEBS_UNAVAILABLE | BTS_UNAVAILABLE | 1);
    assert_int_equal(host.msrs[1].data, 0xc06); /* enabled, write-back; fixed ranges stay */
    host.msrs[0].index = 0; /* KVM on AMD does not have it: nothing is written */
    kvm_set_firmware_state(&cpu, &cpuid);
    assert_int_equal(host.msrs[0].data, PEBS_UNAVAILABLE | BTS_UNAVAILABLE | 1);
}

/* Even if the guest has changed it meanwhile. */
static void test_xcr0_of_the_start_comes_back(void **state)
{
    struct {
        struct kvm_cpuid2 header;
        struct kvm_cpuid_entry2 xsave;
    } cpuid = {.header.nent = 1, .xsave = {.function = 0xd, .eax = 0x207, .edx = 1}};
    struct kvm_cpu cpu = {.fd = CPU_FD, .xcr0 = 1};

    (void)state;
    kvm_reset_xcr0(&cpu);
    assert_int_equal(host.xcr0, 1);
    kvm_set_firmware_state(&cpu, &cpuid.header);
    assert_int_equal(host.xcr0, UINT64_C(0x100000207));
    host.xcr0 = 3;
    kvm_reset_xcr0(&cpu);
    assert_int_equal(host.xcr0, UINT64_C(0x100000207));
}

static void test_halts(void **state)
{
    const struct kvm_cpu cpu = {.fd = CPU_FD, .stats_fd = -1};

    (void)state;
    assert_false(kvm_counts_halts(&cpu));
    assert_int_equal(kvm_halt_count(&cpu), 0);
    host.mp.mp_state = KVM_MP_STATE_RUNNABLE;
    assert_int_equal(kvm_halt_state(&cpu), KVM_HALT_RUNNING);
    host.mp.mp_state = KVM_MP_STATE_HALTED;
    assert_int_equal(kvm_halt_state(&cpu), KVM_HALT_DEAD);
    host.regs.rflags = RFLAGS_IF;
    assert_int_equal(kvm_halt_state(&cpu), KVM_HALT_ASLEEP);
    host.regs.rflags = 0;
    host.events.nmi.pending = 1;
    assert_int_equal(kvm_halt_state(&cpu), KVM_HALT_ASLEEP);
    host.mp.mp_state = KVM_MP_STATE_UNINITIALIZED;
    assert_int_equal(kvm_halt_state(&cpu), KVM_HALT_NEVER_STARTED);
    host.mp.mp_state = KVM_MP_STATE_INIT_RECEIVED;
    assert_int_equal(kvm_halt_state(&cpu), KVM_HALT_NEVER_STARTED);
}

static void test_whose_internal_error_it_is(void **state)
{
    static const struct {
        uint32_t suberror;
        bool guests;
    } cases[] = {{1, true}, {2, false}, {3, true}, {4, false}, {77, false}};
    struct kvm_run run = {.exit_reason = KVM_EXIT_INTERNAL_ERROR};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run.internal.suberror = cases[i].suberror;
        assert_int_equal(kvm_error_is_guests(&run), cases[i].guests);
    }
}

/* The state of a vCPU after a shutdown: on AMD (recorded in the lab) it is reset, on Intel it is
 * not. */
static void test_reset_at_shutdown(void **state)
{
    struct kvm_regs regs = {.rip = 0xfff0, .rdx = 0x800f12, .rflags = 2};
    struct kvm_sregs sregs = {.cs = {.selector = 0xf000, .base = 0xffff0000}, .cr0 = 0x60000010};

    (void)state;
    assert_true(kvm_was_reset(&regs, &sregs));
    regs.rip = 0x100040;
    assert_false(kvm_was_reset(&regs, &sregs));
    regs.rip = 0xfff0;
    sregs.cr0 |= 1;
    assert_false(kvm_was_reset(&regs, &sregs));
    sregs = (struct kvm_sregs){.cs = {.selector = 0, .base = 0}}; /* a real-mode guest at 0:fff0 */
    assert_false(kvm_was_reset(&regs, &sregs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pages_of_intel_are_reserved_at_creation, set_up),
        cmocka_unit_test_setup(test_misc_enable_is_amended, set_up),
        cmocka_unit_test_setup(test_halts, set_up),
        cmocka_unit_test_setup(test_whose_internal_error_it_is, set_up),
        cmocka_unit_test_setup(test_reset_at_shutdown, set_up),
        cmocka_unit_test_setup(test_xcr0_of_the_start_comes_back, set_up),
    };

    return cmocka_run_group_tests_name("kvm", tests, NULL, NULL);
}
