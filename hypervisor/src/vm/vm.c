/* The list of VMs, and queries about a VM; see vm.h. */
#include "vm/vm.h"

#include "common/string.h"
#include "host/power.h"

struct vm *vms[VMS_MAX];
unsigned vm_count;
struct vm_hooks vm_hooks;

struct vm *vm_named(const char *name)
{
    unsigned count = __atomic_load_n(&vm_count, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count; i++)
        if (__atomic_load_n(&vms[i]->state, __ATOMIC_ACQUIRE) != VM_GONE &&
            strcmp(vms[i]->config.name, name) == 0)
            return vms[i];
    return NULL;
}

bool vm_contains(const struct vm *vm, gpa_t gpa, uint64_t size)
{
    return gpa >= vm->ram_base && gpa - vm->ram_base <= vm->ram_size &&
           size <= vm->ram_size - (gpa - vm->ram_base);
}

unsigned vm_perm_at(const struct vm *vm, gpa_t gpa)
{
    gpa_t page = ALIGN_DOWN(gpa, PAGE_4K);
    unsigned perm = 0;

    for (unsigned i = 0; i < vm->range_count; i++)
        if (page < vm->ranges[i].end && page + PAGE_4K > vm->ranges[i].start)
            perm |= vm->ranges[i].perm;
    return perm != 0 ? perm : PERM_RWX;
}

const struct device *vm_device_at(const struct vm *vm, gpa_t gpa)
{
    for (unsigned i = 0; i < vm->device_count; i++)
        if (gpa >= vm->devices[i].base && gpa - vm->devices[i].base < vm->devices[i].size)
            return &vm->devices[i];
    return NULL;
}

struct vcpu *vm_vcpu(const struct vm *vm, uint64_t hartid)
{
    return hartid < vm->vcpu_count ? vm->vcpus[hartid] : NULL;
}

void vm_rouse(struct vm *vm)
{
    __atomic_store_n(&vm->busy, true, __ATOMIC_SEQ_CST); /* before sched_wake() reads it */
    sched_wake(&vm->worker);
}

/* ---- When the machine powers off ---- */

/* Atomics. `over`: the last VM to end was not stopped by the user. `arrived` is a counter: see
 * vm_await(). */
static bool any_failed, all_started, over;
static unsigned awaited, arrived;

static void look_for_the_end(void)
{
    unsigned before = __atomic_load_n(&arrived, __ATOMIC_SEQ_CST);
    bool alive = __atomic_load_n(&awaited, __ATOMIC_SEQ_CST) > 0; /* first: these become VMs */
    unsigned count = __atomic_load_n(&vm_count, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count; i++)
        alive |= vm_is_alive(vms[i]);
    /* A VM may have started after the loop checked it, while another ended before it was checked.
     * Whatever starts a VM counts in `awaited` while it does so, and in `arrived` afterwards. */
    alive |= __atomic_load_n(&awaited, __ATOMIC_SEQ_CST) > 0;
    alive |= __atomic_load_n(&arrived, __ATOMIC_SEQ_CST) != before;
    if (!alive && __atomic_load_n(&all_started, __ATOMIC_ACQUIRE))
        power_off(__atomic_load_n(&any_failed, __ATOMIC_ACQUIRE));
}

void vm_all_started(bool failed)
{
    if (failed)
        vm_failed();
    __atomic_store_n(&all_started, true, __ATOMIC_RELEASE);
    look_for_the_end();
}

void vm_ended(bool stopped)
{
    __atomic_store_n(&over, !stopped, __ATOMIC_SEQ_CST); /* before it checks: see vm_arrived() */
    if (!stopped)
        look_for_the_end();
}

void vm_failed(void)
{
    __atomic_store_n(&any_failed, true, __ATOMIC_RELEASE);
}

void vm_await(void)
{
    __atomic_fetch_add(&awaited, 1, __ATOMIC_SEQ_CST);
}

void vm_arrived(void)
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&awaited, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&over, __ATOMIC_SEQ_CST))
        look_for_the_end();
}
