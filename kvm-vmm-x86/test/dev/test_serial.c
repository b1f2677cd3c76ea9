/* Unit tests of dev/serial.c, register by register as a driver would use it (PC16550D data sheet,
 * section 8). */
#include "cmocka_all.h"
#include "dev/serial.h"
#include "fake_backend.h"

enum { DATA = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

static struct fake fake;
static struct serial serial;
static const struct irq_line com1 = {.backend = &fake.backend, .gsi = SERIAL_IRQ};

static int set_up(void **state)
{
    (void)state;
    fake_init(&fake);
    serial_init(&serial, &fake.backend, com1, true);
    return 0;
}

static void out(uint64_t offset, uint8_t value)
{
    struct bus_access a = {.offset = offset, .data = &value, .size = 1, .write = true};

    assert_int_equal(serial_ops.access(&serial, &a), VERDICT_RESUME);
}

static uint8_t in_item(uint64_t offset, bool string)
{
    uint8_t value = 0xee;
    struct bus_access a = {.offset = offset, .data = &value, .size = 1, .string = string};

    assert_int_equal(serial_ops.access(&serial, &a), VERDICT_RESUME);
    return value;
}

static uint8_t in(uint64_t offset)
{
    return in_item(offset, false);
}

static void give(const char *bytes, size_t count)
{
    fake.input = (const uint8_t *)bytes;
    fake.input_count = count;
    serial_input_ready(&serial);
}

/* Polls like a guest that waits for input without interrupts. */
static void poll(void)
{
    for (int i = 0; i < 8; i++)
        in(LSR);
}

static void test_transmit(void **state)
{
    (void)state;
    assert_int_equal(in(LSR)&0x60, 0x60);
    out(DATA, 'A');
    out(DATA, 'B');
    assert_int_equal(fake.printed_count, 2);
    assert_memory_equal(fake.printed, "AB", 2);
    assert_false(fake.wanted);
}

static void test_receive_and_end(void **state)
{
    (void)state;
    poll();
    assert_int_equal(in(LSR)&1, 0);
    give("xy", 2);
    assert_int_equal(in(LSR)&1, 1);
    assert_int_equal(in(DATA), 'x');
    assert_int_equal(in(DATA), 'y');
    assert_int_equal(in(LSR)&1, 0);
    assert_int_equal(in(DATA), 0);
    fake.input_ends = true;
    assert_int_equal(in(LSR)&1, 1);
    assert_int_equal(in(DATA), 0x04); /* the end, once */
    assert_int_equal(in(LSR)&1, 0);
    assert_int_equal(in(DATA), 0);
}

/* The carrier (MSR bit 7) is set until the guest has read the end of input, and again with new
 * input. */
static void test_end_drops_the_carrier(void **state)
{
    (void)state;
    poll();
    assert_int_equal(in(MSR), 0xb0); /* CTS, DSR, DCD */
    give("x", 1);
    fake.input_ends = true;
    assert_int_equal(in(MSR), 0xb0);
    assert_int_equal(in(DATA), 'x');
    assert_int_equal(in(MSR), 0xb0); /* the end is there, but not delivered */
    assert_int_equal(in(DATA), 0x04);
    assert_int_equal(in(MSR), 0x30);
    assert_int_equal(in(DATA), 0);
    assert_int_equal(in(MSR), 0x30);
    give("y", 1);
    assert_int_equal(in(DATA), 'y');
    assert_int_equal(in(MSR), 0xb0);
    assert_int_equal(in(DATA), 0x04); /* there is a new end of input */
    assert_int_equal(in(MSR), 0x30);
}

/* Loopback connects the modem outputs to the inputs, whatever the line's carrier does. */
static void test_carrier_in_loopback(void **state)
{
    (void)state;
    fake.input_ends = true;
    poll();
    assert_int_equal(in(DATA), 0x04);
    out(MCR, 0x18); /* LOOP, OUT2 */
    assert_int_equal(in(MSR), 0x80);
    out(MCR, 0x08);
    assert_int_equal(in(MSR), 0x30);
}

static void look(unsigned times)
{
    while (times-- > 0)
        serial_look_for_end(&serial);
}

/* A guest that waits for the interrupt gets the end after a quiet time, and once more if it has
 * done something since, because it may have dropped the first; not while it prints. */
static void test_end_when_quiet(void **state)
{
    (void)state;
    out(IER, 0x01);
    fake.input_ends = true;
    look(SERIAL_QUIET_LOOKS - 1);
    assert_int_equal(in(LSR)&1, 0);
    out(DATA, '>');
    look(SERIAL_QUIET_LOOKS);
    assert_int_equal(in(LSR)&1, 0);
    look(1);
    assert_int_equal(in(LSR)&1, 1);
    assert_int_equal(in(DATA), 0x04);
    look(3 * SERIAL_QUIET_LOOKS);
    assert_int_equal(in(LSR)&1, 0);
    out(DATA, '>');
    look(SERIAL_QUIET_LOOKS + 1);
    assert_int_equal(in(DATA), 0x04);
}

static void test_end_without_ctrl_d(void **state)
{
    (void)state;
    serial_init(&serial, &fake.backend, com1, false);
    fake.input_ends = true;
    assert_int_equal(in(LSR)&1, 0);
    assert_int_equal(in_item(DATA, true), 0);
    assert_int_equal(in(MSR), 0xb0); /* the carrier changes only with the data */
}

static void test_polling_means_reading(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) { /* a printing guest reads LSR before each byte */
        in(LSR);
        out(DATA, '.');
    }
    assert_false(fake.wanted);
    for (int i = 0; i < 20; i++)
        in(LSR);
    assert_true(fake.wanted);
}

static void test_divisor_and_scratch(void **state)
{
    (void)state;
    out(LCR, 0x83);
    out(DATA, 0x0c);
    out(IER, 0x01);
    assert_int_equal(in(DATA), 0x0c);
    assert_int_equal(in(IER), 0x01);
    out(LCR, 0x03);
    assert_int_equal(in(LCR), 0x03);
    assert_int_equal(in(IER), 0);
    assert_int_equal(fake.printed_count, 0);
    out(SCR, 0x5a);
    assert_int_equal(in(SCR), 0x5a);
    out(IER, 0xff);
    assert_int_equal(in(IER), 0x0f);
}

static void test_receive_interrupt(void **state)
{
    (void)state;
    out(MCR, 0x08);
    out(IER, 0x01);
    assert_true(fake.wanted);
    assert_false(fake.line[4]);
    assert_int_equal(in(IIR), 0x01);
    give("q", 1);
    assert_true(fake.line[4]);
    assert_int_equal(in(IIR), 0x04);
    assert_int_equal(in(DATA), 'q');
    assert_false(fake.line[4]);
    out(MCR, 0); /* OUT2 off: the interrupt line is disconnected */
    give("r", 1);
    assert_false(fake.line[4]);
}

static void test_fifo_trigger(void **state)
{
    (void)state;
    out(FCR, 0x81); /* FIFO on, trigger at 8 */
    out(IER, 0x01);
    give("1234567", 7);
    assert_int_equal(in(IIR), 0xcc); /* fewer than the trigger: time-out */
    give("12345678", 8);
    assert_int_equal(in(IIR), 0xc4);
}

static void test_transmit_interrupt(void **state)
{
    (void)state;
    out(MCR, 0x08);
    out(IER, 0x02); /* empty already: at once */
    assert_true(fake.line[4]);
    assert_int_equal(in(IIR), 0x02); /* reading acknowledges */
    assert_int_equal(in(IIR), 0x01);
    assert_false(fake.line[4]);
    fake.edges = 0;
    out(DATA, 'x');
    assert_true(fake.line[4]);
    out(DATA, 'y'); /* falls and rises again */
    assert_int_equal(fake.edges, 2);
}

static void test_loopback(void **state)
{
    (void)state;
    out(MCR, 0x1a); /* loopback, OUT2 and RTS */
    assert_int_equal(in(MSR)&0xf0, 0x90);
    out(FCR, 0x01);
    for (int i = 0; i < 17; i++)
        out(DATA, (uint8_t)('a' + i));
    assert_int_equal(fake.printed_count, 0);
    assert_int_equal(in(LSR)&0x03, 0x03); /* data, and the 17th was lost */
    assert_int_equal(in(LSR)&0x02, 0);
    for (int i = 0; i < 16; i++)
        assert_int_equal(in(DATA), 'a' + i);
    assert_int_equal(in(LSR)&1, 0);
}

static void test_clearing_loses_no_input(void **state)
{
    (void)state;
    out(IER, 0x01);
    give("early", 5);
    assert_int_equal(in(LSR)&1, 1);
    out(FCR, 0x07);
    assert_int_equal(in(DATA), 'e');
}

/* Register by register what Linux's 8250 driver does to find a UART and to open it. It drops all
 * that it reads on the way, so it must read no input. */
static void test_driver_start_takes_no_input(void **state)
{
    (void)state;
    give("early", 5);
    out(IER, 0x0f); /* is there an enable register? */
    assert_int_equal(in(IER), 0x0f);
    out(IER, 0);
    out(FCR, 0x07);
    out(FCR, 0);
    for (int round = 0; round < 2; round++) { /* once before it tests the interrupt, once after */
        assert_int_equal(in(LSR)&1, 0);
        assert_int_equal(in(DATA), 0);
        assert_int_equal(in(IIR), 0x01);
        in(MSR);
        assert_int_equal(in(LSR)&1, 0);
        out(IER, 0x02);
        in(LSR);
        in(IIR);
        out(IER, 0);
    }
    out(MCR, 0x0b);
    out(IER, 0x05); /* now it listens */
    assert_true(fake.line[4]);
    assert_int_equal(in(LSR)&1, 1);
    assert_int_equal(in(DATA), 'e');
    out(IER, 0); /* while it prints without interrupts, and when it shuts the port */
    assert_false(fake.line[4]);
    assert_int_equal(in(DATA), 0);
    out(IER, 0x05);
    assert_int_equal(in(DATA), 'a');
}

/* A guest that polls counts as listening, until it clears the receiver. */
static void test_listening_by_polls(void **state)
{
    (void)state;
    give("abc", 3);
    for (int i = 0; i < 7; i++)
        assert_int_equal(in(LSR)&1, 0);
    assert_int_equal(in(LSR)&1, 1);
    assert_int_equal(in(DATA), 'a');
    out(DATA, '.');
    out(IER, 0);
    assert_int_equal(in(LSR)&1, 1);
    out(FCR, 0x07);
    assert_int_equal(in(LSR)&1, 0);
    for (int i = 0; i < 6; i++) /* reads of the data register count too */
        assert_int_equal(in(DATA), 0);
    assert_int_equal(in(DATA), 'b');
    assert_int_equal(in(DATA), 'c');
}

/* "A byte? If not, is the line gone?" */
static void test_looking_at_the_line_is_polling_too(void **state)
{
    (void)state;
    give("m", 1);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(in(LSR)&1, 0);
        in(MSR);
    }
    assert_int_equal(in(LSR)&1, 1);
}

static void test_string_input_listens(void **state)
{
    (void)state;
    give("s", 1);
    assert_int_equal(in_item(DATA, true), 's');
    assert_true(fake.wanted);
}

/* Reading in loopback does not count as waiting for input: drivers measure FIFOs that way. */
static void test_loopback_is_no_poll(void **state)
{
    (void)state;
    give("x", 1);
    out(MCR, 0x10);
    for (int i = 0; i < 20; i++)
        in(LSR);
    out(MCR, 0);
    assert_int_equal(in(LSR)&1, 0);
    assert_false(fake.wanted);
}

/* Saved, and loaded into the port of another process, whose line is low. */
static void restore(void)
{
    static uint8_t bytes[1024];
    struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};
    struct chunk_reader reader;
    struct chunk chunk;
    struct error error;

    serial_ops.save(&serial, "uart", &writer);
    reader = (struct chunk_reader){.bytes = bytes, .size = writer.used};
    fake_init(&fake);
    serial_init(&serial, &fake.backend, com1, true);
    assert_int_equal(chunk_next(&reader, &chunk, &error), 1);
    assert_int_equal(serial_ops.load(&serial, &chunk, &error), 0);
}

/* A driver that has more to send waits for the interrupt of an empty transmitter. A restored guest
 * gets it too, once, and again after each byte. */
static void test_saved_while_it_transmits(void **state)
{
    (void)state;
    out(MCR, 0x08);
    out(IER, 2);
    out(DATA, 'A');
    assert_true(fake.line[SERIAL_IRQ]);
    restore();
    assert_true(fake.line[SERIAL_IRQ]);
    assert_int_equal(in(IIR)&0x0f, 2);
    assert_false(fake.line[SERIAL_IRQ]);
    restore(); /* in the handler, before it has sent the next */
    assert_false(fake.line[SERIAL_IRQ]);
    out(DATA, 'B');
    assert_true(fake.line[SERIAL_IRQ]);
    assert_memory_equal(fake.printed, "B", 1);
}

static void test_saved_while_it_waits_for_input(void **state)
{
    (void)state;
    out(MCR, 0x08);
    out(IER, 1);
    restore();
    assert_false(fake.line[SERIAL_IRQ]);
    give("x", 1);
    assert_true(fake.line[SERIAL_IRQ]);
    assert_int_equal(in(DATA), 'x');
}

/* A load changes nothing by itself, even if other input waits: the guest must repeat what it did
 * from there (watch/travel). */
static void test_load_does_not_look_for_input(void **state)
{
    (void)state;
    out(MCR, 0x08);
    out(IER, 1);
    give("x", 1);
    restore();
    assert_true(fake.line[SERIAL_IRQ]);
    serial_input_ready(&serial);
    assert_false(fake.line[SERIAL_IRQ]);
    give("x", 1);
    assert_int_equal(in(DATA), 'x');
    assert_false(fake.line[SERIAL_IRQ]);
}

static void test_saved_between_two_looks(void **state)
{
    (void)state;
    out(IER, 1);
    fake.input_ends = true;
    look(SERIAL_QUIET_LOOKS - 1);
    restore();
    fake.input_ends = true;
    assert_int_equal(in(LSR)&1, 0);
    look(1);
    assert_int_equal(in(LSR)&1, 1);
    restore(); /* the end is there, and not read */
    fake.input_ends = true;
    assert_int_equal(in(DATA), 0x04);
    assert_int_equal(in(LSR)&1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_transmit, set_up),
        cmocka_unit_test_setup(test_receive_and_end, set_up),
        cmocka_unit_test_setup(test_end_drops_the_carrier, set_up),
        cmocka_unit_test_setup(test_carrier_in_loopback, set_up),
        cmocka_unit_test_setup(test_end_when_quiet, set_up),
        cmocka_unit_test_setup(test_end_without_ctrl_d, set_up),
        cmocka_unit_test_setup(test_polling_means_reading, set_up),
        cmocka_unit_test_setup(test_divisor_and_scratch, set_up),
        cmocka_unit_test_setup(test_receive_interrupt, set_up),
        cmocka_unit_test_setup(test_fifo_trigger, set_up),
        cmocka_unit_test_setup(test_transmit_interrupt, set_up),
        cmocka_unit_test_setup(test_loopback, set_up),
        cmocka_unit_test_setup(test_clearing_loses_no_input, set_up),
        cmocka_unit_test_setup(test_driver_start_takes_no_input, set_up),
        cmocka_unit_test_setup(test_listening_by_polls, set_up),
        cmocka_unit_test_setup(test_looking_at_the_line_is_polling_too, set_up),
        cmocka_unit_test_setup(test_string_input_listens, set_up),
        cmocka_unit_test_setup(test_loopback_is_no_poll, set_up),
        cmocka_unit_test_setup(test_saved_while_it_transmits, set_up),
        cmocka_unit_test_setup(test_saved_while_it_waits_for_input, set_up),
        cmocka_unit_test_setup(test_load_does_not_look_for_input, set_up),
        cmocka_unit_test_setup(test_saved_between_two_looks, set_up),
    };

    return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
