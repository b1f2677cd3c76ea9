/* Unit tests of serial ports, with memory in place of their registers: where each kind writes, and
 * when it waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/uart16550.h"
#include "cpu/firmware.h"
#include "host/port.h"

static uint32_t words[16]; /* registers */
static char sent[8];       /* by the firmware */

size_t firmware_send(const char *text, size_t length)
{
    memcpy(sent, text, length);
    return length;
}

int firmware_read(void)
{
    return 'k';
}

static void open_ns(uint32_t shift, uint32_t width)
{
    memset(words, 0, sizeof words);
    port_open(&(struct machine_uart){.base = (uintptr_t)words, .shift = shift, .width = width});
}

static void ns16550_by_width_and_distance(void **state)
{
    uint8_t *bytes = (uint8_t *)words;

    (void)state;
    open_ns(0, 1);
    assert_int_equal(port_burst(), 256);
    assert_int_equal(bytes[UART_FCR], UART_FCR_ENABLE);
    assert_int_equal(port_send("ab", 2), 0);
    assert_int_equal(port_receive(), -1);
    bytes[UART_LSR] = UART_LSR_THRE | UART_LSR_DR;
    assert_int_equal(port_send("ab", 2), 2);
    assert_int_equal(bytes[UART_DATA], 'b');
    assert_int_equal(port_receive(), 'b');
    open_ns(2, 4);
    assert_int_equal(words[UART_FCR], UART_FCR_ENABLE);
    words[UART_LSR] = UART_LSR_THRE | UART_LSR_DR;
    assert_int_equal(port_send("abcdefghijklmnopqrst", 20), UART_FIFO_SIZE);
    assert_int_equal(words[UART_DATA], 'p');
    assert_true(port_can_interrupt());
    port_interrupt();
    assert_int_equal(words[UART_IER], UART_IER_RDA);
}

static void sifive(void **state)
{
    (void)state;
    memset(words, 0, sizeof words);
    words[2] = 1u << 16; /* a watermark, kept */
    port_open(&(struct machine_uart){.base = (uintptr_t)words, .width = 1, .sifive = true});
    assert_int_equal(words[2], 1u << 16 | 1);
    assert_int_equal(words[3], 1);
    assert_int_equal(port_send("xy", 2), 2);
    assert_int_equal(words[0], 'y');
    words[0] = 1u << 31;
    assert_int_equal(port_send("z", 1), 0);
    words[1] = 1u << 31 | 'q';
    assert_int_equal(port_receive(), -1);
    words[1] = 'q';
    assert_int_equal(port_receive(), 'q');
    port_interrupt();
    assert_int_equal(words[4], 2);
}

static void the_firmwares(void **state)
{
    (void)state;
    port_open(&(struct machine_uart){.base = 0});
    assert_false(port_can_interrupt());
    assert_int_equal(port_burst(), 16);
    assert_int_equal(port_send("hv", 2), 2);
    assert_memory_equal(sent, "hv", 2);
    assert_int_equal(port_receive(), 'k');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ns16550_by_width_and_distance),
                                       cmocka_unit_test(sifive), cmocka_unit_test(the_firmwares)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
