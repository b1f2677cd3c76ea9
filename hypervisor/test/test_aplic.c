/* Unit tests of the guest's APLIC: which lines become MSIs, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/aplic.h"

static unsigned sent, last_hart, last_msi;

static void send(void *owner, unsigned hart, unsigned msi)
{
    (void)owner;
    sent++;
    last_hart = hart;
    last_msi = msi;
}

static void set(struct aplic *a, uint64_t at, uint64_t value)
{
    aplic_ops.write(a, at, 4, value);
}

static uint64_t get(struct aplic *a, uint64_t at)
{
    return aplic_ops.read(a, at, 4);
}

/* An APLIC with source 3 in `mode`, delivered to hart 1 as MSI 77. */
static struct aplic make(unsigned mode)
{
    struct aplic a = {.send = send};

    sent = 0;
    aplic_reset(&a);
    set(&a, 0, 0x100);
    set(&a, 4 * 3, mode);
    set(&a, 0x3000 + 4 * 3, 1u << 18 | 77);
    set(&a, 0x1edc, 3);
    return a;
}

static void edges(void **state)
{
    struct aplic a = make(4);

    (void)state;
    assert_int_equal(get(&a, 0), 0x80000104);
    assert_int_equal(get(&a, 0x300c), 1u << 18 | 77);
    aplic_set_source(&a, 3, true);
    assert_true(sent == 1 && last_hart == 1 && last_msi == 77);
    aplic_set_source(&a, 3, true); /* again, before the first was acknowledged */
    assert_int_equal(sent, 2);
    aplic_set_source(&a, 3, false);
    assert_int_equal(sent, 2);
    set(&a, 0x1fdc, 3); /* disabled: kept until it is enabled */
    aplic_set_source(&a, 3, true);
    assert_true(sent == 2 && get(&a, 0x1c00) == 1 << 3);
    set(&a, 0x1e00, 1 << 3);
    assert_true(sent == 3 && get(&a, 0x1c00) == 0);
    a = make(5);
    sent = 0;
    aplic_set_source(&a, 3, true);
    assert_int_equal(sent, 0);
    aplic_set_source(&a, 3, false);
    assert_int_equal(sent, 1);
    aplic_set_source(&a, 3, false);
    assert_int_equal(sent, 1);
}

static void levels(void **state)
{
    struct aplic a = make(6);

    (void)state;
    set(&a, 0x2000, 3); /* low: nothing to send */
    assert_int_equal(sent, 0);
    aplic_set_source(&a, 3, true);
    aplic_set_source(&a, 3, true);
    assert_int_equal(sent, 1);
    assert_int_equal(get(&a, 0x1d00), 1 << 3);
    set(&a, 0x2000, 3); /* served, and still high */
    assert_int_equal(sent, 2);
    set(&a, 0x2004, 0x03000000);
    assert_int_equal(sent, 3);
    set(&a, 0, 0); /* the domain is off */
    set(&a, 0x1cdc, 3);
    assert_true(sent == 3 && get(&a, 0x1c00) == 1 << 3);
    aplic_set_source(&a, 3, false);
    assert_int_equal(get(&a, 0x1c00), 0);
}

static void inactive(void **state)
{
    struct aplic a = make(0);

    (void)state;
    aplic_set_source(&a, 3, true);
    set(&a, 0x1e00, ~0u);
    set(&a, 0x1c00, ~0u);
    assert_true(sent == 0 && get(&a, 0x1e00) == 0 && get(&a, 0x300c) == 0);
    set(&a, 0x3000, 9u << 18 | 5);
    assert_true(sent == 1 && last_hart == 9 && last_msi == 5);
    set(&a, 4 * 3, 1 << 10 | 6); /* this domain has no child */
    assert_int_equal(get(&a, 4 * 3), 0);
}

static void any_access_is_harmless(void **state)
{
    struct aplic a = make(6);
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t offset;

        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        offset = (seed >> 20) % APLIC_SIZE & ~3ul;
        sent = 0;
        if (seed & 1ul << 61)
            aplic_ops.write(&a, offset, 4, seed >> 3 & 0xffffffff);
        else
            (void)aplic_ops.read(&a, offset, 4);
        assert_true(sent <= APLIC_SOURCES);
        aplic_set_source(&a, (unsigned)(seed >> 40) % 80, (seed >> 50 & 1) != 0);
        assert_int_equal((a.pending | a.enabled) >> APLIC_SOURCES, 0);
        assert_int_equal((a.pending | a.enabled) & 1, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges),
        cmocka_unit_test(levels),
        cmocka_unit_test(inactive),
        cmocka_unit_test(any_access_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
