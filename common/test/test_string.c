/* Our <string.h> against the host's, at every alignment. Its functions are compiled here under
 * other names, so that both can be called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define memcpy  own_memcpy
#define memmove own_memmove
#define memset  own_memset
#define memcmp  own_memcmp
#define memchr  own_memchr
#define strlen  own_strlen
#define strnlen own_strnlen
#define strcmp  own_strcmp
#define strncmp own_strncmp
#define strchr  own_strchr
#define strrchr own_strrchr
#include "common/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr

/* More than the eight words of one turn of the loop, from any first byte. */
enum { ALIGNMENTS = 16, LONGEST = 150, ROOM = 2 * ALIGNMENTS + LONGEST };

static uint8_t source[ROOM], ours[ROOM], theirs[ROOM];

static void fill(void)
{
    for (unsigned i = 0; i < ROOM; i++) {
        source[i] = (uint8_t)(i * 7 + 1);
        ours[i] = theirs[i] = (uint8_t)(i * 13 + 5);
    }
}

static void copies(void **state)
{
    (void)state;
    for (unsigned to = 0; to < ALIGNMENTS; to++)
        for (unsigned from = 0; from < ALIGNMENTS; from++)
            for (unsigned n = 0; n <= LONGEST; n++) {
                fill();
                assert_ptr_equal(own_memcpy(ours + to, source + from, n), ours + to);
                memcpy(theirs + to, source + from, n);
                assert_memory_equal(ours, theirs, ROOM);
            }
}

static void moves_what_overlaps(void **state)
{
    (void)state;
    for (unsigned to = 0; to < ALIGNMENTS; to++)
        for (unsigned from = 0; from < ALIGNMENTS; from++)
            for (unsigned n = 0; n <= LONGEST; n += 5) {
                fill();
                assert_ptr_equal(own_memmove(ours + to, ours + from, n), ours + to);
                memmove(theirs + to, theirs + from, n);
                assert_memory_equal(ours, theirs, ROOM);
            }
}

static void sets(void **state)
{
    (void)state;
    for (unsigned to = 0; to < ALIGNMENTS; to++)
        for (unsigned n = 0; n <= LONGEST; n++) {
            fill();
            assert_ptr_equal(own_memset(ours + to, 0x1a5, n), ours + to);
            memset(theirs + to, 0x1a5, n);
            assert_memory_equal(ours, theirs, ROOM);
        }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void compares(void **state)
{
    static const char *const texts[] = {"",  "a",    "ab",    "abc",   "abd",
                                        "b", "\x80", "a\xff", "abcabc"};
    enum { COUNT = sizeof texts / sizeof texts[0] };

    (void)state;
    for (unsigned i = 0; i < COUNT * COUNT; i++) {
        const char *a = texts[i % COUNT], *b = texts[i / COUNT];
        size_t both = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

        assert_int_equal(sign(own_strcmp(a, b)), sign(strcmp(a, b)));
        assert_int_equal(sign(own_memcmp(a, b, both)), sign(memcmp(a, b, both)));
        for (size_t n = 0; n < 8; n++)
            assert_int_equal(sign(own_strncmp(a, b, n)), sign(strncmp(a, b, n)));
    }
}

static void searches(void **state)
{
    const char *text = "a path/to a/file";

    (void)state;
    assert_int_equal(own_strlen(text), 16);
    assert_int_equal(own_strlen(""), 0);
    assert_int_equal(own_strnlen(text, 5), 5);
    assert_int_equal(own_strnlen(text, 50), 16);
    for (const char *c = "a/ xt"; *c != '\0'; c++) {
        assert_ptr_equal(own_strchr(text, *c), strchr(text, *c));
        assert_ptr_equal(own_strrchr(text, *c), strrchr(text, *c));
        assert_ptr_equal(own_memchr(text, *c, 9), memchr(text, *c, 9));
    }
    assert_ptr_equal(own_strchr(text, '\0'), text + 16);
    assert_ptr_equal(own_strrchr(text, '\0'), text + 16);
}

static void copies_texts_and_ends_them(void **state)
{
    char room[6] = "-----";

    (void)state;
    assert_int_equal(string_copy(room, "abc", sizeof room), 3);
    assert_string_equal(room, "abc");
    assert_int_equal(string_copy(room, "abcdefgh", sizeof room), 8);
    assert_string_equal(room, "abcde");
    assert_int_equal(string_copy(room, "xyz", 1), 3);
    assert_string_equal(room, "");
    assert_int_equal(string_copy(NULL, "xyz", 0), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),   cmocka_unit_test(moves_what_overlaps),
        cmocka_unit_test(sets),     cmocka_unit_test(compares),
        cmocka_unit_test(searches), cmocka_unit_test(copies_texts_and_ends_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
