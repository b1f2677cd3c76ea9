/*
 * How a guest's virtio devices are served: a thread for each, which KVM wakes when the guest
 * notifies the device (ioeventfd) and which interrupts the guest by way of KVM (irqfd). Where KVM
 * has one of the two not, the vCPU that leaves the guest wakes the thread, and the thread pulses
 * the line.
 */
#ifndef VM_IO_H
#define VM_IO_H

#include "dev/virtio/device.h"
#include "host/iothread.h"

struct vm;

struct vm_io {
    struct iothread thread;
    struct notifier interrupt; /* fd -1: it has no irqfd */
    gpa_t notify; /* where KVM signals the thread for a write of the guest; 0: nowhere */
};

/* Makes what the threads of all virtio devices wait for. After the interrupt controllers. */
int vm_io_open(struct vm *vm, struct error *error) MUST_CHECK;
/* Starts them, before the guest runs. */
int vm_io_start(struct vm *vm, struct error *error) MUST_CHECK;
/* Ends the threads. False: a request is still under way that may yet write to the guest's memory.
 */
bool vm_io_close(struct vm *vm) MUST_CHECK;

/* The guest has stopped: lets its console take what it had made available, as far as there is room.
 */
void vm_io_flush_console(struct vm *vm);

/* From now on KVM signals the thread of a device for writes there; 0: for none. */
void vm_io_notify_at(struct vm *vm, unsigned device, gpa_t at);

/* One interrupt of a line. */
void vm_io_pulse(struct vm *vm, uint32_t gsi);

#endif
