/* The console; see iostream.h. Printing threads wait for each other on a mutex, as a serial line is
 * slow; where a thread must not sleep, text is written at once. */
#include "iostream.h"

#include <stdbool.h>

#include "common/edit.h"
#include "cpu.h"
#include "cpu/console.h"
#include "cpu/lock.h"
#include "device/keyboard.h"
#include "device/serial.h"
#include "kmalloc.h"
#include "std/queue.h"
#include "thread/sync.h"
#include "vga.h"

enum { LINE_MAX = 256, INPUT_MAX = 256 };

static struct sync_mutex output;

static struct lock input_lock = LOCK_INIT("input", LOCK_INPUT);
static uintptr_t input_slots[INPUT_MAX];
static struct queue input = QUEUE_INIT(input_slots); /* input_lock */
static struct sync_semaphore input_count;
static unsigned terminal_state; /* state of edit_decode() */

static void write_now(const char *text, size_t length)
{
    vga_write(text, length);
    serial_write(text, length);
}

void iostream_init(void)
{
    static const struct console ours = {.write = write_now, .flush = serial_flush};
    bool serial = serial_init();

    vga_init_early();
    console_attach(&ours);
    if (!serial)
        println("serial: none");
}

static bool take_output(void)
{
    if (console_is_urgent() || !cpu_may_sleep())
        return false;
    sync_mutex_take(&output);
    return true;
}

/* Formats the whole text before the mutex is taken: a bad argument ends the thread by a fault, and
 * it must not hold the mutex then. If memory is out, the text is cut. */
static void format(const char *format, va_list args, bool end_line)
{
    char line[LINE_MAX], *text = line;
    size_t room = sizeof line - 1, length; /* one is for the line's end */
    va_list again;

    va_copy(again, args);
    length = (size_t)fmt_vsnprint(line, room, format, args);
    if (length >= room) {
        text = kmalloc(length + 2);
        if (text != NULL)
            length = (size_t)fmt_vsnprint(text, room = length + 1, format, again);
        else
            text = line;
        if (length >= room) /* no memory, or longer the second time */
            length = room - 1;
    }
    va_end(again);
    if (end_line)
        text[length++] = '\n';
    iostream_write(text, length);
    if (text != line)
        kfree(text);
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

/* Called in an interrupt. A key is lost if the queue is full. */
static void key_arrived(int key)
{
    uint64_t flags;
    bool room;

    if (key == EDIT_KEY_NONE)
        return;
    if (key == EDIT_KEY_PAGE_UP || key == EDIT_KEY_PAGE_DOWN) {
        vga_scroll_view(key == EDIT_KEY_PAGE_UP ? 1 : -1);
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
    key_arrived(edit_decode(&terminal_state, byte));
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

int iostream_getch_interruptible(void)
{
    return sync_semaphore_wait_interruptible(&input_count) ? take_key() : -1;
}

int iostream_try_getch(void)
{
    return sync_semaphore_try(&input_count) ? take_key() : -1;
}
