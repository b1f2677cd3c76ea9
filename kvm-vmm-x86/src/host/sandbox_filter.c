/* The filter; see sandbox_filter.h. seccomp(2); Documentation/networking/filter.rst of Linux. */
#include "host/sandbox_filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "host/sandbox_calls.h"

enum { JUMP_MAX = UINT8_MAX };

struct program {
    struct sock_filter *code;
    unsigned count, needs;
};

static void put(struct program *p, uint16_t code, uint32_t value)
{
    assert(p->count < SANDBOX_FILTER_MAX);
    p->code[p->count++] = (struct sock_filter){.code = code, .k = value};
}

static void load(struct program *p, size_t offset)
{
    put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static void answer(struct program *p, uint32_t action)
{
    put(p, BPF_RET | BPF_K, action);
}

/* Compares what was loaded, and jumps over so many instructions where it is equal and where not. */
static void compare(struct program *p, uint32_t value, unsigned equal, unsigned other)
{
    put(p, BPF_JMP | BPF_JEQ | BPF_K, value);
    p->code[p->count - 1].jt = (uint8_t)equal;
    p->code[p->count - 1].jf = (uint8_t)other;
}

/* The comparisons from the `first` instruction on are a list: each that is equal jumps behind the
 * one instruction that follows the list, to an answer that allows the call. */
static void end_list(struct program *p, unsigned first)
{
    assert(p->count - first <= JUMP_MAX);
    for (unsigned i = first; i < p->count; i++)
        p->code[i].jt = (uint8_t)(p->count - i);
}

/* The comparisons from the `first` instruction on must all hold: each that does not jumps to what
 * follows here. */
static void end_conditions(struct program *p, unsigned first)
{
    assert(p->count - first <= JUMP_MAX);
    for (unsigned i = first; i < p->count; i++)
        if (BPF_CLASS(p->code[i].code) == BPF_JMP && p->code[i].jt == 0)
            p->code[i].jf = (uint8_t)(p->count - i - 1);
}

static bool is_needed(const struct program *p, unsigned by)
{
    return by == 0 || (p->needs & by) != 0;
}

/* They are looked at before all else, and KVM_RUN before the others: it is the call that counts. */
static void allow_ioctls(struct program *p, uint32_t otherwise)
{
    unsigned block = p->count, list;

    compare(p, SYS_ioctl, 0, 0);
    load(p, offsetof(struct seccomp_data, args[1])); /* the kernel takes an unsigned int of it */
    list = p->count;
    for (unsigned i = 0; i < sandbox_ioctl_count; i++)
        if (is_needed(p, sandbox_ioctls[i].needs))
            compare(p, sandbox_ioctls[i].request, 0, 0);
    end_list(p, list);
    answer(p, otherwise);
    answer(p, SECCOMP_RET_ALLOW);
    end_conditions(p, block);
}

/* Those that are allowed whatever their arguments. */
static void allow_numbers(struct program *p)
{
    unsigned first = p->count;

    for (unsigned i = 0; i < sandbox_call_count; i++)
        if (sandbox_calls[i].conditions[0].mask == 0 && is_needed(p, sandbox_calls[i].needs))
            compare(p, (uint32_t)sandbox_calls[i].number, 0, 0);
    end_list(p, first);
    put(p, BPF_JMP | BPF_JA, 1);
    answer(p, SECCOMP_RET_ALLOW);
}

static void require_half(struct program *p, size_t offset, uint32_t mask, uint32_t value)
{
    if (mask == 0)
        return;
    load(p, offset);
    if (mask != UINT32_MAX)
        put(p, BPF_ALU | BPF_AND | BPF_K, mask);
    compare(p, value, 0, 0);
}

static void allow(struct program *p, const struct sandbox_call *call)
{
    unsigned first = p->count;

    compare(p, (uint32_t)call->number, 0, 0);
    for (unsigned i = 0; i < SANDBOX_CONDITIONS_MAX && call->conditions[i].mask != 0; i++) {
        const struct sandbox_condition *c = &call->conditions[i];
        size_t low = offsetof(struct seccomp_data, args) + c->argument * sizeof(uint64_t);

        require_half(p, low, (uint32_t)c->mask, (uint32_t)c->value);
        require_half(p, low + sizeof(uint32_t), c->mask >> 32, c->value >> 32);
    }
    answer(p, SECCOMP_RET_ALLOW);
    end_conditions(p, first);
    load(p, offsetof(struct seccomp_data, nr)); /* an argument may have taken its place */
}

unsigned sandbox_filter_make(struct sock_filter program[SANDBOX_FILTER_MAX], unsigned needs,
                             pid_t self, uint32_t otherwise)
{
    const struct sandbox_call to_self = {
        .number = SYS_tgkill, .conditions = {{UINT32_MAX, (uint32_t)self, 0}}}; /* signals */
    struct program p = {.code = program, .needs = needs};

    load(&p, offsetof(struct seccomp_data, arch));
    compare(&p, AUDIT_ARCH_X86_64, 1, 0);
    answer(&p, SECCOMP_RET_KILL_PROCESS);
    load(&p, offsetof(struct seccomp_data, nr));
    allow_ioctls(&p, otherwise);
    allow_numbers(&p);
    for (unsigned i = 0; i < sandbox_call_count; i++)
        if (sandbox_calls[i].conditions[0].mask != 0 && is_needed(&p, sandbox_calls[i].needs))
            allow(&p, &sandbox_calls[i]);
    allow(&p, &to_self);
    compare(&p, SYS_clone3, 0, 1);
    answer(&p, SECCOMP_RET_ERRNO | ENOSYS);
    answer(&p, otherwise);
    return p.count;
}
