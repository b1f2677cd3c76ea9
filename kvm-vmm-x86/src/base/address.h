/* The address spaces of a guest. They are distinct by name, so that a signature says which one it
 * means. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdint.h>

typedef uint64_t
    gpa_t; /* guest-physical: what the guest's page tables lead to, what KVM's memory slots hold */
typedef uint64_t
    gva_t; /* guest-virtual (linear): what the guest's instructions use, after segmentation */
typedef uint16_t ioport_t; /* x86 I/O port */

enum { PAGE_SIZE = 4096 };

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)

#endif
