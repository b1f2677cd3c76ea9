/*
 * Hypercalls on port 0x500 (abi/hypercall.h). A write to the port makes the call whose number is in
 * AL; arguments and results are in the general registers. A read returns the result of the last
 * HC_GETCHAR.
 */
#include "dev/hypercall.h"

#include <stdio.h>
#include <string.h>

#include "abi/hypercall.h"

enum { PIECE = 4096 };

static enum verdict stop(struct hypercall *hc, enum end_kind kind, const char *message)
{
    hc->backend->end(hc->backend->context, kind, 0, message);
    return VERDICT_STOP;
}

static enum verdict hc_exit(struct hypercall *hc, struct bus_cpu *cpu)
{
    (void)cpu;
    return stop(hc, END_EXIT, NULL);
}

static enum verdict hc_putchar(struct hypercall *hc, struct bus_cpu *cpu)
{
    uint8_t byte = (uint8_t)cpu->regs->rbx;

    hc->backend->output(hc->backend->context, &byte, 1);
    return VERDICT_RESUME;
}

/* Stores the byte for reads of the port. Returns how often in a row the guest has read the end of
 * its input. */
static unsigned note_answer(struct hypercall *hc, int byte)
{
    unsigned ended;

    lock_take(&hc->lock);
    hc->state.ended = byte >= 0 ? 0 : hc->state.ended + 1;
    hc->state.last = byte >= 0 ? (uint8_t)byte : HC_EOF;
    ended = hc->state.ended;
    lock_release(&hc->lock);
    return ended;
}

/* Every result sets or clears CF, so that the end of input differs from a byte of the same value.
 */
static enum verdict hc_getchar(struct hypercall *hc, struct bus_cpu *cpu)
{
    int byte;

    hc->backend->want_input(hc->backend->context);
    byte = hc->backend->input(hc->backend->context);
    if (byte == INPUT_NONE)
        return VERDICT_AGAIN;
    if (note_answer(hc, byte) >= HC_EOF_LIMIT)
        return stop(hc, END_CRASH, "went on reading after the end of its input");
    if (byte >= 0)
        cpu->regs->rflags &= ~RFLAGS_CF;
    else
        cpu->regs->rflags |= RFLAGS_CF;
    cpu->regs_changed = true;
    cpu->regs->rax = (cpu->regs->rax & ~UINT64_C(0xff)) | (byte >= 0 ? (uint8_t)byte : HC_EOF);
    return VERDICT_RESUME;
}

/* Writes one slice in each call, so that the guest can be stopped between two and can wait for its
 * reader. Each piece is copied once, so that all readers of the output see the same bytes even if
 * another vCPU changes them meanwhile. */
static enum verdict hc_write(struct hypercall *hc, struct bus_cpu *cpu)
{
    gpa_t from = cpu->regs->rbx & UINT32_MAX;
    uint64_t whole = cpu->regs->rcx & UINT32_MAX, limit;
    uint8_t piece[PIECE];
    char message[96];

    if (cpu->done >= whole) /* nothing to write, or a debugger changed the arguments */
        cpu->done = 0;
    limit = whole - cpu->done > HYPERCALL_SLICE ? cpu->done + HYPERCALL_SLICE : whole;
    while (cpu->done < limit) {
        size_t n = limit - cpu->done < PIECE ? limit - cpu->done : PIECE;

        if (!memory_holds(hc->backend->memory, from, whole) ||
            !memory_read(hc->backend->memory, from + cpu->done, piece, n)) {
            snprintf(message, sizeof message,
                     "hypercall WRITE of %#llx bytes at %#llx: not all of it is RAM",
                     (unsigned long long)whole, (unsigned long long)from);
            return stop(hc, END_CRASH, message);
        }
        hc->backend->output(hc->backend->context, piece, n);
        cpu->done += n;
    }
    return cpu->done < whole ? VERDICT_AGAIN : VERDICT_RESUME;
}

/* (Inlined, it would make each call reserve stack for its text.) */
static __attribute__((noinline)) enum verdict hc_unknown(struct hypercall *hc, struct bus_cpu *cpu,
                                                         uint8_t number)
{
    char message[96];

    if (hc->backend->call != NULL && hc->backend->call(hc->backend->context, number))
        return VERDICT_STOP;
    snprintf(message, sizeof message, "unknown hypercall %#x at rip %#llx", number,
             (unsigned long long)cpu->regs->rip);
    return stop(hc, END_CRASH, message);
}

/* The copy is made with the registers before the call, so it makes the call again. */
static enum verdict hc_fork(struct hypercall *hc, struct bus_cpu *cpu)
{
    uint64_t number = UINT64_MAX;

    if (hc->backend->fork == NULL)
        return hc_unknown(hc, cpu, HC_FORK);
    switch (hc->backend->fork(hc->backend->context, cpu, &number)) {
    case FORK_LATER:
        return VERDICT_AGAIN;
    case FORK_OFF:
        return stop(hc, END_CRASH, "hypercall FORK: the run allows no copies (give --forks N)");
    case FORK_MADE:
        cpu->regs->rflags &= ~RFLAGS_CF;
        break;
    case FORK_REFUSED:
        number = UINT64_MAX;
        cpu->regs->rflags |= RFLAGS_CF;
        break;
    }
    cpu->regs->rax = number;
    cpu->regs_changed = true;
    return VERDICT_RESUME;
}

static enum verdict (*const calls[256])(struct hypercall *, struct bus_cpu *) = {
    [HC_EXIT] = hc_exit,   [HC_PUTCHAR] = hc_putchar, [HC_GETCHAR] = hc_getchar,
    [HC_WRITE] = hc_write, [HC_FORK] = hc_fork,
};

static enum verdict hypercall_access(void *device, struct bus_access *access)
{
    struct hypercall *hc = device;
    uint8_t number = access->data[0];

    if (!access->write) {
        lock_take(&hc->lock);
        access->data[0] = hc->state.last;
        lock_release(&hc->lock);
        return VERDICT_RESUME;
    }
    return calls[number] != NULL ? calls[number](hc, access->cpu)
                                 : hc_unknown(hc, access->cpu, number);
}

/* Writes are named by the number of the call. */
static const char *const call_names[] = {
    [HC_EXIT] = "EXIT",   [HC_PUTCHAR] = "PUTCHAR", [HC_GETCHAR] = "GETCHAR",
    [HC_WRITE] = "WRITE", [HC_FORK] = "FORK",
};
static const char *const read_names[] = {"last byte"};
static const struct bus_registers registers = {
    .read = BUS_NAMES(read_names), .written = BUS_NAMES(call_names), .by_value = true};

static bool is_sound(const void *saved)
{
    struct hypercall_state s;

    memcpy(&s, saved, sizeof s);
    return s.ended < HC_EOF_LIMIT;
}

static const struct bus_state state = {
    .version = 1, BUS_STATE_OF(struct hypercall), .is_sound = is_sound};

const struct bus_ops hypercall_ops = {.name = "hypercall",
                                      .registers = &registers,
                                      .width = 1,
                                      .access = hypercall_access,
                                      .state = &state};

void hypercall_init(struct hypercall *hypercall, const struct backend *backend)
{
    *hypercall = (struct hypercall){.backend = backend};
    lock_init(&hypercall->lock);
}
