/* The life of VMs; see life.h. */
#include "vm/life.h"

#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/power.h"
#include "host/serial.h"
#include "lib/console.h"
#include "mem/page.h"
#include "vm/build.h"
#include "vm/devices.h"
#include "vm/report.h"

enum { SHRINK_STEP = 64, DEVICE_STEPS = 8, LOOKS_PER_SECOND = 10000 };
enum { TREE_PAGES = 8, DEVICE_PAGES = 16 };

static bool any_failed, all_started;

static void set_state(struct vm *vm, enum vm_state state)
{
    __atomic_store_n(&vm->state, state, __ATOMIC_RELEASE);
}

/* ---- Asked for by anyone ---- */

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
    if (vm->state != VM_STOPPING && vm->state != VM_ENDED) {
        vm->end = end;
        set_state(vm, VM_STOPPING);
        hold_vcpus(vm);
    }
    lock_drop(&vm->lock);
    vm_rouse(vm);
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

bool life_pause(struct vm *vm)
{
    bool good;

    lock_take(&vm->lock);
    good = vm->state == VM_RUNNING;
    if (good) {
        set_state(vm, VM_PAUSED);
        vm->paused_at = hyp_time();
        hold_vcpus(vm);
    }
    lock_drop(&vm->lock);
    vm_rouse(vm);
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

bool life_resume(struct vm *vm, uint32_t which)
{
    bool good;

    lock_take(&vm->lock);
    good = vm->state == VM_PAUSED && vcpus_are_off(vm);
    if (good) {
        /* The guest's clock goes on from where it stood. */
        vm->time_delta -= hyp_time() - vm->paused_at;
        for (unsigned i = 0; i < vm->vcpu_count; i++)
            vcpu_changed(vm->vcpus[i]);
        set_state(vm, VM_RUNNING);
        release_vcpus(vm, which);
    }
    lock_drop(&vm->lock);
    vm_rouse(vm);
    return good;
}

/* ---- Done by its worker. Each returns whether there is more to do at once ---- */

static void look_again_soon(struct vm *vm)
{
    vm->busy_at = hyp_time() + machine.timebase / LOOKS_PER_SECOND;
}

static void begin_loading(struct vm *vm)
{
    vm->plan.current = 0;
    vm->plan.done = 0;
    vm->boots++;
    lock_take(&vm->lock);
    set_state(vm, VM_LOADING);
    lock_drop(&vm->lock);
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

    if (vm->stage.root == NULL) {
        unsigned levels = 3;

        while (vm->ram_base + vm->ram_size > 1ul << gstage_bits(levels))
            levels++;
        if (gstage_init(&vm->stage, levels, &vm->account) != GSTAGE_OK)
            result = -1;
        vm->hgatp = gstage_hgatp(&vm->stage, vm->id + 1);
    }
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
                                        [END_FAILURE] = "powered off, and says that it failed",
                                        [END_REBOOT] = "been ended",
                                        [END_KILLED] = "been ended"};

    if (vm_count > 1)
        print("hv: vm %s has %s\n", vm->config.name, words[vm->end]);
}

static void end_of_all(void)
{
    unsigned count = __atomic_load_n(&vm_count, __ATOMIC_ACQUIRE);
    bool alive = false;

    for (unsigned i = 0; i < count; i++)
        alive |= __atomic_load_n(&vms[i]->state, __ATOMIC_ACQUIRE) != VM_ENDED;
    if (!alive && __atomic_load_n(&all_started, __ATOMIC_ACQUIRE))
        power_off(__atomic_load_n(&any_failed, __ATOMIC_ACQUIRE));
}

static void end(struct vm *vm)
{
    page_unreserve(&vm->account);
    if (vm->end != END_SHUTDOWN)
        __atomic_store_n(&any_failed, true, __ATOMIC_RELEASE);
    lock_take(&vm->lock);
    set_state(vm, VM_ENDED);
    lock_drop(&vm->lock);
    vm_hooks.ended(vm);
    say_ended(vm);
    end_of_all();
}

/* Its vCPUs have left: nothing of it is on a hart any more, and its devices forget its memory. */
static void unplug_from_harts(struct vm *vm)
{
    sched_set_payer(&vm->worker, NULL);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        sched_stop(&vm->vcpus[i]->task);
    lock_take(&vm->lock);
    devices_reset(vm);
    lock_drop(&vm->lock);
    vcpu_unload();
    for (unsigned i = 0; i < cpu_count; i++)
        if (cpus[i].online)
            firmware_remote_fence_gvma(1, cpus[i].hartid);
}

static bool stop(struct vm *vm)
{
    if (!vm->plan.unplugged) {
        if (!vcpus_are_off(vm)) {
            look_again_soon(vm);
            return false;
        }
        unplug_from_harts(vm);
        vm->plan.unplugged = true;
    }
    if (!gstage_shrink(&vm->stage, SHRINK_STEP))
        return true;
    vm->plan.unplugged = false;
    if (vm->end == END_REBOOT) {
        begin_loading(vm);
        return true;
    }
    end(vm);
    return false;
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

static bool work(struct vm *vm)
{
    switch (__atomic_load_n(&vm->state, __ATOMIC_ACQUIRE)) {
    case VM_LOADING:
        return load(vm);
    case VM_RUNNING:
        return serve_devices(vm);
    case VM_PAUSED:
        return settle(vm);
    case VM_STOPPING:
        return stop(vm);
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
        __atomic_store_n(&vm->busy, false, __ATOMIC_SEQ_CST); /* before it looks: see vm_rouse() */
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

    *wake_at = min64(vm->busy_at, vm->alarm_at);
    return __atomic_load_n(&vm->busy, __ATOMIC_SEQ_CST);
}

static const struct task_ops worker_ops = {.run = run_worker, .is_ready = worker_is_ready};

/* ---- Made and counted ---- */

/* The order of the block that a `struct vm` lives in. */
static unsigned vm_order(void)
{
    unsigned order = 0;

    while (PAGE_4K << order < sizeof(struct vm))
        order++;
    return order;
}

/* All of RAM, its tables if all of it is mapped by 4 KiB, and what the VM is made of. Each level of
 * tables may need two more than its share, as RAM need not begin at a multiple of it. */
static uint64_t pages_needed(const struct vm_config *c)
{
    uint64_t ram = c->memory / PAGE_4K, tables = 4, level = ram;

    for (unsigned i = 0; i < 3; i++) {
        level /= 512;
        tables += level + 2;
    }
    return ram + tables + (1ul << vm_order()) + c->cpus * 5ul + TREE_PAGES + DEVICE_PAGES;
}

uint64_t life_overhead(const struct vm *vm)
{
    uint64_t vcpu = PAGE_4K + (features.vector ? PAGE_4K << ORDER_16K : 0);
    uint64_t root = vm->stage.root != NULL ? PAGE_4K << ORDER_16K : 0;

    return (PAGE_4K << vm_order()) + vm->vcpu_count * vcpu + root + vm->stage.tables * PAGE_4K +
           (vm->blk != NULL ? sizeof *vm->blk : 0) + (vm->net != NULL ? sizeof *vm->net : 0);
}

static int reach_is_enough(const struct vm *vm)
{
    uint64_t end = vm->ram_base + vm->ram_size;

    if (end <= 1ul << gstage_bits(3) || (features.sv48x4 && end <= 1ul << gstage_bits(4)))
        return 0;
    print("hv: vm %s: RAM at 0x%lx is beyond what this machine's G stage reaches\n",
          vm->config.name, vm->ram_base);
    return -1;
}

static int harts_are_there(const struct vm *vm)
{
    for (unsigned i = 0; i < cpu_count; i++)
        if (cpus[i].online && (vm->config.harts >> i & 1) != 0)
            return 0;
    print("hv: vm %s: harts= names none of the %u harts here\n", vm->config.name, cpu_count);
    return -1;
}

static int make_parts(struct vm *vm)
{
    sched_init_task(&vm->worker, &worker_ops, vm, vm->config.weight, vm->config.harts);
    vm->worker.state = TASK_BLOCKED; /* until it is roused */
    for (unsigned i = 0; i < vm->config.cpus; i++) {
        vm->vcpus[i] = vcpu_create(vm, i);
        if (vm->vcpus[i] == NULL)
            return -1;
        vm->vcpu_count++;
    }
    return build_layout(vm) != 0 || reach_is_enough(vm) != 0 ? -1 : harts_are_there(vm);
}

static void unmake(struct vm *vm)
{
    struct page_account account;

    build_unplug(vm);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vcpu_destroy(vm->vcpus[i]);
    account = vm->account;
    page_free(&account, vm, vm_order());
    page_unreserve(&account);
}

int life_start(const struct vm_config *config)
{
    struct page_account account = {0};
    uint64_t pages = pages_needed(config);
    struct vm *vm = NULL;

    if (vm_count < VMS_MAX && page_reserve(&account, pages))
        vm = page_alloc(&account, vm_order());
    if (vm == NULL) {
        page_unreserve(&account);
        print("hv: vm %s: %lu MiB wanted, %lu MiB free: not started\n", config->name,
              pages * PAGE_4K / MIB, page_unreserved_count() * PAGE_4K / MIB);
        return -1;
    }
    vm->account = account;
    vm->config = *config;
    vm->id = vm_count;
    vm->busy_at = vm->alarm_at = ~0ul;
    if (make_parts(vm) != 0) {
        unmake(vm);
        return -1;
    }
    devices_reset(vm);
    vms[vm_count] = vm;
    __atomic_store_n(&vm_count, vm_count + 1, __ATOMIC_RELEASE);
    vm_hooks.started(vm);
    begin_loading(vm);
    vm_rouse(vm);
    return 0;
}

void life_all_started(bool failed)
{
    if (failed)
        __atomic_store_n(&any_failed, true, __ATOMIC_RELEASE);
    __atomic_store_n(&all_started, true, __ATOMIC_RELEASE);
    end_of_all();
}
