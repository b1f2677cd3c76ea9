/* The output of all guests, under one lock; see console.h. */
#include "console/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "host/threads.h"

enum { LINE_MAX_BYTES = 4096, STDOUT = 1, STDERR = 2, NOBODY = -1 };

/* Ticks without growth after which a begun line counts as a prompt: at once alone, later if it
 * might be cut in two. */
enum { QUIET_ALONE = 1, QUIET_AMONG_OTHERS = 4 };

static const char *const color_codes[GUESTS_MAX] = {"\033[31m", "\033[32m", "\033[34m", "\033[33m"};
static const char color_off[] = "\033[0m";

/* A line being collected. */
struct stream {
    uint8_t bytes[LINE_MAX_BYTES];
    size_t used;
    unsigned quiet; /* ticks since it last grew */
};

static struct {
    struct lock lock; /* protects everything below */
    struct console_config config;
    struct stream streams[GUESTS_MAX];
    int open_line; /* the guest whose unfinished line the cursor stands in, or NOBODY */
    bool ticking;
    int failure; /* atomic: the main thread asks while a vCPU may be stuck in a write under the lock
                  */
} console;

void console_init(const struct console_config *config)
{
    memset(&console, 0, sizeof console);
    lock_init(&console.lock);
    console.config = *config;
    console.open_line = NOBODY;
}

static void emit(const void *bytes, size_t count)
{
    int failure;

    if (count == 0 || console_failure() != 0)
        return;
    failure = console.config.write(STDOUT, bytes, count);
    __atomic_store_n(&console.failure, failure, __ATOMIC_RELAXED);
    if (failure != 0)
        console.config.want_ticks(); /* whoever waits for us has to learn of it */
}

/* The newline stays outside the colour, so that no terminal paints the rest of the row. */
static void emit_colored(unsigned guest, const uint8_t *bytes, size_t count)
{
    char text[LINE_MAX_BYTES + 32];
    size_t body = count > 0 && bytes[count - 1] == '\n' ? count - 1 : count;
    int n = snprintf(text, sizeof text, "%s", color_codes[guest]);

    memcpy(text + n, bytes, body);
    n += (int)body;
    n += snprintf(text + n, sizeof text - (size_t)n, "%s%s", color_off, body < count ? "\n" : "");
    emit(text, (size_t)n);
}

static void flush_locked(unsigned guest)
{
    struct stream *s = &console.streams[guest];

    if (s->used == 0)
        return;
    if (console.config.guests > 1 && console.open_line != NOBODY && console.open_line != (int)guest)
        emit("\n", 1); /* somebody's prompt stands there: do not write into his line */
    if (console.config.color)
        emit_colored(guest, s->bytes, s->used);
    else
        emit(s->bytes, s->used);
    console.open_line = s->bytes[s->used - 1] == '\n' ? NOBODY : (int)guest;
    s->used = 0;
}

/* Several guests in a pipe: a cut line could be mixed with another's, and nobody waits for a
 * prompt. */
static bool shows_prompts(void)
{
    return console.config.guests == 1 || console.config.terminal;
}

static void put_locked(unsigned guest, uint8_t byte)
{
    struct stream *s = &console.streams[guest];

    s->bytes[s->used++] = byte;
    s->quiet = 0;
    if (byte == '\n' || s->used == LINE_MAX_BYTES)
        flush_locked(guest);
}

static void want_ticks_locked(unsigned guest)
{
    if (console.streams[guest].used == 0 || console.ticking || !shows_prompts())
        return;
    console.ticking = true;
    console.config.want_ticks();
}

void vcpu_write(unsigned guest, const uint8_t *bytes, size_t count)
{
    lock_take(&console.lock);
    if (console.config.tap != NULL)
        console.config.tap(guest, bytes, count);
    for (size_t i = 0; i < count; i++)
        put_locked(guest, bytes[i]);
    want_ticks_locked(guest);
    lock_release(&console.lock);
}

void vcpu_putchar(unsigned guest, uint8_t byte)
{
    vcpu_write(guest, &byte, 1);
}

static void say_locked(const char *before, const char *format, va_list args, const char *after)
{
    char text[1024];
    bool in_line = console.config.terminal && console.open_line != NOBODY;
    int n = snprintf(text, sizeof text, "%s%s", in_line ? "\n" : "", before);

    n += vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    if (n > (int)sizeof text - 16)
        n = (int)sizeof text - 16;
    n += snprintf(text + n, sizeof text - (size_t)n, "%s\n", after);
    if (in_line)
        console.open_line = NOBODY;
    /* There is nobody to tell that standard error is gone. */
    (void)!console.config.write(STDERR, text, (size_t)n);
}

void vcpu_printf(unsigned guest, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    lock_take(&console.lock);
    say_locked(console.config.color ? color_codes[guest] : "", format, args,
               console.config.color ? color_off : "");
    lock_release(&console.lock);
    va_end(args);
}

void console_printf(const char *format, ...)
{
    va_list args;

    bool taken = lock_try(&console.lock); /* somebody stuck in a write must not silence us */

    va_start(args, format);
    say_locked("", format, args, "");
    va_end(args);
    if (taken)
        lock_release(&console.lock);
}

void console_flush(unsigned guest)
{
    lock_take(&console.lock);
    flush_locked(guest);
    lock_release(&console.lock);
}

bool console_tick(void)
{
    unsigned limit = console.config.guests == 1 ? QUIET_ALONE : QUIET_AMONG_OTHERS;
    bool more = false;

    if (!lock_try(&console.lock))
        return true; /* somebody is writing: look again at the next tick */
    for (unsigned i = 0; i < console.config.guests && shows_prompts(); i++) {
        if (console.streams[i].used > 0 && console.streams[i].quiet++ >= limit)
            flush_locked(i);
        more |= console.streams[i].used > 0;
    }
    console.ticking = more;
    lock_release(&console.lock);
    return more;
}

int console_failure(void)
{
    return __atomic_load_n(&console.failure, __ATOMIC_RELAXED);
}
