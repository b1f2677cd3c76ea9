/* Restarts a guest: makes it again on a thread; see session/restart.h. */
#include "session/restart.h"

#include <stdio.h>

#include "host/events.h"
#include "vm/create.h"

static void *run(void *argument)
{
    struct restart *r = argument;
    struct vm *vm = r->vm;
    uint64_t exits = vm_exits(vm);

    thread_name("guest%u/restart", vm->index);
    vm_destroy(vm);
    r->error.text[0] = '\0';
    if (vm_create(vm, vm->index, vm->config, vm->program, vm->observers, &r->error) == 0)
        vm->exits_before = exits;
    __atomic_store_n(&r->done, 1, __ATOMIC_RELEASE); /* pairs with session_restart_take */
    events_wake();
    return NULL;
}

bool session_restart_is_due(struct vm *vm)
{
    uint64_t exits;

    if (!vm_starts_again(vm) || vm_is_running(vm) || vm_end_of(vm).kind != END_RESET)
        return false;
    vm_join(vm);
    exits = vm_exits(vm);
    if (vm->config->max_exits == 0 || exits < vm->config->max_exits)
        return true;
    vm_end_by_limit(vm, exits);
    return false;
}

bool session_restart_begin(struct restart *restart, struct vm *vm)
{
    struct error error;

    restart->vm = vm;
    restart->config = vm->config;
    restart->done = 0;
    restart->pending = thread_start(&restart->thread, run, restart, &error) == 0;
    if (!restart->pending) {
        vm->end = (struct vm_end){.kind = END_FAILED};
        snprintf(vm->end.message, sizeof vm->end.message, "it cannot be restarted: %.300s",
                 error.text);
    }
    return restart->pending;
}

int session_restart_take(struct restart *restart, struct error *error)
{
    if (!__atomic_load_n(&restart->done, __ATOMIC_ACQUIRE))
        return 0;
    thread_join(&restart->thread);
    restart->pending = false;
    *error = restart->error;
    return error->text[0] == '\0' ? 1 : -1;
}

/* Waits for the thread as long as the program's patience lasts. False: the thread still runs, and
 * the VM cannot be used. */
static bool settle(struct restart *restart, const struct vm_end *end)
{
    struct error ignored; /* the run ends before the guest starts */
    bool patient = true;

    while (patient && session_restart_take(restart, &ignored) == 0)
        patient = events_run_patiently(EVENTS_FOREVER);
    if (!restart->pending)
        restart->vm->end = *end;
    return !restart->pending;
}

/* Fills in a VM for the reports, without observers and vCPUs: those of the lost VM must not be
 * used. */
static void stand_in(struct vm *shown, unsigned index, const struct restart *restart,
                     const struct vm_end *end)
{
    static const struct observers none;

    *shown = (struct vm){.index = index,
                         .name = restart->config->image,
                         .config = restart->config,
                         .observers = &none,
                         .end = *end,
                         .fd = -1};
    lock_init(&shown->lock);
    pause_init(shown);
}

struct vm *session_restart_finish(struct restart *restarts, struct vm *vms, unsigned count,
                                  const struct vm_end *end)
{
    static struct vm shown[GUESTS_MAX];
    bool lost = false;

    for (unsigned i = 0; i < count; i++)
        lost |= restarts[i].pending && !settle(&restarts[i], end);
    for (unsigned i = 0; i < count; i++) {
        if (restarts[i].pending) {
            stand_in(&shown[i], i, &restarts[i], end);
            continue;
        }
        vm_join(&vms[i]);
        if (lost)
            shown[i] = vms[i];
    }
    return lost ? shown : vms;
}
