/* Unit tests of the PLIC: priorities, thresholds, claims and completions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/plic.h"

static bool lines[PLIC_CONTEXTS];

static void notify(void *owner, unsigned context, bool level)
{
    (void)owner;
    lines[context] = level;
}

static struct plic make(void)
{
    struct plic p = {.contexts = 2, .notify = notify};

    lines[0] = lines[1] = false;
    plic_reset(&p);
    return p;
}

static void set(struct plic *p, uint64_t at, uint64_t value)
{
    plic_ops.write(p, at, 4, value);
}

static uint64_t claim(struct plic *p, unsigned context)
{
    return plic_ops.read(p, 0x200004 + context * 0x1000, 4);
}

static void claims_by_priority(void **state)
{
    struct plic p = make();

    (void)state;
    set(&p, 4 * 3, 1);
    set(&p, 4 * 5, 7);
    set(&p, 4 * 6, 7);
    set(&p, 0x2080, 1 << 3 | 1 << 5 | 1 << 6); /* context 1 */
    plic_set_source(&p, 3, true);
    assert_true(lines[1] && !lines[0]);
    plic_set_source(&p, 6, true);
    plic_set_source(&p, 5, true);
    assert_int_equal(claim(&p, 1), 5);
    assert_int_equal(claim(&p, 1), 6);
    assert_int_equal(claim(&p, 1), 3);
    assert_int_equal(claim(&p, 1), 0);
    assert_false(lines[1]);
    set(&p, 0x201004, 5); /* complete: still high, so pending again */
    assert_true(lines[1]);
    assert_int_equal(claim(&p, 0), 0);
    plic_set_source(&p, 5, false);
    plic_set_source(&p, 6, false);
    plic_set_source(&p, 3, false);
    set(&p, 0x201004, 6);
    assert_false(lines[1]);
}

static void threshold_masks(void **state)
{
    struct plic p = make();

    (void)state;
    set(&p, 4 * 3, 2);
    set(&p, 0x2000, 1 << 3);
    plic_set_source(&p, 3, true);
    assert_true(lines[0]);
    set(&p, 0x200000, 2);
    assert_false(lines[0]);
    assert_int_equal(claim(&p, 0), 0);
}

static void any_access_is_harmless(void **state)
{
    struct plic p = make();
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t offset;

        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        offset = (seed >> 20) % PLIC_SIZE & ~3ul;
        if (seed & 1ul << 60)
            offset %= 0x203000;
        if (seed & 1ul << 61)
            plic_ops.write(&p, offset, 4, seed >> 3 & 0xffffffff);
        else
            (void)plic_ops.read(&p, offset, 4);
        plic_set_source(&p, (unsigned)(seed >> 40) % 80, (seed >> 50 & 1) != 0);
        assert_int_equal(p.pending & p.state.claimed, 0);
        assert_int_equal(p.pending & ~p.level, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(claims_by_priority),
                                       cmocka_unit_test(threshold_masks),
                                       cmocka_unit_test(any_access_is_harmless)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
