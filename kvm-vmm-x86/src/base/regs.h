/*
 * The registers of a vCPU, in the layout of KVM's user interface (linux/kvm.h): plain data, used by
 * devices, loaders and the explainer alike, so that nothing is converted on the way. Nothing here
 * calls KVM.
 */
#ifndef BASE_REGS_H
#define BASE_REGS_H

#include <linux/kvm.h>
#include <stdint.h>

/* Control register and flag bits: Intel SDM volume 3, 2.5 and volume 1, 3.4.3; EFER: AMD APM volume
 * 2, 3.1.7. */
#define CR0_PE         (UINT64_C(1) << 0)
#define CR0_MP         (UINT64_C(1) << 1)
#define CR0_ET         (UINT64_C(1) << 4)
#define CR0_NE         (UINT64_C(1) << 5)
#define CR0_WP         (UINT64_C(1) << 16)
#define CR0_PG         (UINT64_C(1) << 31)
#define CR4_PSE        (UINT64_C(1) << 4)
#define CR4_PAE        (UINT64_C(1) << 5)
#define CR4_OSFXSR     (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT (UINT64_C(1) << 10)
#define CR4_LA57       (UINT64_C(1) << 12)
#define CR4_SMEP       (UINT64_C(1) << 20)
#define CR4_SMAP       (UINT64_C(1) << 21)
#define EFER_SCE       (UINT64_C(1) << 0)
#define EFER_LME       (UINT64_C(1) << 8)
#define EFER_LMA       (UINT64_C(1) << 10)
#define EFER_NX        (UINT64_C(1) << 11)
#define RFLAGS_CF      (UINT64_C(1) << 0)
#define RFLAGS_FIXED   (UINT64_C(1) << 1)
#define RFLAGS_IF      (UINT64_C(1) << 9)
#define RFLAGS_VM      (UINT64_C(1) << 17)
#define RFLAGS_AC      (UINT64_C(1) << 18)

#endif
