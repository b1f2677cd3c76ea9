/* Handlers and the trap flag they would save; see entries.h. */
#include "watch/gdb/entries.h"

#include <stddef.h>

#include "watch/explain/fault/gate.h"
#include "watch/explain/walk.h"

enum { VECTORS = 256, TF_BYTE = 1, TF_IN_BYTE = 1 /* bit 8 of the flags: bit 0 of byte 1 */ };
#define RFLAGS_TF (UINT64_C(1) << 8)

const struct entry *entries_at(const struct entries *entries, gpa_t at)
{
    for (unsigned i = 0; i < entries->count; i++)
        if (entries->list[i].at == at)
            return &entries->list[i];
    return NULL;
}

static bool place_of(const struct snapshot *s, const struct memory *memory, gva_t at, gpa_t *place)
{
    struct walk walk = walk_as(s, memory, at, WALK_READ, false);

    *place = walk.gpa;
    return walk.mapped && walk.in_ram;
}

static void add(struct entries *entries, const struct snapshot *s, const struct memory *memory,
                gva_t handler, bool syscall)
{
    gpa_t place;

    if (entries->count < ENTRIES_MAX && place_of(s, memory, handler, &place) &&
        entries_at(entries, place) == NULL)
        entries->list[entries->count++] = (struct entry){.at = place, .syscall = syscall};
}

/* Where a gate leads, in linear addresses. Task gates lead to a TSS: nobody here uses them. */
static bool handler_of(const struct snapshot *s, const struct memory *memory,
                       const struct gate *gate, gva_t *handler)
{
    bool real = !(s->sregs.cr0 & CR0_PE);
    struct descriptor code;

    if (!gate->inside || !gate->readable || (gate->raw == 0 && gate->raw_high == 0))
        return false;
    if (real) {
        *handler = ((gva_t)gate->selector << 4) + gate->offset;
        return true;
    }
    if (!gate->present || gate->type == TYPE_TASK_GATE)
        return false;
    *handler = gate->offset;
    if (snapshot_is_long(s))
        return true;
    code = descriptor_look(s, memory, gate->selector);
    *handler = (uint32_t)(gate->offset + code.base);
    return code.state == DESCRIPTOR_GOOD;
}

void entries_add(struct entries *entries, const struct snapshot *s, const struct memory *memory,
                 const gva_t calls[ENTRIES_CALLS])
{
    for (unsigned vector = 0; vector < VECTORS; vector++) {
        struct gate gate = gate_look(s, memory, vector);
        gva_t handler;

        if (handler_of(s, memory, &gate, &handler))
            add(entries, s, memory, handler, false);
    }
    for (unsigned i = 0; i < ENTRIES_CALLS; i++)
        if (calls[i] != 0)
            add(entries, s, memory, calls[i], i != ENTRIES_SYSENTER);
}

static uint64_t read_slot(const struct snapshot *s, const struct memory *memory, gva_t at,
                          unsigned bytes)
{
    uint64_t value = 0;

    return walk_read(s, memory, at, &value, bytes) == bytes ? value : 0;
}

static void clear_flag_at(const struct snapshot *s, const struct memory *memory, gva_t flags)
{
    uint8_t *byte = NULL;
    gpa_t place;

    if (place_of(s, memory, flags + TF_BYTE, &place))
        byte = memory_at(memory, place, 1);
    if (byte != NULL)
        *byte &= (uint8_t)~TF_IN_BYTE;
}

/* What was pushed: IP, CS, flags, and for some exceptions an error code below them. Bit 1 of flags
 * is always set and a code selector always fits 16 bits, an error code stands where IP would. */
static bool looks_like_frame(const struct snapshot *s, const struct memory *memory, gva_t at,
                             unsigned slot)
{
    uint64_t cs = read_slot(s, memory, at + slot, slot);
    uint64_t flags = read_slot(s, memory, at + 2 * slot, slot);

    return cs != 0 && cs <= UINT16_MAX && (flags & RFLAGS_TF) && (flags & RFLAGS_FIXED) &&
           flags <= UINT32_MAX >> 10;
}

void entries_hide_trap_flag(const struct entry *entry, struct snapshot *s,
                            const struct memory *memory)
{
    unsigned slot = snapshot_code_bits(s) / 8;
    gva_t top = snapshot_linear_rsp(s);

    if (entry->syscall)
        s->regs.r11 &= ~RFLAGS_TF;
    else if (looks_like_frame(s, memory, top, slot))
        clear_flag_at(s, memory, top + 2 * slot);
    else if (looks_like_frame(s, memory, top + slot, slot))
        clear_flag_at(s, memory, top + 3 * slot);
}

void entries_hide_pushed_flag(const struct snapshot *s, const struct memory *memory)
{
    clear_flag_at(s, memory, snapshot_linear_rsp(s));
}

/* 9C behind any operand-size and REX prefixes. */
bool entries_is_pushf(const struct snapshot *s, const struct memory *memory)
{
    uint8_t code[4];
    size_t count = walk_read(s, memory, snapshot_linear_rip(s), code, sizeof code);
    bool is_long = snapshot_code_bits(s) == 64;

    for (size_t i = 0; i < count; i++) {
        if (code[i] == 0x9c)
            return true;
        if (code[i] != 0x66 && !(is_long && (code[i] & 0xf0) == 0x40))
            return false;
    }
    return false;
}
