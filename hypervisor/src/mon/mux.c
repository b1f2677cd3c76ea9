/* The console multiplexer; see mux.h. */
#include "mon/mux.h"

#include "lib/console.h"
#include "lib/lock.h"
#include "lib/options.h"
#include "mon/gdb.h"
#include "mon/monitor.h"
#include "vm/console.h"

enum { CTRL_A = 1 };

static struct lock lock;
static struct vm *front;
static bool in_monitor, prefixed;

static void keep(struct screen *s, char c)
{
    s->kept[(s->start + s->count) % SCREEN_SIZE] = c;
    if (s->count < SCREEN_SIZE) {
        s->count++;
    } else {
        s->start = (s->start + 1) % SCREEN_SIZE;
        s->lost++;
    }
}

/* False if the console has no room for the line. */
static bool flush_line(struct vm *vm)
{
    struct screen *s = &vm->screen;
    char text[SCREEN_LINE + NAME_SIZE + 4];
    size_t length = (size_t)fmt_snprint(text, sizeof text, "%s: %.*s\n", vm->config.name,
                                        (int)s->line_used, s->line);

    if (s->line_used > 0 && console_room() < length)
        return false;
    if (s->line_used > 0)
        (void)console_write(text, length); /* it has room */
    s->line_used = 0;
    return true;
}

static bool add_to_line(struct vm *vm, char c)
{
    struct screen *s = &vm->screen;

    if ((c == '\n' || s->line_used == sizeof s->line) && !flush_line(vm))
        return false;
    if (c != '\n' && c != '\r')
        s->line[s->line_used++] = c;
    return true;
}

size_t mux_output(struct vm *vm, const char *text, size_t length)
{
    size_t taken = 0;

    lock_take(&lock);
    if (gdb_is_open()) {
        for (; taken < length; taken++)
            keep(&vm->screen, text[taken]);
    } else if (options.mux_lines) {
        while (taken < length && add_to_line(vm, text[taken]))
            taken++;
    } else if (vm == front && !in_monitor) {
        taken = console_write(text, length);
    } else {
        for (; taken < length; taken++)
            keep(&vm->screen, text[taken]);
    }
    lock_drop(&lock);
    return taken;
}

static void show_kept(struct screen *s)
{
    size_t first = min64(s->count, SCREEN_SIZE - s->start);

    (void)console_write(s->kept + s->start, first);
    (void)console_write(s->kept, s->count - first);
    s->start = s->count = 0;
    s->lost = 0;
}

/* The lock is held. */
static void show(struct vm *vm)
{
    bool changed = vm != front;

    monitor_close();
    front = vm;
    in_monitor = false;
    if (options.mux_lines)
        return;
    if (changed && vm_count > 1)
        print("\nhv: this is guest %u, %s\n", vm->id + 1, vm->config.name);
    show_kept(&vm->screen);
}

void mux_show(struct vm *vm)
{
    LOCK_FOR_BLOCK(&lock);

    if (vm != NULL)
        show(vm);
}

void mux_greet(struct vm *vm)
{
    LOCK_FOR_BLOCK(&lock);

    if (front == NULL && !in_monitor)
        show(vm);
    else if (front == NULL)
        front = vm; /* its output is kept until the monitor is left */
}

void mux_forget(struct vm *vm)
{
    struct vm *next = NULL;

    gdb_ended(vm);
    lock_take(&lock);
    (void)flush_line(vm);
    if (vm == front) {
        for (unsigned i = 0; i < vm_count && next == NULL; i++)
            if (vms[i] != vm && vm_is_alive(vms[i]))
                next = vms[i];
        front = next;
        if (next != NULL && !options.mux_lines && !in_monitor) {
            print("\nhv: this is guest %u, %s\n", next->id + 1, next->config.name);
            show_kept(&next->screen);
        }
    }
    lock_drop(&lock);
}

/* The next guest after the front one that has not ended. */
static struct vm *neighbour(void)
{
    unsigned at = front != NULL ? front->id : 0;

    for (unsigned i = 1; i <= vm_count; i++) {
        struct vm *vm = vms[(at + i) % vm_count];

        if (vm_is_alive(vm))
            return vm;
    }
    return NULL;
}

static void enter_monitor(bool help)
{
    in_monitor = true;
    monitor_open(help);
}

/* Stays in the monitor if there is no guest to go to. */
static void leave_monitor(void)
{
    if (front != NULL)
        mux_show(front);
    else
        enter_monitor(false);
}

static void command(uint8_t key)
{
    if (key >= '1' && key <= '9' && (unsigned)(key - '1') < vm_count &&
        vms[key - '1']->state != VM_GONE)
        mux_show(vms[key - '1']);
    else if (key == 'n')
        mux_show(neighbour());
    else if (key == 'h' || key == 'm')
        enter_monitor(key == 'h');
    else if (key == 'g' && front != NULL)
        gdb_open(front);
    else if (key == 'a' && front != NULL)
        console_receive(front, CTRL_A);
}

void mux_input(uint8_t byte)
{
    if (gdb_is_open()) {
        if (!gdb_input_byte(byte))
            mux_show(front);
    } else if (prefixed) {
        prefixed = false;
        command(byte);
    } else if (byte == CTRL_A) {
        prefixed = true;
    } else if (in_monitor) {
        if (!monitor_input(byte, front))
            leave_monitor();
    } else if (front != NULL) {
        console_receive(front, byte);
    } else {
        enter_monitor(false); /* no guest can read it */
    }
}
