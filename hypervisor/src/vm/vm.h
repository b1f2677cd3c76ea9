/*
 * A virtual machine: its memory, vCPUs, devices and state; the list of all VMs; and the hooks to
 * higher layers. The VMID is the VM's index + 1.
 *
 * Life is one state machine (life.c). Only the VM's worker changes the state, with two exceptions:
 * any hart can end RUNNING, and the monitor starts the VM. Memory and devices exist while it is
 * RUNNING or PAUSED. These two states are entered and left under the VM's lock; other tasks than
 * the VM's own check the state under the lock before they use either.
 *
 *
 */
#ifndef VM_VM_H
#define VM_VM_H

#include "dev/aplic.h"
#include "dev/device.h"
#include "dev/genid.h"
#include "dev/plic.h"
#include "dev/rtc.h"
#include "dev/screen.h"
#include "dev/uart.h"
#include "dev/virtio/blk.h"
#include "dev/virtio/console.h"
#include "dev/virtio/net.h"
#include "lib/lock.h"
#include "mem/gstage.h"
#include "vm/config.h"
#include "vm/sched.h"

enum { VM_DEVICES_MAX = 8, VM_RANGES_MAX = 8, VM_PIECES_MAX = 10 };

enum vm_state {
    VM_CREATED, /* described, never started */
    VM_LOADING, /* its worker fills its memory */
    VM_RUNNING,
    VM_PAUSED,
    VM_STOPPING, /* its vCPUs leave the harts, then its worker frees its memory */
    VM_ENDED,
    VM_GONE /* destroyed: another VM may take its place */
};

/* FAILURE: the guest reported it; STOPPED: by the monitor, and the machine stays on. */
enum vm_end { END_SHUTDOWN, END_FAILURE, END_REBOOT, END_KILLED, END_STOPPED };

/* A part of RAM that the image wants mapped with less than RWX: an ELF segment. */
struct vm_range {
    gpa_t start, end;
    unsigned perm;
};

/* Bytes that are copied into RAM before the guest begins. */
struct vm_piece {
    gpa_t to;
    const void *from;
    uint64_t size;
};

/* What is loaded and where it begins. */
struct vm_plan {
    struct vm_piece pieces[VM_PIECES_MAX];
    unsigned count, current; /* how many, and which is being copied, `done` bytes so far */
    uint64_t done;
    gpa_t entry, fdt, initrd;
    uint64_t initrd_size;
    bool unplugged; /* of STOPPING: off the harts, devices reset */
};

/* A clone that is being made. */
struct vm_cloning {
    struct vm *clone; /* NULL: no clone */
    gpa_t shared;     /* its memory up to here, */
    uint64_t copied;  /* and so many bytes of its disk */
    uint64_t begun;   /* host time */
    bool failed;      /* the unfinished clone is destroyed */
};

struct vcpu;

/* Once made it is never freed, but reused: code that finds a VM in vms[] and takes its lock may
 * then hold the lock of another VM in the same place. */
struct vm {
    struct lock lock;
    enum vm_state state; /* under the lock */

    /* From here on it is cleared before another VM takes its place. */
    unsigned id __attribute__((aligned(64)));
    struct vm_config config;
    gpa_t ram_base;
    uint64_t ram_size;
    uint64_t hgatp;
    uint64_t time_delta; /* htimedelta: guest time - host time; changes while no vCPU runs */
    unsigned vcpu_count;
    struct vcpu *vcpus[VM_VCPUS_MAX];
    uint64_t boots;
    bool has_files; /* its vCPUs have guest interrupt files */
    bool debugged;  /* its breakpoints come to us; changes while no vCPU runs */

    struct page_account account; /* the allocator's lock */
    struct lock stage_lock;      /* changes of: */
    struct gstage stage;
    struct vm_range ranges[VM_RANGES_MAX];
    unsigned range_count;
    bool replaces; /* mappings may be replaced, not only added: it was cloned, or is a clone */
    bool doomed;   /* is destroyed once it has ended; set by the monitor */

    struct lock event_lock; /* the vCPUs' events */
    struct task worker;     /* loads, serves devices, clears up */
    bool busy;              /* the worker has something to do: an atomic, set by any hart */
    uint64_t busy_at;       /* or there will be, at that host time; ~0: no. Its own */
    uint64_t alarm_at;      /* the same, of its clock's alarm */
    struct vm_plan plan;
    struct vm_cloning cloning;

    /* Under the lock: */
    enum vm_end end;
    uint64_t paused_at;
    unsigned clones;            /* of it that are to be made: nothing else resumes it then */
    bool saving;                /* what is to be made is a save on a disk; its worker ends it */
    unsigned clones_asked;      /* when the first of these was */
    bool clones_resumes;        /* it ran before they were asked for */
    struct vcpu *clones_caller; /* that asked for them, and is told; NULL: the monitor */
    gpa_t unbacked;             /* where memory_piece() found nothing to write to yet */
    struct device devices[VM_DEVICES_MAX];
    unsigned device_count;
    struct plic plic; /* or, of one that has files: */
    struct aplic aplic;
    struct uart uart;
    struct rtc rtc;
    struct genid genid;
    struct slot slots[SLOTS_MAX];
    unsigned slot_count;
    struct console console;
    struct blk *blk; /* NULL: none */
    struct net *net; /* NULL: none */

    struct screen screen; /* under the multiplexer's lock */
};

extern struct vm *vms[VMS_MAX];
extern unsigned vm_count;

enum vm_clone { CLONE_MORE, CLONE_WAIT, CLONE_MADE, CLONE_NOT_MADE };

/* Functions of higher layers; set before the first VM is made. */
struct vm_hooks {
    void (*run)(struct vcpu *v);     /* a vCPU's turn on this hart */
    void (*call)(struct vcpu *v);    /* an ecall from VS-mode */
    void (*trapped)(struct vcpu *v); /* a trap that is about to be served; may be NULL */
    /* The same, and once more when it was served; NULL: not wanted. An atomic, as it changes. */
    void (*traced)(struct vcpu *v, bool served);
    /* There is an event of SBI SSE for a vCPU that is about to enter the guest. */
    void (*event)(struct vcpu *v);
    /* A guest's output, from any hart, with or without the VM's lock; how much was taken. */
    size_t (*output)(struct vm *vm, const char *text, size_t length);
    void (*started)(struct vm *vm);
    /* The next piece of a clone of a VM whose vCPUs are off the harts, by its worker. With
     * `give_up` it is not wanted any more. */
    enum vm_clone (*clone)(struct vm *vm, bool give_up);
    /* The same of a save. */
    enum vm_clone (*save)(struct vm *vm, bool give_up);
    /* A vCPU of a debugged VM met an ebreak; false: it is the guest's own. */
    bool (*breakpoint)(struct vcpu *v);
    /* All vCPUs of a VM that was paused have left the harts; by its worker, with no lock held. */
    void (*paused)(struct vm *vm);
    void (*ended)(struct vm *vm);
};
extern struct vm_hooks vm_hooks;

/* Whether its memory exists. The lock is held, or the caller is one of its tasks. */
static inline bool vm_is_up(const struct vm *vm)
{
    enum vm_state state = __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);

    return state == VM_RUNNING || state == VM_PAUSED;
}

/* Is it between its start and its end? */
static inline bool vm_is_alive(const struct vm *vm)
{
    enum vm_state state = __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);

    return state >= VM_LOADING && state <= VM_STOPPING;
}

/* The VM of that name among those that are not gone, or NULL. */
struct vm *vm_named(const char *name);
bool vm_contains(const struct vm *vm, gpa_t gpa, uint64_t size);
unsigned vm_perm_at(const struct vm *vm, gpa_t gpa);
const struct device *vm_device_at(const struct vm *vm, gpa_t gpa);
struct vcpu *vm_vcpu(const struct vm *vm, uint64_t hartid);
/* Tells the worker that there is something to do. */
void vm_rouse(struct vm *vm);

/* All VMs of the manifest were started; `failed`: one could not be. From now on the machine is
 * switched off when no VM is alive or awaited; not if the monitor stopped the last VM, as another
 * may be started. */
void vm_all_started(bool failed);
/* A VM has ended. */
void vm_ended(bool stopped);
/* A VM failed: the machine will end with a failure status. */
void vm_failed(void);
/* Call vm_await() before a VM is loaded or started, which counts as a VM that is alive, and
 * vm_arrived() once it is alive or has failed. Used around every step that makes a VM alive: see
 * look_for_the_end(). */
void vm_await(void);
void vm_arrived(void);

#endif
