/* Unit tests of common/gdb/packet.c: packets that are broken, escaped or too long, and noise
 * between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/gdb/packet.h"

/* Feeds a string; the last answer that was not "nothing". */
static enum gdb_input feed(struct gdb_parser *p, const char *bytes)
{
    enum gdb_input last = GDB_INPUT_NOTHING;

    for (; *bytes != '\0'; bytes++) {
        enum gdb_input now = gdb_parse(p, (uint8_t)*bytes);

        last = now != GDB_INPUT_NOTHING ? now : last;
    }
    return last;
}

static void test_packets(void **state)
{
    struct gdb_parser p = {0};

    (void)state;
    assert_int_equal(feed(&p, "+$g#67"), GDB_INPUT_PACKET);
    assert_string_equal(p.bytes, "g");
    assert_int_equal(feed(&p, "$#00"), GDB_INPUT_PACKET);
    assert_int_equal(p.length, 0);
    assert_int_equal(feed(&p, "-"), GDB_INPUT_REFUSED);
    assert_int_equal(feed(&p, "\x03"), GDB_INPUT_INTERRUPT);
    assert_int_equal(feed(&p, "xyz+++"), GDB_INPUT_NOTHING);
}

static void test_broken_packets(void **state)
{
    struct gdb_parser p = {0};

    (void)state;
    assert_int_equal(feed(&p, "$g#68"), GDB_INPUT_BROKEN);
    assert_int_equal(feed(&p, "$g#6z"), GDB_INPUT_BROKEN);
    assert_int_equal(feed(&p, "$g#zz"), GDB_INPUT_BROKEN);
    /* A packet that was cut off. A '$' always begins the next packet. */
    assert_int_equal(feed(&p, "$m12,$g#67"), GDB_INPUT_PACKET);
    assert_string_equal(p.bytes, "g");
    assert_int_equal(feed(&p, "$m#$g#67"), GDB_INPUT_PACKET);
    /* Inside a packet a byte 3 is data, not an interrupt. */
    assert_int_equal(feed(&p, "$a\x03#64"), GDB_INPUT_PACKET);
}

static void test_escapes(void **state)
{
    struct gdb_parser p = {0};
    struct gdb_writer w;
    const char special[] = "#$}*a\n";

    (void)state;
    gdb_begin(&w);
    gdb_put_binary(&w, special, strlen(special));
    gdb_finish(&w);
    w.bytes[w.length] = '\0';
    assert_int_equal(w.length, 1 + 6 + 4 + 3);
    assert_int_equal(feed(&p, w.bytes), GDB_INPUT_PACKET);
    assert_string_equal(p.bytes, special);
}

static void test_too_long(void **state)
{
    struct gdb_parser p = {0};
    uint8_t sum = 0;
    char end[4];

    (void)state;
    gdb_parse(&p, '$');
    for (int i = 0; i < GDB_PACKET_MAX + 100; i++) {
        assert_int_equal(gdb_parse(&p, 'a'), GDB_INPUT_NOTHING);
        sum += 'a';
    }
    snprintf(end, sizeof end, "#%02x", sum);
    assert_int_equal(feed(&p, end), GDB_INPUT_PACKET);
    assert_int_equal(p.length, 0);
    assert_int_equal(feed(&p, "$g#67"), GDB_INPUT_PACKET);
    assert_string_equal(p.bytes, "g");
}

static void test_writer_overflow(void **state)
{
    struct gdb_writer w;
    uint8_t many[GDB_PACKET_MAX] = {0};

    (void)state;
    gdb_begin(&w);
    gdb_put_hex(&w, many, sizeof many);
    assert_true(w.overflow);
    gdb_put_hex(&w, many, sizeof many / 2);
    gdb_put_text(&w, "x");
    gdb_finish(&w);
    assert_true(w.length <= sizeof w.bytes);
}

static void test_numbers(void **state)
{
    static const char text[] = "ffffffffffffffff,12:Zz";
    struct gdb_scan scan = {text, text + strlen(text)};
    uint64_t number;
    uint8_t byte;

    (void)state;
    assert_true(gdb_scan_number(&scan, &number));
    assert_int_equal(number, UINT64_MAX);
    assert_false(gdb_scan_number(&scan, &number));
    assert_true(gdb_scan_word(&scan, ","));
    assert_true(gdb_scan_hex(&scan, &byte, 1));
    assert_int_equal(byte, 0x12);
    assert_true(gdb_scan_word(&scan, ":"));
    assert_false(gdb_scan_hex(&scan, &byte, 1));
    assert_int_equal(gdb_scan_left(&scan), 2);
    scan = (struct gdb_scan){"10000000000000000", "10000000000000000" + 17};
    assert_false(gdb_scan_number(&scan, &number)); /* 65 bits */
}

static void test_results_and_ranges(void **state)
{
    static const char text[] = "1000,20;fff,";
    struct gdb_scan scan = {text, text + strlen(text)};
    uint64_t address, length;
    struct gdb_writer w;

    (void)state;
    assert_true(gdb_scan_range(&scan, &address, &length));
    assert_int_equal(address, 0x1000);
    assert_int_equal(length, 0x20);
    assert_true(gdb_scan_word(&scan, ";"));
    assert_false(gdb_scan_range(&scan, &address, &length));
    assert_true(gdb_scan_word(&scan, "fff,")); /* nothing was taken */
    gdb_begin(&w);
    gdb_put_result(&w, 0);
    gdb_put_result(&w, -14);
    gdb_finish(&w);
    assert_memory_equal(w.bytes, "$OKE0e#", 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_broken_packets),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_writer_overflow),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_results_and_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
