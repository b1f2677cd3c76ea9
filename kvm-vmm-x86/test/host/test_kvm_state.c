/*
 * Unit tests of host/kvm/state.c and msrs.c: known faults of restores in VMMs. This program's ioctl
 * acts as a KVM with one vCPU; each test sets what its host has.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cmocka_all.h"
#include "host/clock.h"
#include "host/kvm/state.h"

enum { MAX_IO_MSRS = 256, OTHER_MSRS = 300, OTHER_MSR = 0xc0020000 };
enum { KVM_FD = 1000, VM_FD, CPU_FD, MSRS = 512, XSAVE_ROOM = 16 * 1024 };
enum {
    TSC = 0x10,
    MTRR_DEF_TYPE = 0x2ff,
    MC0_CTL = 0x400,
    TSC_DEADLINE = 0x6e0,
    STAR = 0xc0000081
};
enum { LAPIC_IRR = 0x200, TIMER_VECTOR = 0xec };
enum { TSC_KHZ = 1000000 };

static struct machine {
    struct kvm_msr_entry msrs[MSRS]; /* existing registers; index 0: unused */
    uint32_t listed[MSRS];           /* KVM's list, which also has registers that do not exist */
    struct kvm_lapic_state lapic;
    uint64_t host_tsc, offset; /* the host's counter; the guest's offset */
    bool has_offset;           /* KVM returns it from 5.16 on */
    uint8_t xsave[XSAVE_ROOM];
    int xsave_size; /* KVM_CAP_XSAVE2; 0: a kernel before 5.17 */
    struct kvm_clock_data clock;
    unsigned calls, runs_out_at; /* the call at which the timer runs out */
    int64_t left;                /* cycles that the timer had when it was last started */
    unsigned told_of_pause;
} host;

static int refuse(int code)
{
    errno = code;
    return -1;
}

static struct kvm_msr_entry *find(uint32_t index)
{
    for (unsigned i = 0; i < MSRS; i++)
        if (host.msrs[i].index == index && index != 0)
            return &host.msrs[i];
    return NULL;
}

/* The timer expires, and its interrupt is posted at once. */
static void run_out(void)
{
    struct kvm_msr_entry *deadline = find(TSC_DEADLINE);

    if (deadline->data != 0)
        host.lapic.regs[LAPIC_IRR + TIMER_VECTOR / 32 * 16 + TIMER_VECTOR % 32 / 8] |=
            1 << TIMER_VECTOR % 8;
    deadline->data = 0;
}

static bool interrupt_waits(void)
{
    return host.lapic.regs[LAPIC_IRR + TIMER_VECTOR / 32 * 16 + TIMER_VECTOR % 32 / 8] &
           1 << TIMER_VECTOR % 8;
}

static void start_timer(void)
{
    host.left = (int64_t)(find(TSC_DEADLINE)->data - (host.host_tsc + host.offset));
}

static int access_msrs(struct kvm_msrs *msrs, bool set)
{
    struct kvm_msr_entry *entries = msrs->entries;

    if (msrs->nmsrs >= MAX_IO_MSRS)
        return refuse(E2BIG);
    for (uint32_t i = 0; i < msrs->nmsrs; i++) {
        struct kvm_msr_entry *own = find(entries[i].index);

        if (own == NULL)
            return (int)i;
        if (!set)
            entries[i].data = own->data;
        else
            own->data = entries[i].data;
        if (set && own->index == TSC_DEADLINE)
            start_timer();
    }
    return (int)msrs->nmsrs;
}

static int list_msrs(struct kvm_msr_list *list)
{
    list->nmsrs = 0;
    for (unsigned i = 0; i < MSRS; i++)
        if (host.listed[i] != 0)
            list->indices[list->nmsrs++] = host.listed[i];
    for (uint32_t i = 0; i < OTHER_MSRS; i++) /* that this vCPU does not have */
        list->indices[list->nmsrs++] = OTHER_MSR + i;
    return 0;
}

static int access_attribute(const struct kvm_device_attr *attr, bool set)
{
    uint64_t *value = (uint64_t *)(uintptr_t)attr->addr;

    if (!host.has_offset)
        return refuse(ENXIO);
    if (set)
        host.offset = *value;
    else
        *value = host.offset;
    return 0;
}

static int access_vcpu(unsigned long request, void *p)
{
    switch (request) {
    case KVM_GET_MSRS:
    case KVM_SET_MSRS:
        return access_msrs(p, request == KVM_SET_MSRS);
    case KVM_GET_LAPIC:
        memcpy(p, &host.lapic, sizeof host.lapic);
        return 0;
    case KVM_SET_LAPIC:
        memcpy(&host.lapic, p, sizeof host.lapic);
        start_timer();
        return 0;
    case KVM_GET_XSAVE2:
    case KVM_GET_XSAVE:
        memcpy(p, host.xsave,
               request == KVM_GET_XSAVE2 ? (size_t)host.xsave_size : sizeof(struct kvm_xsave));
        return 0;
    case KVM_SET_XSAVE: /* as many bytes as the guest's features need, regardless of the VMM's
                           buffer */
        memcpy(host.xsave, p,
               host.xsave_size > 0 ? (size_t)host.xsave_size : sizeof(struct kvm_xsave));
        return 0;
    case KVM_GET_TSC_KHZ:
        return TSC_KHZ;
    case KVM_GET_DEVICE_ATTR:
    case KVM_SET_DEVICE_ATTR:
        return access_attribute(p, request == KVM_SET_DEVICE_ATTR);
    case KVM_KVMCLOCK_CTRL:
        host.told_of_pause++;
        return 0;
    case KVM_GET_CPUID2:
        ((struct kvm_cpuid2 *)p)->nent = 0;
        return 0;
    case KVM_GET_SREGS2:
    case KVM_GET_XCRS:
        return refuse(ENOTTY);
    default: /* parts that do not matter here */
        return 0;
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *p;

    va_start(args, request);
    p = va_arg(args, void *);
    va_end(args);
    if (fd == KVM_FD && request == KVM_CHECK_EXTENSION)
        return (long)p == KVM_CAP_XSAVE2 ? host.xsave_size : 0;
    if (fd == KVM_FD)
        return request == KVM_GET_MSR_INDEX_LIST ? list_msrs(p) : refuse(ENOTTY);
    if (fd == VM_FD && request == KVM_GET_CLOCK)
        memcpy(p, &host.clock, sizeof host.clock);
    else if (fd == VM_FD && request == KVM_SET_CLOCK)
        memcpy(&host.clock, p, sizeof host.clock);
    if (fd == VM_FD)
        return 0;
    assert_int_equal(fd, CPU_FD);
    if (++host.calls == host.runs_out_at)
        run_out();
    return access_vcpu(request, p);
}

static const struct kvm kvm = {.fd = KVM_FD};
static struct kvm_run run;
static uint8_t bytes[KVM_STATE_MAX];

static struct kvm_cpu cpu_now(void)
{
    return (struct kvm_cpu){.fd = CPU_FD, .run = &run, .host_tsc = host.host_tsc};
}

static size_t save(void)
{
    struct kvm_cpu cpu = cpu_now();
    struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};
    struct error error;

    assert_int_equal(kvm_save_vcpu(&kvm, &cpu, 0, &writer, &error), 0);
    assert_false(writer.full);
    return writer.used;
}

static int load(size_t size, struct error *error)
{
    struct kvm_cpu cpu = cpu_now();
    struct chunk_reader reader = {.bytes = bytes, .size = size};
    struct chunk chunk;

    while (chunk_next(&reader, &chunk, error) > 0)
        if (kvm_load_vcpu(&cpu, chunk.name + strlen("vcpu 0 "), &chunk, error) < 0)
            return -1;
    return 0;
}

/* Simulates the vCPU of another process, on the same host a little later. */
static void another(void)
{
    for (unsigned i = 0; i < MSRS; i++)
        host.msrs[i].data = 0;
    memset(&host.lapic, 0, sizeof host.lapic);
    memset(host.xsave, 0xee, sizeof host.xsave);
    host.host_tsc += 3000000000;
    host.offset = -host.host_tsc;
    host.runs_out_at = 0;
    host.left = -1;
}

static int set_up(void **state)
{
    (void)state;
    host = (struct machine){.host_tsc = 1000000000000,
                            .offset = (uint64_t)-900000000000,
                            .has_offset = true,
                            .msrs = {{.index = TSC, .data = 1},
                                     {.index = STAR, .data = 2},
                                     {.index = TSC_DEADLINE},
                                     {.index = MTRR_DEF_TYPE, .data = 0xc06},
                                     {.index = MC0_CTL, .data = UINT64_MAX}},
                            .listed = {TSC, STAR, TSC_DEADLINE, 0x8b}};
    return 0;
}

/* Whether KVM's list has a register or not: all registers of the vCPU are restored, and no others.
 */
static void all_registers(void **state)
{
    struct error error;
    size_t size = save();

    (void)state;
    another();
    assert_int_equal(load(size, &error), 0);
    assert_int_equal(find(STAR)->data, 2);
    assert_int_equal(find(MTRR_DEF_TYPE)->data, 0xc06);
    assert_true(find(MC0_CTL)->data == UINT64_MAX);
    assert_int_equal(find(TSC)->data, 0); /* the offset is exact; the register is not */
    assert_int_equal(host.host_tsc + host.offset, 100000000000);
    set_up(NULL);
    host.has_offset = false;
    size = save();
    another();
    assert_int_equal(load(size, &error), 0);
    assert_int_equal(find(TSC)->data, 1);
    find(MC0_CTL)->index = 0; /* a host without it */
    find(STAR)->data = 0;
    assert_int_equal(load(size, &error), -1);
    assert_non_null(strstr(error.text, "register 0x400"));
}

/* More registers than one call to KVM takes. */
static void many_registers(void **state)
{
    enum { MANY = 450, FIRST_OF_MANY = 0x10000000, OWN = 5 /* of set_up() */ };
    struct error error;
    size_t size;

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        host.msrs[OWN + i] =
            (struct kvm_msr_entry){.index = FIRST_OF_MANY + i, .data = UINT64_C(7000) + i};
        host.listed[OWN + i] = FIRST_OF_MANY + i;
    }
    size = save();
    another();
    assert_int_equal(load(size, &error), 0);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(find(FIRST_OF_MANY + i)->data, 7000 + i);
    assert_int_equal(find(STAR)->data, 2);
}

/* If a timer expires while the vCPU is saved, its deadline is read as 0: then its interrupt must be
 * pending. Here it expires at each of the calls to KVM. */
static void a_deadline_that_passes(void **state)
{
    struct error error;
    unsigned calls, kept = 0;
    size_t size;

    (void)state;
    (void)save();
    calls = host.calls;
    for (unsigned at = 1; at <= calls; at++) {
        set_up(NULL);
        find(TSC_DEADLINE)->data = 100000000500;
        host.runs_out_at = at;
        size = save();
        assert_true(interrupt_waits());
        another();
        assert_int_equal(load(size, &error), 0);
        assert_true(find(TSC_DEADLINE)->data != 0 || interrupt_waits());
        kept += find(TSC_DEADLINE)->data != 0;
    }
    assert_in_range(kept, 1, calls - 1);
}

/* A timer is started when the guest's counter is correct: the remaining time stays the same. */
static void a_deadline_to_come(void **state)
{
    struct error error;
    size_t size;

    (void)state;
    find(TSC_DEADLINE)->data = 100000000000 + 12345;
    size = save();
    another();
    assert_int_equal(load(size, &error), 0);
    assert_int_equal(host.left, 12345);
    find(TSC_DEADLINE)->data = 100000000000 + 12345; /* the register has its value already */
    host.host_tsc += 5000;
    assert_int_equal(load(size, &error), 0);
    assert_int_equal(host.left, 12345);
}

/* The size of the extended state depends on the guest's features: with AVX-512 and AMX it is more
 * than the 4 KB that it once was. */
static void extended_states(void **state)
{
    static const int sizes[] = {0, sizeof(struct kvm_xsave), 0x1000 + 0x340, 11008};
    struct error error;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t used = sizes[i] > 0 ? (size_t)sizes[i] : sizeof(struct kvm_xsave), size;

        host.xsave_size = sizes[i];
        for (size_t k = 0; k < used; k++)
            host.xsave[k] = (uint8_t)(k * 7 + k / 256);
        size = save();
        another();
        assert_int_equal(load(size, &error), 0);
        for (size_t k = 0; k < used; k++)
            assert_int_equal(host.xsave[k], (uint8_t)(k * 7 + k / 256));
        assert_int_equal(host.xsave[used], 0xee);
        if (sizes[i] == 0) { /* on a host whose state is larger: nothing of its own stays */
            host.xsave_size = 11008;
            assert_int_equal(load(size, &error), 0);
            assert_int_equal(host.xsave[11007], 0);
        }
    }
    host.xsave_size = 1 << 20;
    {
        struct kvm_cpu cpu = cpu_now();
        struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};

        assert_int_equal(kvm_save_vcpu(&kvm, &cpu, 0, &writer, &error), -1);
        assert_non_null(strstr(error.text, "1048576 bytes"));
    }
}

/* The time between save and load does not count, even though KVM reports the time of day; KVM is
 * not asked to add it (KVM_CLOCK_REALTIME). */
static void the_clock(void **state)
{
    static const uint64_t second = 1000000000;
    struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};
    struct chunk_reader reader;
    struct chunk chunk;
    struct error error;
    uint64_t moment = clock_steady();

    (void)state;
    host.clock = (struct kvm_clock_data){
        .clock = 1000 * second, .flags = KVM_CLOCK_REALTIME | KVM_CLOCK_TSC_STABLE, .realtime = 7};
    assert_int_equal(kvm_save_vm(VM_FD, false, moment, &writer, &error), 0);
    reader = (struct chunk_reader){.bytes = bytes, .size = writer.used};
    assert_int_equal(chunk_next(&reader, &chunk, &error), 1);
    host.clock = (struct kvm_clock_data){.clock = 5};
    moment = clock_steady();
    assert_int_equal(kvm_load_vm(VM_FD, moment, "clock", &chunk, &error), 0);
    assert_int_equal(host.clock.flags, 0);
    /* As of `moment`, which was before each of the two calls. */
    assert_in_range(host.clock.clock, 1000 * second - 600 * second, 1000 * second + 600 * second);
}

static void a_pause_is_told(void **state)
{
    struct kvm_cpu cpu = cpu_now();

    (void)state;
    kvm_mark_paused(&cpu);
    assert_int_equal(host.told_of_pause, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_registers, set_up),
        cmocka_unit_test_setup(many_registers, set_up),
        cmocka_unit_test_setup(a_deadline_that_passes, set_up),
        cmocka_unit_test_setup(a_deadline_to_come, set_up),
        cmocka_unit_test_setup(extended_states, set_up),
        cmocka_unit_test_setup(the_clock, set_up),
        cmocka_unit_test_setup(a_pause_is_told, set_up),
    };

    return cmocka_run_group_tests_name("kvm_state", tests, NULL, NULL);
}
