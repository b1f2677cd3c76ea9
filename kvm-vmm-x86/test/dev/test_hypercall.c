/* Unit tests of dev/hypercall.c and dev/debug_exit.c: the protocols of abi/hypercall.h and
 * abi/debug_exit.h. */
#include "abi/hypercall.h"
#include "cmocka_all.h"
#include "dev/debug_exit.h"
#include "dev/hypercall.h"
#include "fake_backend.h"

static struct fake fake;
static struct hypercall hypercall;
static struct kvm_regs regs;

static int set_up(void **state)
{
    (void)state;
    fake_init(&fake);
    regs = (struct kvm_regs){.rflags = RFLAGS_FIXED};
    hypercall_init(&hypercall, &fake.backend);
    return 0;
}

static enum verdict call(uint8_t number, bool *changed)
{
    struct bus_cpu cpu = {.regs = &regs};
    struct bus_access a = {.data = &number, .size = 1, .write = true, .cpu = &cpu};
    enum verdict verdict = hypercall_ops.access(&hypercall, &a);

    if (changed != NULL)
        *changed = cpu.regs_changed;
    return verdict;
}

static void test_exit_and_putchar(void **state)
{
    (void)state;
    regs.rbx = 0x1234567890abcd41;
    assert_int_equal(call(HC_PUTCHAR, NULL), VERDICT_RESUME);
    assert_int_equal(fake.printed_count, 1);
    assert_int_equal(fake.printed[0], 0x41);
    assert_int_equal(call(HC_EXIT, NULL), VERDICT_STOP);
    assert_int_equal(fake.end, END_EXIT);
}

static void test_getchar(void **state)
{
    uint8_t again = 0;
    struct bus_access read = {.data = &again, .size = 1};
    bool changed = false;

    (void)state;
    fake.input = (const uint8_t *)"\xff\x00z";
    fake.input_count = 3;
    fake.input_ends = true;
    regs.rax = 0xaabbccddeeff0002;
    regs.rflags |= RFLAGS_CF;
    assert_int_equal(call(HC_GETCHAR, &changed), VERDICT_RESUME);
    assert_true(changed);
    assert_true(regs.rax == 0xaabbccddeeff00ff);
    assert_int_equal(regs.rflags & RFLAGS_CF, 0); /* data, although it has the value of HC_EOF */
    assert_int_equal(hypercall_ops.access(&hypercall, &read), VERDICT_RESUME);
    assert_int_equal(again, 0xff);
    assert_int_equal(call(HC_GETCHAR, NULL), VERDICT_RESUME);
    assert_int_equal(call(HC_GETCHAR, NULL), VERDICT_RESUME);
    assert_int_equal(regs.rax & 0xff, 'z');
    assert_int_equal(call(HC_GETCHAR, NULL), VERDICT_RESUME);
    assert_int_equal(regs.rax & 0xff, HC_EOF);
    assert_int_equal(regs.rflags & RFLAGS_CF, RFLAGS_CF);
}

static void test_reading_on_after_the_end(void **state)
{
    (void)state;
    fake.input_ends = true;
    for (int i = 1; i < HC_EOF_LIMIT; i++)
        assert_int_equal(call(HC_GETCHAR, NULL), VERDICT_RESUME);
    assert_int_equal(call(HC_GETCHAR, NULL), VERDICT_STOP);
    assert_int_equal(fake.end, END_CRASH);
    assert_true(strlen(fake.message) > 0);
}

static void test_write(void **state)
{
    static uint8_t ram[4096] = "0123456789";

    (void)state;
    memory_init(&fake.memory, 0x1000, sizeof ram, ram);
    regs.rbx = 0x1002;
    regs.rcx = 3;
    assert_int_equal(call(HC_WRITE, NULL), VERDICT_RESUME);
    assert_int_equal(fake.printed_count, 3);
    assert_memory_equal(fake.printed, "234", 3);
    regs.rcx = 0;
    regs.rbx = 0xffffffff;
    assert_int_equal(call(HC_WRITE, NULL), VERDICT_RESUME);
    regs.rbx = 0x1fff;
    regs.rcx = 2;
    assert_int_equal(call(HC_WRITE, NULL), VERDICT_STOP);
    assert_int_equal(fake.end, END_CRASH);
    assert_int_equal(fake.printed_count, 3);
}

/* Slice by slice, each call continues where the last one stopped. */
static void test_much_is_written_in_tries(void **state)
{
    static uint8_t ram[3 * HYPERCALL_SLICE];
    uint8_t number = HC_WRITE;
    struct bus_cpu cpu = {.regs = &regs};
    struct bus_access a = {.data = &number, .size = 1, .write = true, .cpu = &cpu};

    (void)state;
    memory_init(&fake.memory, 0, sizeof ram, ram);
    regs.rbx = 0;
    regs.rcx = 2 * HYPERCALL_SLICE + 5;
    assert_int_equal(hypercall_ops.access(&hypercall, &a), VERDICT_AGAIN);
    assert_int_equal(hypercall_ops.access(&hypercall, &a), VERDICT_AGAIN);
    assert_int_equal(fake.printed_total, 2 * HYPERCALL_SLICE);
    assert_int_equal(hypercall_ops.access(&hypercall, &a), VERDICT_RESUME);
    assert_int_equal(fake.printed_total, 2 * HYPERCALL_SLICE + 5);
    assert_int_equal(regs.rcx, 2 * HYPERCALL_SLICE + 5);
}

static void test_unknown(void **state)
{
    (void)state;
    regs.rip = 0x77;
    assert_int_equal(call(0x99, NULL), VERDICT_STOP);
    assert_int_equal(fake.end, END_CRASH);
    assert_non_null(strstr(fake.message, "0x99"));
    assert_non_null(strstr(fake.message, "0x77"));
}

static uint8_t taken;

static bool take(void *context, uint8_t number)
{
    assert_ptr_equal(context, &fake);
    taken = number;
    return number >= 0x20;
}

/* A call that the VMM does not know may be one of the program. */
static void test_a_call_of_the_program(void **state)
{
    (void)state;
    fake.backend.call = take;
    assert_int_equal(call(0x20, NULL), VERDICT_STOP);
    assert_int_equal(taken, 0x20);
    assert_int_equal(fake.end, END_NONE);
    assert_int_equal(call(0x1f, NULL), VERDICT_STOP);
    assert_int_equal(fake.end, END_CRASH);
}

static enum fork_answer fork_gives;

static enum fork_answer fork_call(void *context, const struct bus_cpu *cpu, uint64_t *number)
{
    (void)context;
    (void)cpu;
    *number = 7;
    return fork_gives;
}

/* Registers change only with an answer: the copy is made with those of the call. */
static void test_fork(void **state)
{
    bool changed = true;

    (void)state;
    assert_int_equal(call(HC_FORK, NULL), VERDICT_STOP); /* a machine without copies */
    assert_int_equal(fake.end, END_CRASH);
    fake.backend.fork = fork_call;
    regs.rax = HC_FORK;
    regs.rflags |= RFLAGS_CF;
    fork_gives = FORK_LATER;
    assert_int_equal(call(HC_FORK, &changed), VERDICT_AGAIN);
    assert_true(!changed && regs.rax == HC_FORK);
    fork_gives = FORK_MADE;
    assert_int_equal(call(HC_FORK, &changed), VERDICT_RESUME);
    assert_true(changed && regs.rax == 7 && !(regs.rflags & RFLAGS_CF));
    fork_gives = FORK_REFUSED;
    assert_int_equal(call(HC_FORK, NULL), VERDICT_RESUME);
    assert_true(regs.rax == UINT64_MAX && (regs.rflags & RFLAGS_CF));
    fork_gives = FORK_OFF;
    assert_int_equal(call(HC_FORK, NULL), VERDICT_STOP);
    assert_non_null(strstr(fake.message, "--forks"));
}

static void test_debug_exit(void **state)
{
    struct debug_exit device;
    uint8_t bytes[4] = {0x10, 0, 0, 0};
    struct bus_access a = {.data = bytes, .size = 4, .write = true};

    (void)state;
    debug_exit_init(&device, &fake.backend);
    assert_int_equal(debug_exit_ops.access(&device, &a), VERDICT_STOP);
    assert_int_equal(fake.end, END_CODE);
    assert_int_equal(fake.code, 0x21);
    a.write = false;
    assert_int_equal(debug_exit_ops.access(&device, &a), VERDICT_RESUME);
    assert_int_equal(bytes[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_exit_and_putchar, set_up),
        cmocka_unit_test_setup(test_getchar, set_up),
        cmocka_unit_test_setup(test_reading_on_after_the_end, set_up),
        cmocka_unit_test_setup(test_write, set_up),
        cmocka_unit_test_setup(test_much_is_written_in_tries, set_up),
        cmocka_unit_test_setup(test_unknown, set_up),
        cmocka_unit_test_setup(test_a_call_of_the_program, set_up),
        cmocka_unit_test_setup(test_fork, set_up),
        cmocka_unit_test_setup(test_debug_exit, set_up),
    };

    return cmocka_run_group_tests_name("hypercall", tests, NULL, NULL);
}
