/*
 * The state of one vCPU at one moment, as plain data, and the memory that it sees: the input of the
 * explainer. Other files read it from KVM (vcpu.c, the gdb stub).
 *
 * What decides the mode: Intel SDM volume 3, 2.2 and 5.2.1 (L and D of CS), 21.2 (VM in EFLAGS).
 *
 */
#ifndef EXPLAIN_SNAPSHOT_H
#define EXPLAIN_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/regs.h"

struct snapshot {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    const struct memory *memory; /* the guest's */
    unsigned address_bits;       /* width of a physical address (CPUID 0x80000008); 0: take 52 */
};

enum snapshot_mode {
    SNAPSHOT_REAL,
    SNAPSHOT_VM86,
    SNAPSHOT_PROTECTED_16,
    SNAPSHOT_PROTECTED_32,
    SNAPSHOT_COMPAT_16,
    SNAPSHOT_COMPAT_32,
    SNAPSHOT_LONG,
};

enum snapshot_mode snapshot_mode(const struct snapshot *s);

/* Whether descriptors count: neither real nor virtual-8086 mode. */
bool snapshot_is_protected(const struct snapshot *s);

/* In words: "real mode, 16-bit code". */
const char *snapshot_mode_name(enum snapshot_mode mode);

/* How many bits the code at CS has (16, 32, 64), and a slot of its stack. */
unsigned snapshot_code_bits(const struct snapshot *s);
unsigned snapshot_stack_bits(const struct snapshot *s);

/* The privilege level, 0 to 3. */
unsigned snapshot_cpl(const struct snapshot *s);

/* EFER.LMA: IDT gates have 16 bytes, and segments no limit in 64-bit code. */
bool snapshot_is_long(const struct snapshot *s);

/* The linear address of `offset` in `segment`, cut to the mode's width. */
gva_t snapshot_linear(const struct snapshot *s, const struct kvm_segment *segment, uint64_t offset);
gva_t snapshot_linear_rip(const struct snapshot *s);
gva_t snapshot_linear_rsp(const struct snapshot *s);

/* Whether bits 63 to 47 (56 with five levels) are all alike. */
bool snapshot_is_canonical(const struct snapshot *s, gva_t address);

/* Names of register bits; each list ends with a NULL name. An empty name: the bit is set but has no
 * meaning. Intel SDM volume 3, 2.3 and 2.5; AMD APM volume 2, 3.1.7. */
struct snapshot_bit {
    const char *name;
    unsigned at;
};

extern const struct snapshot_bit snapshot_flags[], snapshot_cr0[], snapshot_cr4[], snapshot_efer[];

/* General register `i`, in the usual order: rax to rbp, then r8 to r15. */
enum { SNAPSHOT_GENERAL = 16 };
struct snapshot_general {
    const char *name;
    uint64_t value;
};
struct snapshot_general snapshot_general(const struct snapshot *s, unsigned i);

#endif
