/* Input by the serial port; output by the serial port, or by hypercall WRITE, which saves an exit
 * for each byte; see device.h. */
#include "abi/hypercall.h"
#include "abi/uart16550.h"
#include "common/pc/serial.h"
#include "common/string.h"
#include "common/x86.h"
#include "kernel/device/device.h"

/* Input that is typed or piped before programs read it. Ctrl-C is handled when it arrives here, so
 * the ring is larger than typed input ever gets: as large as a Linux pipe. */
enum { OUTPUT_SIZE = 2048, INPUT_SIZE = 65536 };

static bool has_carrier; /* if a port never reports one, it cannot be lost */

static char output[OUTPUT_SIZE];
static size_t output_used;

/* A ring: bytes from `input_tail` to `input_head`. Both only grow; the index is the remainder. */
static char input[INPUT_SIZE];
static unsigned input_head, input_tail;

static bool carrier(void)
{
    return (x86_in8(UART_COM1 + UART_MSR) & UART_MSR_DCD) != 0;
}

void console_init(void)
{
    if (pc_serial_init())
        has_carrier = carrier();
    pc_serial_interrupt(true);
}

static void hypercall_write(const char *text, size_t length)
{
    __asm__ volatile("outb %%al, %%dx"
                     :
                     : "a"(HC_WRITE), "b"(kernel_physical(text)), "c"(length), "d"(HC_PORT)
                     : "memory");
}

void console_flush(void)
{
    if (output_used > 0 && (kernel_info.features & SYSTEM_HYPERCALL))
        hypercall_write(output, output_used);
    else
        for (size_t i = 0; i < output_used; i++)
            pc_serial_put(output[i]);
    output_used = 0;
}

void console_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (output_used == OUTPUT_SIZE)
            console_flush();
        output[output_used++] = text[i];
    }
}

void console_print(const char *format, ...)
{
    char line[128];
    va_list args;

    va_start(args, format);
    fmt_vsnprint(line, sizeof line, format, args);
    va_end(args);
    console_write(line, strlen(line));
}

int console_receive(void)
{
    if (input_head - input_tail < INPUT_SIZE)
        return pc_serial_get();
    pc_serial_interrupt(false);
    return -1;
}

void console_keep(char c)
{
    input[input_head++ % INPUT_SIZE] = c;
}

int console_read(void)
{
    if (input_head == input_tail)
        return has_carrier && !carrier() ? ERROR_END_OF_INPUT : CONSOLE_EMPTY;
    if (input_head - input_tail == INPUT_SIZE / 2)
        pc_serial_interrupt(true);
    return (unsigned char)input[input_tail++ % INPUT_SIZE];
}
