/* The devices' backend: calls to KVM and the host. The program fills in its own input and output
 * (program.h). See dev/backend.h. */
#include "vm/backend.h"

#include "boot/linux/params.h"
#include "host/clock.h"
#include "host/events.h"
#include "host/ram.h"
#include "host/random.h"
#include "vm/deck.h"
#include "vm/vm.h"

static void output_nowhere(void *context, const uint8_t *bytes, size_t count)
{
    (void)context;
    (void)bytes;
    (void)count;
}

static void debug_nowhere(void *context, uint8_t byte)
{
    (void)context;
    (void)byte;
}

static int no_input(void *context)
{
    (void)context;
    return INPUT_END;
}

static void want_nothing(void *context)
{
    (void)context;
}

static void say_nothing(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static void backend_interrupt(void *context, uint32_t gsi, bool level)
{
    struct vm *vm = context;

    if (vm->irqchip)
        kvm_set_irq(vm->fd, gsi, level);
    else if (vm->own_irqchip && gsi < PIC_LINES)
        pic_set_line(&vm->machine.pic, gsi, level);
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

/* The main loop asks in each round when the alarm is due, so this only wakes it. */
static void backend_alarm(void *context)
{
    (void)context;
    events_wake();
}

struct backend vm_backend(struct vm *vm)
{
    return (struct backend){.context = vm,
                            .memory = &vm->memory,
                            .output = output_nowhere,
                            .debug = debug_nowhere,
                            .input = no_input,
                            .pending = no_input,
                            .want_input = want_nothing,
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
                            .say = say_nothing,
                            .random = random_fill,
                            .sleep = backend_sleep,
                            .awaken = backend_awaken,
                            .end = backend_end};
}
