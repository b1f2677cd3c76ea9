/* Unit tests of the exit log: what is kept, what is dropped, and what is written. */
#include <errno.h>
#include <stdlib.h>

#include "cmocka_all.h"
#include "json_check.h"
#include "log_run_fake.h"

enum { TEXT_ROOM = 1 << 20 };

static struct exit_record exit_at(uint64_t time)
{
    return (struct exit_record){.time = time,
                                .cost = 100,
                                .rip = 0x1000,
                                .space = EXIT_PORT,
                                .address = 0x3f8,
                                .value = 'A',
                                .size = 1,
                                .count = 1,
                                .reason = 2,
                                .write = true};
}

static void test_ring_keeps_the_newest(void **state)
{
    struct log_ring ring;
    struct error error;

    (void)state;
    assert_int_equal(log_ring_create(&ring, 3, &error), 0);
    assert_int_equal(log_ring_count(&ring), 0);
    for (uint64_t i = 1; i <= 5; i++) {
        *log_ring_next(&ring) = exit_at(i);
        assert_int_equal(log_ring_count(&ring), i < 3 ? i : 3);
        assert_int_equal(log_ring_dropped(&ring), i < 3 ? 0 : i - 3);
        assert_int_equal(log_ring_at(&ring, log_ring_count(&ring) - 1)->time, i);
    }
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(log_ring_at(&ring, i)->time, i + 3);
    log_ring_destroy(&ring);
}

static void test_tally(void **state)
{
    struct log_tally tally;
    struct error error;
    uint64_t counted = 0;

    (void)state;
    assert_int_equal(log_tally_create(&tally, &error), 0);
    for (unsigned i = 0; i < 3; i++)
        log_tally_add(&tally, 0, 10);
    for (uint64_t rip = 1; rip <= 2 * LOG_TALLY_PLACES; rip++) /* more than there are places */
        log_tally_add(&tally, rip * 3, 1);
    counted = tally.elsewhere.count;
    assert_true(counted >= LOG_TALLY_PLACES);
    for (unsigned i = 0; i < log_tally_sort(&tally); i++)
        counted += tally.places[i].count;
    assert_int_equal(counted, 3 + 2 * LOG_TALLY_PLACES);
    assert_int_equal(tally.places[0].rip, 0);
    assert_int_equal(tally.places[0].count, 3);
    assert_int_equal(tally.places[0].cost, 30);
    log_tally_destroy(&tally);
}

/* Two instructions of a function count as one; RIP is an offset where the code has a bias. */
static void test_functions(void **state)
{
    struct symbol list[] = {{.start = 0x10, .end = 0x20, .name = 0, .sized = true},
                            {.start = 0x20, .end = 0x30, .name = 6, .sized = true}};
    struct symbols symbols = {.list = list, .count = 2, .names = "first\0second", .bias = 0x40000};
    struct log_tally from, to;
    struct error error;
    char text[32];

    (void)state;
    assert_int_equal(log_tally_create(&from, &error) | log_tally_create(&to, &error), 0);
    log_tally_add(&from, 0x12, 5);
    log_tally_add(&from, 0x14, 5);
    log_tally_add(&from, 0x25, 5);
    log_tally_add(&from, 0x99, 5);
    log_tally_fold(&to, &from, &symbols);
    assert_int_equal(log_tally_sort(&to), 3);
    assert_int_equal(to.places[0].count, 2);
    symbols_name_rip(&symbols, to.places[0].rip, text, sizeof text);
    assert_string_equal(text, "first");
    symbols_name_rip(&symbols, 0x14, text, sizeof text);
    assert_string_equal(text, "first+0x4");
    symbols_name_rip(&symbols, 0x99, text, sizeof text);
    assert_string_equal(text, "0x99");
    symbols_name_rip(NULL, 0x12, text, sizeof text);
    assert_string_equal(text, "0x12");
    log_tally_destroy(&from);
    log_tally_destroy(&to);
}

/* Accesses are counted by register, and without a device by address, as long as there is room. */
static void test_accesses(void **state)
{
    static struct fake fake;
    static struct machine machine;
    static struct guest_config config;
    static struct log_accesses a, sum;
    struct exit_record r = exit_at(0);
    unsigned uart = 0;
    struct error error;

    (void)state;
    fake_init(&fake);
    assert_int_equal(machine_init(&machine, &config, &fake.backend, &fake.backend, 40, &error), 0);
    while (machine.bus.ranges[uart].base != 0x3f8)
        uart++;
    log_accesses_add(&a, &machine.bus, &r);
    r.write = false;
    r.count = 4; /* a batch */
    r.address = 0x3fd;
    log_accesses_add(&a, &machine.bus, &r);
    r.space = EXIT_NOWHERE;
    log_accesses_add(&a, &machine.bus, &r);
    r.count = 1;
    for (r.address = 0x9000; r.address < 0x9000 + 2 * LOG_ADDRESSES_MAX; r.address++) {
        r.space = r.address % 2 == 0 ? EXIT_PORT : EXIT_MEMORY;
        log_accesses_add(&a, &machine.bus, &r);
    }
    log_accesses_merge(&sum, &a);
    log_accesses_merge(&sum, &a);
    assert_int_equal(sum.registers[uart][0].writes, 2);
    assert_int_equal(sum.registers[uart][0].reads, 0);
    assert_int_equal(sum.registers[uart][5].reads, 8);
    assert_int_equal(log_accesses_of(&sum, uart).reads, 8);
    assert_int_equal(log_accesses_of(&sum, uart).writes, 2);
    assert_int_equal(sum.unclaimed[BUS_PIO].reads, 2 * LOG_ADDRESSES_MAX);
    assert_int_equal(sum.unclaimed[BUS_MMIO].reads, 2 * LOG_ADDRESSES_MAX);
    for (unsigned i = 0; i < LOG_ADDRESSES_MAX; i++) {
        assert_int_equal(sum.addresses[i].address, 0x9000 + i);
        assert_int_equal(sum.addresses[i].space, i % 2 == 0 ? BUS_PIO : BUS_MMIO);
        assert_int_equal(sum.addresses[i].count.reads, 2);
    }
}

static void print(struct log_output *output, const char *text, uint64_t time)
{
    log_output_add(output, (const uint8_t *)text, strlen(text), time);
}

static void assert_piece(const struct log_output *o, uint64_t index, const char *text)
{
    assert_int_equal(log_output_size(o, index), strlen(text));
    for (size_t i = 0; i < strlen(text); i++)
        assert_int_equal(log_output_byte(o, log_output_piece(o, index)->start + i),
                         (uint8_t)text[i]);
}

static void test_output_in_pieces(void **state)
{
    struct log_output o;
    struct error error;

    (void)state;
    assert_int_equal(log_output_create(&o, &error), 0);
    print(&o, "one\ntw", 10);
    print(&o, "o\n", 20);
    print(&o, "prompt> ", 30);
    print(&o, "answer \xc3", 30 + 2 * LOG_OUTPUT_PAUSE);
    print(&o, "\xa9\n", 30 + 9 * LOG_OUTPUT_PAUSE); /* the second half of a character, late */
    assert_int_equal(log_output_end(&o) - log_output_first(&o), 4);
    assert_piece(&o, 0, "one\n");
    assert_piece(&o, 1, "two\n");
    assert_piece(&o, 2, "prompt> ");
    assert_piece(&o, 3, "answer \xc3\xa9\n");
    assert_int_equal(log_output_piece(&o, 3)->time, 30 + 2 * LOG_OUTPUT_PAUSE);
    assert_int_equal(log_output_dropped(&o), 0);
    log_output_destroy(&o);
}

/* An endless line must not be lost as a whole, nor many short lines. */
static void test_output_drops_the_oldest(void **state)
{
    struct log_output o;
    struct error error;

    (void)state;
    assert_int_equal(log_output_create(&o, &error), 0);
    for (unsigned i = 0; i < 2 * LOG_OUTPUT_BYTES; i++)
        print(&o, "\x80", 1);
    assert_true(log_output_dropped(&o) >= LOG_OUTPUT_BYTES);
    assert_true(log_output_dropped(&o) < LOG_OUTPUT_BYTES + 2 * LOG_OUTPUT_LINE);
    for (unsigned i = 0; i < 2 * LOG_OUTPUT_PIECES; i++)
        print(&o, "\n", 1);
    assert_int_equal(log_output_end(&o) - log_output_first(&o), LOG_OUTPUT_PIECES);
    log_output_destroy(&o);
}

/* Compares the output of log_json_string for a text. */
static void assert_quoted(const char *text, const char *expected)
{
    char bytes[256];
    struct fake_text out = {.bytes = bytes, .room = sizeof bytes};
    FILE *to = fake_text_open(&out);

    log_json_string(to, text);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(bytes, expected);
}

static void test_strings(void **state)
{
    (void)state;
    assert_quoted("plain \"q\" \\ \n\t", "\"plain \\\"q\\\" \\\\ \\n\\u0009\"");
    assert_quoted("</script><!-- &amp;", "\"\\u003c/script\\u003e\\u003c!-- \\u0026amp;\"");
    assert_quoted("\x7f caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x84",
                  "\"\\u007f caf\xc3\xa9 \xe2\x82\xac "
                  "\xf0\x9f\x90\x84\"");
    assert_quoted("\xc3", "\"\\ufffd\"");                                  /* cut short */
    assert_quoted("\xc3(", "\"\\ufffd(\"");                                /* not followed */
    assert_quoted("\xc0\xaf", "\"\\ufffd\\ufffd\"");                       /* overlong */
    assert_quoted("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"");            /* overlong */
    assert_quoted("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");            /* a surrogate */
    assert_quoted("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* beyond the last */
}

struct written {
    struct fake_run run;
    struct fake_text text;
};

static int set_up(void **state)
{
    static struct written w;

    w.text = (struct fake_text){.bytes = malloc(TEXT_ROOM), .room = TEXT_ROOM};
    *state = &w;
    return fake_run_init(&w.run, "a <guest>", "it \"ended\"");
}

static int tear_down(void **state)
{
    struct written *w = *state;

    fake_run_destroy(&w->run);
    free(w->text.bytes);
    return 0;
}

static int write_log(struct written *w)
{
    FILE *to = fake_text_open(&w->text);

    w->text.used = 0;
    log_trace_write(to, &w->run.run);
    return fclose(to) == 0 ? 0 : -errno;
}

static void test_trace(void **state)
{
    struct written *w = *state;

    for (unsigned i = 0; i < FAKE_RING + 4; i++)
        *log_ring_next(&w->run.guest->vcpus[0]->ring) = exit_at(1000 + 2000 * i);
    w->run.guest->vcpus[0]->exits = FAKE_RING + 4;
    w->run.guest->functions.places[0] = (struct log_place){.rip = 0x1000, .count = 20, .cost = 300};
    w->run.guest->counters[0] = (struct log_counter){.name = "exits", .value = 24};
    w->run.guest->function_count = w->run.guest->counter_count = 1;
    print(&w->run.guest->output, "</script>\xff\n", 3000);
    assert_int_equal(write_log(w), 0);
    assert_true(json_is_good(w->text.bytes, w->text.used));
    assert_non_null(strstr(w->text.bytes, "\"guest 0 vCPU 0 dropped\":4"));
    assert_non_null(strstr(w->text.bytes, "\"guest 0 vCPU 0 ns in guest\":4"));
    assert_non_null(strstr(w->text.bytes, "\"guest 0 functions\":[[\"0x1000\",20,150]]"));
    assert_non_null(strstr(w->text.bytes, "\"guest 0 KVM counters\":{\"exits\":24}"));
    assert_non_null(strstr(w->text.bytes, "\"ts\":4.000,\"dur\":0.050,\"name\":\"uart.THR\""));
    assert_null(strstr(w->text.bytes, "\"ts\":3.000")); /* the last one dropped */
    assert_non_null(strstr(w->text.bytes, "\"exit\":5,\"rip\":\"0x1000\""));
    assert_non_null(strstr(w->text.bytes, "\\u003c/script\\u003e\\ufffd\\n"));
}

/* The first failure is returned, and nothing is written after it. */
static void test_full_disk(void **state)
{
    struct written *w = *state;

    w->text.failure = -ENOSPC;
    assert_int_equal(write_log(w), -ENOSPC);
    assert_int_equal(w->text.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_keeps_the_newest),
        cmocka_unit_test(test_tally),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_accesses),
        cmocka_unit_test(test_output_in_pieces),
        cmocka_unit_test(test_output_drops_the_oldest),
        cmocka_unit_test(test_strings),
        cmocka_unit_test_setup_teardown(test_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
