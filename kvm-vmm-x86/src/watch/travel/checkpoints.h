/*
 * Checkpoints of a VM with one vCPU, in this process: its state, and the pages of memory that were
 * written since the checkpoint that it was taken after. Going back to one writes the pages that
 * differ, and no others.
 *
 * The VM is quiet (vm/pause.h) whenever one of these functions is called.
 */
#ifndef TRAVEL_CHECKPOINTS_H
#define TRAVEL_CHECKPOINTS_H

#include "vm/tape.h"
#include "vm/vm.h"
#include "watch/gdb/breakpoints.h"

enum { CHECKPOINTS_MAX = 48 };
#define CHECKPOINTS_BYTES_MAX (UINT64_C(512) << 20)

struct checkpoint_page {
    uint32_t slot;
    uint64_t page; /* of the slot */
};

struct checkpoint {
    bool used;
    bool crash;      /* the guest cannot go on from there: its state is that of a reset CPU */
    bool at_exit;    /* the vCPU has left the guest for an exit that is not handled yet */
    uint32_t reason; /* of that exit, as KVM has it */
    int parent;      /* what `pages` is counted from; -1: it has every page that is not zero */
    uint64_t exits;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct gdb_breakpoint next; /* what one at its next instruction would be */
    struct tape_place place;
    uint64_t string_rip;
    struct past_exit last_exits[LAST_EXITS];
    uint8_t *state; /* vm_save */
    size_t state_size;
    struct checkpoint_page *pages; /* ascending */
    uint8_t *bytes;                /* of each page, in that order */
    size_t count;
};

struct checkpoints {
    struct vm *vm;
    bool begun;
    struct checkpoint list[CHECKPOINTS_MAX];
    int at;                              /* memory is as there, but for `written` */
    uint64_t *written[MEMORY_SLOTS_MAX]; /* a bit a page */
    uint64_t bytes;                      /* of all of them */
};

/* Begins with one, number 0. */
int checkpoints_begin(struct checkpoints *points, struct vm *vm, struct error *error) MUST_CHECK;
void checkpoints_end(struct checkpoints *points);

/* Takes a checkpoint of the VM: its number, or -1. */
int checkpoints_take(struct checkpoints *points, struct error *error) MUST_CHECK;
/* Frees a checkpoint that is the parent of no other. */
void checkpoints_drop(struct checkpoints *points, int number);
/* Frees every second checkpoint but the first, if room is short. */
void checkpoints_thin(struct checkpoints *points);

/* Restores the VM to a checkpoint. After an error it cannot be used. */
int checkpoints_restore(struct checkpoints *points, int number, struct error *error) MUST_CHECK;

/* Whether memory is now as it was then. */
bool checkpoints_memory_is(struct checkpoints *points, int number);

#endif
