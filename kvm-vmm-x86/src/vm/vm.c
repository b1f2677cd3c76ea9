/* Calls that any thread may make on a running guest and its vCPUs; see vm.h. Creating and starting
 * it: create.c. */
#include "vm/vm.h"

#include <stdarg.h>
#include <stdio.h>

#include "host/guard.h"

/* Pairs with the release in vm_vcpu_ended: a thread that sees that the VM has ended also sees how.
 */
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

static void input_over(const struct vm *vm)
{
    if (vm->program->input_over != NULL)
        vm->program->input_over(vm);
}

/* The guest has read zeroes instead of its data, so its own result is invalid: this reason replaces
 * any other. */
void vm_lose_memory(struct vm *vm, gpa_t at)
{
    lock_take(&vm->lock);
    vm->end.kind = END_FAILED;
    snprintf(vm->end.message, sizeof vm->end.message,
             "its memory at %#llx is lost: this machine's RAM or the file behind it failed",
             (unsigned long long)at);
    lock_release(&vm->lock);
    input_over(vm);
    for (unsigned i = 0; i < vm->vcpus_made; i++)
        vcpu_kick(&vm->vcpus[i], VCPU_STOP);
}

void vm_check_memory(struct vm *vm)
{
    gpa_t at;

    if (guard_lost(&vm->memory, &at))
        vm_lose_memory(vm, at);
}

void vm_vcpu_ended(struct vm *vm)
{
    vm_check_memory(vm); /* the main thread may not have checked yet */
    if (__atomic_sub_fetch(&vm->running, 1, __ATOMIC_RELEASE) != 0)
        return;
    observers_ended(vm);
    vm->ended();
}

_Thread_local bool vm_silent;

void vm_silence(bool on)
{
    vm_silent = on;
}

void vm_stop(struct vm *vm, enum end_kind kind, int code, const char *format, ...)
{
    va_list args;
    bool first;

    if (vm_silent)
        return;
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
    if (kind != END_RESET || !vm_starts_again(vm)) /* a restarting guest still needs it */
        input_over(vm);
    for (unsigned i = 0; i < vm->vcpus_made; i++) /* also those that have no thread yet */
        vcpu_kick(&vm->vcpus[i], VCPU_STOP);
}

/* Pairs with the acquire in vm_starts_again: a thread that sees how it ended sees this. */
void vm_reset(struct vm *vm)
{
    __atomic_store_n(&vm->again, true, __ATOMIC_RELEASE);
    vm_stop(vm, END_RESET, 0, "%s", "");
}

bool vm_starts_again(const struct vm *vm)
{
    return vm->config->reboot || __atomic_load_n(&vm->again, __ATOMIC_ACQUIRE);
}

void vm_end_by_limit(struct vm *vm, uint64_t exits)
{
    lock_take(&vm->lock);
    vm->end.kind = END_LIMIT;
    snprintf(vm->end.message, sizeof vm->end.message, "stopped after %llu exits (--max-exits)",
             (unsigned long long)exits);
    lock_release(&vm->lock);
    input_over(vm);
}

struct vm_end vm_end_of(struct vm *vm)
{
    LOCK_FOR_BLOCK(&vm->lock);
    return vm->end;
}
