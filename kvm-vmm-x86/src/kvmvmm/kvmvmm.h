/*
 * libkvmvmm: virtual machines on Linux KVM in the calling process, for graders, fuzzers and other
 * programs that run guest code. A program makes a machine from an image, runs it until an event,
 * reads its registers and memory, and resets it to a snapshot any number of times; a reset copies
 * back only the pages written since.
 *
 * The library prints nothing and never ends the process; each failure is a line of text in a struct
 * kvmvmm_error. A machine has one vCPU, which runs in the thread that calls kvmvmm_run. Only one
 * thread at a time may use a machine; a process can have many machines, in many threads. After
 * fork(2) the child cannot use its parent's machines.
 *
 * The library uses the signal SIGUSR1 to interrupt a guest. Each kvmvmm_create installs its
 * handler.
 *
 * Functions that return int return 0 on success, or -1 with the reason in `error`.
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
    KVMVMM_BY_CONTENT, /* the image decides; a flat one runs in real mode */
    KVMVMM_REAL,       /* 16 bits */
    KVMVMM_PROTECTED,  /* 32 bits */
    KVMVMM_LONG,       /* 64 bits */
};

/* Describes a machine. All fields but `image` may be zero. The caller keeps all strings and `bytes`
 * valid until kvmvmm_destroy; kvmvmm_create reads the files of the image and the ramdisks. */
struct kvmvmm_config {
    const char *image; /* a flat image, an ELF file, a Linux kernel, a multiboot kernel */
    const void *bytes; /* the content of the image; NULL: it is read from the file `image` */
    size_t bytes_size;
    enum kvmvmm_mode mode;
    uint64_t memory; /* bytes of RAM; 0: the default of kvm-vmm */
    bool has_load, has_entry;
    uint64_t load, entry;   /* where a flat image is loaded, where it starts */
    const char *append;     /* a kernel's command line */
    const char *initrds[8]; /* its initial ramdisks */
    unsigned initrd_count;
    const char *kvm; /* the device; NULL: /dev/kvm */
    /* Called with the guest's output (hypercalls, serial port), in the thread of kvmvmm_run; or
     * NULL. */
    void (*output)(void *context, const void *bytes, size_t count);
    void *context;
};

KVMVMM_CHECK struct kvmvmm *kvmvmm_create(const struct kvmvmm_config *config,
                                          struct kvmvmm_error *error);
KVMVMM_API void kvmvmm_destroy(struct kvmvmm *machine); /* NULL is allowed */

/* Why kvmvmm_run returned. */
enum kvmvmm_reason {
    KVMVMM_ENDED,      /* the guest has ended: `end`, `status` and `text` say how */
    KVMVMM_CALL,       /* it made hypercall `call`, which the VMM does not handle */
    KVMVMM_BREAKPOINT, /* it is about to execute `address` */
    KVMVMM_EXITS,      /* the limit of exits was reached */
    KVMVMM_TIME,       /* the limit of time was reached */
};

enum kvmvmm_end {
    KVMVMM_EXITED,  /* by hypercall EXIT, or with a `status` by the debug-exit port */
    KVMVMM_RESET,   /* it reset or switched off its machine */
    KVMVMM_HALTED,  /* HLT, and nothing can wake it */
    KVMVMM_CRASHED, /* a triple fault, an invalid access, or the like */
    KVMVMM_FAILED,  /* KVM or the VMM failed */
};

struct kvmvmm_event {
    enum kvmvmm_reason reason;
    enum kvmvmm_end end;
    int status; /* of KVMVMM_EXITED: 0, or the value that the guest wrote */
    uint8_t call;
    uint64_t address; /* linear */
    uint64_t exits;   /* of this run */
    char text[400];   /* what kvm-vmm would print about the end; may be empty */
};

struct kvmvmm_limits {
    uint64_t exits;       /* 0: no limit */
    uint64_t nanoseconds; /* likewise */
};

/* Runs the guest until one of these events. `limits` may be NULL. A machine that has ended runs
 * again only after kvmvmm_reset. */
KVMVMM_CHECK int kvmvmm_run(struct kvmvmm *machine, const struct kvmvmm_limits *limits,
                            struct kvmvmm_event *event, struct kvmvmm_error *error);

/* Sets the guest's input for hypercall GETCHAR and the serial port; after these bytes its input
 * ends. The bytes are not copied: the caller keeps them valid. */
KVMVMM_API void kvmvmm_set_input(struct kvmvmm *machine, const void *bytes, size_t count);

/* Read and write guest-physical memory. The whole range must be RAM. */
KVMVMM_CHECK int kvmvmm_read(const struct kvmvmm *machine, uint64_t address, void *to, size_t count,
                             struct kvmvmm_error *error);
KVMVMM_CHECK int kvmvmm_write(struct kvmvmm *machine, uint64_t address, const void *from,
                              size_t count, struct kvmvmm_error *error);
/* The same at a linear address, through the guest's page tables; access rights are ignored. */
KVMVMM_CHECK int kvmvmm_read_linear(const struct kvmvmm *machine, uint64_t address, void *to,
                                    size_t count, struct kvmvmm_error *error);
KVMVMM_CHECK int kvmvmm_write_linear(struct kvmvmm *machine, uint64_t address, const void *from,
                                     size_t count, struct kvmvmm_error *error);

/* `special` may be NULL. If the guest is at a breakpoint and kvmvmm_set_registers leaves it there,
 * the next kvmvmm_run continues past the breakpoint. */
KVMVMM_CHECK int kvmvmm_get_registers(const struct kvmvmm *machine, struct kvm_regs *general,
                                      struct kvm_sregs *special, struct kvmvmm_error *error);
KVMVMM_CHECK int kvmvmm_set_registers(struct kvmvmm *machine, const struct kvm_regs *general,
                                      const struct kvm_sregs *special, struct kvmvmm_error *error);

/* Stops the guest before it executes the instruction at a linear address. If KVM reports int3, the
 * library writes an int3 there. Otherwise the first four breakpoints are hardware breakpoints, if
 * KVM reports those, and all others a port write of two bytes: that code must be allowed to write
 * to ports (level 0, or IOPL 3), and if the instruction has one byte, nothing may jump to the next.
 * kvmvmm_read shows the bytes of such a breakpoint. Breakpoints are not part of a snapshot.
 *
 * To leave a breakpoint, the library single-steps the guest with the trap flag. The guest does not
 * see this flag in what PUSHF, INT n, SYSCALL and a fault of the instruction save. It may see it if
 * the instruction raises an exception that depends on devices, MSRs or the state of the FPU; if an
 * interrupt comes before the instruction and KVM cannot block it (KVM_GUESTDBG_BLOCKIRQ, Linux
 * 5.16); and if the handler's first bytes are not in one page of RAM. */
KVMVMM_CHECK int kvmvmm_set_breakpoint(struct kvmvmm *machine, uint64_t address,
                                       struct kvmvmm_error *error);
KVMVMM_API void kvmvmm_clear_breakpoint(struct kvmvmm *machine, uint64_t address);

/* Saves the whole machine in this process; replaces the last snapshot. From now on KVM logs the
 * pages written. */
KVMVMM_CHECK int kvmvmm_snapshot(struct kvmvmm *machine, struct kvmvmm_error *error);
/* Resets the machine to the snapshot by copying back the pages written since. The time-stamp
 * counter and kvm-clock continue from the snapshot; the RTC shows the host's time. `pages`: returns
 * how many pages were copied; may be NULL. After an error the machine can only be destroyed. */
KVMVMM_CHECK int kvmvmm_reset(struct kvmvmm *machine, uint64_t *pages, struct kvmvmm_error *error);

#ifdef __cplusplus
}
#endif

#endif
