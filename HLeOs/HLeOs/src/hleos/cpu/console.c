/* Lines to the console that is attached; see console.h. */
#include "cpu/console.h"

static void nothing(void)
{
}

static void write_nothing(const char *text, size_t length)
{
    (void)text;
    (void)length;
}

static const struct console none = {nothing, write_nothing, nothing, nothing};
static const struct console *console = &none;

void console_attach(const struct console *attached)
{
    console = attached;
}

void console_begin(void)
{
    console->begin();
}

void console_end(void)
{
    console->end();
}

void console_flush(void)
{
    console->flush();
}

static void write(struct fmt_sink *sink, const char *text, size_t length)
{
    (void)sink;
    console->write(text, length);
}

void console_say(const char *format, ...)
{
    struct fmt_sink sink = {write};
    va_list args;

    va_start(args, format);
    fmt_vprint(&sink, format, args);
    va_end(args);
    console->write("\n", 1);
}
