/* The console; see iostream.h. Printing threads wait for each other on a mutex, as a serial line is
 * slow; where nothing may sleep the text goes out at once. */
#include "iostream.h"

#include <stdbool.h>

#include "cpu.h"
#include "device/keyboard.h"
#include "device/serial.h"
#include "lock.h"
#include "std/io.h"
#include "std/queue.h"
#include "thread/sync.h"
#include "vga.h"

enum { LINE_MAX = 256, INPUT_MAX = 256 };

/* Text on its way, so that one call's is written in one piece. */
struct line {
    struct fmt_sink sink;
    size_t used;
    char text[LINE_MAX];
};

static struct sync_mutex output;
static unsigned emergencies; /* nested: a fault in a fault's report */

static struct lock input_lock = LOCK_INIT("input");
static uintptr_t input_slots[INPUT_MAX];
static struct queue input = QUEUE_INIT(input_slots); /* input_lock */
static struct sync_semaphore input_count;
static unsigned terminal_state; /* of io_decode_terminal() */

void iostream_init(void)
{
    bool serial = serial_init();

    vga_init_early();
    if (!serial)
        println("serial: none");
}

static void write_now(const char *text, size_t length)
{
    vga_write(text, length);
    serial_write(text, length);
}

static bool take_output(void)
{
    if (emergencies > 0 || !cpu_may_sleep())
        return false;
    sync_mutex_take(&output);
    return true;
}

static void flush(struct line *line)
{
    write_now(line->text, line->used);
    line->used = 0;
}

static void collect(struct fmt_sink *sink, const char *text, size_t length)
{
    struct line *line = (struct line *)sink;

    for (size_t i = 0; i < length; i++) {
        if (line->used == LINE_MAX)
            flush(line);
        line->text[line->used++] = text[i];
    }
}

static void format(const char *format, va_list args, bool end_line)
{
    struct line line;
    bool taken = take_output();

    line.sink.write = collect;
    line.used = 0;
    fmt_vprint(&line.sink, format, args);
    if (end_line)
        collect(&line.sink, "\n", 1);
    flush(&line);
    if (taken)
        sync_mutex_give(&output);
}

void iostream_print(const char *text, ...)
{
    va_list args;

    va_start(args, text);
    format(text, args, false);
    va_end(args);
}

void iostream_println(const char *text, ...)
{
    va_list args;

    va_start(args, text);
    format(text, args, true);
    va_end(args);
}

void iostream_write(const char *text, size_t length)
{
    bool taken = take_output();

    write_now(text, length);
    if (taken)
        sync_mutex_give(&output);
}

static void sink_write(struct fmt_sink *sink, const char *text, size_t length)
{
    (void)sink;
    if (length > 0)
        iostream_write(text, length);
}

struct fmt_sink *iostream_sink(void)
{
    static struct fmt_sink sink = {sink_write};

    return &sink;
}

/* In an interrupt. A key that finds the queue full is lost, as on any PC. */
static void key_arrived(int key)
{
    uint64_t flags;
    bool room;

    if (key == IO_KEY_NONE)
        return;
    if (key == IO_KEY_PAGE_UP || key == IO_KEY_PAGE_DOWN) {
        vga_scroll_view(key == IO_KEY_PAGE_UP ? 1 : -1);
        return;
    }
    flags = lock_take(&input_lock);
    room = queue_push(&input, (uintptr_t)key);
    lock_give(&input_lock, flags);
    if (room)
        sync_semaphore_post(&input_count);
}

static void byte_arrived(unsigned char byte)
{
    key_arrived(io_decode_terminal(&terminal_state, byte));
}

void iostream_init_input(void)
{
    if (!keyboard_init(key_arrived))
        println("keyboard: none");
    serial_start_input(byte_arrived);
}

static int take_key(void)
{
    uint64_t flags = lock_take(&input_lock);
    uintptr_t key = 0;
    bool there = queue_pop(&input, &key);

    lock_give(&input_lock, flags);
    return there ? (int)key : -1;
}

int iostream_getch(void)
{
    sync_semaphore_wait(&input_count);
    return take_key();
}

int iostream_try_getch(void)
{
    return sync_semaphore_try(&input_count) ? take_key() : -1;
}

void iostream_emergency(void)
{
    emergencies++;
    vga_emergency(true);
}

void iostream_calm(void)
{
    emergencies--;
    vga_emergency(emergencies > 0);
}
