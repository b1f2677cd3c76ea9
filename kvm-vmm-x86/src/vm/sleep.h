/*
 * ACPI's sleeping state S3: memory is kept, everything else loses its state, and the guest goes on
 * at the waking vector that it left in the FACS (ACPI 6.3, 16.1.3, 5.2.10); with firmware
 * (--bios), at the reset vector. The vCPUs wait at the VM's gate meanwhile; the clock goes on. What
 * wakes it: the clock's alarm, if the guest has enabled that event, and the power button.
 */
#ifndef VM_SLEEP_H
#define VM_SLEEP_H

#include <stdbool.h>

#include "dev/backend.h"
#include "vm/pause.h"

struct vm_sleep {
    struct lock lock; /* protects what follows; nothing is called with it held */
    struct pause_holder holder;
    bool asleep; /* or falling asleep */
    bool quiet;  /* no vCPU runs any more */
    bool due;    /* something has woken it */
    enum acpi_pm_event cause;
    unsigned told;
};

void vm_sleep_init(struct vm *vm);

/* By a vCPU of the guest. */
void vm_fall_asleep(struct vm *vm);
/* From any thread; nothing happens if it is awake. */
void vm_awaken(struct vm *vm, enum acpi_pm_event cause);

bool vm_is_asleep(struct vm *vm);

#endif
