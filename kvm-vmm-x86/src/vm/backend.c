/* The devices' way out of the VM: console, input queue, interrupt line and end; see dev/backend.h.
 */
#include "vm/backend.h"

#include "boot/linux/params.h"
#include "console/console.h"
#include "console/input.h"
#include "console/ports.h"
#include "host/clock.h"
#include "host/events.h"
#include "host/ram.h"
#include "host/random.h"
#include "vm/deck.h"
#include "vm/vm.h"

_Static_assert((int)HYPERCALL_SLICE <= (int)CONSOLE_WRITE_MAX, "one try fits the console's ring");

/* To the observers: one call at a time. */
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

/* The terminal is its text page. */
static void output_nowhere(void *context, const uint8_t *bytes, size_t count)
{
    (void)context;
    (void)bytes;
    (void)count;
}

static void backend_debug(void *context, uint8_t byte)
{
    if (!vm_is_silent())
        ports_debug_putchar(((struct vm *)context)->index, byte);
}

static int backend_input(void *context)
{
    struct vm *vm = context;
    uint64_t played;
    int byte;

    if (vm->config->text_screen)
        return INPUT_END; /* what is typed goes to its keyboard */
    if (deck_plays(TAPE_INPUT, &played))
        return (int)played;
    byte = input_take(vm->index);
    if (byte == INPUT_NONE)
        console_prompt(vm->index);
    deck_note(TAPE_INPUT, (uint64_t)byte);
    return byte;
}

static int backend_pending(void *context)
{
    struct vm *vm = context;
    uint64_t played;
    int pending;

    if (vm->config->text_screen)
        return INPUT_END;
    if (deck_plays(TAPE_PENDING, &played))
        return (int)played;
    pending = input_pending(vm->index);
    deck_note(TAPE_PENDING, (uint64_t)pending);
    return pending;
}

static void backend_want_input(void *context)
{
    struct vm *vm = context;

    if (!vm_is_silent())
        input_want(vm->index);
}

static void backend_interrupt(void *context, uint32_t gsi, bool level)
{
    struct vm *vm = context;

    if (vm->irqchip)
        kvm_set_irq(vm->fd, gsi, level);
}

static void backend_pulse(void *context, uint32_t gsi)
{
    vm_io_pulse(context, gsi);
}

static void backend_message(void *context, uint64_t address, uint32_t data)
{
    kvm_signal_msi(((struct vm *)context)->fd, address, data);
}

static void backend_notify_at(void *context, unsigned device, uint64_t address)
{
    vm_io_notify_at(context, device, address);
}

static void backend_wake(void *context)
{
    vm_wake(context);
}

static void backend_say(void *context, const char *text)
{
    if (!vm_is_silent())
        vcpu_printf(((struct vm *)context)->index, "kvm-vmm: %s", text);
}

static void backend_sleep(void *context)
{
    if (!vm_is_silent())
        vm_fall_asleep(context);
}

static void backend_awaken(void *context, enum acpi_pm_event cause)
{
    vm_awaken(context, cause);
}

/* A panic looks like a reboot to the devices: see boot/linux/params.h. */
static void backend_end(void *context, enum end_kind kind, int code, const char *message)
{
    struct vm *vm = context;

    if (kind == END_RESET && vm->mode == MODE_LINUX && linux_reset_is_panic(vm->config->append) &&
        linux_reset_is_warm(&vm->memory))
        vm_stop(vm, END_CRASH, 0, "the kernel panicked");
    else
        vm_stop(vm, kind, code, "%s", message != NULL ? message : "");
}

static uint64_t backend_now(void)
{
    uint64_t now;

    if (deck_plays(TAPE_NOW, &now))
        return now;
    now = events_now();
    deck_note(TAPE_NOW, now);
    return now;
}

static uint64_t backend_wall(void)
{
    uint64_t wall;

    if (deck_plays(TAPE_WALL, &wall))
        return wall;
    wall = clock_wall();
    deck_note(TAPE_WALL, wall);
    return wall;
}

/* The main loop asks when it goes round. */
static void backend_alarm(void *context)
{
    (void)context;
    events_wake();
}

struct backend vm_backend(struct vm *vm)
{
    return (struct backend){.context = vm,
                            .memory = &vm->memory,
                            .output = vm->config->text_screen      ? output_nowhere
                                      : vm->observers->output != 0 ? output_observed
                                                                   : output_to_console,
                            .debug = backend_debug,
                            .input = backend_input,
                            .pending = backend_pending,
                            .want_input = backend_want_input,
                            .interrupt = backend_interrupt,
                            .forget_mapped = ram_forget_mapped,
                            .release = ram_release,
                            .now = backend_now,
                            .wall = backend_wall,
                            .alarm = backend_alarm,
                            .pulse = backend_pulse,
                            .message = backend_message,
                            .notify_at = backend_notify_at,
                            .wake = backend_wake,
                            .say = backend_say,
                            .random = random_fill,
                            .sleep = backend_sleep,
                            .awaken = backend_awaken,
                            .end = backend_end};
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
    int pending;

    if (deck_plays(TAPE_PENDING, &played))
        return (int)played;
    pending = ports_pending(((struct vm *)context)->index);
    deck_note(TAPE_PENDING, (uint64_t)pending);
    return pending;
}

/* What comes from there is read in any case. */
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

/* What is typed goes to the virtio console, where that has the terminal. */
static bool has_console_at_stdio(const struct guest_config *config)
{
    for (unsigned i = 0; i < config->port_count; i++)
        if (config->ports[i].kind == SERIAL_STDIO)
            return true;
    return false;
}

struct backend vm_serial_backend(struct vm *vm)
{
    struct backend backend = vm_backend(vm);

    if (vm->config->serial == SERIAL_STDIO && has_console_at_stdio(vm->config)) {
        backend.input = no_input;
        backend.pending = none_pending;
        backend.want_input = port_want_input;
    }
    if (vm->config->serial == SERIAL_STDIO)
        return backend;
    backend.output = port_output;
    backend.input = port_input;
    backend.pending = port_pending;
    backend.want_input = port_want_input;
    return backend;
}
