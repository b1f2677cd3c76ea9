/*
 * Restarts a guest from its files, in a separate thread: to read and unpack them may take long, and
 * the main thread must not wait.
 */
#ifndef SESSION_RESTART_H
#define SESSION_RESTART_H

#include "vm/vm.h"

struct restart {
    struct vm *vm;
    const struct guest_config *config;
    struct thread thread;
    bool pending;  /* main thread only. The VM belongs to the thread: nothing else touches it */
    unsigned done; /* atomic */
    struct error error; /* why there is no guest */
};

/* Whether the guest has reset its machine and may start again, by its options. */
bool session_restart_is_due(struct vm *vm) MUST_CHECK;

/* Destroys the VM, whose threads are joined, and begins to make it again; wakes the event loop when
 * session_restart_take has a result. False: that is not possible, and the guest has ended. */
bool session_restart_begin(struct restart *restart, struct vm *vm) MUST_CHECK;

/* 1: it is made; 0: the thread still works; -1: it cannot be made, `error` says why. Gives the VM
 * back, unless it is 0. */
int session_restart_take(struct restart *restart, struct error *error) MUST_CHECK;

/*
 * The `count` guests of a run as they ended, their threads joined. Waits for one that is still
 * being made, but no longer than the program may (events.h): then another array than `vms` is
 * returned, which has only the name and `end` of that guest. In that case nothing of any guest may
 * be freed.
 */
struct vm *session_restart_finish(struct restart *restarts, struct vm *vms, unsigned count,
                                  const struct vm_end *end) MUST_CHECK;

#endif
