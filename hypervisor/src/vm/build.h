/*
 * What a VM is made of: where RAM and devices are, what is loaded, and the device tree that tells
 * the guest. Files come from archives (archive.h).
 */
#ifndef VM_BUILD_H
#define VM_BUILD_H

#include "vm/vm.h"

/* The guest's physical memory map: that of QEMU's virt machine, for which many guests are made. */
#define GUEST_PLIC   0x0c000000ul
#define GUEST_APLIC  0x0d000000ul /* of a guest that has files, instead of the PLIC */
#define GUEST_IMSIC  0x28000000ul /* its files, a page for each vCPU */
#define GUEST_UART   0x10000000ul
#define GUEST_VIRTIO 0x10001000ul /* one page each */
#define GUEST_RTC    0x10010000ul /* this and the next are not where QEMU has them */
#define GUEST_GENID  0x10011000ul
#define GUEST_RAM    0x80000000ul

/* Decides where RAM is and what is loaded there, and adds the devices. Negative after an error
 * message. */
int build_layout(struct vm *vm) MUST_CHECK;
/* Frees what the devices use. */
void build_unplug(struct vm *vm);

enum { BUILD_MORE = 1, BUILD_DONE = 0 };
/* Copies the next piece of the disk's image, then of kernel and initrd into the empty RAM, in the
 * end the device tree. Negative after one clear line. */
int build_step(struct vm *vm) MUST_CHECK;

/* guest_fdt.c: writes the guest's device tree, with no lock held; its size, or negative. */
int guest_fdt_write(const struct vm *vm, gpa_t initrd, uint64_t initrd_size, void *buffer,
                    size_t size) MUST_CHECK;

#endif
