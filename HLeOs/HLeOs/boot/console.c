/* The loader's output; see console.h. Numbers are 32 bits wide: a 64-bit division would need
 * libgcc. */
#include "console.h"

#include "bios.h"
#include "common/pc/serial.h"
#include "common/x86.h"

static void put(char c)
{
    struct bios_registers r = {.eax = 0x0e00 | (uint8_t)c, .ebx = 7};

    bios_call(BIOS_VIDEO, &r);
    pc_serial_put(c);
}

void console_text(const char *text)
{
    while (*text != '\0')
        put(*text++);
}

static void number(uint32_t value, uint32_t base)
{
    char digits[11];
    char *p = digits + sizeof digits - 1;

    *p = '\0';
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    console_text(p);
}

void console_number(uint32_t value)
{
    number(value, 10);
}

void console_hex(uint32_t value)
{
    console_text("0x");
    number(value, 16);
}

void console_line_end(void)
{
    console_text("\r\n");
}

void console_fail(const char *code, const char *text)
{
    console_text("HLeOs ");
    console_text(code);
    console_text(" ");
    console_text(text);
    console_line_end();
    console_halt();
}

/* Not inlined, so that a debugger can set a breakpoint where the loader gives up. */
void __attribute__((noinline)) console_halt(void)
{
    x86_stop();
}
