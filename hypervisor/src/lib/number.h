/* Numbers in the manifest and at the monitor. Pure. */
#ifndef LIB_NUMBER_H
#define LIB_NUMBER_H

#include "lib/types.h"

/* A number with K, M or G behind it, decimal or 0x; false where it is not a number. */
bool number_parse(const char *text, uint64_t *value);
/* Numbers below 32 and ranges of them with commas between, such as 0,2-3, as a mask. */
bool number_parse_set(const char *text, uint32_t *mask);

#endif
