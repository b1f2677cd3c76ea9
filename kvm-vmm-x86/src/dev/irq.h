/*
 * An interrupt line as a device has it: a global system interrupt, how it is sensed, and its level
 * as last set. A line that is only pulsed uses an irqfd if KVM has that (vm/io.h); it may be
 * signalled from any thread.
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

/* Sets the level; the interrupt controllers see changes only. The caller holds the device's
 * lock. */
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

/* irq_set after a load: sets the level even if the line had it before. */
static inline void irq_restore(struct irq_line *line, bool level)
{
    line->level = level;
    line->backend->interrupt(line->backend->context, line->gsi, level);
}

#endif
