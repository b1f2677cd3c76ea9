/* Unit tests of postmortem/: what a recording gives back, and where tripwires lie. */
#include <string.h>

#include "cmocka_all.h"
#include "watch/postmortem/recording.h"
#include "watch/postmortem/tripwire.h"

/* A run block with room for the data of a port access behind it. */
struct block {
    struct kvm_run run;
    uint8_t data[4096];
};

static void port(struct block *b, bool in, uint8_t size, uint32_t count, uint8_t fill)
{
    memset(b, 0, sizeof *b);
    b->run.exit_reason = KVM_EXIT_IO;
    b->run.io.direction = in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
    b->run.io.size = size;
    b->run.io.count = count;
    b->run.io.data_offset = offsetof(struct block, data);
    memset(b->data, fill, sizeof b->data);
}

static void test_answers(void **state)
{
    static struct block b;
    struct recording r = {0};
    size_t at = 0;

    (void)state;
    port(&b, true, 1, 3, 0x41);
    recording_add(&r, &b.run);
    port(&b, false, 1, 1, 0x42);
    b.run.kvm_dirty_regs = KVM_SYNC_X86_REGS;
    b.run.s.regs.regs.rax = 0x1234;
    recording_add(&r, &b.run);

    port(&b, true, 1, 3, 0);
    assert_true(recording_play(&r, &at, &b.run));
    assert_memory_equal(b.data, "AAA\0", 4);
    port(&b, false, 1, 1, 0);
    assert_true(recording_play(&r, &at, &b.run));
    assert_int_equal(b.run.s.regs.regs.rax, 0x1234);
    assert_int_equal(b.run.kvm_dirty_regs, KVM_SYNC_X86_REGS);
    assert_false(recording_play(&r, &at, &b.run));
    recording_release(&r);
}

/* A guest that asks for something else than the first time has gone another way. */
static void test_another_way(void **state)
{
    static struct block b;
    struct recording r = {0};
    size_t at = 0;

    (void)state;
    port(&b, true, 1, 1, 7);
    recording_add(&r, &b.run);
    port(&b, true, 2, 1, 0);
    assert_false(recording_play(&r, &at, &b.run));
    at = 0;
    port(&b, false, 1, 1, 0);
    assert_false(recording_play(&r, &at, &b.run));
    recording_release(&r);
}

static void test_limit(void **state)
{
    static struct block b;
    struct recording r = {0};
    size_t at = 0;

    (void)state;
    port(&b, true, 4, 1024, 1);
    for (unsigned i = 0; i < RECORDING_MAX / 4096 + 2; i++)
        recording_add(&r, &b.run);
    assert_true(r.lost);
    assert_null(r.bytes);
    assert_false(recording_play(&r, &at, &b.run));
}

enum { RAM = 64 * 1024, IDT = 0x1000, GDT = 0x2000, HANDLER = 0x3000, CODE = 0x4000 };

static uint8_t ram[RAM];
static struct memory memory;

/* Protected mode without paging, two gates: 6 to HANDLER, 14 to the instruction at RIP. */
static struct snapshot machine(void)
{
    static const uint64_t code = 0x00cf9b000000ffff;
    static const uint64_t gates[2] = {0x00008e0000083000, 0x00008e0000084000};
    struct snapshot s = {.sregs = {.cr0 = CR0_PE,
                                   .idt = {.base = IDT, .limit = 0xff},
                                   .gdt = {.base = GDT, .limit = 15},
                                   .cs = {.limit = UINT32_MAX, .type = 11, .present = 1, .db = 1},
                                   .ss = {.limit = UINT32_MAX, .type = 3, .present = 1, .db = 1}},
                         .regs = {.rip = CODE, .rsp = 0x8000}};

    memset(ram, 0x90, sizeof ram);
    memset(ram + IDT, 0, 0x1000);
    memory_init(&memory, 0, RAM, ram);
    memcpy(ram + GDT + 8, &code, 8);
    memcpy(ram + IDT + 6 * 8, &gates[0], 8);
    memcpy(ram + IDT + 14 * 8, &gates[1], 8);
    return s;
}

static void test_tripwires(void **state)
{
    static struct tripwires t;
    struct snapshot s = machine();

    (void)state;
    tripwires_lay(&t, &s, &memory);
    assert_int_equal(t.count, 2);
    assert_int_equal(ram[HANDLER], 0xe6);
    assert_int_equal(ram[CODE], 0x90); /* the instruction about to run stays as it is */
    assert_non_null(tripwires_find(&t, HANDLER));
    assert_int_equal(tripwires_find(&t, HANDLER + TRIPWIRE_BYTES)->vector, 6);
    assert_null(tripwires_find(&t, CODE));
    tripwires_lift(&t);
    assert_int_equal(ram[HANDLER], 0x90);
    s.regs.rip = HANDLER - 1; /* nop: the next instruction may have one */
    tripwires_lay(&t, &s, &memory);
    assert_int_equal(ram[CODE], 0xe6);
    ram[HANDLER] = 0x55; /* the guest writes there */
    tripwires_lift(&t);
    assert_int_equal(ram[HANDLER], 0x55);
    assert_int_equal(ram[CODE], 0x90);
    ram[IDT + 6 * 8 + 5] = 0; /* the gate is taken away */
    tripwires_lay(&t, &s, &memory);
    assert_int_equal(t.count, 1);
    tripwires_lift(&t);
}

/* In real mode only the vector that the instruction raises. */
static void test_real_mode(void **state)
{
    static struct tripwires t;
    struct snapshot s = machine();

    (void)state;
    s.sregs.cr0 = 0;
    s.sregs.cs.db = s.sregs.ss.db = 0;
    s.sregs.idt.limit = 0x3ff;
    tripwires_lay(&t, &s, &memory);
    assert_int_equal(t.count, 0);
    memcpy(ram + CODE, "\xcd\x21", 2);
    memcpy(ram + IDT + 4 * 0x21, "\x00\x30\x00\x00", 4);
    tripwires_lay(&t, &s, &memory);
    assert_int_equal(t.count, 1);
    assert_int_equal(ram[HANDLER], 0xe6);
    tripwires_lift(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),   cmocka_unit_test(test_another_way),
        cmocka_unit_test(test_limit),     cmocka_unit_test(test_tripwires),
        cmocka_unit_test(test_real_mode),
    };

    return cmocka_run_group_tests_name("postmortem", tests, NULL, NULL);
}
