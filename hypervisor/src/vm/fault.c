/* Guest page faults; see fault.h. htval and htinst: Privileged Architecture 15.6.3. */
#include "vm/fault.h"

#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "vm/devices.h"
#include "vm/life.h"
#include "vm/memory.h"
#include "vm/walk.h"

gpa_t fault_address(const struct vcpu *v)
{
    return v->regs.trap.htval << 2 | (v->regs.trap.stval & 3);
}

/* True if the fault came from the hardware's walk of the guest's page tables, not from the access
 * itself. Not every machine reports this in htinst. But translation keeps the low 12 bits of the
 * address, so if they differ it was a walk. A guest that makes them equal only harms itself: it
 * gets a device access with the usual checks. */
static bool is_table_walk(const struct vcpu *v)
{
    uint64_t pseudo = v->regs.trap.htinst & ~0x20ul;

    return pseudo == 0x2000 || pseudo == 0x3000 ||
           ((fault_address(v) ^ v->regs.trap.stval) & (PAGE_4K - 1)) != 0;
}

static uint64_t access_fault(uint64_t cause)
{
    return cause == CAUSE_FETCH_GUEST_PAGE  ? CAUSE_FETCH_ACCESS
           : cause == CAUSE_LOAD_GUEST_PAGE ? CAUSE_LOAD_ACCESS
                                            : CAUSE_STORE_ACCESS;
}

/* Injects the fault into the guest. If the guest's own trap handler cannot be fetched, this would
 * repeat for ever, so the guest is ended. */
static void blame(struct vcpu *v)
{
    uint64_t handler = csr_read(CSR_VSTVEC) & ~3ul;

    if (v->regs.pc == handler && v->regs.trap.stval == handler)
        life_kill(v, "its trap handler at 0x%lx cannot be fetched", handler);
    else
        vcpu_inject(v, access_fault(v->regs.trap.cause), v->regs.trap.stval);
}

static unsigned needed_perm(const struct vcpu *v)
{
    if (is_table_walk(v)) /* it writes A and D, so htinst is that of a store */
        return (v->regs.trap.htinst & ~0x1000ul) == 0x2020 ? PERM_W : PERM_R;
    return v->regs.trap.cause == CAUSE_FETCH_GUEST_PAGE  ? PERM_X
           : v->regs.trap.cause == CAUSE_LOAD_GUEST_PAGE ? PERM_R
                                                         : PERM_W;
}

/* ---- Instructions, and loads and stores on devices ---- */

static bool code_is_mapped(struct vcpu *v)
{
    struct walk walk;

    walk_guest(v, v->regs.pc, &walk);
    return walk.good && vm_contains(v->vm, walk.gpa, 2);
}

bool fault_fetch(struct vcpu *v)
{
    const struct fault *fault = &cpu_self()->fault;
    uint16_t low, high = 0;

    if (hyp_fetch16(v->regs.pc, &low) &&
        (insn_length(low) == 2 || hyp_fetch16(v->regs.pc + 2, &high))) {
        v->insn = insn_decode((uint32_t)high << 16 | low);
        return true;
    }
    /* Injects the fault only if the guest's own tables cause it. A G-stage fault (which some
     * emulators report as an instruction page fault) occurs again when the guest itself fetches,
     * and is served then. */
    if (fault->cause == CAUSE_FETCH_PAGE || fault->cause == CAUSE_FETCH_ACCESS)
        if (!code_is_mapped(v))
            vcpu_inject(v, fault->cause, fault->stval);
    return false;
}

static bool is_load(const struct insn *i)
{
    return i->kind == INSN_LOAD || i->kind == INSN_FP_LOAD;
}

static bool is_store(const struct insn *i)
{
    return i->kind == INSN_STORE || i->kind == INSN_FP_STORE;
}

static uint64_t low_bits(uint64_t value, unsigned width)
{
    return width == 8 ? value : value & ((1ul << width * 8) - 1);
}

static uint64_t extend(uint64_t value, const struct insn *i)
{
    unsigned shift = 64 - i->width * 8;

    return i->sign ? (uint64_t)((int64_t)(value << shift) >> shift) : value;
}

static void finish_load(struct vcpu *v, uint64_t value)
{
    const struct insn *i = &v->insn;

    if (i->kind == INSN_LOAD) {
        guest_set_reg(&v->regs, i->rd, extend(value, i));
        return;
    }
    /* The upper bits of a narrower value in an FP register are ones (D extension, NaN boxing). */
    fpu_set(i->rd, i->width == 8 ? value : value | ~0ul << i->width * 8);
    v->regs.sstatus |= SSTATUS_FS;
    csr_set(CSR_VSSTATUS, SSTATUS_FS);
}

static void access(struct vcpu *v, const struct device *d, uint64_t offset)
{
    const struct insn *i = &v->insn;
    uint64_t value;

    if (is_load(i)) {
        value = devices_read(v->vm, d, offset, i->width);
        finish_load(v, low_bits(value, i->width));
    } else {
        value = i->kind == INSN_FP_STORE ? fpu_get(i->rs2) : guest_reg(&v->regs, i->rs2);
        devices_write(v->vm, d, offset, i->width, low_bits(value, i->width));
    }
}

/* Emulates the instruction at pc, which accessed `gpa` inside `device`. Everything except a plain,
 * aligned load or store gets an access fault. */
static void emulate(struct vcpu *v, const struct device *device, gpa_t gpa)
{
    const struct insn *i = &v->insn;
    uint64_t offset = gpa - device->base;

    if (!fault_fetch(v))
        return;
    if ((!is_load(i) && !is_store(i)) || (gpa & (i->width - 1u)) != 0 ||
        offset + i->width > device->size) {
        bool load = is_load(i) || i->kind == INSN_LR;

        vcpu_inject(v, load ? CAUSE_LOAD_ACCESS : CAUSE_STORE_ACCESS, v->regs.trap.stval);
        return;
    }
    v->mmio_exits++;
    access(v, device, offset);
    v->regs.pc += i->length;
}

/* ---- Faults ---- */

/* A fault in RAM: maps the page, unless the guest may not make this access there. A table walk may
 * need write permission for the table. */
static void serve_ram(struct vcpu *v, gpa_t gpa)
{
    bool writes = is_table_walk(v) || v->regs.trap.cause == CAUSE_STORE_GUEST_PAGE;
    struct gstage_leaf leaf;

    if ((vm_perm_at(v->vm, gpa) & needed_perm(v)) == 0)
        blame(v);
    else if (gstage_lookup(&v->vm->stage, gpa, &leaf) && !(leaf.shared && writes))
        /* Another vCPU has mapped it, or this hart has cached the invalid entry, which is allowed
         * (Privileged Architecture 15.5.3): flush it. */
        hyp_fence_gvma();
    else if (memory_back(v->vm, gpa, 0) != 0)
        life_wait_for_memory(v->vm, gpa);
    else if (v->vm->replaces)
        hyp_fence_gvma(); /* flushes the read-only entry */
}

void fault_handle(struct vcpu *v)
{
    struct vm *vm = v->vm;
    gpa_t gpa = fault_address(v);
    const struct device *device = vm_device_at(vm, gpa);

    if (vm_contains(vm, gpa, 1))
        serve_ram(v, gpa);
    else if (device != NULL && v->regs.trap.cause != CAUSE_FETCH_GUEST_PAGE && !is_table_walk(v))
        emulate(v, device, gpa);
    else
        blame(v);
}
