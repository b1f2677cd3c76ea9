/* The hypervisor's own words; see console.h. */
#include "lib/console.h"

#include "cpu/firmware.h"
#include "lib/lock.h"

static struct lock lock;
static void (*output)(const char *text, size_t length) = firmware_write;

void console_set_output(void (*write)(const char *text, size_t length))
{
    output = write;
}

void console_write(const char *text, size_t length)
{
    lock_take(&lock);
    output(text, length);
    lock_drop(&lock);
}

void print(const char *format, ...)
{
    char line[512];
    va_list args;
    int length;

    va_start(args, format);
    length = fmt_vsnprint(line, sizeof line, format, args);
    va_end(args);
    console_write(line, min64((uint64_t)length, sizeof line - 1));
}

void panic(const char *format, ...)
{
    static uint32_t once;
    char line[512];
    va_list args;

    va_start(args, format);
    fmt_vsnprint(line, sizeof line, format, args);
    va_end(args);
    if (__atomic_exchange_n(&once, 1, __ATOMIC_ACQ_REL) == 0) {
        /* Past the lock: its holder may be what went wrong. */
        firmware_write("\nhv: defect: ", 13);
        for (const char *c = line; *c != '\0'; c++)
            firmware_write(c, 1);
        firmware_write("\n", 1);
        firmware_shutdown(true);
    }
    for (;;)
        __asm__ volatile("wfi");
}
