/*
 * The Linux KVM interface: every ioctl that this VMM makes, with its errors as text. Reference:
 * Documentation/virt/kvm/api.rst in the Linux sources, section given with each function. Written
 * for kernels from 5.10 on, on Intel's and AMD's processors; what a newer kernel adds is used where
 * it is there.
 */
#ifndef HOST_KVM_KVM_H
#define HOST_KVM_KVM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "base/address.h"
#include "base/error.h"
#include "base/regs.h"

/* The open device. One serves all VMs of the process. */
struct kvm {
    int fd;
    size_t run_size;          /* bytes of the page block shared with each vCPU */
    struct kvm_cpuid2 *cpuid; /* what this host's KVM can offer a guest */
    bool tsc_deadline;        /* and the local APIC's best timer, which `cpuid` leaves out (4.46) */
};

/* One vCPU. `run` is shared with the kernel; the registers in run->s.regs.regs are valid after
 * every exit. */
struct kvm_cpu {
    int fd;
    struct kvm_run *run;
    size_t run_size;
    int stats_fd;      /* binary statistics, or -1 where the kernel has none */
    uint64_t host_tsc; /* the host's TSC when its state is saved or loaded; the same for all vCPUs
                          of a VM, so that theirs stay equal */
    uint64_t halt_offset; /* where "halt_exits" stands in them */
    uint64_t xcr0;        /* at the start, and after a reset */
};

/* Opens `path` (normally /dev/kvm) and checks what the rest relies on. */
int kvm_open(struct kvm *kvm, const char *path, struct error *error) MUST_CHECK;
void kvm_close(struct kvm *kvm);

/* Creates a VM (4.2) with room for the pages that KVM on Intel keeps in it (4.21, 4.22); returns
 * its descriptor or -1. */
int kvm_create_vm(const struct kvm *kvm, struct error *error) MUST_CHECK;

void kvm_close_vm(int vm);

/* In-kernel interrupt controllers and timer: PIC, I/O APIC, local APICs (4.24) and PIT (4.71).
 * Before any vCPU. */
int kvm_create_irqchip(int vm, struct error *error) MUST_CHECK;

/* Sets the level of an ISA interrupt line (4.25). */
void kvm_set_irq(int vm, unsigned line, bool level);

/* Delivers a message-signalled interrupt (4.70); one to no local APIC is lost. */
void kvm_signal_msi(int vm, uint64_t address, uint32_t data);

/* KVM raises an edge-triggered line whenever the eventfd is signalled (4.75); and it signals one
 * whenever the guest writes at `gpa`, whatever and how much, instead of leaving the guest (4.59),
 * until it is told not to any more. */
int kvm_connect_irqfd(int vm, unsigned line, int fd, struct error *error) MUST_CHECK;
int kvm_connect_ioeventfd(int vm, gpa_t gpa, int fd, struct error *error) MUST_CHECK;
void kvm_disconnect_ioeventfd(int vm, gpa_t gpa, int fd);

int kvm_create_vcpu(const struct kvm *kvm, int vm, unsigned id, struct kvm_cpu *cpu,
                    struct error *error) MUST_CHECK;
/* For a forked process: unmaps the shared page block. */
void kvm_leave_vcpu(struct kvm_cpu *cpu);
void kvm_destroy_vcpu(struct kvm_cpu *cpu);

/* Sets the CPUID table of the guest (4.93). Once, before it runs. */
int kvm_set_cpuid(const struct kvm_cpu *cpu, const struct kvm_cpuid2 *cpuid,
                  struct error *error) MUST_CHECK;

/* Sets the registers that a PC's firmware sets; call it after kvm_set_cpuid. Those that KVM refuses
 * are left out: firmware.c. */
void kvm_set_firmware_state(struct kvm_cpu *cpu, const struct kvm_cpuid2 *cpuid);

/* Sets XCR0 as at the vCPU's start. */
void kvm_reset_xcr0(const struct kvm_cpu *cpu);

/* Special registers (4.13, 4.14) and the initial general ones (4.12). */
int kvm_get_sregs(const struct kvm_cpu *cpu, struct kvm_sregs *sregs,
                  struct error *error) MUST_CHECK;
int kvm_set_state(const struct kvm_cpu *cpu, const struct kvm_regs *regs,
                  const struct kvm_sregs *sregs, struct error *error) MUST_CHECK;

/* Corrects the task register in special registers that were read from KVM, before they are written
 * back. */
void kvm_mend_sregs(struct kvm_segment *task);

/* Runs the guest until its next exit (4.10). 0, or a negative errno: -EINTR when kicked. */
static inline MUST_CHECK int kvm_enter(const struct kvm_cpu *cpu)
{
    return ioctl(cpu->fd, KVM_RUN, 0) < 0 ? -errno : 0;
}

/* Whether the vCPU was ever started, and whether it sleeps in HLT with nothing that could wake it
 * (4.38, 4.31). */
enum kvm_halt { KVM_HALT_RUNNING, KVM_HALT_ASLEEP, KVM_HALT_DEAD, KVM_HALT_NEVER_STARTED };
enum kvm_halt kvm_halt_state(const struct kvm_cpu *cpu);

/* How often the vCPU has executed HLT, read without disturbing it (4.134); 0 where the kernel does
 * not count. */
uint64_t kvm_halt_count(const struct kvm_cpu *cpu);
bool kvm_counts_halts(const struct kvm_cpu *cpu);

/* For an exit with an internal error: whether the guest caused it, by executing outside its memory,
 * or with an IDT or stack outside it when an interrupt or exception is delivered. */
bool kvm_error_is_guests(const struct kvm_run *run);

/* For a shutdown exit: whether KVM has reset the vCPU, so that the guest's registers are lost. It
 * does so on AMD, whose hardware leaves the state undefined, and not on Intel. */
bool kvm_was_reset(const struct kvm_regs *regs, const struct kvm_sregs *sregs);
/* Whether this host's KVM does so. */
bool kvm_resets_at_shutdown(void);

#endif
