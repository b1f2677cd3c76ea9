/* A guest's devices at work; see devices.h. */
#include "vm/devices.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "vm/memory.h"

enum { STEPS_AT_ONCE = 16 }; /* in the exit of a notification */

/* ---- What devices reach their guest by ---- */

static bool contains(void *vm, gpa_t gpa, uint64_t size)
{
    return vm_contains(vm, gpa, size);
}

static bool read(void *vm, gpa_t from, void *to, uint64_t size)
{
    return memory_read(vm, from, to, size);
}

static int write(void *vm, gpa_t to, const void *from, uint64_t size)
{
    return memory_poke(vm, to, from, size);
}

static size_t output(void *vm, const char *text, size_t length)
{
    return vm_hooks.output(vm, text, length);
}

const struct virtio_host devices_host = {
    .contains = contains,
    .read = read,
    .write = write,
    .output = output,
};

/* ---- The switch between VMs ---- */

static struct virtio *net_of(struct vm *vm)
{
    for (unsigned i = 0; i < vm->virtio_count; i++)
        if (vm->virtio[i].ops == &virtio_net_ops)
            return &vm->virtio[i];
    return NULL;
}

/* Hands a frame to every other VM on the switch, each under its own lock: no two are ever held at
 * once. The sender's device is not stepped meanwhile, so that its frame stays. */
static void spread(const struct vm *from, const struct net_frame *frame)
{
    unsigned count = __atomic_load_n(&vm_count, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count; i++) {
        struct vm *vm = vms[i];
        bool rouse = false;

        if (vm == from || vm->net == NULL || strcmp(vm->config.net, from->config.net) != 0)
            continue;
        lock_take(&vm->lock);
        if (vm->state == VM_RUNNING) {
            struct virtio *dev = net_of(vm);

            virtio_net_receive(dev, frame);
            rouse = dev->kicked;
        }
        lock_drop(&vm->lock);
        if (rouse)
            vm_rouse(vm);
    }
}

/* ---- Steps ---- */

/* One step of a device and what follows from it; the lock is held before and after, not between. */
static enum virtio_step step(struct vm *vm, struct virtio *dev)
{
    enum virtio_step result = dev->ops->step(dev);
    gpa_t unbacked = vm->unbacked;

    lock_drop(&vm->lock);
    cpu_serve_interrupts();
    if (result == STEP_FRAME)
        spread(vm, &vm->net->frame);
    /* Without memory the step fails once more, and the device waits. */
    if (result == STEP_MEMORY && memory_back(vm, unbacked, 0) != 0)
        result = STEP_WAIT;
    lock_take(&vm->lock);
    return result;
}

/* Steps of one device, which no other task serves meanwhile. */
static enum devices_result step_device(struct vm *vm, struct virtio *dev, unsigned *steps)
{
    enum virtio_step result = STEP_MORE;

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
    for (unsigned i = 0; i < vm->virtio_count && vm->state == VM_RUNNING; i++) {
        struct virtio *dev = &vm->virtio[i];
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
    for (unsigned i = 0; i < vm->virtio_count; i++)
        kicked |= vm->virtio[i].kicked && &vm->virtio[i] == d->state;
    lock_drop(&vm->lock);
    if (kicked && devices_step(vm, STEPS_AT_ONCE) != DEVICES_IDLE)
        vm_rouse(vm);
}

void devices_reset(struct vm *vm)
{
    plic_reset(&vm->plic);
    uart_reset(&vm->uart);
    for (unsigned i = 0; i < vm->virtio_count; i++)
        virtio_reset(&vm->virtio[i]);
}
