/* One guest while it runs, until its end; see vm.h. How it is made: create.c. */
#include "vm/vm.h"

#include <stdarg.h>
#include <stdio.h>

#include "boot/linux/params.h"
#include "console/console.h"
#include "console/input.h"
#include "host/clock.h"

/* The devices' way out: console, input queue, interrupt line and end. */
static void backend_output(void *context, const uint8_t *bytes, size_t count)
{
    struct vm *vm = context;

    if (vm->config->text_screen)
        return; /* the terminal is its text page */
    if (count == 1)
        vcpu_putchar(vm->index, bytes[0]);
    else
        vcpu_write(vm->index, bytes, count);
}

static int backend_input(void *context)
{
    struct vm *vm = context;
    int byte;

    if (vm->config->text_screen)
        return INPUT_END; /* what is typed goes to its keyboard */
    byte = input_take(vm->index);
    if (byte == INPUT_NONE)
        console_flush(vm->index); /* what it printed last may be a prompt */
    return byte;
}

static int backend_pending(void *context)
{
    struct vm *vm = context;

    return vm->config->text_screen ? INPUT_END : input_pending(vm->index);
}

static void backend_want_input(void *context)
{
    struct vm *vm = context;

    input_want(vm->index);
}

static void backend_interrupt(void *context, unsigned line, bool level)
{
    struct vm *vm = context;

    if (vm->irqchip)
        kvm_set_irq(vm->fd, line, level);
}

/* A panic looks like a reboot to the devices: see boot/linux/params.h. */
static void backend_end(void *context, enum end_kind kind, int code, const char *message)
{
    struct vm *vm = context;

    if (kind == END_RESET && vm->mode == MODE_LINUX && linux_tells_panic(vm->config->append) &&
        linux_reset_is_warm(&vm->memory))
        vm_stop(vm, END_CRASH, 0, "the kernel panicked");
    else
        vm_stop(vm, kind, code, "%s", message != NULL ? message : "");
}

struct backend vm_backend(struct vm *vm)
{
    return (struct backend){.context = vm,
                            .memory = &vm->memory,
                            .output = backend_output,
                            .input = backend_input,
                            .pending = backend_pending,
                            .want_input = backend_want_input,
                            .interrupt = backend_interrupt,
                            .seconds = clock_seconds,
                            .end = backend_end};
}

/* The first vCPU may have ended the guest before the last was started, and vm_stop stops only those
 * it finds. Whoever comes later takes the lock after it, and sees the end here. */
static void add_started(struct vm *vm)
{
    unsigned id = __atomic_fetch_add(&vm->started, 1, __ATOMIC_RELEASE); /* for vm_stop */

    if (vm_end_of(vm).kind != END_NONE)
        vcpu_kick(&vm->vcpus[id], VCPU_STOP);
}

int vm_start(struct vm *vm, void (*ended)(void), struct error *error)
{
    vm->ended = ended;
    observers_phase(vm, VM_ENTERED);
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        __atomic_fetch_add(&vm->running, 1, __ATOMIC_RELAXED);
        if (vcpu_start(&vm->vcpus[i], error) < 0) {
            __atomic_fetch_sub(&vm->running, 1, __ATOMIC_RELAXED);
            return -1;
        }
        add_started(vm);
    }
    return 0;
}

void vm_join(struct vm *vm)
{
    while (vm->started > 0)
        thread_join(&vm->vcpus[--vm->started].thread);
}

/* Pairs with the release in vm_vcpu_ended: who sees the VM ended sees how. */
bool vm_is_running(const struct vm *vm)
{
    return __atomic_load_n(&vm->running, __ATOMIC_ACQUIRE) > 0;
}

uint64_t vm_exits(const struct vm *vm)
{
    uint64_t most = 0;

    for (unsigned i = 0; i < vm->vcpus_made; i++)
        if (vm->vcpus[i].stats.exits > most)
            most = vm->vcpus[i].stats.exits;
    return vm->exits_before + most;
}

void vm_vcpu_ended(struct vm *vm)
{
    if (__atomic_sub_fetch(&vm->running, 1, __ATOMIC_RELEASE) != 0)
        return;
    debug_ended(&vm->debug);
    vm->ended();
}

void vm_stop(struct vm *vm, enum end_kind kind, int code, const char *format, ...)
{
    unsigned started;
    va_list args;
    bool first;

    lock_take(&vm->lock);
    first = vm->end.kind == END_NONE;
    if (first) {
        vm->end.kind = kind;
        vm->end.code = code;
        va_start(args, format);
        vsnprintf(vm->end.message, sizeof vm->end.message, format, args);
        va_end(args);
    }
    lock_release(&vm->lock);
    if (!first)
        return;
    input_stop(vm->index);
    started = __atomic_load_n(&vm->started, __ATOMIC_ACQUIRE); /* those after it: add_started */
    for (unsigned i = 0; i < started; i++)
        vcpu_kick(&vm->vcpus[i], VCPU_STOP);
    debug_wake(&vm->debug);
}

void vm_wake(struct vm *vm)
{
    lock_take(&vm->gate.lock);
    __atomic_fetch_add(&vm->gate.woken, 1, __ATOMIC_RELEASE);
    condition_wake_all(&vm->gate.opened);
    lock_release(&vm->gate.lock);
}

struct vm_end vm_end_of(struct vm *vm)
{
    struct vm_end end;

    lock_take(&vm->lock);
    end = vm->end;
    lock_release(&vm->lock);
    return end;
}
