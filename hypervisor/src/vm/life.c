/* The life of VMs; see life.h. */
#include "vm/life.h"

#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/serial.h"
#include "lib/console.h"
#include "mem/page.h"
#include "vm/build.h"
#include "vm/devices.h"
#include "vm/make.h"
#include "vm/report.h"

enum { SHRINK_STEP = 64, DEVICE_STEPS = 8, LOOKS_PER_SECOND = 10000 };

static void set_state(struct vm *vm, enum vm_state state)
{
    __atomic_store_n(&vm->state, state, __ATOMIC_RELEASE);
}

/* ---- Requests ---- */

static void hold_vcpus(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        sched_hold(&vm->vcpus[i]->task);
}

static void release_vcpus(struct vm *vm, uint32_t which)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        if (which >> i & 1)
            sched_release(&vm->vcpus[i]->task);
}

void life_stop(struct vm *vm, enum vm_end end)
{
    lock_take(&vm->lock);
    if (vm->state == VM_STOPPING && vm->end == END_REBOOT) {
        vm->end = end; /* it does not start again */
    } else if (vm_is_alive(vm) && vm->state != VM_STOPPING) {
        vm->end = end;
        set_state(vm, VM_STOPPING);
        hold_vcpus(vm);
    }
    vm_rouse(vm); /* under the lock: without it, another VM may be in its place */
    lock_drop(&vm->lock);
}

void life_kill(struct vcpu *v, const char *format, ...)
{
    char reason[160];
    va_list args;

    va_start(args, format);
    fmt_vsnprint(reason, sizeof reason, format, args);
    va_end(args);
    report_print(v, reason);
    life_stop(v->vm, END_KILLED);
}

static bool pause_locked(struct vm *vm)
{
    bool good = vm->state == VM_RUNNING;

    if (good) {
        set_state(vm, VM_PAUSED);
        vm->paused_at = hyp_time();
        hold_vcpus(vm);
    }
    vm_rouse(vm);
    return good;
}

bool life_pause(struct vm *vm)
{
    bool good;
    LOCK_FOR_BLOCK(&vm->lock);

    good = pause_locked(vm);
    if (vm->clones > 0 && vm->clones_resumes && vm_is_up(vm)) {
        vm->clones_resumes = false;
        good = true;
    }
    return good;
}

void life_paused(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->state == VM_PAUSED)
        vm->paused_at = hyp_time();
    lock_drop(&vm->lock);
}

static bool vcpus_are_off(const struct vm *vm)
{
    bool off = true;

    for (unsigned i = 0; i < vm->vcpu_count; i++)
        off &= sched_state(&vm->vcpus[i]->task) != TASK_RUNNING;
    return off;
}

static bool resume_locked(struct vm *vm, uint32_t which)
{
    bool good = vm->state == VM_PAUSED && vm->clones == 0 && vcpus_are_off(vm);

    if (good) {
        /* The guest's clock continues from the time of the pause. */
        vm->time_delta -= hyp_time() - vm->paused_at;
        for (unsigned i = 0; i < vm->vcpu_count; i++)
            vcpu_changed(vm->vcpus[i]);
        set_state(vm, VM_RUNNING);
        release_vcpus(vm, which);
    }
    vm_rouse(vm);
    return good;
}

bool life_resume(struct vm *vm, uint32_t which)
{
    LOCK_FOR_BLOCK(&vm->lock);

    return resume_locked(vm, which);
}

/* Prints and publishes with the lock held: ending the VM takes the same lock first. */
void life_publish(struct vm *vm, const char *format, ...)
{
    char line[160];
    va_list args;
    LOCK_FOR_BLOCK(&vm->lock);

    va_start(args, format);
    fmt_vsnprint(line, sizeof line, format, args);
    va_end(args);
    vm_await();
    make_publish(vm, VM_PAUSED);
    vm_arrived();
    print("%s", line);
    (void)resume_locked(vm, LIFE_ALL);
}

/* Asks the worker to make `count` clones, or to save the VM. */
static bool copy(struct vm *vm, bool saves, unsigned count, struct vcpu *caller)
{
    const char *why = NULL;

    lock_take(&vm->lock);
    if (!vm_is_up(vm) || vm->clones > 0)
        why = "it does not run, or is being cloned or saved already";
    else if (vm->debugged)
        why = "gdb is connected to it: its memory may hold breakpoints";
    else if (vm->blk != NULL && vm->blk->image == NULL)
        why = "its disk is a disk of the machine, which two guests cannot share";
    else if (vm->has_files)
        why = "its interrupts are in interrupt files of the harts, which cannot be copied";
    else {
        vm->saving = saves;
        vm->clones = vm->clones_asked = count;
        vm->clones_caller = caller;
        vm->clones_resumes = vm->state == VM_RUNNING;
        (void)pause_locked(vm); /* now, while the caller's call still runs */
    }
    vm_rouse(vm);
    lock_drop(&vm->lock);
    if (why != NULL)
        print("hv: vm %s: not %s: %s\n", vm->config.name, saves ? "saved" : "cloned", why);
    return why == NULL;
}

bool life_clone(struct vm *vm, unsigned count, struct vcpu *caller)
{
    return copy(vm, false, count, caller);
}

bool life_save(struct vm *vm)
{
    return copy(vm, true, 1, NULL);
}

void life_wait_for_memory(struct vm *vm, gpa_t gpa)
{
    if (life_pause(vm))
        print("hv: vm %s is paused: no memory left for its page at 0x%lx; resume it when another "
              "guest has ended\n",
              vm->config.name, gpa);
}

/* ---- The worker's part. Each function returns true if there is more to do at once ---- */

static void look_again_soon(struct vm *vm)
{
    vm->busy_at = hyp_time() + machine.timebase / LOOKS_PER_SECOND;
}

/* Only the worker uses vm->plan; other callers call this while the worker has nothing to do. */
static void begin_loading_locked(struct vm *vm)
{
    vm->plan.current = 0;
    vm->plan.done = 0;
    vm->boots++;
    set_state(vm, VM_LOADING);
}

static void begin_loading(struct vm *vm)
{
    LOCK_FOR_BLOCK(&vm->lock);

    begin_loading_locked(vm);
}

/* True if the VM reboots. Checks and begins it with the lock held, so that a stop comes before the
 * reboot or stops it. */
static bool reboot(struct vm *vm)
{
    LOCK_FOR_BLOCK(&vm->lock);

    if (vm->end != END_REBOOT)
        return false;
    begin_loading_locked(vm);
    return true;
}

static void power_on(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->state == VM_LOADING) { /* it was not stopped meanwhile */
        vm->time_delta = -hyp_time();
        for (unsigned i = 0; i < vm->vcpu_count; i++)
            vcpu_forget_boot(vm->vcpus[i]);
        vcpu_reset(vm->vcpus[0], vm->plan.entry, vm->plan.fdt);
        set_state(vm, VM_RUNNING);
        release_vcpus(vm, LIFE_ALL);
        sched_start(&vm->vcpus[0]->task);
    }
    lock_drop(&vm->lock);
    /* From here on the guest is charged for what its devices do. */
    sched_set_payer(&vm->worker, &vm->vcpus[0]->task);
}

static bool load(struct vm *vm)
{
    int result = BUILD_MORE;

    if (vm->stage.root == NULL && make_stage(vm) != 0)
        result = -1;
    if (result == BUILD_MORE)
        result = build_step(vm);
    if (result < 0)
        life_stop(vm, END_KILLED);
    else if (result == BUILD_DONE)
        power_on(vm);
    return true;
}

static void say_ended(const struct vm *vm)
{
    static const char *const words[] = {[END_SHUTDOWN] = "powered off",
                                        [END_FAILURE] = "powered off, and reports that it failed",
                                        [END_REBOOT] = "been ended",
                                        [END_KILLED] = "been ended",
                                        [END_STOPPED] = "been stopped"};

    if (vm_count > 1 || vm->end == END_STOPPED)
        print("hv: vm %s has %s\n", vm->config.name, words[vm->end]);
}

static void end(struct vm *vm)
{
    page_unreserve(&vm->account);
    if (vm->end != END_SHUTDOWN && vm->end != END_STOPPED)
        vm_failed();
    vm_hooks.ended(vm);
    say_ended(vm);
    lock_take(&vm->lock);
    set_state(vm, VM_ENDED);
    lock_drop(&vm->lock);
    vm_ended(vm->end == END_STOPPED);
}

static void fence_all_harts(void)
{
    for (unsigned i = 0; i < cpu_count; i++)
        if (cpus[i].online)
            firmware_remote_fence_gvma(1, cpus[i].hartid);
}

/* All vCPUs have exited. Removes the VM's state from all harts, and resets its devices. */
static void unplug_from_harts(struct vm *vm)
{
    sched_set_payer(&vm->worker, NULL);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        sched_stop(&vm->vcpus[i]->task);
    lock_take(&vm->lock);
    devices_reset(vm);
    lock_drop(&vm->lock);
    fence_all_harts();
}

static bool stop(struct vm *vm)
{
    if (!vm->plan.unplugged) {
        if (vm->cloning.clone != NULL) {
            (void)vm_hooks.clone(vm, true);
            return true;
        }
        if (vm->saving)
            (void)vm_hooks.save(vm, true);
        vm->saving = false;
        if (!vcpus_are_off(vm) || !vcpu_none_is_held(vm)) {
            look_again_soon(vm);
            return false;
        }
        unplug_from_harts(vm);
        vm->clones = 0;
        vm->plan.unplugged = true;
    }
    if (!gstage_shrink(&vm->stage, SHRINK_STEP))
        return true;
    vm->plan.unplugged = false;
    if (reboot(vm))
        return true;
    end(vm);
    return true; /* it may have to be removed */
}

static bool serve_devices(struct vm *vm)
{
    enum devices_result result = devices_step(vm, DEVICE_STEPS);

    if (result == DEVICES_WAIT)
        look_again_soon(vm);
    return result == DEVICES_MORE;
}

static bool settle(struct vm *vm)
{
    if (vcpus_are_off(vm))
        vm_hooks.paused(vm);
    else
        look_again_soon(vm);
    return false;
}

/* Returns the result to the vCPU that asked for clones. The clones' vCPUs have their numbers
 * already. */
static void answer_caller(struct vm *vm, unsigned made)
{
    struct vcpu *caller = vm->clones_caller;

    if (caller == NULL || made == vm->clones_asked)
        return;
    caller->regs.x[10] = (uint64_t)SBI_FAILED;
    caller->regs.x[11] = made;
}

/* Makes a piece of a clone or of a save. After the last one the VM is resumed; its own mappings
 * have changed. */
static bool clone(struct vm *vm)
{
    enum vm_clone result;
    unsigned left;

    if (!vcpus_are_off(vm) || (!vm->saving && vm->cloning.clone == NULL && !make_begin())) {
        look_again_soon(vm);
        return false;
    }
    result = vm->saving ? vm_hooks.save(vm, false) : vm_hooks.clone(vm, false);
    if (result == CLONE_WAIT)
        look_again_soon(vm);
    if (result == CLONE_MORE || result == CLONE_WAIT)
        return result == CLONE_MORE;
    left = vm->clones - (result == CLONE_MADE);
    if (left == 0 || result != CLONE_MADE) {
        answer_caller(vm, vm->clones_asked - left);
        left = 0;
        vm->saving = false;
        fence_all_harts(); /* before it runs: harts may have writable entries for shared pages */
    }
    lock_take(&vm->lock);
    vm->clones = left;
    if (left == 0 && vm->clones_resumes)
        (void)resume_locked(vm, LIFE_ALL); /* unless it was ended meanwhile */
    lock_drop(&vm->lock);
    return true;
}

/* Takes the lock, since copy() sets the request and holds the vCPUs under it. */
static bool copy_is_asked(struct vm *vm)
{
    LOCK_FOR_BLOCK(&vm->lock);

    return vm->clones > 0 && vm_is_up(vm);
}

static bool work(struct vm *vm)
{
    if (copy_is_asked(vm))
        return clone(vm);
    switch (__atomic_load_n(&vm->state, __ATOMIC_ACQUIRE)) {
    case VM_LOADING:
        return load(vm);
    case VM_RUNNING:
        return serve_devices(vm);
    case VM_PAUSED:
        return settle(vm);
    case VM_STOPPING:
        return stop(vm);
    case VM_CREATED:
    case VM_ENDED:
        if (vm->doomed) {
            make_destroy(vm);
            print("hv: vm %s is gone\n", vm->config.name); /* this keeps its place from reuse */
        }
        return false;
    default:
        return false;
    }
}

static struct vm *vm_of(struct task *worker)
{
    return (struct vm *)((char *)worker - offsetof(struct vm, worker));
}

static void run_worker(struct task *task)
{
    struct vm *vm = vm_of(task);

    do {
        vm->busy_at = ~0ul;
        __atomic_store_n(&vm->busy, false, __ATOMIC_SEQ_CST); /* before it checks: vm_rouse() */
        if (work(vm))
            __atomic_store_n(&vm->busy, true, __ATOMIC_SEQ_CST);
        else
            sched_block();
        cpu_serve_interrupts();
        serial_deliver();
    } while (sched_goes_on(task));
}

static bool worker_is_ready(struct task *task, uint64_t *wake_at)
{
    const struct vm *vm = vm_of(task);

    *wake_at = vm->busy_at;
    if (__atomic_load_n(&vm->state, __ATOMIC_RELAXED) == VM_RUNNING)
        *wake_at = min64(*wake_at, vm->alarm_at); /* else devices_step() never updates it */
    return __atomic_load_n(&vm->busy, __ATOMIC_SEQ_CST);
}

static const struct task_ops worker_ops = {.run = run_worker, .is_ready = worker_is_ready};

/* ---- Making and starting ---- */

struct vm *life_make(const struct vm_config *config)
{
    if (make_begin())
        return make_vm(config, &worker_ops);
    print("hv: vm %s: another guest is being made: try again\n", config->name);
    return NULL;
}

struct vm *life_create(const struct vm_config *config)
{
    struct vm *vm = life_make(config);

    if (vm != NULL)
        make_publish(vm, VM_CREATED);
    return vm;
}

bool life_start(struct vm *vm)
{
    enum vm_state state = __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);

    if (state != VM_CREATED && state != VM_ENDED) {
        print("hv: vm %s: not started: it has not ended\n", vm->config.name);
        return false;
    }
    if (!make_set_aside(vm, true))
        return false;
    vm_hooks.started(vm);
    vm_await();
    begin_loading(vm);
    vm_arrived();
    vm_rouse(vm);
    return true;
}

void life_destroy(struct vm *vm)
{
    vm->doomed = true;
    life_stop(vm, END_STOPPED); /* also wakes its worker */
}
