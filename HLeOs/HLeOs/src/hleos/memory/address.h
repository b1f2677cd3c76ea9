/* Physical addresses are a type of their own: only page_virtual() makes a pointer of one. */
#ifndef HLEOS_ADDRESS_H
#define HLEOS_ADDRESS_H

#include <stdint.h>

typedef struct {
    uint64_t at;
} phys_t;

#define PHYS(address) ((phys_t){(address)})

#endif
