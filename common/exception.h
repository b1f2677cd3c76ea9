/* The exceptions of an x86 processor by number and in words: Intel SDM volume 3, table 6-1. */
#ifndef COMMON_EXCEPTION_H
#define COMMON_EXCEPTION_H

#include <stdbool.h>

enum exception_vector {
    EXCEPTION_NONE = -1,
    EXCEPTION_DE = 0,
    EXCEPTION_DB = 1,
    EXCEPTION_NMI = 2,
    EXCEPTION_BP = 3,
    EXCEPTION_OF = 4,
    EXCEPTION_BR = 5,
    EXCEPTION_UD = 6,
    EXCEPTION_NM = 7,
    EXCEPTION_DF = 8,
    EXCEPTION_TS = 10,
    EXCEPTION_NP = 11,
    EXCEPTION_SS = 12,
    EXCEPTION_GP = 13,
    EXCEPTION_PF = 14,
    EXCEPTION_MF = 16,
    EXCEPTION_AC = 17,
    EXCEPTION_MC = 18,
    EXCEPTION_XM = 19,
    EXCEPTION_VE = 20,
    EXCEPTION_CP = 21,
};

/* Bits of the error code of EXCEPTION_PF: volume 3, figure 4-12. */
enum {
    EXCEPTION_PF_PRESENT = 1 << 0,
    EXCEPTION_PF_WRITE = 1 << 1,
    EXCEPTION_PF_USER = 1 << 2,
    EXCEPTION_PF_RESERVED = 1 << 3,
    EXCEPTION_PF_FETCH = 1 << 4,
};

/* "page fault"; NULL where the table has no exception. */
const char *exception_words(int vector);

/* Whether the processor pushes an error code. */
bool exception_has_error(int vector);

#endif
