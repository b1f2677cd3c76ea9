/* Addresses by their space, sizes of pages, and limits that more than one module needs. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t gva_t; /* guest virtual */
typedef uint64_t gpa_t; /* guest physical: what the VS stage yields */
typedef uint64_t hpa_t; /* host physical: what the G stage yields; the hypervisor runs untranslated,
                           so it is also a pointer */

struct range {
    uint64_t start, size;
};

#define KIB     1024ul
#define MIB     (1024 * KIB)
#define GIB     (1024 * MIB)
#define PAGE_4K (4 * KIB)
#define PAGE_2M (2 * MIB)
#define PAGE_1G GIB

enum {
    VMS_MAX = 32,      /* guests at once */
    VM_VCPUS_MAX = 32, /* vCPUs of one guest */
    CPUS_MAX = 16,     /* harts used; more stay parked */
    NAME_SIZE = 16,    /* a guest's or a network's name with its end */
};

#define ARRAY_SIZE(a)       (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, size) ((x) & ~((uint64_t)(size)-1))
#define ALIGN_UP(x, size)   (((x) + (size)-1) & ~((uint64_t)(size)-1))
#define MUST_CHECK          __attribute__((warn_unused_result))

/* Not compiler built-ins: without Zbb gcc would call its library for them. */
static inline unsigned lowest_bit(uint64_t bits)
{
    unsigned n = 0;

    for (unsigned half = 32; half > 0; half /= 2)
        if ((bits & ((1ul << half) - 1)) == 0)
            bits >>= half, n += half;
    return n;
}

static inline unsigned count_bits(uint64_t bits)
{
    unsigned n = 0;

    for (; bits != 0; bits &= bits - 1)
        n++;
    return n;
}

static inline uint64_t min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
