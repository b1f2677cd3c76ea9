/*
 * Where a machine of the library stops: int3 in its memory where KVM reports that, else a
 * processor's debug registers (Intel SDM volume 3, 18.2), else a write to a port of two bytes
 * (watch/gdb/traps.h). The guest stops before the instruction; to go on, that is executed alone.
 * What stands in memory also stands in the snapshot's copy of it, so that a reset leaves it where
 * it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/kvm_debug.h"
#include "kvmvmm/machine.h"
#include "watch/explain/walk.h"
#include "watch/gdb/traps.h"

enum { VECTOR_INT3 = 3 };

static const uint8_t traps[][2] = {
    [TRAP_INT3] = {0xcc}, [TRAP_PORT] = {0xe6, TRAPS_PORT} /* out %al, $imm8 */
};

/* DR7: register `i` is enabled, for execution. */
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

/* In or out, in memory and in what a reset puts there. What the guest has written over it stays. */
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
    kvm_close(&kvm);
}

/* Whether one of two bytes begins right before it, or it would reach into the next. */
static bool overlaps(const struct kvmvmm_breakpoints *b, const struct kvmvmm_breakpoint *new)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->list[i].length > 0 && b->list[i].place < new->place + new->length &&new->place <
                                         b->list[i].place + b->list[i].length)
            return true;
    return false;
}

static int place(struct kvmvmm *m, struct kvmvmm_breakpoint *b, struct error *error)
{
    struct snapshot s;

    if (b->length == 0)
        return 0;
    if (kvmvmm_look(m, &s, error) < 0)
        return -1;
    if (!walk_place(&s, b->address, &b->place) || b->place % PAGE_SIZE + b->length > PAGE_SIZE ||
        !memory_read(&m->vm.memory, b->place, b->own, b->length))
        return error_set(error, "the guest has no %u bytes in one page at %#llx", b->length,
                         (unsigned long long)b->address);
    return overlaps(&m->breakpoints, b)
               ? error_set(error, "another breakpoint stands in the %u bytes at %#llx", b->length,
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
    b->count--;
    memmove(old, old + 1, (size_t)(b->list + b->count - old) * sizeof *old);
}

void kvmvmm_forget_breakpoints(struct kvmvmm *m)
{
    free(m->breakpoints.list);
    m->breakpoints = (struct kvmvmm_breakpoints){0};
}

/* Tells KVM what is to come back: the breakpoints, or one step over the one that it stands at. */
static int debug_guest(struct kvmvmm *m, uint32_t more, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    uint64_t addresses[KVMVMM_HARDWARE] = {0}, dr7 = 0;
    uint32_t control = b->stepping ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0;
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

int kvmvmm_begin_step(struct kvmvmm *m, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    const struct kvmvmm_breakpoint *here = b->stands ? find(b, b->at) : NULL;

    b->stands = false;
    b->stepping = here != NULL;
    b->exits = m->vm.vcpus[0].stats.exits;
    if (here != NULL)
        put(m, here, false);
    return debug_guest(m, 0, error);
}

/* `done`: the instruction was executed. */
static int end_step(struct kvmvmm *m, bool done, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    const struct kvmvmm_breakpoint *here = find(b, b->at);

    b->stepping = false;
    b->stands = !done;
    if (here != NULL)
        put(m, here, true);
    return debug_guest(m, 0, error);
}

int kvmvmm_end_step(struct kvmvmm *m, bool last, struct error *error)
{
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    bool done = m->vm.vcpus[0].stats.exits != b->exits;

    return b->stepping && (done || last) ? end_step(m, done, error) : 0;
}

static void stop_at(struct kvmvmm *m, uint64_t address)
{
    m->breakpoints.stands = true;
    m->breakpoints.at = address;
    m->event.reason = KVMVMM_BREAKPOINT;
    m->event.address = address;
    m->stopped = true;
}

/* Another int3 is the guest's own. */
void kvmvmm_met(struct kvmvmm *m)
{
    const struct kvm_debug_exit_arch *arch = &m->vm.vcpus[0].cpu.run->debug.arch;
    struct kvmvmm_breakpoints *b = &m->breakpoints;
    struct error why;
    int result = 0;

    if (b->stepping)
        result = end_step(m, true, &why);
    if (find(b, arch->pc) != NULL)
        stop_at(m, arch->pc);
    else if (arch->exception == VECTOR_INT3)
        result = debug_guest(m, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP, &why);
    if (result < 0)
        vm_stop(&m->vm, END_FAILED, 0, "%s", why.text);
}

/* RIP is behind it once KVM has finished it. A write of the guest's own goes nowhere. */
void kvmvmm_met_port(struct kvmvmm *m)
{
    const struct kvm_cpu *cpu = &m->vm.vcpus[0].cpu;
    const struct kvmvmm_breakpoint *here;
    struct snapshot s;
    struct error why;
    int code = kvm_finish_exit(cpu);

    if ((code < 0 && code != -EINTR) || kvmvmm_look(m, &s, &why) < 0) {
        vm_stop(&m->vm, END_FAILED, 0, "KVM cannot finish its access to a port");
        return;
    }
    s.regs.rip -= TRAP_PORT;
    here = find(&m->breakpoints, snapshot_linear_rip(&s));
    if (here == NULL || here->length != TRAP_PORT)
        return;
    code = kvm_write_general(cpu, &s.regs);
    if (code < 0)
        vm_stop(&m->vm, END_FAILED, 0, "KVM does not take registers: %s", strerror(-code));
    else
        stop_at(m, here->address);
}
