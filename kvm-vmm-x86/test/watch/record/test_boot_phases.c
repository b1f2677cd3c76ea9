/* Unit tests of boot_phases.c: which line is whose, and the advice. */
#include <string.h>

#include "cmocka_all.h"
#include "watch/record/boot_phases.h"

static enum boot_phase print(struct boot_phases *p, const char *text)
{
    return boot_phases_output(p, (const uint8_t *)text, strlen(text));
}

/* Marks the phase as the caller does. */
static enum boot_phase see(struct boot_phases *p, const char *text)
{
    enum boot_phase phase = print(p, text);

    if (phase < BOOT_PHASES)
        p->moments[phase].ns = 1;
    return phase;
}

static void test_lines(void **state)
{
    struct boot_phases p = {0};

    (void)state;
    assert_int_equal(see(&p, ""), BOOT_PHASES);
    assert_int_equal(see(&p, "["), BOOT_CONSOLE);
    assert_int_equal(see(&p, "    0.1] one\r\n"), BOOT_PHASES);
    assert_int_equal(see(&p, "\r\n  [    0.2] init:"), BOOT_PHASES);
    assert_int_equal(see(&p, " no\n"), BOOT_PHASES);
    assert_int_equal(p.kernel_bytes, strlen("[    0.1] one\r\n\r\n  [    0.2] init: no\n"));
    assert_int_equal(see(&p, "\ninit: yes\n"), BOOT_INIT);
    assert_int_equal(see(&p, "more\n"), BOOT_PHASES);
    p = (struct boot_phases){0};
    assert_int_equal(see(&p, "# "), BOOT_INIT); /* a kernel that printed nothing at all */
}

static bool advised(const struct boot_advice *a, const char *word)
{
    for (unsigned i = 0; i < a->count; i++)
        if (strstr(a->lines[i], word) != NULL)
            return true;
    return false;
}

static void test_advice(void **state)
{
    struct boot_phases p = {.moments = {[BOOT_VM] = {.ns = 1000000},
                                        [BOOT_LOADED] = {.ns = 90000000},
                                        [BOOT_INIT] = {.ns = 95000000, .exits = 500}}};
    struct boot_facts f = {.cpus = 2, .host_cpus = 2, .cache = "/c"};
    struct boot_advice a;

    (void)state;
    boot_phases_advise(&p, &f, &a);
    assert_int_equal(a.count, 1);
    assert_true(advised(&a, "the VMM costs little"));
    f.unpacked = true;
    boot_phases_advise(&p, &f, &a);
    assert_true(advised(&a, "89 ms; the next start finds it in /c"));
    f.not_kept = true;
    boot_phases_advise(&p, &f, &a);
    assert_true(advised(&a, "/c cannot be written"));
    f = (struct boot_facts){.cpus = 4, .host_cpus = 2, .rtc = 80000, .unpacked_itself = true};
    p.kernel_bytes = 30000;
    boot_phases_advise(&p, &f, &a);
    assert_int_equal(a.count, 4);
    assert_true(advised(&a, "30000 bytes") && advised(&a, "80000 accesses"));
    assert_true(advised(&a, "4 vCPUs share 2") && advised(&a, "unpacked itself"));
    p.moments[BOOT_INIT].ns = 0;
    boot_phases_advise(&p, &f, &a);
    assert_true(advised(&a, "init printed nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_advice)};

    return cmocka_run_group_tests_name("boot_phases", tests, NULL, NULL);
}
