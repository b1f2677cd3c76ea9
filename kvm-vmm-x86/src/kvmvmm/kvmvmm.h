/*
 * libkvmvmm: machines on Linux KVM, in this process. For graders, fuzzers, and programs that ask a
 * guest something: a machine is made from an image, run until something happens, looked into, and
 * put back to a snapshot by the pages that were written since, as often as one likes.
 *
 * Nothing is printed, nothing ends the process, and each failure is a line of text in a struct
 * kvmvmm_error. A machine has one virtual processor, which the thread that calls kvmvmm_run is. A
 * machine is used by one thread at a time; there may be many machines, in many threads. In a child
 * of fork(2) a machine is of no use.
 *
 * The library uses the signal SIGUSR1 to interrupt a guest. Each kvmvmm_create installs its
 * handler.
 *
 * Functions that return int answer 0, or -1 with the reason in `error`.
 */
#ifndef KVMVMM_H
#define KVMVMM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KVMVMM_API   __attribute__((visibility("default")))
#define KVMVMM_CHECK KVMVMM_API __attribute__((warn_unused_result))

struct kvmvmm; /* a machine */

struct kvmvmm_error {
    char text[512]; /* one line, without a newline */
};

enum kvmvmm_mode {
    KVMVMM_BY_CONTENT, /* as the image says; a flat one is in real mode */
    KVMVMM_REAL,       /* 16 bits */
    KVMVMM_PROTECTED,  /* 32 bits */
    KVMVMM_LONG,       /* 64 bits */
};

/* What a machine is. All zeroes but `image` is a good one. Strings and bytes are used until the
 * machine is gone; image and ramdisks are read by kvmvmm_create. */
struct kvmvmm_config {
    const char *image; /* a flat image, an ELF file, a Linux kernel, a multiboot kernel */
    const void *bytes; /* what the image is, if it is not to be read from there; or NULL */
    size_t bytes_size;
    enum kvmvmm_mode mode;
    uint64_t memory; /* bytes of RAM; 0: as much as kvm-vmm gives it */
    bool has_load, has_entry;
    uint64_t load, entry;   /* where a flat image goes, where it starts */
    const char *append;     /* a kernel's command line */
    const char *initrds[8]; /* its initial ramdisks */
    unsigned initrd_count;
    const char *kvm; /* the device; NULL: /dev/kvm */
    /* What the guest prints (hypercalls, serial port), in the thread of kvmvmm_run; or NULL. */
    void (*output)(void *context, const void *bytes, size_t count);
    void *context;
};

KVMVMM_CHECK struct kvmvmm *kvmvmm_create(const struct kvmvmm_config *config,
                                          struct kvmvmm_error *error);
KVMVMM_API void kvmvmm_destroy(struct kvmvmm *machine); /* NULL is allowed */

/* Why kvmvmm_run returned. */
enum kvmvmm_reason {
    KVMVMM_ENDED,      /* the guest has ended: `end`, `status` and `text` say how */
    KVMVMM_CALL,       /* it made hypercall `call`, which the VMM does not know */
    KVMVMM_BREAKPOINT, /* it is about to execute `address` */
    KVMVMM_EXITS,      /* as many exits as were allowed */
    KVMVMM_TIME,       /* as much time */
};

enum kvmvmm_end {
    KVMVMM_EXITED,  /* as it wanted to: hypercall EXIT, or with a `status` by the debug-exit port */
    KVMVMM_RESET,   /* it reset or switched off its machine */
    KVMVMM_HALTED,  /* for ever */
    KVMVMM_CRASHED, /* it did what it must not */
    KVMVMM_FAILED,  /* KVM or the VMM cannot go on */
};

struct kvmvmm_event {
    enum kvmvmm_reason reason;
    enum kvmvmm_end end;
    int status; /* of KVMVMM_EXITED: 0, or what the guest wrote */
    uint8_t call;
    uint64_t address; /* linear */
    uint64_t exits;   /* made by this run */
    char text[400];   /* what kvm-vmm would say of the end; may be empty */
};

struct kvmvmm_limits {
    uint64_t exits;       /* 0: no limit */
    uint64_t nanoseconds; /* likewise */
};

/* Runs the guest until one of these things happens. `limits` may be NULL. A machine that has ended
 * does not run again before it is put back to a snapshot. */
KVMVMM_CHECK int kvmvmm_run(struct kvmvmm *machine, const struct kvmvmm_limits *limits,
                            struct kvmvmm_event *event, struct kvmvmm_error *error);

/* What the guest reads by hypercall GETCHAR and from its serial port from now on; then its input is
 * at its end. The bytes are used, not copied. */
KVMVMM_API void kvmvmm_set_input(struct kvmvmm *machine, const void *bytes, size_t count);

/* Guest-physical memory: all of the range must be RAM. */
KVMVMM_CHECK int kvmvmm_read(const struct kvmvmm *machine, uint64_t address, void *to, size_t count,
                             struct kvmvmm_error *error);
KVMVMM_CHECK int kvmvmm_write(struct kvmvmm *machine, uint64_t address, const void *from,
                              size_t count, struct kvmvmm_error *error);
/* The same at a linear address, by the guest's page tables and whatever the rights. */
KVMVMM_CHECK int kvmvmm_read_linear(const struct kvmvmm *machine, uint64_t address, void *to,
                                    size_t count, struct kvmvmm_error *error);
KVMVMM_CHECK int kvmvmm_write_linear(struct kvmvmm *machine, uint64_t address, const void *from,
                                     size_t count, struct kvmvmm_error *error);

/* `special` may be NULL. A guest that stands at a breakpoint, and still does after
 * kvmvmm_set_registers, goes on behind it. */
KVMVMM_CHECK int kvmvmm_get_registers(const struct kvmvmm *machine, struct kvm_regs *general,
                                      struct kvm_sregs *special, struct kvmvmm_error *error);
KVMVMM_CHECK int kvmvmm_set_registers(struct kvmvmm *machine, const struct kvm_regs *general,
                                      const struct kvm_sregs *special, struct kvmvmm_error *error);

/* The guest stops before it executes the instruction at a linear address. Where KVM reports int3
 * one stands there, else the first four are the processor's and all others a port write of two
 * bytes: for these the code must be allowed to write to ports (level 0, or IOPL 3), and where the
 * instruction has one byte, the next must not be jumped to. What stands in memory is seen by
 * kvmvmm_read. Breakpoints are no part of a snapshot.
 *
 * From a breakpoint the guest goes on with one step by the trap flag. It does not find that flag in
 * what PUSHF, INT n, SYSCALL and a fault of the instruction save. It may find it where the
 * instruction raises an exception that only devices, MSRs or the state of the FPU tell of; where an
 * interrupt comes before the instruction and KVM cannot hold it back (KVM_GUESTDBG_BLOCKIRQ, Linux
 * 5.16); and where the handler's first bytes are not in one page of RAM. */
KVMVMM_CHECK int kvmvmm_set_breakpoint(struct kvmvmm *machine, uint64_t address,
                                       struct kvmvmm_error *error);
KVMVMM_API void kvmvmm_clear_breakpoint(struct kvmvmm *machine, uint64_t address);

/* Keeps all that the machine is, in this process, in the place of the snapshot before. From now on
 * the pages written are logged. */
KVMVMM_CHECK int kvmvmm_snapshot(struct kvmvmm *machine, struct kvmvmm_error *error);
/* Puts it back, by the pages written since. The time-stamp counter and kvm-clock go on from where
 * they stood, the clock on the wall does not. `pages`: how many were written; may be NULL. On an
 * error the machine is of no use any more. */
KVMVMM_CHECK int kvmvmm_reset(struct kvmvmm *machine, uint64_t *pages, struct kvmvmm_error *error);

#ifdef __cplusplus
}
#endif

#endif
