/* A guest's devices at work; see devices.h. */
#include "vm/devices.h"

#include "cpu/cpu.h"
#include "vm/memory.h"
#include "vm/network.h"

enum { STEPS_AT_ONCE = 16 }; /* in the exit for a notification */

/* ---- A device's access to its guest ---- */

static bool contains(void *slot, uint64_t address, uint64_t size)
{
    return vm_contains(((const struct slot *)slot)->vm, address, size);
}

static int piece(void *slot, uint64_t address, uint64_t size, bool write,
                 struct virtio_piece *found)
{
    return memory_piece(((const struct slot *)slot)->vm, address, size, write, found);
}

static void interrupt(void *slot, unsigned source, bool raise)
{
    (void)source;
    irq_set(&((const struct slot *)slot)->irq, raise);
}

static void broken(void *slot, const char *what)
{
    ((struct slot *)slot)->broken = what;
}

const struct virtio_world devices_world = {
    .contains = contains, .piece = piece, .interrupt = interrupt, .broken = broken};

/* ---- Steps ---- */

/* Makes one step of a device and handles its result. The lock is held before and after, not during
 * the step. */
static enum slot_step step(struct vm *vm, struct slot *dev)
{
    enum slot_step result = dev->kind->step(dev);
    gpa_t unbacked = vm->unbacked;

    lock_drop(&vm->lock);
    cpu_serve_interrupts();
    if (result == STEP_FRAME)
        network_send(vm, &vm->net->frame);
    /* If no memory can be mapped, the device waits. */
    if (result == STEP_MEMORY && memory_back(vm, unbacked, 0) != 0)
        result = STEP_WAIT;
    lock_take(&vm->lock);
    return result;
}

/* Makes steps of one device; no other task serves it meanwhile. */
static enum devices_result step_device(struct vm *vm, struct slot *dev, unsigned *steps)
{
    enum slot_step result = STEP_MORE;

    dev->stepped = true;
    while (*steps > 0 && vm->state == VM_RUNNING && result != STEP_IDLE && result != STEP_WAIT) {
        dev->kicked = false;
        result = step(vm, dev);
        --*steps;
        if (result != STEP_IDLE)
            dev->kicked = true;
    }
    dev->stepped = false;
    return !dev->kicked ? DEVICES_IDLE : result == STEP_WAIT ? DEVICES_WAIT : DEVICES_MORE;
}

enum devices_result devices_step(struct vm *vm, unsigned steps)
{
    enum devices_result all = DEVICES_IDLE;

    lock_take(&vm->lock);
    rtc_tick(&vm->rtc);
    vm->alarm_at = rtc_due(&vm->rtc);
    for (unsigned i = 0; i < vm->slot_count && vm->state == VM_RUNNING; i++) {
        struct slot *dev = &vm->slots[i];
        enum devices_result result;

        if (!dev->kicked || dev->stepped)
            continue;
        result = step_device(vm, dev, &steps);
        if (result == DEVICES_MORE || all == DEVICES_IDLE)
            all = result;
    }
    lock_drop(&vm->lock);
    return all;
}

/* ---- Registers ---- */

uint64_t devices_read(struct vm *vm, const struct device *d, uint64_t offset, unsigned width)
{
    uint64_t value;

    lock_take(&vm->lock);
    value = d->ops->read(d->state, offset, width);
    lock_drop(&vm->lock);
    return value;
}

void devices_write(struct vm *vm, const struct device *d, uint64_t offset, unsigned width,
                   uint64_t value)
{
    bool kicked = false;

    lock_take(&vm->lock);
    d->ops->write(d->state, offset, width, value);
    for (unsigned i = 0; i < vm->slot_count; i++)
        kicked |= vm->slots[i].kicked && &vm->slots[i] == d->state;
    lock_drop(&vm->lock);
    /* The worker waits for the clock's alarm. */
    if ((kicked && devices_step(vm, STEPS_AT_ONCE) != DEVICES_IDLE) || d->state == &vm->rtc)
        vm_rouse(vm);
}

void devices_reset(struct vm *vm)
{
    plic_reset(&vm->plic);
    aplic_reset(&vm->aplic);
    uart_reset(&vm->uart);
    rtc_reset(&vm->rtc);
    irq_set(&vm->genid.irq, false);
    for (unsigned i = 0; i < vm->slot_count; i++)
        virtio_reset(&vm->slots[i].virtio);
}
