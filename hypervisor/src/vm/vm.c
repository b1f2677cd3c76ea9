/* Virtual machines: their memory and their life; see vm.h. */
#include "vm/vm.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "lib/console.h"
#include "mem/page.h"
#include "vm/build.h"
#include "vm/report.h"
#include "vm/sched.h"

struct vm *vms[VMS_MAX];
unsigned vm_count;

static bool any_killed, all_started;

bool vm_contains(const struct vm *vm, gpa_t gpa, uint64_t size)
{
    return gpa >= vm->ram_base && gpa - vm->ram_base <= vm->ram_size &&
           size <= vm->ram_size - (gpa - vm->ram_base);
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

/* ---- Memory on demand ---- */

unsigned vm_perm_at(const struct vm *vm, gpa_t gpa)
{
    gpa_t page = ALIGN_DOWN(gpa, PAGE_4K);
    unsigned perm = 0;

    for (unsigned i = 0; i < vm->range_count; i++)
        if (page < vm->ranges[i].end && page + PAGE_4K > vm->ranges[i].start)
            perm |= vm->ranges[i].perm;
    return perm != 0 ? perm : PERM_RWX;
}

/* Can the whole block around `gpa` be one mapping: inside RAM, and with one set of permissions? */
static bool block_fits(const struct vm *vm, gpa_t gpa, unsigned level)
{
    gpa_t start = ALIGN_DOWN(gpa, gstage_size(level));

    if (!vm_contains(vm, start, gstage_size(level)))
        return false;
    for (unsigned i = 0; level > GSTAGE_4K && i < vm->range_count; i++)
        if (vm->ranges[i].start < start + gstage_size(level) && vm->ranges[i].end > start)
            return false;
    return true;
}

/* Clears a block but for `kept` bytes from `offset`, in steps that page_zero() takes. */
static void clear_around(uint8_t *block, uint64_t size, uint64_t offset, uint64_t kept)
{
    uint64_t from = ALIGN_UP(offset, 64), to = ALIGN_DOWN(offset + min64(kept, size - offset), 64);

    if (to <= from)
        from = to = size;
    page_zero(block, from);
    page_zero(block + to, size - to);
}

static bool map_block(struct vm *vm, gpa_t gpa, unsigned level, uint64_t written)
{
    gpa_t start = ALIGN_DOWN(gpa, gstage_size(level));
    void *memory;

    if (!block_fits(vm, gpa, level))
        return false;
    memory = page_alloc_raw(9 * level);
    if (memory == NULL)
        return false;
    clear_around(memory, gstage_size(level), gpa - start, written);
    if (gstage_map(&vm->stage, start, (hpa_t)memory, level, vm_perm_at(vm, gpa)) == GSTAGE_OK)
        return true;
    page_free(memory, 9 * level); /* a smaller block is mapped inside already */
    return false;
}

int vm_back_memory(struct vm *vm, gpa_t gpa, uint64_t written)
{
    for (int level = (int)vm->config.page_level; level >= 0; level--)
        if (map_block(vm, gpa, (unsigned)level, written))
            return 0;
    return -1;
}

/* All of RAM, its tables, and what the VM is made of. */
static uint64_t pages_needed(const struct vm_config *c)
{
    uint64_t ram = c->memory / PAGE_4K;

    return ram + ram / 512 + 32 + c->cpus * 5ul;
}

/* ---- Life ---- */

/* Gives back what a run used; the VM itself stays, so that it can begin anew or be asked about. */
static void clear_memory(struct vm *vm)
{
    for (unsigned i = 0; i < cpu_count; i++) {
        if (cpus[i].loaded != NULL && cpus[i].loaded->vm == vm)
            cpus[i].loaded = NULL;
        firmware_remote_fence_gvma(1, cpus[i].hartid);
    }
    gstage_destroy(&vm->stage);
}

static int boot(struct vm *vm)
{
    gpa_t entry = 0, fdt = 0;
    unsigned levels = 3;

    while (vm->ram_base + vm->ram_size > 1ul << gstage_bits(levels))
        levels++;
    if (levels > 4 || (levels == 4 && !features.sv48x4)) {
        print("hv: vm %s: RAM at 0x%lx is beyond what this machine's G stage reaches\n",
              vm->config.name, vm->ram_base);
        return -1;
    }
    if (gstage_init(&vm->stage, levels) != GSTAGE_OK)
        return -1;
    vm->hgatp = gstage_hgatp(&vm->stage, vm->id + 1);
    build_reset_devices(vm);
    if (build_load(vm, &entry, &fdt) != 0) {
        gstage_destroy(&vm->stage);
        return -1;
    }
    vm->time_delta = -hyp_time();
    vm->boots++;
    vcpu_reset(vm->vcpus[0], entry, fdt);
    return 0;
}

static void power_on(struct vm *vm)
{
    sched_lock();
    __atomic_store_n(&vm->state, VM_RUNNING, __ATOMIC_RELEASE);
    sched_unlock();
    (void)sched_start(vm->vcpus[0], NULL); /* stopped, for it has just been made */
}

/* The order of the block that a `struct vm` lives in. */
static unsigned vm_order(void)
{
    unsigned order = 0;

    while (PAGE_4K << order < sizeof(struct vm))
        order++;
    return order;
}

uint64_t vm_overhead(const struct vm *vm)
{
    uint64_t vcpu = PAGE_4K + (features.vector ? PAGE_4K << ORDER_16K : 0);
    uint64_t root = vm->stage.root != NULL ? PAGE_4K << ORDER_16K : 0;

    return (PAGE_4K << vm_order()) + vm->vcpu_count * vcpu + root + vm->stage.tables * PAGE_4K;
}

static struct vm *allocate(const struct vm_config *config)
{
    struct vm *vm = page_alloc(vm_order());

    if (vm == NULL)
        return NULL;
    vm->config = *config;
    vm->id = vm_count;
    for (unsigned i = 0; i < config->cpus; i++) {
        vm->vcpus[i] = vcpu_create(vm, i);
        if (vm->vcpus[i] == NULL)
            return NULL; /* pages_needed() covers this: a defect of ours, and only a small leak */
        vm->vcpu_count++;
    }
    return vm;
}

int vm_start(const struct vm_config *config)
{
    uint64_t pages = pages_needed(config);
    struct vm *vm;

    if (vm_count == VMS_MAX || !page_reserve(pages)) {
        print("hv: vm %s: %lu MiB wanted, %lu MiB free: not started\n", config->name,
              pages * PAGE_4K / MIB, page_unreserved_count() * PAGE_4K / MIB);
        return -1;
    }
    vm = allocate(config);
    if (vm == NULL || build_layout(vm) != 0) {
        page_unreserve(pages);
        return -1;
    }
    vm->reserved_pages = pages;
    if (boot(vm) != 0) {
        page_unreserve(pages);
        return -1;
    }
    vms[vm_count] = vm;
    __atomic_store_n(&vm_count, vm_count + 1, __ATOMIC_RELEASE);
    mux_show(mux_front() == NULL ? vm : NULL);
    power_on(vm);
    return 0;
}

void vm_stop(struct vm *vm, enum vm_end end)
{
    sched_lock();
    if (vm->state == VM_RUNNING || vm->state == VM_PAUSED)
        vm->end = end;
    sched_unlock();
    sched_stop_vm(vm);
}

void vm_finish(struct vm *vm)
{
    bool again = vm->end == END_REBOOT;

    lock_take(&vm->lock);
    clear_memory(vm);
    lock_drop(&vm->lock);
    if (again && boot(vm) == 0) {
        power_on(vm);
        return;
    }
    page_unreserve(vm->reserved_pages);
    if (vm->end != END_SHUTDOWN)
        __atomic_store_n(&any_killed, true, __ATOMIC_RELEASE);
    sched_lock();
    __atomic_store_n(&vm->state, VM_ENDED, __ATOMIC_RELEASE);
    sched_unlock();
    mux_forget(vm);
    if (vm_count > 1)
        print("hv: vm %s has %s\n", vm->config.name,
              vm->end == END_SHUTDOWN  ? "powered off"
              : vm->end == END_FAILURE ? "powered off, and says that it failed"
                                       : "been ended");
    vm_end_of_all();
}

void vm_all_started(bool failed)
{
    any_killed |= failed;
    __atomic_store_n(&all_started, true, __ATOMIC_RELEASE);
    vm_end_of_all();
}

void vm_end_of_all(void)
{
    bool alive = false;

    sched_lock();
    for (unsigned i = 0; i < vm_count; i++)
        alive |= vms[i]->state != VM_ENDED;
    sched_unlock();
    if (!alive && __atomic_load_n(&all_started, __ATOMIC_ACQUIRE))
        firmware_shutdown(__atomic_load_n(&any_killed, __ATOMIC_ACQUIRE));
}

void vm_kill(struct vcpu *v, const char *format, ...)
{
    char reason[160];
    va_list args;

    va_start(args, format);
    fmt_vsnprint(reason, sizeof reason, format, args);
    va_end(args);
    report_print(v, reason);
    vm_stop(v->vm, END_KILLED);
}
