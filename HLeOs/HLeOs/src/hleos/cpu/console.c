/* Writes lines to the attached console; see console.h. */
#include "cpu/console.h"

#include "common/x86.h"
#include "cpu.h"

enum { PATIENCE = 20000000 }; /* polls; a report takes a fraction of a second on the serial line */

static void nothing(void)
{
}

static void write_nothing(const char *text, size_t length)
{
    (void)text;
    (void)length;
}

static const struct console none = {write_nothing, nothing};
static const struct console *console = &none;
static struct cpu *speaker; /* the processor that prints a report */

void console_attach(const struct console *attached)
{
    console = attached;
}

void console_begin(void)
{
    struct cpu *cpu = cpu_this(), *other = NULL;

    if (cpu->urgent++ > 0)
        return;
    for (long look = 0;
         look < PATIENCE && !__atomic_compare_exchange_n(&speaker, &other, cpu, false,
                                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
         look++) {
        other = NULL;
        x86_pause();
    }
}

void console_end(void)
{
    struct cpu *cpu = cpu_this();

    if (--cpu->urgent == 0 && __atomic_load_n(&speaker, __ATOMIC_RELAXED) == cpu)
        __atomic_store_n(&speaker, NULL, __ATOMIC_RELEASE);
}

bool console_is_urgent(void)
{
    return CPU_READ(urgent) > 0;
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
