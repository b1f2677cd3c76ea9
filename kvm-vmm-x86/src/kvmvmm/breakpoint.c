/*
 * Breakpoints of the library's machines: int3 in memory if KVM reports that, otherwise the debug
 * registers (Intel SDM volume 3, 18.2), otherwise an `out` of two bytes to a port
 * (watch/gdb/traps.h). The guest stops before the instruction; to go on, it executes the
 * instruction in a single step. Breakpoints in memory are also in the snapshot's copy of memory, so
 * that a reset keeps them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/kvm/debug.h"
#include "kvmvmm/machine.h"
#include "watch/explain/fault/raise.h"
#include "watch/explain/walk.h"

enum { VECTOR_INT3 = 3 };

static const uint8_t traps[][2] = {
    [TRAP_INT3] = {0xcc}, [TRAP_PORT] = {0xe6, TRAPS_PORT} /* out %al, $imm8 */
};

/* DR7: register `i` breaks on execution. */
#define DR7_EXECUTE(i) (UINT64_C(1) << 2 * (i))

static struct kvmvmm_breakpoint *find(struct kvmvmm_breakpoints *b, uint64_t address)
{
    size_t low = 0, high = b->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (b->list[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->count && b->list[low].address == address ? &b->list[low] : NULL;
}

static void change(uint8_t *at, const uint8_t *from, const uint8_t *to, unsigned length)
{
    if (at != NULL && memcmp(at, from, length) == 0)
        memcpy(at, to, length);
}

/* Inserts or removes a breakpoint in memory and in the snapshot's copy. Bytes that the guest has
 * overwritten stay. */
static void put(struct kvmvmm *m, const struct kvmvmm_breakpoint *b, bool in)
{
    const uint8_t *from = in ? b->own : traps[b->length], *to = in ? traps[b->length] : b->own;

    if (b->length == 0)
        return;
    change(memory_at(&m->vm.memory, b->place, b->length), from, to, b->length);
    if (m->saved.taken)
        change(memory_at(&m->saved.copy, b->place, b->length), from, to, b->length);
}

static void probe(struct kvmvmm *m)
{
    struct error ignored;
    struct kvm kvm;

    if (m->breakpoints.probed)
        return;
    m->breakpoints.probed = true;
    if (kvm_open(&kvm, m->config.kvm, &ignored) < 0)
        return;
    m->breakpoints.features = probe_debug(&kvm);
    m->breakpoints.step_flags = kvm_guest_debug_flags(m->vm.fd) & KVM_GUESTDBG_BLOCKIRQ;
    kvm_close(&kvm);
}

/* Whether the bytes of two breakpoints overlap in memory, or one covers the other's instruction. */
static bool overlaps(struct kvmvmm_breakpoints *b, const struct kvmvmm_breakpoint *new)
{
    const struct kvmvmm_breakpoint *before = find(b, new->address - 1);

    if ((before != NULL && before->narrow) || (new->narrow &&find(b, new->address + 1) != NULL))
        return true;
    for (size_t i = 0; new->length > 0 && i < b->count; i++)
        if (b->list[i].length > 0 && b->list[i].place < new->place + new->length &&new->place <
                                         b->list[i].place + b->list[i].length)
            return true;
    return false;
}

static int place(struct kvmvmm *m, struct kvmvmm_breakpoint *b, struct error *error)
{
    struct instruction in;
    struct snapshot s;

    if (b->length > 0) {
        if (kvmvmm_look(m, &s, error) < 0)
            return -1;
        if (!walk_place(&s, b->address, &b->place) ||
            b->place % PAGE_SIZE + b->length > PAGE_SIZE ||
            !memory_read(&m->vm.memory, b->place, b->own, b->length))
            return error_set(error, "the guest has no %u bytes in one page at %#llx", b->length,
                             (unsigned long long)b->address);
        b->narrow = instruction_at(&s, b->address, &in) && in.i.length < b->length;
    }
    return overlaps(&m->breakpoints, b)
               ? error_set(error, "another breakpoint is too close to %#llx",
                           (unsigned long long)b->address)
               : 0;
}

static int insert(struct kvmvmm_breakpoints *b, const struct kvmvmm_breakpoint *new,
                  struct error *error)
{
    size_t at = 0;

    if (b->count == b->room) {
        size_t room = b->room != 0 ? 2 * b->room : 64;
        struct kvmvmm_breakpoint *larger = realloc(b->list, room * sizeof *larger);

        if (larger == NULL)
            return error_set(error, "out of memory");
        b->list = larger;
        b->room = room;
    }
    at = b->count;
    while (at > 0 && b->list[at - 1].address > new->address)
        at--;
    memmove(b->list + at + 1, b->list + at, (b->count - at) * sizeof *b->list);
    b->list[at] = *new;
    b->count++;
    return 0;
}

int kvmvmm_set_breakpoint(struct kvmvmm *m, uint64_t address, struct kvmvmm_error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    struct kvmvmm_breakpoint new = {.address = address};
    struct error why;

    if (find(b, address) != NULL)
        return 0;
    probe(m);
    new.length = b->features.int3                                          ? TRAP_INT3
                 : b->features.breakpoint && b->hardware < KVMVMM_HARDWARE ? 0
                                                                           : TRAP_PORT;
    if (place(m, &new, &why) < 0 || insert(b, &new, &why) < 0)
        return kvmvmm_fail(error, &why);
    put(m, &new, true);
    b->hardware += new.length == 0;
    b->narrow += new.narrow;
    return 0;
}

void kvmvmm_clear_breakpoint(struct kvmvmm *m, uint64_t address)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    struct kvmvmm_breakpoint *old = find(b, address);

    if (old == NULL)
        return;
    put(m, old, false);
    b->hardware -= old->length == 0;
    b->narrow -= old->narrow;
    b->count--;
    memmove(old, old + 1, (size_t)(b->list + b->count - old) * sizeof *old);
}

void kvmvmm_forget_breakpoints(struct kvmvmm *m)
{
    free(m->breakpoints.list);
    m->breakpoints = (struct kvmvmm_breakpoints){0};
}

/* Sets KVM's debug state: all breakpoints, or a single step over the current one. */
static int debug_guest(struct kvmvmm *m, uint32_t more, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    uint64_t addresses[KVMVMM_HARDWARE] = {0}, dr7 = 0;
    uint32_t control =
        b->stepping ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | b->step_flags : 0;
    unsigned used = 0;
    int code;

    for (size_t i = 0; b->hardware > 0 && !b->stepping && i < b->count; i++)
        if (b->list[i].length == 0) {
            addresses[used] = b->list[i].address;
            dr7 |= DR7_EXECUTE(used++);
        }
    if (b->count > 0)
        control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
    if (used > 0)
        control |= KVM_GUESTDBG_USE_HW_BP;
    if ((control | more) == b->control && used == 0)
        return 0;
    b->control = control;
    code = kvm_set_guest_debug(&m->vm.vcpus[0].cpu, control | more, addresses, dr7);
    return code == 0 ? 0 : error_set(error, "KVM refuses to debug its guest: %s", strerror(-code));
}

static void add_calls(struct kvmvmm *m, const struct snapshot *s)
{
    gva_t calls[HANDLERS_CALLS];

    for (unsigned i = 0; i < HANDLERS_CALLS; i++)
        calls[i] = kvm_read_msr(&m->vm.vcpus[0].cpu, handlers_call_msrs[i]);
    handlers_add_calls(&m->breakpoints.handlers, s, calls);
}

/* If the stepped instruction saves flags or raises an exception, the saved flags (on the stack or
 * in R11) have the trap flag set. The processor does not step in the handler, so the handler's
 * first instruction gets a trap, unless a breakpoint is there already. */
static void look_ahead(struct kvmvmm *m)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    struct error ignored;
    struct snapshot s;
    struct raise next;
    unsigned length;
    gva_t rip;

    b->pushed = 0;
    b->handlers.count = b->traps.count = 0;
    if (kvmvmm_look(m, &s, &ignored) < 0)
        return;
    next = raise_look(&s);
    rip = snapshot_linear_rip(&s);
    length = next.decoded ? next.instruction.i.length : INSTRUCTION_MAX;
    if (next.exception.vector != EXCEPTION_NONE)
        handlers_add_vector(&b->handlers, &s, (unsigned)next.exception.vector);
    else if (next.decoded && (next.instruction.i.mnemonic == ZYDIS_MNEMONIC_SYSCALL ||
                              next.instruction.i.mnemonic == ZYDIS_MNEMONIC_SYSENTER))
        add_calls(m, &s);
    else if (handlers_is_pushf(&s))
        b->pushed = rip + length;
    for (unsigned i = 0; i < b->handlers.count; i++) {
        const struct handler *h = &b->handlers.list[i];

        if (find(b, h->linear) == NULL &&
            (h->linear + TRAP_PORT <= rip || h->linear >= rip + length))
            (void)traps_put(&b->traps, &m->vm.memory, h->at,
                            b->features.int3 ? TRAP_INT3 : TRAP_PORT);
    }
}

static const struct handler *handler_at(const struct kvmvmm_breakpoints *b, gva_t at)
{
    for (unsigned i = 0; i < b->handlers.count; i++)
        if (b->handlers.list[i].linear == at)
            return &b->handlers.list[i];
    return NULL;
}

/* Clears the trap flag in the saved flags, so that the guest does not see it. */
static int hide_trap_flag(struct kvmvmm *m, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    const struct handler *handler;
    struct snapshot s;
    int code = 0;

    if (b->pushed == 0 && b->handlers.count == 0)
        return 0;
    (void)traps_clear(&b->traps, &m->vm.memory);
    if (kvmvmm_look(m, &s, error) < 0)
        return -1;
    handler = handler_at(b, snapshot_linear_rip(&s));
    if (handler != NULL) {
        handlers_hide_trap_flag(handler, &s);
        code = kvm_write_general(&m->vm.vcpus[0].cpu, &s.regs);
    } else if (b->pushed != 0 && b->pushed == snapshot_linear_rip(&s))
        handlers_hide_pushed_flag(&s);
    b->pushed = b->handlers.count = 0;
    return code == 0 ? 0 : error_set(error, "KVM refuses the registers: %s", strerror(-code));
}

/* The breakpoint whose second byte covers the instruction at RIP, or NULL. */
static struct kvmvmm_breakpoint *covering(struct kvmvmm *m)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    struct kvmvmm_breakpoint *before;
    struct error ignored;
    struct snapshot s;

    if (b->narrow == 0 || kvmvmm_look(m, &s, &ignored) < 0)
        return NULL;
    before = find(b, snapshot_linear_rip(&s) - 1);
    return before != NULL && before->narrow ? before : NULL;
}

/* Stepping is requested each time, since an instruction that writes the flags ends it. */
static int step_over(struct kvmvmm *m, const struct kvmvmm_breakpoint *here, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;

    b->at = here->address;
    b->stepping = true;
    b->exits = m->vm.vcpus[0].stats.exits;
    b->control = UINT32_MAX;
    put(m, here, false);
    look_ahead(m);
    return debug_guest(m, 0, error);
}

int kvmvmm_begin_step(struct kvmvmm *m, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    const struct kvmvmm_breakpoint *here = b->stands ? find(b, b->at) : NULL;

    if (here == NULL)
        here = covering(m);
    b->stands = b->stepping = false;
    return here != NULL ? step_over(m, here, error) : debug_guest(m, 0, error);
}

/* `done`: the instruction was executed. If the breakpoint also covers the next instruction, and the
 * guest goes on, that one is stepped as well. */
static int end_step(struct kvmvmm *m, bool done, bool goes_on, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    const struct kvmvmm_breakpoint *here = find(b, b->at);
    int hidden = hide_trap_flag(m, error);

    if (hidden == 0 && done && goes_on && here != NULL && covering(m) == here)
        return step_over(m, here, error);
    b->stepping = false;
    b->stands = !done;
    if (here != NULL)
        put(m, here, true);
    return hidden < 0 ? hidden : debug_guest(m, 0, error);
}

int kvmvmm_end_step(struct kvmvmm *m, bool last, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    bool done = m->vm.vcpus[0].stats.exits != b->exits, goes_on = !last && !m->stopped;

    if (!b->stepping || !(done || last))
        return 0;
    if (goes_on && b->narrow > 0 && vm_end_of(&m->vm).kind == END_NONE) {
        pause_finish_exit(&m->vm.vcpus[0]); /* only then RIP is at the next instruction */
        if (!b->stepping || m->vm.vcpus[0].again || m->vm.vcpus[0].stats.exits == b->exits)
            return 0;
    }
    return end_step(m, done, goes_on, error);
}

/* A breakpoint that is hit while KVM finishes an earlier stop is ignored: it will be hit again. */
static void stop_at(struct kvmvmm *m, uint64_t address)
{
    if (m->stopped)
        return;
    m->breakpoints.stands = true;
    m->breakpoints.at = address;
    m->event.reason = KVMVMM_BREAKPOINT;
    m->event.address = address;
    m->stopped = true;
}

/* An int3 that is not ours belongs to the guest. */
void kvmvmm_met(struct kvmvmm *m)
{
    const struct kvm_debug_exit_arch *arch = &m->vm.vcpus[0].cpu.run->debug.arch;
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    bool handler = b->stepping && handler_at(b, arch->pc) != NULL;
    struct error why;
    int result = 0;

    if (b->stepping)
        result = end_step(m, true, !m->stopped, &why);
    if (find(b, arch->pc) != NULL)
        stop_at(m, arch->pc);
    else if (arch->exception == VECTOR_INT3 && !handler)
        result = debug_guest(m, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP, &why);
    if (result < 0)
        vm_stop(&m->vm, END_FAILED, 0, "%s", why.text);
}

/* After KVM has finished the instruction, RIP is behind it. The guest's own writes to the port are
 * ignored. */
void kvmvmm_met_port(struct kvmvmm *m)
{
    const struct kvm_cpu *cpu = &m->vm.vcpus[0].cpu;
    const struct kvmvmm_breakpoint *here;
    struct snapshot s;
    struct error why;
    bool handler;
    gva_t at;
    int code = kvm_finish_exit(cpu);

    if ((code < 0 && code != -EINTR) || kvmvmm_look(m, &s, &why) < 0) {
        vm_stop(&m->vm, END_FAILED, 0, "KVM cannot finish the guest's port access");
        return;
    }
    s.regs.rip -= TRAP_PORT;
    at = snapshot_linear_rip(&s);
    here = find(&m->breakpoints, at);
    handler = m->breakpoints.stepping && handler_at(&m->breakpoints, at) != NULL;
    if (!handler && (here == NULL || here->length != TRAP_PORT))
        return;
    code = kvm_write_general(cpu, &s.regs);
    if (code < 0)
        vm_stop(&m->vm, END_FAILED, 0, "KVM refuses the registers: %s", strerror(-code));
    else if (handler && end_step(m, true, true, &why) < 0)
        vm_stop(&m->vm, END_FAILED, 0, "%s", why.text);
    else if (here != NULL)
        stop_at(m, at);
}
