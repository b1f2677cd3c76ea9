/*
 * The state a vCPU starts in, one file a mode: real.c, protected.c, long.c, linux.c. Pure: they
 * fill registers and write tables into guest memory; nothing here calls KVM.
 */
#ifndef CPU_STATE_H
#define CPU_STATE_H

#include <stdbool.h>

#include "base/config.h"
#include "base/memory.h"
#include "base/regs.h"

/* What the boot loader decided; the function of the mode turns it into registers. */
struct cpu_start {
    gva_t entry;
    bool paging;         /* protected mode: translate */
    uint32_t boot_magic; /* protected mode: in EAX at the entry */
    gpa_t boot_info;     /* in EBX there; in long mode RDI; for Linux what its entry wants */
    enum kernel_entry kernel_entry; /* Linux: how `entry` is to be entered */
    bool packed; /* Linux: the image is packed, and `entry` is its decompressor */
};

/*
 * The range at the top of low RAM that tables take: it begins where the stack ends. Nothing is
 * loaded into it. 0 where the RAM is too small to hold it.
 */
gpa_t cpu_reserved_real(const struct memory *memory);
gpa_t cpu_reserved_protected(const struct memory *memory);
gpa_t cpu_reserved_long(const struct memory *memory);
gpa_t cpu_reserved_linux(const struct memory *memory); /* its tables stand low: cpu/linux.h */

/* Where in the reserved range the multiboot information goes. */
gpa_t cpu_boot_info_address(gpa_t reserved);
enum { CPU_BOOT_INFO_SIZE = PAGE_SIZE };

/*
 * 16-bit: all segments and the interrupt table at the window's start, SP = 0xfffe (Intel SDM volume
 * 3, 21.1).
 */
void cpu_start_real(const struct memory *memory, const struct cpu_start *start,
                    struct kvm_regs *regs, struct kvm_sregs *sregs);

/*
 * 32-bit, flat segments. With paging, RAM is mapped at 0 and at CPU_HIGH_BASE (Intel SDM volume
 * 3, 4.3); devices are not. The stack begins below the reserved range. No interrupt table: an
 * exception before the guest has one ends it.
 */
#define CPU_HIGH_BASE UINT64_C(0x80000000)
void cpu_start_protected(const struct memory *memory, const struct cpu_start *start,
                         struct kvm_regs *regs, struct kvm_sregs *sregs);

/* 64-bit: all RAM and at least the first 4 GB mapped one to one by 2 MB pages (Intel SDM volume
 * 3, 4.5). */
void cpu_start_long(const struct memory *memory, const struct cpu_start *start,
                    struct kvm_regs *regs, struct kvm_sregs *sregs);

/* As the entry of a Linux kernel wants it: 64-bit with the first 4 GB mapped, or 32-bit without
 * paging. */
void cpu_start_linux(const struct memory *memory, const struct cpu_start *start,
                     struct kvm_regs *regs, struct kvm_sregs *sregs);

#endif
