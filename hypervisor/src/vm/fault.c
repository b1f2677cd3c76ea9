/* Guest page faults; see fault.h. htval and htinst: Privileged Architecture 15.6.3. */
#include "vm/fault.h"

#include "cpu/csr.h"

#include "vm/mmio.h"
#include "vm/trap.h"
#include "vm/vm.h"
#include "vm/walk.h"

gpa_t fault_address(const struct vcpu *v)
{
    return v->trap.htval << 2 | (v->trap.stval & 3);
}

/* Was it the hardware's walk of the guest's page tables, not the access itself? Not every machine
 * says so in htinst, but the low 12 bits survive translation: where they differ, it was. Where a
 * guest arranges for them to be equal, it fools itself alone: it gets a device access that is
 * checked like any other. */
static bool is_table_walk(const struct vcpu *v)
{
    uint64_t pseudo = v->trap.htinst & ~0x20ul;

    return pseudo == 0x2000 || pseudo == 0x3000 ||
           ((fault_address(v) ^ v->trap.stval) & (PAGE_4K - 1)) != 0;
}

static uint64_t access_fault(uint64_t cause)
{
    return cause == CAUSE_FETCH_GUEST_PAGE  ? CAUSE_FETCH_ACCESS
           : cause == CAUSE_LOAD_GUEST_PAGE ? CAUSE_LOAD_ACCESS
                                            : CAUSE_STORE_ACCESS;
}

/* Tells the guest of its fault. Where it is the guest's own trap handler that cannot be fetched, it
 * would be told for ever: that guest cannot go on. */
static void blame(struct vcpu *v)
{
    uint64_t handler = csr_read(CSR_VSTVEC) & ~3ul;

    if (v->pc == handler && v->trap.stval == handler)
        vm_kill(v, "its trap handler at 0x%lx cannot be fetched", handler);
    else
        vcpu_inject(v, access_fault(v->trap.cause), v->trap.stval);
}

static unsigned needed_perm(const struct vcpu *v)
{
    if (is_table_walk(v))
        return PERM_R;
    return v->trap.cause == CAUSE_FETCH_GUEST_PAGE  ? PERM_X
           : v->trap.cause == CAUSE_LOAD_GUEST_PAGE ? PERM_R
                                                    : PERM_W;
}

/* RAM: backs it, unless the guest may not do that there. True: go on; false: it is the guest's
 * fault. A mapping that is there already was made by another vCPU meanwhile. */
static bool serve_ram(struct vcpu *v, gpa_t gpa, bool *exhausted)
{
    struct gstage_leaf leaf;

    if ((vm_perm_at(v->vm, gpa) & needed_perm(v)) == 0)
        return false;
    if (!gstage_lookup(&v->vm->stage, gpa, &leaf))
        *exhausted = vm_back_memory(v->vm, gpa, 0) != 0;
    return true;
}

void fault_handle(struct vcpu *v)
{
    struct vm *vm = v->vm;
    gpa_t gpa = fault_address(v);
    const struct device *device;
    bool served, exhausted = false;

    if (vm_contains(vm, gpa, 1)) {
        lock_take(&vm->lock);
        served = serve_ram(v, gpa, &exhausted);
        lock_drop(&vm->lock);
        if (exhausted)
            vm_kill(v, "no memory left for page 0x%lx", gpa);
        else if (!served)
            blame(v);
        return;
    }
    device = vm_device_at(vm, gpa);
    if (device != NULL && v->trap.cause != CAUSE_FETCH_GUEST_PAGE && !is_table_walk(v))
        mmio_emulate(v, device, gpa);
    else
        blame(v);
}

bool fault_code_is_mapped(struct vcpu *v)
{
    struct walk walk;

    walk_guest(v, v->pc, &walk);
    return walk.good && vm_contains(v->vm, walk.gpa, 2);
}
