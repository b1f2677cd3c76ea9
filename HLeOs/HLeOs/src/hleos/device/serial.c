/* HLeOs's use of the serial port; the port itself is common/pc/serial.c. */
#include "device/serial.h"

#include "abi/uart16550.h"
#include "common/pc/serial.h"
#include "cpu/lock.h"
#include "interrupt.h"

enum { BURST_MAX = 256, SEND_MAX = 16 };

static struct lock lock = LOCK_INIT("serial", LOCK_SERIAL); /* the transmitter */
static bool present;
static void (*receiver)(unsigned char byte);

bool serial_init(void)
{
    present = pc_serial_init();
    return present;
}

static void put(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            pc_serial_put('\r');
        pc_serial_put(text[i]);
    }
}

/* Interrupts are off for at most one full FIFO, a millisecond or two. */
void serial_write(const char *text, size_t length)
{
    while (present && length > 0) {
        size_t some = length < SEND_MAX ? length : SEND_MAX;
        struct lock_hold hold = lock_take_to_print(&lock);

        put(text, some);
        lock_give_printed(&lock, &hold);
        text += some;
        length -= some;
    }
}

void serial_flush(void)
{
    if (present)
        pc_serial_flush();
}

static void received(void *context)
{
    int byte;

    (void)context;
    for (int i = 0; i < BURST_MAX && (byte = pc_serial_get()) >= 0; i++)
        receiver((unsigned char)byte);
}

void serial_start_input(void (*receive)(unsigned char byte))
{
    if (!present)
        return;
    receiver = receive;
    interrupt_attach_line(UART_COM1_IRQ, "serial", received, NULL);
    pc_serial_interrupt(true);
}
