/* One guest: a KVM virtual machine with its memory, devices and vCPUs. Made by create.h. */
#ifndef VM_H
#define VM_H

#include <stdbool.h>

#include "base/config.h"
#include "base/memory.h"
#include "dev/backend.h"
#include "host/kvm/kvm.h"
#include "host/threads.h"
#include "vm/firmware.h"
#include "vm/io.h"
#include "vm/machine.h"
#include "vm/observer.h"
#include "vm/program.h"
#include "vm/sleep.h"
#include "vm/vcpu.h"

struct vm_end {
    enum end_kind kind;
    int code;          /* END_CODE: the guest's status; END_SIGNAL: the signal */
    char message[400]; /* for the user; empty if there is nothing to say */
};

struct vm {
    unsigned index; /* 0 to 3: which guest of the run it is */
    const char *name;
    const struct guest_config *config;
    const struct vm_program *program;
    const struct observers *observers;
    enum guest_mode mode;
    bool paging;      /* started in protected mode with paging */
    bool irqchip;     /* KVM emulates the interrupt controllers: HLT does not exit */
    bool own_irqchip; /* the VMM emulates them, and interrupts the vCPU at its exits: ticks.h */
    bool window;      /* KVM reports the interrupt window of such a vCPU exactly (probe_window) */
    unsigned ticks;   /* enum tick: what is asked for there; atomic */
    enum mmio_policy mmio; /* never MMIO_DEFAULT */
    bool unpacked_itself;  /* Linux: its own decompressor runs in the guest */
    unsigned address_bits; /* the width of its physical addresses, as CPUID tells it */
    int fd;
    uint64_t ram_size;
    struct memory memory;
    struct backend backend, serial; /* of its devices; of its serial port */
    const unsigned
        *full; /* not 0: the guest waits until its output is read; atomic; owned by the program */
    struct vm_io io[VIRTIO_DEVICES_MAX]; /* of its virtio devices */
    struct firmware firmware;            /* what its fw_cfg has */
    struct vcpu *vcpus;                  /* `vcpu_count` of them */
    unsigned vcpu_count;
    unsigned vcpus_made;   /* how many of them KVM has */
    uint64_t exits_before; /* of one vCPU, of the lives before the last reset: for max_exits */
    unsigned started;      /* how many have a thread to join; main thread only */
    unsigned dead_looks;   /* halt.c: how often in a row all vCPUs were found halted for ever */
    unsigned running;      /* vCPU threads not yet ended; atomic */
    bool again;            /* it starts again when it has ended, whatever `config` says; atomic */
    struct vm_gate gate;
    struct vm_sleep sleep;
    struct lock lock; /* protects `end`; held while observers see output */
    struct vm_end end;
    void (*ended)(void); /* called once the last vCPU thread is over */
    struct machine machine;
};

/* Whether it has to wait until its output is read. */
static inline bool vm_is_full(const struct vm *vm)
{
    return __atomic_load_n(vm->full, __ATOMIC_ACQUIRE) != 0;
}

bool vm_is_running(const struct vm *vm);

/* The most exits that one of its vCPUs has made, with those before its last reset. */
uint64_t vm_exits(const struct vm *vm);

/* Ends the guest: the first reason given stays. Callable from any thread, also by a vCPU of this
 * guest. */
void vm_stop(struct vm *vm, enum end_kind kind, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* This thread repeats what the guest did before (deck.h): its output is dropped, and vm_stop does
 * nothing. Read for each byte of output; the TLS model avoids a call. */
extern _Thread_local bool vm_silent __attribute__((tls_model("initial-exec")));
void vm_silence(bool on);
static inline bool vm_is_silent(void)
{
    return vm_silent;
}

/* Resets the machine: the guest starts again, as one with --reboot does by itself. */
void vm_reset(struct vm *vm);
/* Whether a guest that resets its machine starts again. */
bool vm_starts_again(const struct vm *vm);

/* Ends a guest of whose memory the host has lost a page (host/guard.h). */
void vm_check_memory(struct vm *vm);
/* The same, found at `at` by an access of the guest. */
void vm_lose_memory(struct vm *vm, gpa_t at);

/* Ends a guest that has reset its machine at --max-exits, after `exits`, instead of a restart. */
void vm_end_by_limit(struct vm *vm, uint64_t exits);

/* For the vCPU's thread, as its last act but one. */
void vm_vcpu_ended(struct vm *vm);

/* The reason, once vm_is_running is false. */
struct vm_end vm_end_of(struct vm *vm);

#endif
