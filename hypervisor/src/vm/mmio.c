/* Emulates loads and stores on devices; see mmio.h. */
#include "vm/mmio.h"

#include "cpu/csr.h"
#include "vm/trap.h"
#include "vm/vm.h"

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
        vcpu_set_reg(v, i->rd, extend(value, i));
        return;
    }
    /* A narrower value in an FP register is boxed in ones (D extension, NaN boxing). */
    fpu_set(i->rd, i->width == 8 ? value : value | ~0ul << i->width * 8);
    v->sstatus |= SSTATUS_FS;
    csr_set(CSR_VSSTATUS, SSTATUS_FS);
}

static void access(struct vcpu *v, const struct device *d, uint64_t offset)
{
    const struct insn *i = &v->insn;
    uint64_t value;

    if (is_load(i)) {
        lock_take(&v->vm->lock);
        value = d->ops->read(d->state, offset, i->width);
        lock_drop(&v->vm->lock);
        finish_load(v, low_bits(value, i->width));
        return;
    }
    value = i->kind == INSN_FP_STORE ? fpu_get(i->rs2) : vcpu_reg(v, i->rs2);
    lock_take(&v->vm->lock);
    d->ops->write(d->state, offset, i->width, low_bits(value, i->width));
    lock_drop(&v->vm->lock);
}

void mmio_emulate(struct vcpu *v, const struct device *device, gpa_t gpa)
{
    const struct insn *i = &v->insn;
    uint64_t offset = gpa - device->base;

    if (!trap_fetch(v))
        return;
    if ((!is_load(i) && !is_store(i)) || (gpa & (i->width - 1u)) != 0 ||
        offset + i->width > device->size) {
        bool load = is_load(i) || i->kind == INSN_LR;

        vcpu_inject(v, load ? CAUSE_LOAD_ACCESS : CAUSE_STORE_ACCESS, v->trap.stval);
        return;
    }
    v->mmio_exits++;
    access(v, device, offset);
    v->pc += i->length;
}
