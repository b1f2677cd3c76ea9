/*
 * An interrupt line as a device has it: a global system interrupt, how it is sensed, and its level
 * as last set. A line that is only pulsed goes by an irqfd where KVM has one (vm/io.h), which may
 * be signalled from any thread.
 */
#ifndef DEV_IRQ_H
#define DEV_IRQ_H

#include "dev/backend.h"

enum irq_trigger { IRQ_EDGE, IRQ_LEVEL };

struct irq_line {
    const struct backend *backend;
    uint32_t gsi;
    enum irq_trigger trigger;
    bool level;
};

/* The interrupt controllers are told of changes only. The device's lock is held. */
static inline void irq_set(struct irq_line *line, bool level)
{
    if (level == line->level)
        return;
    line->level = level;
    line->backend->interrupt(line->backend->context, line->gsi, level);
}

/* One interrupt of an edge-triggered line. */
static inline void irq_pulse(struct irq_line *line)
{
    line->backend->pulse(line->backend->context, line->gsi);
}

/* irq_set for a state that comes from elsewhere: whatever the controllers had before. */
static inline void irq_restore(struct irq_line *line, bool level)
{
    line->level = level;
    line->backend->interrupt(line->backend->context, line->gsi, level);
}

#endif
