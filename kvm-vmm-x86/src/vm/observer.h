/*
 * Observers: code that observes a guest without being part of it. The core calls this table and
 * knows none of them; session/session.c decides by the options which ones a guest gets.
 *
 * An observer takes a seat (an entry in the table) of a VM before the VM is created, with its own
 * context. Its state for a vCPU is stored in that vCPU under the same number. A guest that starts
 * again keeps its observers and contexts; its vCPUs and their states are new.
 *
 * Every hook may be NULL. Hooks that take a vCPU run in that vCPU's thread, while it is out of the
 * guest, with no lock of the core held; they must not wait for anything but the observer's own.
 *
 */
#ifndef VM_OBSERVER_H
#define VM_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vm/exit_record.h"

struct file;
struct vcpu;
struct vm;

/* The phases of a guest's start, in order. */
enum vm_phase {
    VM_FILES,   /* its files are read */
    VM_MEMORY,  /* the VM has its memory */
    VM_LOADED,  /* its image is in it */
    VM_ENTERED, /* interrupt controllers and vCPUs are there, the first enters the guest */
};

struct observer {
    const char *name;
    bool timed; /* records carry their time and cost: two looks at the host's clock an exit */

    /* A vCPU was made. What `*state` is set to is passed to the hooks below. -1: `error` says why
     * there can be no such guest. */
    int (*vcpu_made)(void *context, struct vcpu *vcpu, void **state, struct error *error);
    void (*vcpu_gone)(void *state);

    /* The vCPU is about to enter the guest. */
    void (*before_entry)(void *state, struct vcpu *vcpu);
    /* True: the observer has handled the exit. It is not counted, and the core does not handle
     * it. */
    bool (*takes_exit)(void *state, struct vcpu *vcpu);
    /* Any exit was handled. `ended`: the guest does not go on. */
    void (*after_exit)(void *state, struct vcpu *vcpu, const struct exit_record *record,
                       bool ended);

    /* The image was loaded. An observer may take the file over, leaving {0}. */
    int (*image)(void *context, struct vm *vm, struct file *image, struct error *error);
    void (*phase)(void *context, struct vm *vm, enum vm_phase phase);
    /* Bytes that the guest printed, in order; calls for one guest never overlap. */
    void (*output)(void *context, struct vm *vm, const uint8_t *bytes, size_t count);
    /* The guest has ended, as vm_end_of says; no vCPU enters it any more. In the thread of the
     * last. */
    void (*ended)(void *context, struct vm *vm);
};

enum { OBSERVERS_MAX = 8 };

/* The seats of one VM. Bit i of a mask: seat i has that hook. */
struct observers {
    struct {
        const struct observer *observer;
        void *context;
    } seats[OBSERVERS_MAX];
    unsigned count;
    uint8_t before_entry, takes_exit, after_exit, phase, output, ended;
    bool timed, watches_entry; /* the latter: timed, or any before_entry */
};

/* The body runs for every seat of `mask`. */
#define FOR_SEATS(i, mask)                                                                         \
    for (unsigned left_ = (mask), i; left_ != 0 && (i = (unsigned)__builtin_ctz(left_), true);     \
         left_ &= left_ - 1)

/* Takes the next seat; returns its number. Before the VM is created. */
unsigned observers_add(struct observers *observers, const struct observer *observer, void *context);

/* The context that `observer` sits at the VM with. NULL if it has no seat there. */
void *observers_context(const struct vm *vm, const struct observer *observer);

/* For the core: one call for all seats that have the hook. (Before an entry and after an exit
 * vcpu.c calls them itself.) */
int observers_vcpu_made(struct vcpu *vcpu, struct error *error) MUST_CHECK;
void observers_vcpu_gone(struct vcpu *vcpu);
bool observers_take_exit(struct vcpu *vcpu);
int observers_image(struct vm *vm, struct file *image, struct error *error) MUST_CHECK;
void observers_phase(struct vm *vm, enum vm_phase phase);
void observers_output(struct vm *vm, const uint8_t *bytes, size_t count);
void observers_ended(struct vm *vm);

#endif
