/*
 * Segment descriptors as they stand in the guest's tables. Intel SDM volume 3, 3.4.5 (segments) and
 * 3.5 (system descriptors). Those of the interrupt table: gate.h.
 */
#ifndef EXPLAIN_DESCRIPTOR_H
#define EXPLAIN_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "watch/explain/snapshot.h"
#include "watch/explain/text.h"
#include "watch/explain/walk.h"

enum descriptor_state {
    DESCRIPTOR_GOOD,
    DESCRIPTOR_NULL,
    DESCRIPTOR_BEYOND,
    DESCRIPTOR_UNREADABLE
};

struct descriptor {
    uint16_t selector;
    enum descriptor_state state;
    uint16_t table_limit; /* of the GDT or LDT that was looked into */
    struct walk walk;     /* of the entry, where it is unreadable */
    gva_t at;
    uint64_t raw, raw_high; /* raw_high: of 16-byte system descriptors in long mode */
    uint64_t base;
    uint32_t limit;
    uint8_t type, dpl;
    bool segment, present, is_long, big; /* S, P, L, D/B */
};

/* System descriptor types (table 3-2). */
enum {
    TYPE_TSS16 = 1,
    TYPE_LDT = 2,
    TYPE_TSS16_BUSY = 3,
    TYPE_TASK_GATE = 5,
    TYPE_INTERRUPT16 = 6,
    TYPE_TRAP16 = 7,
    TYPE_TSS = 9,
    TYPE_TSS_BUSY = 11,
    TYPE_INTERRUPT = 14,
    TYPE_TRAP = 15,
};

struct descriptor descriptor_look(const struct snapshot *s, uint16_t selector);

bool descriptor_is_code(const struct descriptor *d);
bool descriptor_is_writable_data(const struct descriptor *d);
bool descriptor_is_readable(const struct descriptor *d);
bool descriptor_is_conforming(const struct descriptor *d);

/* Why a selector leads nowhere: "is null", "lies beyond the GDT (limit 0x17)" ... */
struct words descriptor_state_words(const struct descriptor *d);

/* `width` bits of a descriptor from bit `low` on. */
uint64_t descriptor_field(uint64_t raw, unsigned low, unsigned width);

/* What a system descriptor's type is called. */
const char *descriptor_type_name(uint8_t type);

/* One line: what kind of segment it is. */
void descriptor_print(struct text *text, const struct descriptor *d);

#endif
