/*
 * How a guest's virtio devices are served: a thread for each, which KVM wakes when the guest
 * notifies the device (ioeventfd) and which interrupts the guest by way of KVM (irqfd). If KVM
 * lacks one of the two, the vCPU exits and wakes the thread, or the thread pulses the line.
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

/* Makes the eventfds of all virtio devices. Call it after the interrupt controllers are created. */
int vm_io_open(struct vm *vm, struct error *error) MUST_CHECK;
/* Starts them, before the guest runs. */
int vm_io_start(struct vm *vm, struct error *error) MUST_CHECK;
/* Ends the threads. False: a request is in flight that may still write to guest memory. */
bool vm_io_close(struct vm *vm) MUST_CHECK;

/* The guest has stopped: its console takes the requests that are available, as far as there is
 * room. */
void vm_io_flush_console(struct vm *vm);

/* From now on KVM signals the thread of a device for writes there; 0: for none. */
void vm_io_notify_at(struct vm *vm, unsigned device, gpa_t at);

/* One interrupt of a line. */
void vm_io_pulse(struct vm *vm, uint32_t gsi);

#endif
