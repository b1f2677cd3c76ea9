/* Making VMs and counting what they take; see make.h. */
#include "vm/make.h"

#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "lib/console.h"
#include "mem/page.h"
#include "vm/build.h"
#include "vm/devices.h"
#include "vm/vcpu.h"

enum { TREE_PAGES = 8, DEVICE_PAGES = 16, SHRINK_STEP = 64 };

static bool making;

bool make_begin(void)
{
    return !__atomic_exchange_n(&making, true, __ATOMIC_ACQUIRE); /* pairs with what ends it */
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

/* All of RAM, or nothing of it, its tables if all of it is mapped by 4 KiB, and what the VM is made
 * of. Each level of tables may need two more than its share, as RAM need not begin at a multiple of
 * it. */
static uint64_t pages_needed(const struct vm_config *c, bool with_ram)
{
    uint64_t ram = c->memory / PAGE_4K, tables = 4, level = ram;

    for (unsigned i = 0; i < 3; i++) {
        level /= 512;
        tables += level + 2;
    }
    return (with_ram ? ram : 0) + tables + (1ul << vm_order()) + c->cpus * 5ul + TREE_PAGES +
           DEVICE_PAGES;
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

static int make_parts(struct vm *vm, const struct task_ops *ops)
{
    sched_init_task(&vm->worker, ops, vm, vm->config.weight, vm->config.harts);
    vm->worker.state = TASK_BLOCKED; /* until it is roused */
    for (unsigned i = 0; i < vm->config.cpus; i++) {
        vm->vcpus[i] = vcpu_create(vm, i);
        if (vm->vcpus[i] == NULL)
            return -1;
        vm->vcpu_count++;
    }
    return build_layout(vm) != 0 || reach_is_enough(vm) != 0 ? -1 : harts_are_there(vm);
}

void make_undo(struct vm *vm)
{
    struct page_account account;

    while (vm->stage.root != NULL && !gstage_shrink(&vm->stage, SHRINK_STEP))
        cpu_serve_interrupts();
    build_unplug(vm);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vcpu_destroy(vm->vcpus[i]);
    account = vm->account;
    page_free(&account, vm, vm_order());
    page_unreserve(&account);
    making_ends();
}

struct vm *make_vm(const struct vm_config *config, bool with_ram, const struct task_ops *ops)
{
    struct page_account account = {0};
    uint64_t pages = pages_needed(config, with_ram);
    struct vm *vm = NULL;

    if (vm_count < VMS_MAX && page_reserve(&account, pages))
        vm = page_alloc(&account, vm_order());
    if (vm == NULL) {
        page_unreserve(&account);
        making_ends();
        if (vm_count == VMS_MAX)
            print("hv: vm %s: there are %u guests already: not started\n", config->name, VMS_MAX);
        else
            print("hv: vm %s: %lu MiB wanted, %lu MiB free: not started\n", config->name,
                  pages * PAGE_4K / MIB, page_unreserved_count() * PAGE_4K / MIB);
        return NULL;
    }
    vm->account = account;
    vm->config = *config;
    vm->id = vm_count;
    vm->busy_at = vm->alarm_at = ~0ul;
    if (make_parts(vm, ops) != 0) {
        make_undo(vm);
        return NULL;
    }
    devices_reset(vm);
    return vm;
}

void make_publish(struct vm *vm, enum vm_state state)
{
    __atomic_store_n(&vm->state, state, __ATOMIC_RELEASE);
    vms[vm_count] = vm;
    __atomic_store_n(&vm_count, vm_count + 1, __ATOMIC_RELEASE);
    making_ends();
    vm_hooks.started(vm);
}

int make_stage(struct vm *vm)
{
    unsigned levels = 3;

    while (vm->ram_base + vm->ram_size > 1ul << gstage_bits(levels))
        levels++;
    if (gstage_init(&vm->stage, levels, &vm->account) != GSTAGE_OK)
        return -1;
    vm->hgatp = gstage_hgatp(&vm->stage, vm->id + 1);
    return 0;
}
