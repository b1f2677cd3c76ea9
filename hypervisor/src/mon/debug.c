/* What a debugger does to a VM; see debug.h. */
#include "mon/debug.h"

#include "common/string.h"
#include "cpu/feature.h"
#include "cpu/hyp.h"
#include "lib/console.h"
#include "lib/isa.h"
#include "vm/flow.h"
#include "vm/memory.h"
#include "vm/walk.h"

/* ---- Memory: the VM is paused, and its lock is held for each copy ---- */

/* Translates `gva`, and cuts `size` to the bytes that lie on the same page. */
static bool translate(const struct debug *d, gva_t gva, uint64_t *size, gpa_t *gpa)
{
    struct walk w;

    walk_guest(d->vm->vcpus[d->thread], gva, &w);
    *gpa = w.gpa;
    *size = min64(*size, PAGE_4K - gva % PAGE_4K);
    return w.good;
}

/* The written bytes may be code. */
static void fence_code(struct debug *d)
{
    for (unsigned i = 0; i < d->vm->vcpu_count; i++)
        __atomic_fetch_or(&d->vm->vcpus[i]->fences, FENCE_I, __ATOMIC_RELAXED);
}

int debug_copy(struct debug *d, gva_t gva, void *bytes, uint64_t size, bool write)
{
    uint8_t *at = bytes;
    int result = 0;

    lock_take(&d->vm->lock);
    while (result == 0 && size > 0) {
        uint64_t n = size;
        gpa_t gpa;

        if (!vm_is_up(d->vm) || !translate(d, gva, &n, &gpa) ||
            (write ? !memory_poke(d->vm, gpa, at, n) : !memory_read(d->vm, gpa, at, n)))
            result = DEBUG_PLACE;
        at += n, gva += n, size -= n;
    }
    lock_drop(&d->vm->lock);
    if (write)
        fence_code(d);
    return result;
}

/* ---- Breakpoints ---- */

struct debug_point *debug_find_point(struct debug *d, gva_t at)
{
    for (unsigned i = 0; i < DEBUG_POINTS; i++) {
        struct debug_point *p = &d->points[i];

        if (p->used && p->at == at && p->boot == d->vm->boots)
            return p;
    }
    return NULL;
}

static struct debug_point *free_point(struct debug *d)
{
    for (unsigned i = 0; i < DEBUG_POINTS; i++)
        if (!d->points[i].used)
            return &d->points[i];
    return NULL;
}

enum { EBREAK = 0x00100073, EBREAK_SHORT = 0x9002 };

/* If harts have compressed instructions, the short ebreak is used for long instructions too: it
 * never crosses a page. */
static unsigned point_length(void)
{
    return isa_has(features.isa, "c") ? 2 : 4;
}

int debug_set_point(struct debug *d, gva_t at, bool step)
{
    unsigned length = point_length();
    uint32_t code = length == 2 ? EBREAK_SHORT : EBREAK;
    struct debug_point *p = free_point(d);
    uint64_t one = 1;

    if (debug_find_point(d, at) != NULL)
        return 0;
    if (at % length != 0)
        return DEBUG_ARGUMENT;
    if (p == NULL)
        return DEBUG_FULL;
    *p = (struct debug_point){.at = at, .step = step, .boot = d->vm->boots};
    if (!translate(d, at, &one, &p->gpa) || debug_copy(d, at, &p->saved, length, false) != 0 ||
        debug_copy(d, at, &code, length, true) != 0)
        return DEBUG_PLACE;
    p->used = true;
    return 0;
}

/* Removes it at the guest physical address where it was inserted, even if the guest's page tables
 * have changed. */
void debug_clear_point(struct debug *d, struct debug_point *p)
{
    lock_take(&d->vm->lock);
    if (p->boot == d->vm->boots && vm_is_up(d->vm) &&
        !memory_poke(d->vm, p->gpa, &p->saved, point_length()))
        print("hv: gdb: a breakpoint at 0x%lx could not be removed\n", p->at);
    lock_drop(&d->vm->lock);
    p->used = false;
    fence_code(d);
}

void debug_clear_points(struct debug *d, bool all)
{
    for (unsigned i = 0; i < DEBUG_POINTS; i++)
        if (d->points[i].used && (all || d->points[i].step))
            debug_clear_point(d, &d->points[i]);
}

/* ---- Triggers ---- */

enum { TRIGGER_BYTES = 8 }; /* the most that a trigger watches */

static int set_trigger(struct debug *d, gva_t at, unsigned access)
{
    struct trigger *unused = NULL;
    unsigned used = 0;

    for (unsigned i = 0; i < TRIGGERS_MAX; i++) {
        if (d->triggers[i].access == access && d->triggers[i].at == at)
            return 0;
        used += d->triggers[i].access != 0;
        if (d->triggers[i].access == 0)
            unused = &d->triggers[i];
    }
    if (unused == NULL || used >= trigger_count())
        return DEBUG_FULL;
    *unused = (struct trigger){at, access};
    if (trigger_want(d->triggers))
        return 0;
    unused->access = 0;
    (void)trigger_want(d->triggers); /* the harts took this set before */
    return DEBUG_ARGUMENT;
}

static void clear_trigger(struct debug *d, gva_t at, unsigned access)
{
    for (unsigned i = 0; i < TRIGGERS_MAX; i++)
        if (d->triggers[i].access == access && d->triggers[i].at == at)
            d->triggers[i].access = 0;
    (void)trigger_want(d->triggers); /* a part of a set that the harts took */
}

void debug_clear_triggers(struct debug *d)
{
    memset(d->triggers, 0, sizeof d->triggers);
    (void)trigger_want(d->triggers);
}

/* An access of up to eight bytes may begin before the watched address. */
static bool trigger_fits(const struct trigger *t, const struct vcpu *v)
{
    if (t->access == TRIGGER_EXECUTE)
        return v->regs.pc == t->at;
    return t->access != 0 && v->regs.trap.stval + TRIGGER_BYTES - 1 - t->at < 2 * TRIGGER_BYTES - 1;
}

static bool is_ebreak(gva_t at)
{
    uint16_t low, high;

    if (!hyp_fetch16(at, &low))
        return false;
    return low == EBREAK_SHORT ||
           (low == (uint16_t)EBREAK && hyp_fetch16(at + 2, &high) && high == EBREAK >> 16);
}

bool debug_is_hit(struct debug *d, const struct vcpu *v, struct trigger *hit)
{
    bool any = false;

    *hit = (struct trigger){0};
    for (unsigned i = 0; i < TRIGGERS_MAX; i++) {
        any |= d->triggers[i].access != 0;
        if (!trigger_fits(&d->triggers[i], v))
            continue;
        *hit = d->triggers[i];
        return true;
    }
    /* Harts need not report the address. A breakpoint exception without an ebreak comes from a
     * trigger. */
    return debug_find_point(d, v->regs.pc) != NULL || (any && !is_ebreak(v->regs.pc));
}

/* ---- By the protocol's kinds ---- */

struct point_kind {
    unsigned access;
    const char *name;
};

static const struct point_kind kinds[] = {{0, NULL},
                                          {TRIGGER_EXECUTE, NULL},
                                          {TRIGGER_STORE, "watch:"},
                                          {TRIGGER_LOAD, "rwatch:"},
                                          {TRIGGER_LOAD | TRIGGER_STORE, "awatch:"}};

bool debug_has_kind(uint64_t kind)
{
    return kind == 0 || (kind < ARRAY_SIZE(kinds) && trigger_count() > 0);
}

int debug_set(struct debug *d, uint64_t kind, gva_t at, uint64_t length)
{
    if (kind == 0)
        return debug_set_point(d, at, false);
    return length <= TRIGGER_BYTES ? set_trigger(d, at, kinds[kind].access) : DEBUG_ARGUMENT;
}

int debug_clear(struct debug *d, uint64_t kind, gva_t at)
{
    struct debug_point *p = kind == 0 ? debug_find_point(d, at) : NULL;

    if (p != NULL)
        debug_clear_point(d, p);
    else if (kind != 0)
        clear_trigger(d, at, kinds[kind].access);
    return 0;
}

const char *debug_watch_name(unsigned access)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
        if (access != 0 && kinds[i].access == access)
            return kinds[i].name;
    return NULL;
}

/* ---- Steps ---- */

static bool fetch(struct debug *d, gva_t at, struct insn *insn)
{
    uint16_t low, high = 0;

    if (debug_copy(d, at, &low, 2, false) != 0 ||
        (insn_length(low) == 4 && debug_copy(d, at + 2, &high, 2, false) != 0))
        return false;
    *insn = insn_decode((uint32_t)high << 16 | low);
    return true;
}

/* Inserts the breakpoints that end the current vCPU's step. No trap may come between lr and sc, so
 * the sequence from lr to sc is one step: a breakpoint is set behind it, and at the target of each
 * branch that leaves it. */
int debug_insert_steps(struct debug *d)
{
    const struct vcpu *v = d->vm->vcpus[d->thread];
    struct flow_state s = {.pc = v->regs.pc,
                           .vsepc = v->csr.vsepc,
                           .vstvec = v->csr.vstvec,
                           .supervisor = (v->regs.sstatus & SSTATUS_SPP) != 0};
    gva_t start = s.pc, next[FLOW_NEXT_MAX];
    bool reserved = false, inserted = false;

    memcpy(s.x, v->regs.x, sizeof s.x);
    s.x[0] = 0;
    for (unsigned i = 0; i < FLOW_LOOP_MAX; i++) {
        struct insn insn;
        unsigned count;

        if (!fetch(d, s.pc, &insn))
            return DEBUG_PLACE;
        count = flow_next(&s, &insn, next);
        reserved |= insn.kind == INSN_LR;
        if (!reserved || insn.kind == INSN_SC) {
            for (unsigned n = 0; n < count; n++)
                inserted |= debug_set_point(d, next[n], true) == 0;
            return inserted ? 0 : DEBUG_PLACE;
        }
        if (count > 1 && (next[1] < start || next[1] > start + 4 * FLOW_LOOP_MAX))
            inserted |= debug_set_point(d, next[1], true) == 0;
        else if (count > 1) /* in the sequence, or just behind it */
            inserted |= next[1] > s.pc && debug_set_point(d, next[1], true) == 0;
        s.pc = next[0];
    }
    debug_clear_points(d, false); /* no sc follows: an ordinary step */
    return debug_set_point(d, start + 4, true);
}

/* ---- Registers ---- */

struct csr_register {
    const char *name;
    size_t at;
};

static const struct csr_register csrs[] = {
    {"sstatus", offsetof(struct vcpu_csrs, vsstatus)},
    {"sie", offsetof(struct vcpu_csrs, vsie)},
    {"stvec", offsetof(struct vcpu_csrs, vstvec)},
    {"sscratch", offsetof(struct vcpu_csrs, vsscratch)},
    {"sepc", offsetof(struct vcpu_csrs, vsepc)},
    {"scause", offsetof(struct vcpu_csrs, vscause)},
    {"stval", offsetof(struct vcpu_csrs, vstval)},
    {"satp", offsetof(struct vcpu_csrs, vsatp)},
};

uint64_t *debug_register(struct debug *d, uint64_t number)
{
    struct vcpu *v = d->vm->vcpus[d->thread];

    if (number < DEBUG_PC)
        return &v->regs.x[number];
    if (number == DEBUG_PC)
        return &v->regs.pc;
    number -= DEBUG_REGISTERS;
    return number < ARRAY_SIZE(csrs) ? (uint64_t *)((char *)&v->csr + csrs[number].at) : NULL;
}

static size_t add_register(char *to, const char *name, unsigned number, const char *type)
{
    return (size_t)fmt_snprint(to, 96, "<reg name='%s' bitsize='64' regnum='%u' type='%s'/>", name,
                               number, type);
}

size_t debug_describe(char xml[DEBUG_XML])
{
    size_t n = (size_t)fmt_snprint(xml, DEBUG_XML,
                                   "<?xml version='1.0'?><!DOCTYPE target SYSTEM 'gdb-target.dtd'>"
                                   "<target><architecture>riscv:rv64</architecture>"
                                   "<feature name='org.gnu.gdb.riscv.cpu'>");

    for (unsigned i = 0; i < DEBUG_PC; i++)
        n += add_register(xml + n, insn_register(i), i, i == 2 ? "data_ptr" : "int");
    n += add_register(xml + n, "pc", DEBUG_PC, "code_ptr");
    n += (size_t)fmt_snprint(xml + n, 96, "</feature><feature name='org.gnu.gdb.riscv.csr'>");
    for (unsigned i = 0; i < ARRAY_SIZE(csrs); i++)
        n += add_register(xml + n, csrs[i].name, DEBUG_REGISTERS + i, "int");
    return n + (size_t)fmt_snprint(xml + n, 32, "</feature></target>");
}
