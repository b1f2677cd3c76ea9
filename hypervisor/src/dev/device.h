/*
 * An emulated device: a range of guest physical addresses and two functions. They are called with
 * the VM's lock held, for 1, 2, 4 or 8 bytes that lie inside the range and are aligned to their
 * width.
 */
#ifndef DEV_DEVICE_H
#define DEV_DEVICE_H

#include "lib/types.h"

struct device_ops {
    const char *name;
    uint64_t (*read)(void *state, uint64_t offset, unsigned width);
    void (*write)(void *state, uint64_t offset, unsigned width, uint64_t value);
};

struct device {
    gpa_t base;
    uint64_t size;
    const struct device_ops *ops;
    void *state;
};

/* An interrupt line as a device sees it. */
struct irq_line {
    void (*set)(void *context, unsigned source, bool level);
    void *context;
    unsigned source;
};

static inline void irq_set(const struct irq_line *line, bool level)
{
    if (line->set != NULL)
        line->set(line->context, line->source, level);
}

#endif
