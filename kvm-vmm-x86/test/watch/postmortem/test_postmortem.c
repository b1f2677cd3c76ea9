/* Unit tests of postmortem/: what a recording gives back. */
#include <string.h>

#include "cmocka_all.h"
#include "watch/postmortem/recording.h"

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
    struct recording_place place = {0};

    (void)state;
    r.silent = 2;
    port(&b, true, 1, 3, 0x41);
    recording_add(&r, &b.run);
    port(&b, false, 1, 1, 0x42);
    b.run.kvm_dirty_regs = KVM_SYNC_X86_REGS;
    b.run.s.regs.regs.rax = 0x1234;
    recording_add(&r, &b.run);
    r.silent = 1;

    port(&b, false, 1, 1, 0);
    assert_true(recording_play(&r, &place, &b.run));
    assert_true(recording_play(&r, &place, &b.run));
    port(&b, true, 1, 3, 0);
    assert_true(recording_play(&r, &place, &b.run));
    assert_memory_equal(b.data, "AAA\0", 4);
    port(&b, false, 1, 1, 0);
    assert_true(recording_play(&r, &place, &b.run));
    assert_int_equal(b.run.s.regs.regs.rax, 0x1234);
    assert_int_equal(b.run.kvm_dirty_regs, KVM_SYNC_X86_REGS);
    port(&b, false, 1, 1, 0);
    assert_true(recording_play(&r, &place, &b.run));
    assert_int_equal(b.run.kvm_dirty_regs, 0);
    assert_false(recording_play(&r, &place, &b.run));
    recording_release(&r);
}

/* A guest that asks for something else than the first time has gone another way. */
static void test_another_way(void **state)
{
    static struct block b;
    struct recording r = {0};
    struct recording_place place = {0};

    (void)state;
    port(&b, true, 1, 1, 7);
    recording_add(&r, &b.run);
    port(&b, true, 2, 1, 0);
    assert_false(recording_play(&r, &place, &b.run));
    place = (struct recording_place){0};
    port(&b, false, 1, 1, 0);
    assert_false(recording_play(&r, &place, &b.run));
    r.silent = 1; /* behind the first: here it is a read that was a write */
    place = (struct recording_place){0};
    port(&b, true, 1, 1, 0);
    assert_true(recording_play(&r, &place, &b.run));
    assert_int_equal(b.data[0], 7);
    assert_false(recording_play(&r, &place, &b.run));
    recording_release(&r);
}

static void test_limit(void **state)
{
    static struct block b;
    struct recording r = {0};
    struct recording_place place = {0};

    (void)state;
    port(&b, true, 4, 1024, 1);
    for (unsigned i = 0; i < RECORDING_MAX / 4096 + 2; i++)
        recording_add(&r, &b.run);
    assert_true(r.lost);
    assert_null(r.bytes);
    assert_false(recording_play(&r, &place, &b.run));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_another_way),
        cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests_name("postmortem", tests, NULL, NULL);
}
