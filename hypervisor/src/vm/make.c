/* Makes VMs and accounts for their memory; see make.h. */
#include "vm/make.h"

#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "host/machine.h"
#include "lib/console.h"
#include "mem/page.h"
#include "vm/build.h"
#include "vm/devices.h"
#include "vm/queue.h"
#include "vm/vcpu.h"

enum { TREE_PAGES = 8, DEVICE_PAGES = 16, ROOT_PAGES = 4, FILE_TABLES = 3, SHRINK_STEP = 64 };

_Static_assert(offsetof(struct vm, id) == 64, "cleared by page_zero()");

static uint32_t making; /* a whole word: its exchange needs no libgcc function */

bool make_begin(void)
{
    return !__atomic_exchange_n(&making, true, __ATOMIC_ACQUIRE); /* pairs with making_ends() */
}

static void making_ends(void)
{
    __atomic_store_n(&making, false, __ATOMIC_RELEASE);
}

/* The order of the block that a `struct vm` lives in. */
static unsigned vm_order(void)
{
    unsigned order = 0;

    while (PAGE_4K << order < sizeof(struct vm))
        order++;
    return order;
}

uint64_t make_overhead(const struct vm *vm)
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

static const char *take_files(struct vm *vm)
{
    unsigned hart = 0;

    if (features.guest_files == 0 || machine.imsic_guests == 0)
        return "this machine's harts have no guest interrupt files";
    /* These accesses to an interrupt file's page cause an access fault, which OpenSBI 1.6 handles
     * as a misaligned access. It then continues at the guest's stvec, but in HS-mode: the guest
     * escapes. For accesses that it decodes as scalar it injects the fault into the guest. */
    if (machine.wide_accesses)
        return "with this firmware a vector or 16- or 128-bit float access to a file could leave "
               "the guest";
    for (unsigned i = 0; i < vm->vcpu_count; i++, hart++) {
        struct vcpu *v = vm->vcpus[i];

        while (hart < cpu_count && !queue_may_run_on(&v->task, hart))
            hart++;
        if (hart == cpu_count || vm->config.harts == ~0u)
            return "harts= must name a hart for each vCPU";
        if (!irq_file_take(&v->irq_file, hart, &v->task))
            return "other guests use all interrupt files of a hart";
    }
    return NULL;
}

/* If the manifest asks for it, gives each vCPU a guest interrupt file and binds it to that file's
 * hart: the first vCPU to the first hart of harts=, and so on. If this is not possible for all of
 * them, no vCPU gets a file, and the guest gets a PLIC. */
static void give_files(struct vm *vm)
{
    const char *why = take_files(vm);

    vm->has_files = why == NULL;
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        struct vcpu *v = vm->vcpus[i];

        if (vm->has_files)
            sched_bind(&v->task, v->irq_file.hart);
        else
            irq_file_give_back(&v->irq_file);
    }
    if (!vm->has_files)
        print("hv: vm %s: interrupts=imsic: %s: it gets a PLIC\n", vm->config.name, why);
}

static int make_parts(struct vm *vm, const struct task_ops *ops)
{
    sched_init_task(&vm->worker, ops, vm, vm->config.weight, vm->config.harts);
    vm->worker.state = TASK_BLOCKED; /* until it is woken */
    if (harts_are_there(vm) != 0)
        return -1;
    for (unsigned i = 0; i < vm->config.cpus; i++) {
        vm->vcpus[i] = vcpu_create(vm, i);
        if (vm->vcpus[i] == NULL)
            return -1;
        vm->vcpu_count++;
    }
    if (vm->config.interrupts == INTERRUPTS_IMSIC)
        give_files(vm);
    return build_layout(vm) != 0 ? -1 : reach_is_enough(vm);
}

static void free_parts(struct vm *vm)
{
    build_unplug(vm);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vcpu_destroy(vm->vcpus[i]);
    vm->vcpu_count = 0;
    page_unreserve(&vm->account);
}

static void undo_parts(struct vm *vm)
{
    free_parts(vm);
    if (vm->id == vm_count)
        page_free(NULL, vm, vm_order());
    making_ends();
}

bool make_undo(struct vm *vm)
{
    if (vm->stage.root != NULL && !gstage_shrink(&vm->stage, SHRINK_STEP))
        return false;
    undo_parts(vm);
    return true;
}

/* Finds the place of a VM that is gone, or makes a new one. NULL if there is no memory, or the
 * maximum of VMs exists. */
static struct vm *find_place(void)
{
    struct vm *vm;

    for (unsigned i = 0; i < vm_count; i++) {
        vm = vms[i];
        if (__atomic_load_n(&vm->state, __ATOMIC_ACQUIRE) != VM_GONE ||
            sched_state(&vm->worker) != TASK_BLOCKED) /* it will block soon */
            continue;
        page_zero(&vm->id, (PAGE_4K << vm_order()) - offsetof(struct vm, id));
        vm->id = i;
        return vm;
    }
    vm = vm_count < VMS_MAX ? page_alloc(NULL, vm_order()) : NULL;
    if (vm != NULL) {
        vm->id = vm_count;
        vm->state = VM_GONE;
    }
    return vm;
}

static bool set_aside(struct vm *vm, uint64_t pages)
{
    if (page_reserve(&vm->account, pages))
        return true;
    print("hv: vm %s: %lu MiB wanted, %lu MiB free: not started\n", vm->config.name,
          pages * PAGE_4K / MIB, page_unreserved_count() * PAGE_4K / MIB);
    return false;
}

bool make_set_aside(struct vm *vm, bool with_ram)
{
    uint64_t tables = ROOT_PAGES + gstage_tables_most(vm->ram_size) + TREE_PAGES +
                      (vm->has_files ? FILE_TABLES : 0);

    return set_aside(vm, tables + (with_ram ? vm->ram_size / PAGE_4K : 0));
}

struct vm *make_vm(const struct vm_config *config, const struct task_ops *ops)
{
    struct vm *vm;

    if (vm_named(config->name) != NULL) { /* make_begin() keeps others from taking the name */
        making_ends();
        print("hv: vm %s: a guest of that name exists\n", config->name);
        return NULL;
    }
    vm = find_place();
    if (vm == NULL) {
        making_ends();
        if (vm_count == VMS_MAX)
            print("hv: vm %s: there are %u guests already\n", config->name, VMS_MAX);
        else
            print("hv: vm %s: no memory left for another guest\n", config->name);
        return NULL;
    }
    vm->config = *config;
    vm->busy_at = vm->alarm_at = ~0ul;
    if (!set_aside(vm, config->cpus * 5ul + DEVICE_PAGES) || make_parts(vm, ops) != 0) {
        undo_parts(vm); /* it has no G stage yet */
        return NULL;
    }
    devices_reset(vm);
    return vm;
}

void make_publish(struct vm *vm, enum vm_state state)
{
    __atomic_store_n(&vm->state, state, __ATOMIC_RELEASE);
    if (vm->id == vm_count) {
        vms[vm_count] = vm;
        __atomic_store_n(&vm_count, vm_count + 1, __ATOMIC_RELEASE);
    }
    making_ends();
}

void make_destroy(struct vm *vm)
{
    vm_hooks.ended(vm); /* the user may have switched to it after its end */
    free_parts(vm);
    __atomic_store_n(&vm->state, VM_GONE, __ATOMIC_RELEASE); /* pairs with find_place() */
}

int make_stage(struct vm *vm)
{
    unsigned levels = 3;

    while (vm->ram_base + vm->ram_size > 1ul << gstage_bits(levels))
        levels++;
    if (gstage_init(&vm->stage, levels, &vm->account) != GSTAGE_OK)
        return -1;
    vm->hgatp = gstage_hgatp(&vm->stage, vm->id + 1);
    for (unsigned i = 0; vm->has_files && i < vm->vcpu_count; i++)
        if (gstage_map_device(&vm->stage, GUEST_IMSIC + i * PAGE_4K,
                              irq_file_page(&vm->vcpus[i]->irq_file)) != GSTAGE_OK)
            return -1;
    return 0;
}
