/* Numbers for things that come again and again: the first is 0, the next new one 1, and so on. */
#ifndef LOG_INTERN_H
#define LOG_INTERN_H

#include <stdint.h>

#include "base/error.h"

enum { LOG_INTERN_MAX = 16384, LOG_INTERN_SLOTS = 2 * LOG_INTERN_MAX };

struct log_intern {
    uint64_t keys[LOG_INTERN_MAX];
    uint64_t examples[LOG_INTERN_MAX]; /* the caller's: where each was first met */
    uint32_t slots[LOG_INTERN_SLOTS];  /* number + 1; 0 is free */
    uint32_t count;
};

/* The number of `key`; a new one remembers `example`. LOG_INTERN_MAX once there are as many. */
uint32_t log_intern(struct log_intern *intern, uint64_t key, uint64_t example);

#endif
