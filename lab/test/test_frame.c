/* Unit tests of the frames: each is decoded as it was sent, whatever bytes were on the line
 * before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/wire/frame.h"

static uint8_t body[FRAME_BODY_MAX];
static uint8_t wire[2 * FRAME_WIRE_MAX];
static struct frame_decoder decoder;

/* Decodes all of `length` bytes in steps and counts the complete frames; the last one stays in the
 * decoder. */
static unsigned decode(const uint8_t *bytes, size_t length, size_t step)
{
    unsigned frames = 0;

    for (size_t used = 0; used < length;) {
        size_t run = length - used < step ? length - used : step;
        bool complete;

        used += frame_decode(&decoder, bytes + used, run, &complete);
        frames += complete;
    }
    return frames;
}

static void check_round_trip(size_t length, size_t step)
{
    size_t sent = frame_encode(body, length, wire);

    assert_true(sent <= FRAME_WIRE_MAX);
    assert_null(memchr(wire, 0, sent - 1));
    assert_int_equal(wire[sent - 1], 0);
    assert_int_equal(decode(wire, sent, step), 1);
    assert_int_equal(decoder.length, length);
    assert_memory_equal(decoder.body, body, length);
}

static void test_lengths(void **state)
{
    static const size_t lengths[] = {1, 2, 253, 254, 255, 256, 508, 509, 16000, FRAME_BODY_MAX};

    (void)state;
    memset(&decoder, 0, sizeof(decoder));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(body, 0, sizeof(body));
        check_round_trip(lengths[i], 1);
        memset(body, 0xff, sizeof(body));
        check_round_trip(lengths[i], 7);
        for (size_t j = 0; j < sizeof(body); j++)
            body[j] = (uint8_t)(j * j >> 3);
        check_round_trip(lengths[i], sizeof(wire));
    }
}

static void test_cut_short(void **state)
{
    static const char before[] = "what the dead client still wanted to say";
    static const char after[] = "hello";
    size_t whole;

    (void)state;
    for (size_t cut = 0; cut < sizeof(before); cut++) {
        size_t sent;

        memset(&decoder, 0, sizeof(decoder));
        frame_encode((const uint8_t *)before, sizeof(before), wire);
        wire[cut] = 0;
        sent = cut + 1 + frame_encode((const uint8_t *)after, sizeof(after), wire + cut + 1);
        whole = decode(wire, sent, 3);
        assert_in_range(whole, 1, 2);
        assert_int_equal(decoder.length, sizeof(after));
        assert_string_equal((char *)decoder.body, after);
    }
}

static void test_too_long(void **state)
{
    size_t sent;

    (void)state;
    memset(&decoder, 0, sizeof(decoder));
    for (int i = 0; i < 3; i++) { /* one endless frame in three pieces */
        memset(wire, 0xff, sizeof(wire));
        assert_int_equal(decode(wire, sizeof(wire), sizeof(wire)), 0);
    }
    wire[0] = 0;
    memset(body, 'x', 100);
    sent = 1 + frame_encode(body, 100, wire + 1);
    assert_int_equal(decode(wire, sent, sent), 1);
    assert_int_equal(decoder.length, 100);
}

static void test_empty_frames(void **state)
{
    static const uint8_t zeros[] = {0, 0, 1, 0, 0, 2, 'a', 0};

    (void)state;
    memset(&decoder, 0, sizeof(decoder));
    assert_int_equal(decode(zeros, sizeof(zeros), 1), 1);
    assert_int_equal(decoder.length, 1);
    assert_int_equal(decoder.body[0], 'a');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_empty_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
