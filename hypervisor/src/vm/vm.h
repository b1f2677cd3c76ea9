/*
 * A virtual machine: its memory, its vCPUs, its devices, and its life from the manifest to the
 * power switch. Every VM has an identity of its own (the VMID is its index + 1).
 */
#ifndef VM_VM_H
#define VM_VM_H

#include "common/fmt.h"
#include "dev/device.h"
#include "dev/plic.h"
#include "dev/uart.h"
#include "dev/virtio/blk.h"
#include "dev/virtio/net.h"
#include "dev/virtio/virtio.h"
#include "lib/lock.h"
#include "mem/gstage.h"
#include "mon/mux.h"
#include "vm/config.h"
#include "vm/vcpu.h"

enum { VM_DEVICES_MAX = 8, VM_RANGES_MAX = 8 };

enum vm_state {
    VM_ABSENT,
    VM_RUNNING,
    VM_PAUSED,
    VM_STOPPING, /* its vCPUs are leaving the harts; then `end` happens */
    VM_ENDED
};

enum vm_end { END_SHUTDOWN, END_FAILURE, END_REBOOT, END_KILLED }; /* FAILURE: it said so itself */

/* A part of RAM that the image wants mapped with less than RWX: an ELF segment. */
struct vm_range {
    gpa_t start, end;
    unsigned perm;
};

struct vm {
    unsigned id;
    struct vm_config config;
    enum vm_state state; /* under the scheduler's lock */
    enum vm_end end;     /* likewise */
    unsigned on_harts;   /* vCPUs running now; likewise */
    uint64_t paused_at;  /* likewise */

    gpa_t ram_base;
    uint64_t ram_size;
    uint64_t reserved_pages;
    uint64_t time_delta; /* htimedelta: guest time - host time */
    uint64_t hgatp;
    unsigned vcpu_count;
    struct vcpu *vcpus[VM_VCPUS_MAX];

    struct lock lock; /* what follows */
    struct gstage stage;
    struct vm_range ranges[VM_RANGES_MAX];
    unsigned range_count;
    struct device devices[VM_DEVICES_MAX];
    unsigned device_count;
    struct plic plic;
    struct uart uart;
    struct virtio virtio[VIRTIO_SLOTS];
    unsigned virtio_count;
    struct disk disk;
    struct net net;
    struct virtio_chain chain; /* the request being served */

    struct mux_screen screen; /* under the multiplexer's lock */
    uint64_t boots;
};

extern struct vm *vms[VMS_MAX];
extern unsigned vm_count;

/* Makes a VM out of its description and starts it. One clear line where that fails; nothing is left
 * behind then. */
int vm_start(const struct vm_config *config) MUST_CHECK;

/* Ends its run: takes effect when its vCPUs have left the harts. From any hart. */
void vm_stop(struct vm *vm, enum vm_end end);
/* Called by the scheduler once that is so. */
void vm_finish(struct vm *vm);

/* Ends a VM that did what cannot go on, with a report of the vCPU that did it. */
void vm_kill(struct vcpu *v, const char *format, ...) FMT_PRINTF(2, 3);

/* Bytes that a VM takes besides its RAM: itself, its vCPUs, its G-stage tables. */
uint64_t vm_overhead(const struct vm *vm);

bool vm_contains(const struct vm *vm, gpa_t gpa, uint64_t size);
/* Backs the RAM at `gpa` with zeros; the lock is held. Of the `written` bytes from there, which the
 * caller overwrites at once, some may hold what another guest left: 0 unless no vCPU of this one
 * can run meanwhile. */
int vm_back_memory(struct vm *vm, gpa_t gpa, uint64_t written) MUST_CHECK;
unsigned vm_perm_at(const struct vm *vm, gpa_t gpa);
const struct device *vm_device_at(const struct vm *vm, gpa_t gpa);
struct vcpu *vm_vcpu(const struct vm *vm, uint64_t hartid);

/* The machine's power goes off when the last VM has ended, once all were started; `failed`: one of
 * them could not be, and the machine's status shall say so. */
void vm_all_started(bool failed);
void vm_end_of_all(void);

#endif
