/* Handlers, and the trap flag in saved flags; see handlers.h. */
#include "watch/gdb/handlers.h"

#include "watch/explain/fault/gate.h"
#include "watch/explain/fault/instruction.h"
#include "watch/explain/walk.h"

enum { VECTORS = 256, TF_BYTE = 1, TF_IN_BYTE = 1 /* bit 8 of the flags: bit 0 of byte 1 */ };
#define RFLAGS_TF (UINT64_C(1) << 8)

/* Intel SDM volume 4, table 2-2. */
const uint32_t handlers_call_msrs[HANDLERS_CALLS] = {
    [HANDLERS_LSTAR] = 0xc0000082, [HANDLERS_CSTAR] = 0xc0000083, [HANDLERS_SYSENTER] = 0x176};

const struct handler *handlers_at(const struct handlers *handlers, gpa_t at)
{
    unsigned n = 0;

    while (n < handlers->count && handlers->list[n].at < at)
        n++;
    return n < handlers->count && handlers->list[n].at == at ? &handlers->list[n] : NULL;
}

/* Inserts a handler in order of addresses, since traps are inserted in that order. */
static void add(struct handlers *handlers, const struct snapshot *s, struct handler handler)
{
    unsigned n = handlers->count;

    if (n == HANDLERS_MAX || !walk_place(s, handler.linear, &handler.at) ||
        handlers_at(handlers, handler.at) != NULL)
        return;
    for (; n > 0 && handlers->list[n - 1].at > handler.at; n--)
        handlers->list[n] = handlers->list[n - 1];
    handlers->list[n] = handler;
    handlers->count++;
}

/* Task gates lead to a TSS; they are not handled here. */
void handlers_add_vector(struct handlers *handlers, const struct snapshot *s, unsigned vector)
{
    struct gate gate = gate_look(s, vector);
    gva_t linear = ((gva_t)gate.selector << 4) + gate.offset;
    struct descriptor code;

    if (!gate.inside || !gate.readable || (gate.raw == 0 && gate.raw_high == 0))
        return;
    if (s->sregs.cr0 & CR0_PE) {
        code = descriptor_look(s, gate.selector);
        if (!gate.present || gate.segment || gate.type == TYPE_TASK_GATE ||
            code.state != DESCRIPTOR_GOOD || !descriptor_is_code(&code))
            return;
        linear = snapshot_is_long(s) ? gate.offset : (uint32_t)(gate.offset + code.base);
    }
    add(handlers, s,
        (struct handler){.linear = linear, .offset = gate.offset, .vector = (int)vector});
}

void handlers_add(struct handlers *handlers, const struct snapshot *s)
{
    for (unsigned vector = 0; vector < VECTORS; vector++)
        handlers_add_vector(handlers, s, vector);
}

void handlers_add_calls(struct handlers *handlers, const struct snapshot *s,
                        const gva_t calls[HANDLERS_CALLS])
{
    for (unsigned i = 0; i < HANDLERS_CALLS; i++)
        if (calls[i] != 0)
            add(handlers, s,
                (struct handler){.linear = calls[i],
                                 .offset = calls[i],
                                 .vector = -1,
                                 .syscall = i != HANDLERS_SYSENTER});
}

static uint64_t read_slot(const struct snapshot *s, gva_t at, unsigned bytes)
{
    uint64_t value = 0;

    return walk_read(s, at, &value, bytes) == bytes ? value : 0;
}

static void clear_flag_at(const struct snapshot *s, gva_t flags)
{
    uint8_t byte;
    gpa_t place;

    if (!walk_place(s, flags + TF_BYTE, &place) || !memory_read(s->memory, place, &byte, 1))
        return;
    byte &= (uint8_t)~TF_IN_BYTE;
    (void)!memory_write(s->memory, place, &byte, 1);
}

/* Whether this is a pushed frame: IP, CS, flags; some exceptions also push an error code, below IP.
 * It is a frame if bit 1 of the flags is set and CS fits 16 bits and is not 0, except in real mode.
 */
static bool looks_like_frame(const struct snapshot *s, gva_t at, unsigned slot)
{
    uint64_t cs = read_slot(s, at + slot, slot);
    uint64_t flags = read_slot(s, at + 2 * slot, slot);

    return (cs != 0 || !(s->sregs.cr0 & CR0_PE)) && cs <= UINT16_MAX && (flags & RFLAGS_TF) &&
           (flags & RFLAGS_FIXED) && flags <= UINT32_MAX >> 10;
}

void handlers_hide_trap_flag(const struct handler *handler, struct snapshot *s)
{
    unsigned slot = snapshot_code_bits(s) / 8;
    gva_t top = snapshot_linear_rsp(s);

    if (handler->syscall)
        s->regs.r11 &= ~RFLAGS_TF;
    else if (looks_like_frame(s, top, slot))
        clear_flag_at(s, top + 2 * slot);
    else if (looks_like_frame(s, top + slot, slot))
        clear_flag_at(s, top + 3 * slot);
}

void handlers_hide_pushed_flag(const struct snapshot *s)
{
    clear_flag_at(s, snapshot_linear_rsp(s));
}

bool handlers_is_pushf(const struct snapshot *s)
{
    struct instruction in;

    return instruction_at(s, snapshot_linear_rip(s), &in) &&
           (in.i.mnemonic == ZYDIS_MNEMONIC_PUSHF || in.i.mnemonic == ZYDIS_MNEMONIC_PUSHFD ||
            in.i.mnemonic == ZYDIS_MNEMONIC_PUSHFQ);
}

bool handlers_is_halt(const struct snapshot *s)
{
    struct instruction in;

    return instruction_at(s, snapshot_linear_rip(s), &in) && in.i.mnemonic == ZYDIS_MNEMONIC_HLT;
}

/* Some seconds, enough for thousands of steps. A guest that sleeps waits for all of them. */
#define REST (UINT64_C(1) << 33)

bool handlers_sets_timer(const struct snapshot *s)
{
    struct instruction in;

    return (uint32_t)s->regs.rcx == TIMER_MSR_DEADLINE &&
           instruction_at(s, snapshot_linear_rip(s), &in) && in.i.mnemonic == ZYDIS_MNEMONIC_WRMSR;
}

uint64_t handlers_later_deadline(uint64_t now, uint64_t deadline)
{
    return deadline == 0 || deadline >= now + REST ? deadline : now + REST;
}
