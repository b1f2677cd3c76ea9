/* The program around its guests: console, input queue and ports; see vm/program.h. */
#include "session/program.h"

#include "boot/linux/kernel_cache.h"
#include "console/console.h"
#include "console/input.h"
#include "console/ports.h"
#include "session/fork.h"
#include "vm/deck.h"
#include "vm/vm.h"

_Static_assert((int)HYPERCALL_SLICE <= (int)CONSOLE_WRITE_MAX, "one try fits the console's ring");

/* Passes output to the observers, one call at a time. */
static void show_output(struct vm *vm, const uint8_t *bytes, size_t count)
{
    if (vm->observers->output == 0)
        return;
    lock_take(&vm->lock);
    observers_output(vm, bytes, count);
    lock_release(&vm->lock);
}

static void output_to_console(void *context, const uint8_t *bytes, size_t count)
{
    const struct vm *vm = context;

    if (vm_is_silent())
        return;
    if (count == 1) /* most output comes byte by byte */
        vcpu_putchar(vm->index, bytes[0]);
    else
        vcpu_write(vm->index, bytes, count);
}

static void output_observed(void *context, const uint8_t *bytes, size_t count)
{
    if (vm_is_silent())
        return;
    show_output(context, bytes, count);
    output_to_console(context, bytes, count);
}

static void debug_putchar(void *context, uint8_t byte)
{
    if (!vm_is_silent())
        ports_debug_putchar(((struct vm *)context)->index, byte);
}

static int input(void *context)
{
    struct vm *vm = context;
    uint64_t played;
    int byte;

    if (deck_plays(TAPE_INPUT, &played))
        return (int)played;
    byte = input_take(vm->index);
    if (byte == INPUT_NONE)
        console_prompt(vm->index);
    deck_note(TAPE_INPUT, (uint64_t)byte);
    return byte;
}

static int pending(void *context)
{
    struct vm *vm = context;
    uint64_t played;
    int count;

    if (deck_plays(TAPE_PENDING, &played))
        return (int)played;
    count = input_pending(vm->index);
    deck_note(TAPE_PENDING, (uint64_t)count);
    return count;
}

static void want_input(void *context)
{
    struct vm *vm = context;

    if (!vm_is_silent())
        input_want(vm->index);
}

static void say(void *context, const char *text)
{
    if (!vm_is_silent())
        vcpu_printf(((struct vm *)context)->index, "kvm-vmm: %s", text);
}

static void port_output(void *context, const uint8_t *bytes, size_t count)
{
    struct vm *vm = context;

    if (vm_is_silent())
        return;
    show_output(vm, bytes, count);
    for (size_t i = 0; i < count; i++)
        ports_putchar(vm->index, bytes[i]);
}

static int port_input(void *context)
{
    uint64_t played;
    int byte;

    if (deck_plays(TAPE_INPUT, &played))
        return (int)played;
    byte = ports_take(((struct vm *)context)->index);
    deck_note(TAPE_INPUT, (uint64_t)byte);
    return byte;
}

static int port_pending(void *context)
{
    uint64_t played;
    int count;

    if (deck_plays(TAPE_PENDING, &played))
        return (int)played;
    count = ports_pending(((struct vm *)context)->index);
    deck_note(TAPE_PENDING, (uint64_t)count);
    return count;
}

/* A port's input is always read. */
static void port_want_input(void *context)
{
    (void)context;
}

static int no_input(void *context)
{
    (void)context;
    return INPUT_NONE;
}

static int none_pending(void *context)
{
    (void)context;
    return 0;
}

/* Whether the virtio console has the terminal, and gets its input. */
static bool has_console_at_stdio(const struct guest_config *config)
{
    for (unsigned i = 0; i < config->port_count; i++)
        if (config->ports[i].kind == SERIAL_STDIO)
            return true;
    return false;
}

static void connect_serial(const struct guest_config *config, struct backend *serial)
{
    if (config->serial == SERIAL_STDIO && has_console_at_stdio(config)) {
        serial->input = no_input;
        serial->pending = none_pending;
        serial->want_input = port_want_input;
    }
    if (config->serial == SERIAL_STDIO)
        return;
    serial->output = port_output;
    serial->input = port_input;
    serial->pending = port_pending;
    serial->want_input = port_want_input;
}

static void connect_guest(struct vm *vm)
{
    struct backend *b = &vm->backend;

    if (!vm->config->text_screen) { /* else the terminal is the guest's screen and keyboard */
        b->output = vm->observers->output != 0 ? output_observed : output_to_console;
        b->input = input;
        b->pending = pending;
    }
    b->debug = debug_putchar;
    b->want_input = want_input;
    b->say = say;
    b->fork = session_fork_call;
    vm->serial = *b;
    connect_serial(vm->config, &vm->serial);
    vm->full = &console_full[vm->index];
}

static void input_over(const struct vm *vm)
{
    input_stop(vm->index);
}

const struct vm_program session_program = {
    .connect = connect_guest, .input_over = input_over, .kernel_cache = &kernel_cache_ops};
