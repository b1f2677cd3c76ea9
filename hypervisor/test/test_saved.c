/* Unit tests of saved guests: sealed records are accepted, and refused after any change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vm/saved.h"

static uint8_t record[SAVED_SECTORS * SAVED_SECTOR] __attribute__((aligned(8)));
static struct vm_config config;

static struct saved_head *head(void)
{
    return (struct saved_head *)(record + SAVED_SECTOR);
}

static void seal_head(void)
{
    static const char line[] = "vm a cpus=2 mem=1M kernel=x interrupts=imsic";

    *head() = (struct saved_head){.version = SAVED_VERSION, .vcpus = 2, .ram_size = 1 << 20};
    memcpy(head()->manifest, line, sizeof line);
    saved_seal(record, SAVED_HEAD, 7, 0, 0, sizeof *head());
}

static void takes_what_was_sealed(void **state)
{
    (void)state;
    seal_head();
    assert_null(saved_check(record, 7, 0));
    assert_null(saved_check(record, 0, 0));
    assert_null(saved_read_head(head(), &config));
    assert_string_equal(config.name, "a");
    assert_int_equal(config.interrupts, INTERRUPTS_PLIC); /* VMs with files are never saved */
    assert_string_equal(saved_check(record, 8, 0), "a record belongs to another save");
    assert_string_equal(saved_check(record, 7, 1), "a record belongs to another save");
}

static void finds_each_changed_bit(void **state)
{
    (void)state;
    seal_head();
    for (size_t i = 0; i < sizeof(struct saved_record) + sizeof *head(); i++) {
        size_t at =
            i < sizeof(struct saved_record) ? i : i - sizeof(struct saved_record) + SAVED_SECTOR;

        record[at] ^= (uint8_t)(1 << i % 8);
        assert_non_null(saved_check(record, 7, 0));
        record[at] ^= (uint8_t)(1 << i % 8);
    }
    assert_null(saved_check(record, 7, 0));
}

static void refuses_what_cannot_be(void **state)
{
    (void)state;
    seal_head();
    head()->version = SAVED_VERSION + 1;
    assert_string_equal(saved_read_head(head(), &config),
                        "another version of the hypervisor saved it");
    seal_head();
    head()->vcpus = 3;
    assert_string_equal(saved_read_head(head(), &config), "its description is damaged");
    seal_head();
    memset(head()->manifest, 'x', sizeof head()->manifest);
    assert_string_equal(saved_read_head(head(), &config), "its description is damaged");
    saved_seal(record, SAVED_RAM, 7, 0, 0, 0);
    assert_string_equal(saved_check(record, 7, 0), "no guest was saved there");
    memset(record, 0, sizeof record);
    assert_string_equal(saved_check(record, 7, 0), "no guest was saved there");
    assert_string_equal(saved_check(record, 7, 3), "a record was overwritten");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_what_was_sealed),
                                       cmocka_unit_test(finds_each_changed_bit),
                                       cmocka_unit_test(refuses_what_cannot_be)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
