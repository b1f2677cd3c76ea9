/* The delivery of an exception; see deliver.h. */
#include "watch/explain/fault/deliver.h"

enum { ERROR_EXTERNAL = 1, ERROR_IDT = 2 };

/* Offsets in a TSS (SDM volume 3, figures 8-2 and 8-11). */
enum { TSS32_ESP0 = 4, TSS64_RSP0 = 4, TSS64_IST1 = 36 };

struct context {
    const struct snapshot *s;
    const struct exception *e;
    struct delivery *d;
    struct exception *failed; /* d->failed */
    uint32_t external;        /* EXT bit of error codes: not for INT n */
};

/* The checks below return true if something is wrong, with `failed` filled. */
static bool gate_fails(struct context *c)
{
    const struct gate *g = &c->d->gate;
    uint32_t error = g->vector * 8 + ERROR_IDT + c->external;
    uint16_t limit = c->s->sregs.idt.limit;

    if (!g->inside && limit == 0)
        return exception_set(c->failed, EXCEPTION_GP, error, "IDT limit 0");
    if (!g->inside)
        return exception_set(c->failed, EXCEPTION_GP, error, "IDT limit 0x%x ends before gate %u",
                             limit, g->vector);
    if (!g->readable && g->walk.result != WALK_OK) {
        exception_set_walk(c->failed, &g->walk, false);
        return exception_explain(c->failed, "gate %u at 0x%lx cannot be read, %s", g->vector, g->at,
                                 walk_words(&g->walk).text);
    }
    return !g->readable && exception_set(c->failed, EXCEPTION_GP, error,
                                         "gate %u at 0x%lx lies outside RAM", g->vector, g->at);
}

static bool type_is_gate(const struct context *c, const struct gate *g)
{
    if (g->segment)
        return false;
    if (g->type == TYPE_INTERRUPT || g->type == TYPE_TRAP)
        return true;
    return !snapshot_is_long(c->s) &&
           (g->type == TYPE_INTERRUPT16 || g->type == TYPE_TRAP16 || g->type == TYPE_TASK_GATE);
}

static bool gate_is_wrong(struct context *c)
{
    const struct gate *g = &c->d->gate;
    uint32_t error = g->vector * 8 + ERROR_IDT + c->external;
    unsigned cpl = snapshot_cpl(c->s);

    if (!type_is_gate(c, g))
        return exception_set(c->failed, EXCEPTION_GP, error, "gate %u is not a gate (%stype 0x%x)",
                             g->vector, g->segment ? "a segment descriptor, " : "", g->type);
    if (c->e->software && g->dpl < cpl)
        return exception_set(c->failed, EXCEPTION_GP, error,
                             "gate %u has DPL %u, closed to code of level %u", g->vector, g->dpl,
                             cpl);
    return !g->present && exception_set(c->failed, EXCEPTION_NP, error,
                                        "gate %u is not present (bit 47 is clear)", g->vector);
}

static bool refuse_code(struct context *c, int vector, const char *why)
{
    const struct gate *g = &c->d->gate;
    uint32_t selector = c->d->code.state == DESCRIPTOR_NULL ? 0 : g->selector & 0xfffcu;

    return exception_set(c->failed, vector, selector + c->external,
                         "gate %u's code selector 0x%x %s", g->vector, g->selector, why);
}

/* Checks the code segment that the gate names. */
static bool code_is_wrong(struct context *c)
{
    struct descriptor *code = &c->d->code;

    *code = descriptor_look(c->s, c->d->gate.selector);
    if (code->state != DESCRIPTOR_GOOD)
        return refuse_code(c, EXCEPTION_GP, descriptor_state_words(code).text);
    if (!descriptor_is_code(code))
        return refuse_code(c, EXCEPTION_GP, "is not a code segment");
    if (code->dpl > snapshot_cpl(c->s))
        return refuse_code(c, EXCEPTION_GP, "is of a lower privilege");
    if (!code->present)
        return refuse_code(c, EXCEPTION_NP, "is not present (bit 47 is clear)");
    return snapshot_is_long(c->s) && (!code->is_long || code->big) &&
           refuse_code(c, EXCEPTION_GP, "is not a 64-bit code segment (bit 53 is clear)");
}

/* The bytes of the frame end at `top`; each must be writable with the handler's rights. */
static bool stack_is_wrong(struct context *c, gva_t top, unsigned size, bool user)
{
    gva_t places[2] = {top - 1, top - size};
    struct walk w;

    c->d->stack = top;
    for (unsigned i = 0; i < 2; i++) {
        w = walk_as(c->s, places[i], WALK_WRITE, user);
        if (w.result == WALK_NOT_CANONICAL)
            return exception_set(c->failed, EXCEPTION_SS, c->external,
                                 "the stack at 0x%lx is not canonical", top);
        if (w.result != WALK_OK) {
            exception_set_walk(c->failed, &w, true);
            return exception_explain(c->failed, "the stack at 0x%lx cannot take the frame, %s", top,
                                     walk_words(&w).text);
        }
        if (!w.in_ram)
            return exception_set(c->failed, EXCEPTION_NONE, 0,
                                 "the stack at 0x%lx lies outside RAM", top);
    }
    return false;
}

/* Reads a stack pointer (and selector) of the TSS. */
static bool tss_read(struct context *c, unsigned offset, void *to, unsigned size)
{
    const struct kvm_segment *tr = &c->s->sregs.tr;
    uint32_t error = (tr->selector & 0xfffcu) + c->external;
    struct walk w = walk_as(c->s, tr->base + offset, WALK_READ, false);

    if (offset + size - 1 > tr->limit)
        return !exception_set(
            c->failed, EXCEPTION_TS, error,
            "the TSS (selector 0x%x, limit 0x%x) ends before the stack pointer at 0x%x",
            tr->selector, tr->limit, offset);
    if (w.result != WALK_OK)
        return !exception_set_walk(c->failed, &w, false);
    return walk_read(c->s, tr->base + offset, to, size) == size ||
           !exception_set(c->failed, EXCEPTION_TS, error, "the TSS at 0x%llx lies outside RAM",
                          tr->base);
}

/* 64-bit: always an aligned frame of five words; the stack pointer is RSP, RSP0 or one of the IST.
 */
static bool deliver_long(struct context *c)
{
    const struct gate *g = &c->d->gate;
    unsigned frame = (exception_has_error(c->e->vector) ? 6 : 5) * 8;
    bool inner = !descriptor_is_conforming(&c->d->code) && c->d->code.dpl < snapshot_cpl(c->s);
    uint64_t rsp = c->s->regs.rsp;

    if (g->ist != 0 && !tss_read(c, TSS64_IST1 + 8u * (g->ist - 1u), &rsp, 8))
        return false;
    if (g->ist == 0 && inner && !tss_read(c, TSS64_RSP0 + 8u * c->d->code.dpl, &rsp, 8))
        return false;
    return !stack_is_wrong(c, rsp & ~UINT64_C(15), frame, c->d->code.dpl == 3);
}

/* Checks a stack segment from the TSS (SDM volume 3, 6.12.1). */
static bool inner_stack_is_wrong(struct context *c, uint16_t selector, struct kvm_segment *ss)
{
    struct descriptor d = descriptor_look(c->s, selector);
    uint32_t error = (selector & 0xfffcu) + c->external;

    if (d.state != DESCRIPTOR_GOOD)
        return exception_set(c->failed, EXCEPTION_TS, error, "the TSS's stack selector 0x%x %s",
                             selector, descriptor_state_words(&d).text);
    if (!descriptor_is_writable_data(&d) || d.dpl != c->d->code.dpl)
        return exception_set(c->failed, EXCEPTION_TS, error,
                             "the TSS's stack selector 0x%x is not a writable segment of level %u",
                             selector, c->d->code.dpl);
    if (!d.present)
        return exception_set(c->failed, EXCEPTION_SS, error,
                             "the TSS's stack selector 0x%x is not present (bit 47 is clear)",
                             selector);
    *ss = (struct kvm_segment){
        .base = d.base, .limit = d.limit, .type = d.type, .db = d.big, .selector = selector};
    return false;
}

static bool deliver_protected(struct context *c)
{
    const struct gate *g = &c->d->gate;
    unsigned word = g->type == TYPE_INTERRUPT16 || g->type == TYPE_TRAP16 ? 2 : 4;
    unsigned words = exception_has_error(c->e->vector) ? 4 : 3;
    bool inner = !descriptor_is_conforming(&c->d->code) && c->d->code.dpl < snapshot_cpl(c->s);
    struct kvm_segment ss = c->s->sregs.ss;
    uint32_t sp = (uint32_t)c->s->regs.rsp;
    uint64_t pair = 0;

    if (inner) {
        if (!tss_read(c, TSS32_ESP0 + 8u * c->d->code.dpl, &pair, 6) ||
            inner_stack_is_wrong(c, (uint16_t)(pair >> 32), &ss))
            return false;
        sp = (uint32_t)pair;
        words += 2;
    }
    if (!ss.db)
        sp &= 0xffff;
    if (!(ss.type & 4) && (sp - words * word > ss.limit || sp - 1 > ss.limit))
        return !exception_set(c->failed, EXCEPTION_SS, c->external,
                              "SP 0x%x leaves the stack segment (limit 0x%x)", sp, ss.limit);
    return !stack_is_wrong(c, (uint32_t)(ss.base + sp), words * word, c->d->code.dpl == 3);
}

/* Checks the push of three words. The stack pointer wraps at 64 KB, but no word may cross that
 * boundary. */
static bool deliver_real(struct context *c)
{
    uint16_t sp = (uint16_t)c->s->regs.rsp;

    if ((sp & 1) && sp < 6)
        return !exception_set(c->failed, EXCEPTION_SS, 0, "SP %u is too low for the frame", sp);
    if (sp < 6)
        return true;
    return !stack_is_wrong(c, (uint32_t)(c->s->sregs.ss.base + sp), 6, false);
}

struct delivery deliver_exception(const struct snapshot *s, const struct exception *e)
{
    struct delivery d = {.gate = gate_look(s, (unsigned)e->vector & 0xff)};
    struct context c = {.s = s, .e = e, .d = &d, .failed = &d.failed, .external = !e->software};

    d.failed.vector = EXCEPTION_NONE;
    if (gate_fails(&c))
        return d;
    if (!(s->sregs.cr0 & CR0_PE)) {
        d.handler = (gva_t)d.gate.selector * 16 + d.gate.offset;
        d.possible = deliver_real(&c);
        return d;
    }
    if (gate_is_wrong(&c))
        return d;
    if (d.gate.type == TYPE_TASK_GATE) { /* a task switch: not followed */
        d.possible = true;
        return d;
    }
    if (code_is_wrong(&c))
        return d;
    d.handler = snapshot_is_long(s) ? d.gate.offset : (uint32_t)(d.code.base + d.gate.offset);
    d.possible = snapshot_is_long(s) ? deliver_long(&c) : deliver_protected(&c);
    return d;
}
