/* Unit tests of hleos/device/scancode.c. */
#include "unit.h"

#include "common/edit.h"
#include "device/scancode.h"

static struct scancode_state keyboard;

/* Feeds bytes. Returns the last key, or EDIT_KEY_NONE. */
static int feed(const char *bytes, size_t count)
{
    int key = EDIT_KEY_NONE;

    for (size_t i = 0; i < count; i++) {
        int k = scancode_decode(&keyboard, (uint8_t)bytes[i]);

        key = k != EDIT_KEY_NONE ? k : key;
    }
    return key;
}

#define keys(text) feed(text, sizeof text - 1)

static int reset(void **state)
{
    (void)state;
    keyboard = (struct scancode_state){0};
    return 0;
}

static void test_letters_digits_shift_caps(void **state)
{
    (void)state;
    assert_int_equal(keys("\x1e"), 'a');
    assert_int_equal(keys("\x9e"), EDIT_KEY_NONE);
    assert_int_equal(keys("\x02"), '1');
    assert_int_equal(keys("\x2a\x1e"), 'A');
    assert_int_equal(keys("\x02\xaa"), '!');
    assert_int_equal(keys("\x3a\xba\x1e"), 'A');
    assert_int_equal(keys("\x02"), '1'); /* caps changes letters only */
    assert_int_equal(keys("\x36\x1e\xb6"), 'a');
    assert_int_equal(keys("\x3a\xba\x1e"), 'a');
    assert_int_equal(keys("\x2b"), '\\');
    assert_int_equal(keys("\x39"), ' ');
}

static void test_control_and_alt(void **state)
{
    (void)state;
    assert_int_equal(keys("\x1d\x2e"), 3); /* Ctrl-C */
    assert_int_equal(keys("\x9d\x2e"), 'c');
    assert_int_equal(keys("\xe0\x1d\x2e\xe0\x9d"), 3);
    assert_int_equal(keys("\x2e"), 'c');
    assert_int_equal(keys("\x38\x1e\xb8"), 'a' | 0x80);
    assert_int_equal(keys("\x1e"), 'a');
}

static void test_other_keys(void **state)
{
    (void)state;
    assert_int_equal(keys("\xe0\x48"), EDIT_KEY_UP);
    assert_int_equal(keys("\xe0\x50"), EDIT_KEY_DOWN);
    assert_int_equal(keys("\xe0\x4b"), EDIT_KEY_LEFT);
    assert_int_equal(keys("\xe0\x4d"), EDIT_KEY_RIGHT);
    assert_int_equal(keys("\xe0\x49"), EDIT_KEY_PAGE_UP);
    assert_int_equal(keys("\xe0\x53"), EDIT_KEY_DELETE);
    assert_int_equal(keys("\x3b"), EDIT_KEY_F1);
    assert_int_equal(keys("\x44"), EDIT_KEY_F1 + 9);
    assert_int_equal(keys("\x58"), EDIT_KEY_F12);
    assert_int_equal(keys("\xe0\x1c"), '\r');
    assert_int_equal(keys("\x48"), EDIT_KEY_UP); /* keypad without Num Lock */
    assert_int_equal(keys("\x45\xc5\x48"), '8');
    assert_int_equal(keys("\xe0\x48"), EDIT_KEY_UP);
    assert_int_equal(keys("\xe1\x1d\x45\xe1\x9d\xc5"), EDIT_KEY_NONE); /* Pause */
    assert_int_equal(keys("\x1e"), 'a');
    assert_int_equal(keys("\xe0\x2a\xe0\x48"), EDIT_KEY_UP); /* with the extra shift code */
    assert_int_equal(keys("\x1e"), 'a');
}

static void test_any_bytes(void **state)
{
    (void)state;
    srand(5);
    for (int i = 0; i < 1000000; i++) {
        int key = scancode_decode(&keyboard, (uint8_t)rand());

        assert_true(key >= 0 && key <= EDIT_KEY_F12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_letters_digits_shift_caps, reset),
        cmocka_unit_test_setup(test_control_and_alt, reset),
        cmocka_unit_test_setup(test_other_keys, reset),
        cmocka_unit_test_setup(test_any_bytes, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
