/* One vCPU: its thread, its exits and their counters. */
#ifndef VCPU_H
#define VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "base/verdict.h"
#include "dev/bus.h"
#include "host/kvm/kvm.h"
#include "host/threads.h"
#include "vm/observer.h"
#include "vm/pause.h"

struct deck;
struct vm;

enum { EXIT_REASONS = 64, LAST_EXITS = 8 };

struct vcpu_stats {
    uint64_t exits;
    uint64_t by_reason[EXIT_REASONS]; /* index: KVM_EXIT_*; beyond the table, the last */
};

/*
 * The string input that a vCPU was in the middle of when it was saved. Its state is that from
 * before the instruction, which is executed again and takes first what had been taken from its
 * device.
 */
enum { UNFINISHED_MAX = 4096 }; /* KVM's page of items */
struct vcpu_unfinished {
    uint64_t rip; /* UINT64_MAX: none */
    uint64_t string_rip;
    uint32_t items, size; /* and how wide each of them is */
    uint8_t bytes[UNFINISHED_MAX];
};

/* The rest of a write to memory that waits, if KVM makes more than one access of its instruction.
 */
enum { WRITE_PARTS_MAX = 8 };
struct write_part {
    uint64_t address; /* guest-physical */
    uint32_t size;
    uint8_t bytes[8];
};

struct vcpu {
    struct vm *vm;
    unsigned id;
    struct kvm_cpu cpu;
    struct thread thread;
    bool alive;                /* has a thread; this and the next two: under the gate's lock */
    bool parked;               /* and stands at the gate, because the VM is paused */
    bool held;                 /* and shall, though the VM may not be */
    unsigned requests;         /* enum vcpu_request, taken up between two entries; atomic */
    enum kvm_halt halt;        /* what the last VCPU_EXAMINE_HALT found; atomic */
    uint64_t halt_progress;    /* vcpu_progress at that moment; atomic */
    unsigned examined;         /* how often it was found out; atomic */
    uint64_t watched_progress; /* halt.c: vcpu_progress at the last look; main thread only */
    struct vcpu_stats stats;   /* written by the vCPU's thread; `exits` is read by others, atomic */
    uint64_t recorded;         /* exits that were handled; the last of them are below */
    struct past_exit last_exits[LAST_EXITS]; /* exit N stands at (N - 1) % LAST_EXITS */
    bool keeps_regs; /* KVM loses its registers when it shuts down: those that went back */
    struct kvm_regs last_regs;    /* into the guest after the last exit are kept */
    struct deck *deck;            /* what it was given from outside; NULL: not kept (deck.h) */
    void *watched[OBSERVERS_MAX]; /* what each observer keeps of it */
    bool again;                   /* the exit it is at is still to be dealt with */
    bool counted;                 /* and has been counted */
    uint64_t left;                /* when the guest came back, if an observer wants to know */
    uint64_t exits_max;           /* --max-exits: so many since it was made */
    uint64_t woken;               /* the gate's count when that was last tried */
    struct bus_cpu for_bus;       /* how devices see it, and how far the access is that it is at */
    uint64_t done_before;         /* for_bus.done when that was last tried */
    uint32_t items_done;          /* of the batch that the exit is, handled already */
    uint64_t string_rip; /* where the last batched rep ins was, to recognise its last single item */
    bool in_string;      /* the last access of a port was of a string, or one is unfinished */
    struct vcpu_unfinished unfinished;
    struct write_part
        parts[WRITE_PARTS_MAX]; /* exits that KVM has made and are still to be dealt */
    unsigned part_count;        /* with, behind the one it is at */
};

/* The exit before the last `back` ones, 0 for the last; NULL if it is not kept. */
const struct past_exit *vcpu_past_exit(const struct vcpu *vcpu, unsigned back);

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned id, const struct kvm *kvm,
                struct error *error) MUST_CHECK;
void vcpu_destroy(struct vcpu *vcpu);
int vcpu_start(struct vcpu *vcpu, struct error *error) MUST_CHECK;

/* For a thread that runs the vCPU in place of its own: handles the exit after KVM_RUN. No observer
 * is called. VERDICT_AGAIN: call it again. */
enum verdict vcpu_handle_exit(struct vcpu *vcpu) MUST_CHECK;

/* Instead of vcpu_start, for a program that runs its only vCPU itself: vcpu_begin attaches it to
 * the calling thread. vcpu_run_once enters the guest once and handles the exit: VERDICT_STOP when
 * the guest has ended, or a device passed the exit to the program. */
void vcpu_begin(struct vcpu *vcpu);
enum verdict vcpu_run_once(struct vcpu *vcpu) MUST_CHECK;

/* A number that changes whenever the vCPU has left the guest or has halted again. */
uint64_t vcpu_progress(const struct vcpu *vcpu);

#endif
