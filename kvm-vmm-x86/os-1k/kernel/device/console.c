/* The 16550A at 0x3f8 (National Semiconductor PC16550D data sheet, section 8), and hypercall WRITE,
 * which saves an exit for each byte; see device.h. */
#include "abi/hypercall.h"
#include "common/string.h"
#include "kernel/cpu/x86.h"
#include "kernel/device/device.h"
#include "kernel/process/process.h"

#define VMM_NAME "mini-kvm"

enum { OUTPUT_SIZE = 2048, INPUT_SIZE = 256, CONTROL_C = 0x03 };
enum {
    DATA = 0x3f8,
    INTERRUPT_ENABLE = DATA + 1,
    FIFO_CONTROL = DATA + 2,
    LINE_CONTROL = DATA + 3,
    MODEM_CONTROL = DATA + 4,
    LINE_STATUS = DATA + 5,
    MODEM_STATUS = DATA + 6,

    IER_RECEIVED = 0x01,
    FCR_CLEAR_AND_ENABLE = 0x07,
    LCR_8_BITS = 0x03,
    LCR_DIVISOR = 0x80,
    MCR_READY = 0x0b, /* DTR, RTS, and OUT2: on a PC that lets the interrupt through */
    LSR_RECEIVED = 0x01,
    LSR_EMPTY = 0x20,
    MSR_CARRIER = 0x80,

    FIFO_SIZE = 16,
    DIVISOR_115200 = 1,
    SPIN_LIMIT = 1000000, /* a device that never empties loses output, it does not stop us */
};

static bool has_carrier; /* some serial ports never report one: theirs cannot be lost */

static char output[OUTPUT_SIZE];
static size_t output_used;

/* A ring: bytes from `input_tail` to `input_head`, both counting on for ever. */
static char input[INPUT_SIZE];
static unsigned input_head, input_tail;

void console_init(void)
{
    x86_out8(INTERRUPT_ENABLE, 0);
    x86_out8(LINE_CONTROL, LCR_DIVISOR);
    x86_out8(DATA, DIVISOR_115200);
    x86_out8(INTERRUPT_ENABLE, 0);
    x86_out8(LINE_CONTROL, LCR_8_BITS);
    x86_out8(FIFO_CONTROL, FCR_CLEAR_AND_ENABLE);
    x86_out8(MODEM_CONTROL, MCR_READY);
    has_carrier = (x86_in8(MODEM_STATUS) & MSR_CARRIER) != 0;
}

void console_start(void)
{
    if (strncmp(kernel_info.loader, VMM_NAME, strlen(VMM_NAME)) == 0)
        kernel_info.features |= SYSTEM_HYPERCALL;
    x86_out8(INTERRUPT_ENABLE, IER_RECEIVED);
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
        for (int spins = 0; i % FIFO_SIZE == 0 && spins < SPIN_LIMIT; spins++)
            if (x86_in8(LINE_STATUS) & LSR_EMPTY)
                break;
        x86_out8(DATA, (uint8_t)text[i]);
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
    while (input_head - input_tail < INPUT_SIZE && (x86_in8(LINE_STATUS) & LSR_RECEIVED)) {
        char c = (char)x86_in8(DATA);

        if (c == CONTROL_C && process_interrupt_foreground())
            continue;
        input[input_head++ % INPUT_SIZE] = c;
        process_wake(PROCESS_READING);
    }
    if (input_head - input_tail == INPUT_SIZE)
        x86_out8(INTERRUPT_ENABLE, 0);
}

int console_read(void)
{
    int c;

    if (input_head == input_tail)
        return -1;
    c = (unsigned char)input[input_tail++ % INPUT_SIZE];
    if (input_head - input_tail == INPUT_SIZE / 2)
        x86_out8(INTERRUPT_ENABLE, IER_RECEIVED);
    return c;
}

bool console_ended(void)
{
    return input_head == input_tail && has_carrier && !(x86_in8(MODEM_STATUS) & MSR_CARRIER);
}
