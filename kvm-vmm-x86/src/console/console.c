/* The output of all guests; see console.h. */
#include "console/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "console/sink.h"
#include "host/threads.h"

enum { LINE_MAX_BYTES = 4096, STDOUT = 1, STDERR = 2, NOBODY = -1 };

/* A guest runs while its ring holds at most RING_LIMIT. The ring also has room for what each vCPU
 * writes before it sees that the ring is full. */
enum { RING_LIMIT = 64 * 1024, RING_MAX = RING_LIMIT + CPUS_MAX * CONSOLE_WRITE_MAX };

/* In bytes: taken from the rings ahead of writing, taken from one ring in its turn, written in one
 * turn. */
enum { AHEAD = 64 * 1024, SLICE = 16 * 1024, BUDGET = 256 * 1024 };

/* An unfinished line that has not grown for this many ticks is shown, as a prompt. With several
 * guests the wait is longer, since another guest's output could then cut the line in two. */
enum { QUIET_ALONE = 1, QUIET_AMONG_OTHERS = 4 };

static const char *const color_codes[GUESTS_MAX] = {"\033[31m", "\033[32m", "\033[34m", "\033[33m"};
static const char color_off[] = "\033[0m";

/* One guest's output on its way to standard output. */
struct output {
    struct lock lock; /* protects the ring; taken with console.lock held, or without */
    bool begun;       /* the last byte did not end a line, and may not be shown yet; atomic */
    bool prompts;     /* the unfinished line must be shown; atomic */
    bool printed;     /* anything at all */
    size_t head, used, size;
    uint8_t ring[RING_MAX];
    /* protected by console.lock: a line being collected */
    uint8_t line[LINE_MAX_BYTES];
    size_t line_used;
    unsigned quiet; /* ticks since it last grew */
};

static struct {
    struct lock lock;
    struct console_config config;
    struct output outputs[GUESTS_MAX];
    struct sink out, err;
    struct sink *words; /* where the VMM's own messages go */
    int open_line;      /* guest whose unfinished line is shown, or NOBODY; under the lock */
    unsigned turn;      /* the guest whose ring is read first */
    bool shows_prompts; /* false for several guests and a pipe: their lines would be mixed */
    bool called;        /* the main thread has been woken for the rings; atomic */
    bool ticking;       /* it checks unfinished lines by itself, or none are shown; atomic */
} console;

unsigned console_full[GUESTS_MAX];

void console_init(const struct console_config *config)
{
    console.config = *config;
    console.open_line = NOBODY;
    console.turn = 0;
    console.shows_prompts = config->guests == 1 || config->terminal;
    console.called = false;
    console.ticking = !console.shows_prompts;
    lock_init(&console.lock);
    sink_init(&console.out, STDOUT, &console.lock);
    sink_init(&console.err, STDERR, &console.lock);
    console.words = config->same ? &console.out : &console.err;
    for (unsigned i = 0; i < config->guests; i++) { /* untouched bytes take no memory */
        struct output *o = &console.outputs[i];

        lock_init(&o->lock);
        o->size = RING_LIMIT + (size_t)config->cpus * CONSOLE_WRITE_MAX;
        o->head = o->used = o->line_used = 0;
        o->begun = o->prompts = o->printed = false;
        console_set_full(i, CONSOLE_OUTPUT | CONSOLE_WORDS, false);
        o->quiet = 0;
    }
}

static void call_main_thread(void)
{
    if (!__atomic_exchange_n(&console.called, true, __ATOMIC_ACQ_REL))
        console.config.wake();
}

static void append_ring(struct output *o, const uint8_t *bytes, size_t count)
{
    size_t at = o->head + o->used < o->size ? o->head + o->used : o->head + o->used - o->size;
    size_t first = count < o->size - at ? count : o->size - at;

    o->used += count;
    memcpy(o->ring + at, bytes, first);
    memcpy(o->ring, bytes + first, count - first);
}

/* After output that ended with the byte `last`. True: wake the main thread, for a whole line, for
 * much output, or for an unfinished line that it does not check by itself yet. */
static inline bool is_due_locked(struct output *o, uint8_t last, size_t used, bool line)
{
    __atomic_store_n(&o->begun, last != '\n', __ATOMIC_RELAXED);
    o->printed = true;
    return line || used >= LINE_MAX_BYTES || !__atomic_load_n(&console.ticking, __ATOMIC_ACQUIRE);
}

void vcpu_write(unsigned guest, const uint8_t *bytes, size_t count)
{
    struct output *o = &console.outputs[guest];
    bool due;

    lock_take(&o->lock);
    if (count > o->size - o->used)
        count = o->size - o->used; /* our bug loses bytes: console_is_full was not checked */
    append_ring(o, bytes, count);
    if (o->used > RING_LIMIT)
        console_set_full(guest, CONSOLE_OUTPUT, true);
    due = is_due_locked(o, count > 0 ? bytes[count - 1] : '\n', o->used,
                        memchr(bytes, '\n', count) != NULL);
    lock_release(&o->lock);
    if (due)
        call_main_thread();
}

/* Most output comes byte by byte, with the lock free and the ring not full. (If other vCPUs fill it
 * meanwhile, there is room for a byte of each, and the next call sees that it is full.) */
void vcpu_putchar(unsigned guest, uint8_t byte)
{
    struct output *o = &console.outputs[guest];
    size_t used, at;
    bool due;

    if (__atomic_load_n(&o->used, __ATOMIC_RELAXED) >= RING_LIMIT || !lock_try(&o->lock)) {
        vcpu_write(guest, (const uint8_t[]){byte}, 1);
        return;
    }
    used = o->used;
    at = o->head + used;
    o->ring[at < o->size ? at : at - o->size] = byte;
    o->used = ++used;
    due = is_due_locked(o, byte, used, byte == '\n');
    lock_release(&o->lock);
    if (due && !__atomic_load_n(&console.called, __ATOMIC_SEQ_CST))
        call_main_thread();
}

void console_set_full(unsigned guest, unsigned reasons, bool full)
{
    if (full)
        __atomic_fetch_or(&console_full[guest], reasons, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&console_full[guest], ~reasons, __ATOMIC_RELEASE);
}

void console_prompt(unsigned guest)
{
    struct output *o = &console.outputs[guest];

    if (!__atomic_load_n(&o->begun, __ATOMIC_RELAXED))
        return; /* the guest may ask for input often */
    if (!__atomic_exchange_n(&o->prompts, true, __ATOMIC_ACQ_REL))
        call_main_thread();
}

/* The newline stays outside the colour, so that no terminal paints the rest of the row. */
static void append_colored(unsigned guest, const uint8_t *bytes, size_t count)
{
    bool newline = bytes[count - 1] == '\n';

    sink_append_locked(&console.out, color_codes[guest], strlen(color_codes[guest]));
    sink_append_locked(&console.out, bytes, newline ? count - 1 : count);
    sink_append_locked(&console.out, color_off, sizeof color_off - 1);
    sink_append_locked(&console.out, "\n", newline ? 1 : 0);
}

static void flush_line_locked(unsigned guest)
{
    struct output *o = &console.outputs[guest];

    if (o->line_used == 0)
        return;
    if (console.config.guests > 1 && console.open_line != NOBODY && console.open_line != (int)guest)
        sink_append_locked(&console.out, "\n", 1); /* ends the line with another guest's prompt */
    if (console.config.color)
        append_colored(guest, o->line, o->line_used);
    else
        sink_append_locked(&console.out, o->line, o->line_used);
    console.open_line = o->line[o->line_used - 1] == '\n' ? NOBODY : (int)guest;
    o->line_used = 0;
}

static void collect_locked(unsigned guest, const uint8_t *bytes, size_t count)
{
    struct output *o = &console.outputs[guest];

    if (count > 0)
        o->quiet = 0;
    while (count > 0) {
        size_t n = LINE_MAX_BYTES - o->line_used < count ? LINE_MAX_BYTES - o->line_used : count;
        const uint8_t *end = memchr(bytes, '\n', n);

        n = end != NULL ? (size_t)(end - bytes) + 1 : n;
        memcpy(o->line + o->line_used, bytes, n);
        o->line_used += n;
        bytes += n;
        count -= n;
        if (end != NULL || o->line_used == LINE_MAX_BYTES)
            flush_line_locked(guest);
    }
}

/* Takes up to `limit` bytes out of the ring; returns their number. The vCPUs are locked out only
 * while a piece is copied. */
static size_t take_locked(unsigned guest, size_t limit)
{
    struct output *o = &console.outputs[guest];
    uint8_t piece[LINE_MAX_BYTES];
    size_t n, taken = 0;
    bool eased;

    do {
        lock_take(&o->lock);
        n = o->used < o->size - o->head ? o->used : o->size - o->head;
        n = n < sizeof piece ? n : sizeof piece;
        memcpy(piece, o->ring + o->head, n);
        o->head = (o->head + n) % o->size;
        o->used -= n;
        eased = (console_why_full(guest) & CONSOLE_OUTPUT) && o->used <= RING_LIMIT / 2;
        if (eased)
            console_set_full(guest, CONSOLE_OUTPUT, false);
        lock_release(&o->lock);
        if (eased)
            console.config.room(guest);
        collect_locked(guest, piece, n);
        taken += n;
    } while (n > 0 && taken < limit);
    return taken;
}

static void show_prompt_locked(unsigned guest)
{
    struct output *o = &console.outputs[guest];

    take_locked(guest, RING_MAX);
    flush_line_locked(guest);
    lock_take(&o->lock);
    if (o->used == 0)
        __atomic_store_n(&o->begun, false, __ATOMIC_RELAXED);
    lock_release(&o->lock);
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
    sink_append_locked(console.words, text, (size_t)n);
}

/* The message comes after everything that the guest has printed. */
void vcpu_printf(unsigned guest, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    lock_take(&console.lock);
    take_locked(guest, RING_MAX);
    say_locked(console.config.color ? color_codes[guest] : "", format, args,
               console.config.color ? color_off : "");
    if (console.words->pending.used > AHEAD || console.out.pending.used > AHEAD)
        console_set_full(guest, CONSOLE_WORDS, true);
    lock_release(&console.lock);
    va_end(args);
    call_main_thread();
}

void console_printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    lock_take(&console.lock);
    say_locked("", format, args, "");
    lock_release(&console.lock);
    va_end(args);
    call_main_thread();
}

bool console_has_printed(unsigned guest)
{
    LOCK_FOR_BLOCK(&console.outputs[guest].lock);
    return console.outputs[guest].printed;
}

void console_flush(unsigned guest)
{
    LOCK_FOR_BLOCK(&console.lock);

    take_locked(guest, RING_MAX);
    flush_line_locked(guest);
}

void console_draw(const char *text, size_t count)
{
    lock_take(&console.lock);
    sink_append_locked(&console.out, text, count);
    lock_release(&console.lock);
    call_main_thread();
}

/* Takes output from each ring in turn, so that a guest that prints much does not keep the others
 * waiting. */
static void fill_locked(void)
{
    unsigned guests = console.config.guests, idle = 0;

    while (idle < guests && sink_left_locked(&console.out) < AHEAD) {
        idle = take_locked(console.turn, SLICE) == 0 ? idle + 1 : 0;
        console.turn = (console.turn + 1) % guests;
    }
    for (unsigned i = 0; i < guests; i++) {
        if (sink_left_locked(&console.out) < AHEAD &&
            __atomic_exchange_n(&console.outputs[i].prompts, false, __ATOMIC_ACQ_REL))
            show_prompt_locked(i);
        if (console.shows_prompts && console.outputs[i].line_used > 0)
            __atomic_store_n(&console.ticking, true, __ATOMIC_RELEASE);
    }
}

/* Lets guests run again that were stopped because of too many messages about them. */
static void ease_words(void)
{
    bool eased = console.words->pending.used <= AHEAD / 2 && console.out.pending.used <= AHEAD / 2;

    for (unsigned i = 0; eased && i < console.config.guests; i++) {
        if (!(console_why_full(i) & CONSOLE_WORDS))
            continue;
        console_set_full(i, CONSOLE_WORDS, false);
        console.config.room(i);
    }
}

bool console_service(void)
{
    size_t budget = BUDGET;
    bool more = true;

    __atomic_store_n(&console.called, false, __ATOMIC_SEQ_CST); /* before the rings are read */
    while (more && budget > 0) {
        lock_take(&console.lock);
        fill_locked();
        lock_release(&console.lock);
        more = sink_write(&console.out, console.config.write, &budget);
        if (budget > 0)
            more |= sink_write(&console.err, console.config.write, &budget);
        lock_take(&console.lock);
        ease_words();
        lock_release(&console.lock);
    }
    return more;
}

bool console_waits(int fd)
{
    return fd == STDOUT ? console.out.waits : console.err.waits;
}

size_t console_backlog(void)
{
    LOCK_FOR_BLOCK(&console.lock);
    return sink_left_locked(&console.out) + sink_left_locked(&console.err);
}

bool console_wants_tick(void)
{
    return console.shows_prompts && __atomic_load_n(&console.ticking, __ATOMIC_ACQUIRE);
}

void console_tick(void)
{
    unsigned limit = console.config.guests == 1 ? QUIET_ALONE : QUIET_AMONG_OTHERS;
    bool begun = false;

    /* Cleared before the rings are read: a later byte wakes the main thread. */
    __atomic_store_n(&console.ticking, false, __ATOMIC_SEQ_CST);
    lock_take(&console.lock);
    for (unsigned i = 0; i < console.config.guests && console.shows_prompts; i++) {
        struct output *o = &console.outputs[i];

        if (sink_left_locked(&console.out) < AHEAD)
            take_locked(i, SLICE);
        if (o->line_used > 0 && o->quiet++ >= limit)
            flush_line_locked(i);
        begun |= o->line_used > 0;
    }
    lock_release(&console.lock);
    if (begun)
        __atomic_store_n(&console.ticking, true, __ATOMIC_RELEASE);
}

int console_failure(void)
{
    LOCK_FOR_BLOCK(&console.lock);
    return console.out.failure;
}
