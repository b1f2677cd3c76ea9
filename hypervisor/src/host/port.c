/* Serial ports; see port.h. */
#include "host/port.h"

#include "abi/uart16550.h"
#include "common/string.h"
#include "cpu/firmware.h"

/* SiFive FU540-C000 Manual, chapter 13. */
enum { S_TXDATA = 0x00, S_RXDATA = 0x04, S_TXCTRL = 0x08, S_RXCTRL = 0x0c, S_IE = 0x10 };
enum { S_ENABLE = 1, S_RXWM = 2 };
#define S_BUSY (1u << 31) /* of TXDATA: full, of RXDATA: empty */

/* The firmware may wait for each byte, so its burst is only as long as a chip's FIFO. */
enum { BURST = 256, FIRMWARE_BURST = UART_FIFO_SIZE };

struct port_kind {
    void (*open)(void);
    void (*interrupt)(void); /* NULL: it has none */
    size_t (*send)(const char *bytes, size_t count);
    int (*receive)(void);
    size_t burst;
};

static struct machine_uart uart;
static const struct port_kind *kind;

/* ---- ns16550a ---- */

static uint8_t get(unsigned reg)
{
    uint64_t at = uart.base + ((uint64_t)reg << uart.shift);

    return uart.width == 4 ? (uint8_t) * (volatile uint32_t *)at : *(volatile uint8_t *)at;
}

static void put(unsigned reg, uint8_t value)
{
    uint64_t at = uart.base + ((uint64_t)reg << uart.shift);

    if (uart.width == 4)
        *(volatile uint32_t *)at = value;
    else
        *(volatile uint8_t *)at = value;
}

static void ns_open(void)
{
    put(UART_FCR, UART_FCR_ENABLE);
}

static void ns_interrupt(void)
{
    put(UART_IER, UART_IER_RDA);
}

static size_t ns_send(const char *bytes, size_t count)
{
    size_t n = min64(count, UART_FIFO_SIZE);

    if ((get(UART_LSR) & UART_LSR_THRE) == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        put(UART_DATA, (uint8_t)bytes[i]);
    return n;
}

static int ns_receive(void)
{
    return (get(UART_LSR) & UART_LSR_DR) != 0 ? get(UART_DATA) : -1;
}

static const struct port_kind ns = {ns_open, ns_interrupt, ns_send, ns_receive, BURST};

/* ---- SiFive ---- */

static volatile uint32_t *sifive(unsigned offset)
{
    return (volatile uint32_t *)(uart.base + offset);
}

static void sifive_open(void)
{
    *sifive(S_TXCTRL) |= S_ENABLE;
    *sifive(S_RXCTRL) = S_ENABLE; /* interrupts from the first byte on */
}

static void sifive_interrupt(void)
{
    *sifive(S_IE) = S_RXWM;
}

static size_t sifive_send(const char *bytes, size_t count)
{
    size_t n = 0;

    for (; n < count && (*sifive(S_TXDATA) & S_BUSY) == 0; n++)
        *sifive(S_TXDATA) = (uint8_t)bytes[n];
    return n;
}

static int sifive_receive(void)
{
    uint32_t data = *sifive(S_RXDATA);

    return (data & S_BUSY) != 0 ? -1 : (int)(data & 0xff);
}

static const struct port_kind sifive_kind = {sifive_open, sifive_interrupt, sifive_send,
                                             sifive_receive, BURST};

/* ---- The firmware's ---- */

static void firmware_open(void)
{
}

static const struct port_kind firmware_kind = {firmware_open, NULL, firmware_send, firmware_read,
                                               FIRMWARE_BURST};

void port_open(const struct machine_uart *found)
{
    uart = *found;
    kind = uart.base == 0 ? &firmware_kind : uart.sifive ? &sifive_kind : &ns;
    kind->open();
}

bool port_can_interrupt(void)
{
    return kind->interrupt != NULL;
}

void port_interrupt(void)
{
    kind->interrupt();
}

size_t port_send(const char *bytes, size_t count)
{
    return kind->send(bytes, count);
}

size_t port_burst(void)
{
    return kind->burst;
}

int port_receive(void)
{
    return kind->receive();
}
