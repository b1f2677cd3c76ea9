/* Unit tests of range_beyond(): where a block may lie if a range is in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/range.h"

enum { UNIT = 0x1000 };

static void stays_where_it_does_not_touch(void **state)
{
    (void)state;
    assert_int_equal(range_beyond(0x1000, 0x1000, 0x2000, 0x3000, UNIT), 0x1000); /* ends at it */
    assert_int_equal(range_beyond(0x3000, 0x1000, 0x2000, 0x3000, UNIT),
                     0x3000); /* begins where it ends */
    assert_int_equal(range_beyond(0x1234, 0, 0x1234, 0x3000, UNIT),
                     0x1234); /* an empty range overlaps nothing */
    assert_int_equal(range_beyond(0x1000, 0x1000, 0x2000, 0x2000, UNIT),
                     0x1000); /* an empty range */
}

static void moves_behind_what_it_touches(void **state)
{
    (void)state;
    assert_int_equal(range_beyond(0x1000, 0x1001, 0x2000, 0x3000, UNIT), 0x3000); /* by one byte */
    assert_int_equal(range_beyond(0x2fff, 1, 0x2000, 0x3000, UNIT), 0x3000);      /* in its last */
    assert_int_equal(range_beyond(0x1000, 0x9000, 0x2000, 0x3000, UNIT), 0x3000); /* around it */
    assert_int_equal(range_beyond(0x2000, 0x1000, 0x2000, 0x3001, UNIT),
                     0x4000); /* aligned up to a unit */
    assert_int_equal(range_beyond(0x2000, 0x1000, 0x2000, 0x3001, 4), 0x3004);
}

static void works_above_4_gb(void **state)
{
    const uint64_t gb = UINT64_C(1) << 30;

    (void)state;
    assert_true(range_beyond(5 * gb, gb, 4 * gb, 6 * gb + 1, UNIT) == 6 * gb + UNIT);
    assert_true(range_beyond(3 * gb, gb, 4 * gb, 6 * gb, UNIT) == 3 * gb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_where_it_does_not_touch),
        cmocka_unit_test(moves_behind_what_it_touches),
        cmocka_unit_test(works_above_4_gb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
