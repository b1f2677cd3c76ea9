/* The loader's output: on the screen by the BIOS, and on COM1 (set up by the boot sector). */
#ifndef BOOT_CONSOLE_H
#define BOOT_CONSOLE_H

#include <stdint.h>

void console_text(const char *text);
void console_number(uint32_t value);
void console_hex(uint32_t value);
void console_line_end(void);

/* Prints "HLeOs Ecode text", a line end, and stops the machine. */
void console_fail(const char *code, const char *text) __attribute__((noreturn));
/* Stops the machine, after the caller has printed a line. */
void console_halt(void) __attribute__((noreturn));

#endif
