/*
 * The state of the interrupt controllers that KVM emulates, and which interrupt a waiting guest
 * does not get. Intel 8259A data sheet (IRR, ISR, IMR); Intel SDM volume 3, 11.8.4 (local APIC).
 */
#ifndef EXPLAIN_INTERRUPTS_H
#define EXPLAIN_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/regs.h"
#include "watch/explain/text.h"

struct interrupts {
    bool known;
    struct kvm_pic_state pic[2]; /* master, slave */
    uint32_t in_service[8];      /* of the local APIC, a bit a vector */
    uint32_t requested[8];
};

/* The vector of the interrupt that was taken and not ended, or -1. */
int interrupts_in_service(const struct interrupts *i);

/* A phrase about an interrupt that was taken and not ended (no EOI), and about one that waits for
 * it. False if not found. */
bool interrupts_describe_stuck(struct text *text, const struct interrupts *i);

/* Two lines: the PICs' registers. */
void interrupts_print(struct text *text, const struct interrupts *i);

#endif
