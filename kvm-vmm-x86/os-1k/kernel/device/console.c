/* The 16550A at 0x3f8 (National Semiconductor PC16550D data sheet, section 8), and hypercall WRITE,
 * which saves an exit for each byte; see device.h. */
#include "abi/hypercall.h"
#include "abi/uart16550.h"
#include "common/string.h"
#include "common/x86.h"
#include "kernel/device/device.h"
#include "kernel/process/process.h"

#define VMM_NAME "mini-kvm"

enum { OUTPUT_SIZE = 2048, INPUT_SIZE = 256, CONTROL_C = 0x03 };
enum {
    DIVISOR_115200 = 1,
    SPIN_LIMIT = 1000000
}; /* a device that never empties loses output, it does not stop us */

static bool has_carrier; /* some serial ports never report one: theirs cannot be lost */

static char output[OUTPUT_SIZE];
static size_t output_used;

/* A ring: bytes from `input_tail` to `input_head`, both counting on for ever. */
static char input[INPUT_SIZE];
static unsigned input_head, input_tail;

void console_init(void)
{
    x86_out8(UART_COM1 + UART_IER, 0);
    x86_out8(UART_COM1 + UART_LCR, UART_LCR_DLAB);
    x86_out8(UART_COM1 + UART_DATA, DIVISOR_115200);
    x86_out8(UART_COM1 + UART_IER, 0);
    x86_out8(UART_COM1 + UART_LCR, UART_LCR_8_BITS);
    x86_out8(UART_COM1 + UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR_RX | UART_FCR_CLEAR_TX);
    x86_out8(UART_COM1 + UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
    has_carrier = (x86_in8(UART_COM1 + UART_MSR) & UART_MSR_DCD) != 0;
}

void console_start(void)
{
    if (strncmp(kernel_info.loader, VMM_NAME, strlen(VMM_NAME)) == 0)
        kernel_info.features |= SYSTEM_HYPERCALL;
    x86_out8(UART_COM1 + UART_IER, UART_IER_RDA);
}

static void hypercall_write(const char *text, size_t length)
{
    __asm__ volatile("outb %%al, %%dx"
                     :
                     : "a"(HC_WRITE), "b"(kernel_physical(text)), "c"(length), "d"(HC_PORT)
                     : "memory");
}

static void serial_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        for (int spins = 0; i % UART_FIFO_SIZE == 0 && spins < SPIN_LIMIT; spins++)
            if (x86_in8(UART_COM1 + UART_LSR) & UART_LSR_THRE)
                break;
        x86_out8(UART_COM1 + UART_DATA, (uint8_t)text[i]);
    }
}

void console_flush(void)
{
    if (!(kernel_info.features & SYSTEM_HYPERCALL))
        serial_write(output, output_used);
    else if (output_used > 0)
        hypercall_write(output, output_used);
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

static void sink_write(struct fmt_sink *sink, const char *text, size_t length)
{
    (void)sink;
    console_write(text, length);
}

void console_print(const char *format, ...)
{
    struct fmt_sink sink = {sink_write};
    va_list args;

    va_start(args, format);
    fmt_vprint(&sink, format, args);
    va_end(args);
}

/* When the ring is full the rest stays in the device, and its sender waits. */
void console_interrupt(void)
{
    while (input_head - input_tail < INPUT_SIZE && (x86_in8(UART_COM1 + UART_LSR) & UART_LSR_DR)) {
        char c = (char)x86_in8(UART_COM1 + UART_DATA);

        if (c == CONTROL_C && process_foreground()->pid != FIRST_PROCESS)
            process_end(process_foreground(), STATUS_KILLED);
        else
            input[input_head++ % INPUT_SIZE] = c;
    }
    process_wake(PROCESS_READING);
    if (input_head - input_tail == INPUT_SIZE)
        x86_out8(UART_COM1 + UART_IER, 0);
}

int console_read(void)
{
    if (input_head == input_tail)
        return has_carrier && !(x86_in8(UART_COM1 + UART_MSR) & UART_MSR_DCD) ? ERROR_END_OF_INPUT
                                                                              : CONSOLE_EMPTY;
    if (input_head - input_tail == INPUT_SIZE)
        x86_out8(UART_COM1 + UART_IER, UART_IER_RDA);
    return (unsigned char)input[input_tail++ % INPUT_SIZE];
}
