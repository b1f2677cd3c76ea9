/* The threads of virtio devices; see io.h. */
#include "vm/io.h"

#include <stdio.h>

#include "host/events.h"
#include "vm/vm.h"

/* How long the end of the program waits for requests that the host has not finished. */
#define PATIENCE_NS UINT64_C(100000000)

static void wake(void *context)
{
    iothread_wake(context);
}

/* Connects the threads to vm->fd, a VM to which they are not connected yet. If KVM lacks a feature,
 * that only costs exits. */
static void connect_threads(struct vm *vm)
{
    for (unsigned i = 0; i < vm->machine.virtio_count; i++) {
        struct vm_io *io = &vm->io[i];
        struct error error;

        if (io->notify != 0)
            (void)!kvm_connect_ioeventfd(vm->fd, io->notify, io->thread.wake.fd, &error);
        if (io->interrupt.fd >= 0 &&
            kvm_connect_irqfd(vm->fd, VIRTIO_DEVICE_GSI + i, io->interrupt.fd, &error) < 0)
            notifier_close(&io->interrupt);
    }
}

void vm_io_notify_at(struct vm *vm, unsigned device, gpa_t at)
{
    struct vm_io *io = &vm->io[device];
    struct error error;

    if (io->thread.run == NULL)
        return;
    if (io->notify != 0)
        kvm_disconnect_ioeventfd(vm->fd, io->notify, io->thread.wake.fd);
    io->notify = at;
    if (at != 0)
        (void)!kvm_connect_ioeventfd(vm->fd, at, io->thread.wake.fd, &error);
}

/* A PCI function has message or level interrupts instead of an irqfd, and an ioeventfd only once
 * the guest has set its BAR. */
static int open_one(struct vm *vm, unsigned i, struct error *error)
{
    struct virtio_device *device = vm->machine.virtio[i];
    struct vm_io *io = &vm->io[i];
    char name[16];

    snprintf(name, sizeof name, "guest%u/%s%u", vm->index, device->kind->virtio.name, i);
    io->interrupt.fd = -1;
    io->notify = machine_notified_at(&vm->machine, i);
    if (device->irq.trigger == IRQ_EDGE && notifier_open(&io->interrupt, error) < 0)
        return -1;
    if (iothread_open(&io->thread, name, virtio_device_run, device, error) < 0) {
        notifier_close(&io->interrupt);
        return -1;
    }
    device->wake = wake;
    device->wake_context = &io->thread;
    return device->fd >= 0 ? iothread_watch(&io->thread, device->fd, error) : 0;
}

int vm_io_open(struct vm *vm, struct error *error)
{
    unsigned count = vm->machine.virtio_count;

    if (count > 0 && !vm->irqchip)
        return error_set(error, "%s: a real-mode guest has no virtio devices (--disk, --net)",
                         vm->name);
    for (unsigned i = 0; i < count; i++)
        if (open_one(vm, i, error) < 0)
            return -1;
    connect_threads(vm);
    return 0;
}

int vm_io_start(struct vm *vm, struct error *error)
{
    for (unsigned i = 0; i < vm->machine.virtio_count; i++)
        if (iothread_start(&vm->io[i].thread, error) < 0)
            return -1;
    return 0;
}

/* Requests complete on the device's own thread. A guest that restarts has the same disks, so the
 * thread that makes it again waits for its last request. */
static bool is_drained(struct vm *vm)
{
    bool again = vm_starts_again(vm) && vm_end_of(vm).kind == END_RESET, quiet;
    uint64_t limit;

    if (machine_quiesce(&vm->machine)) /* usually: the program's patience is for others */
        return true;
    limit = events_now() + (again ? PATIENCE_NS : events_take_patience(PATIENCE_NS));
    while (!(quiet = machine_quiesce(&vm->machine)) &&
           (events_now() < limit || (again && !events_is_hurried())))
        thread_nap();
    return quiet;
}

bool vm_io_close(struct vm *vm)
{
    bool drained = vm->machine.virtio_count == 0 || is_drained(vm);

    for (unsigned i = 0; i < VIRTIO_DEVICES_MAX; i++) {
        if (vm->io[i].thread.run == NULL)
            continue;
        iothread_close(&vm->io[i].thread);
        notifier_close(&vm->io[i].interrupt);
    }
    if (drained)
        machine_close(&vm->machine);
    return drained;
}

void vm_io_flush_console(struct vm *vm)
{
    for (unsigned i = 0; i < vm->machine.virtio_count; i++)
        while (vm->machine.virtio[i]->kind->virtio.id == VIRTIO_ID_CONSOLE &&
               virtio_device_run(vm->machine.virtio[i]))
            ;
}

void vm_io_pulse(struct vm *vm, uint32_t gsi)
{
    const struct notifier *irqfd = &vm->io[gsi - VIRTIO_DEVICE_GSI].interrupt;

    if (irqfd->fd >= 0) {
        notifier_signal(irqfd);
        return;
    }
    kvm_set_irq(vm->fd, gsi, true);
    kvm_set_irq(vm->fd, gsi, false);
}
