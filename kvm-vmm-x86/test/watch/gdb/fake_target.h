/* A machine of a few variables for gdb's stub: two vCPUs, a page of RAM, and a record of what was
 * asked of it. */
#ifndef TEST_FAKE_TARGET_H
#define TEST_FAKE_TARGET_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watch/gdb/stub.h"

enum { FAKE_CPUS = 2, FAKE_RAM = 4 * PAGE_SIZE };

struct fake_target {
    struct gdb_registers registers[FAKE_CPUS];
    uint8_t ram[FAKE_RAM];
    struct memory memory;
    struct gdb_breakpoints breakpoints;
    enum gdb_action actions[FAKE_CPUS];
    unsigned resumed, interrupted, detached, killed, gone_back;
    enum travel_kind way;
    struct gdb_breakpoint asked;       /* of TRAVEL_WHO */
    const char *no_way;                /* why there is no way back */
    char sent[2 * GDB_ANSWER_MAX + 1]; /* what the stub has sent since it was last emptied */
    size_t sent_length;
};

static unsigned fake_cpus(void *context)
{
    (void)context;
    return FAKE_CPUS;
}

static int fake_read_registers(void *context, unsigned cpu, struct gdb_registers *to)
{
    *to = ((struct fake_target *)context)->registers[cpu];
    return 0;
}

static int fake_write_registers(void *context, unsigned cpu, const struct gdb_registers *from)
{
    ((struct fake_target *)context)->registers[cpu] = *from;
    return 0;
}

static size_t fake_read(void *context, unsigned cpu, gva_t at, void *to, size_t length)
{
    struct fake_target *t = context;

    (void)cpu;
    if (at >= FAKE_RAM)
        return 0;
    if (length > FAKE_RAM - at)
        length = FAKE_RAM - at;
    memcpy(to, t->ram + at, length);
    return length;
}

static size_t fake_write(void *context, unsigned cpu, gva_t at, const void *from, size_t length)
{
    struct fake_target *t = context;

    (void)cpu;
    if (at >= FAKE_RAM || length > FAKE_RAM - at)
        return 0;
    memcpy(t->ram + at, from, length);
    return length;
}

static int fake_insert(void *context, unsigned cpu, const struct gdb_breakpoint *breakpoint)
{
    (void)cpu;
    return gdb_breakpoints_add(&((struct fake_target *)context)->breakpoints, breakpoint);
}

static void fake_remove(void *context, const struct gdb_breakpoint *breakpoint)
{
    (void)gdb_breakpoints_remove(&((struct fake_target *)context)->breakpoints, breakpoint);
}

static void fake_resume(void *context, const enum gdb_action *actions)
{
    struct fake_target *t = context;

    memcpy(t->actions, actions, sizeof t->actions);
    t->resumed++;
}

static void fake_interrupt(void *context)
{
    ((struct fake_target *)context)->interrupted++;
}

static void fake_detach(void *context)
{
    ((struct fake_target *)context)->detached++;
}

static void fake_kill(void *context)
{
    ((struct fake_target *)context)->killed++;
}

static void fake_describe_cpu(void *context, unsigned cpu, struct text *text)
{
    (void)context;
    text_add(text, "vCPU %u", cpu);
}

static void fake_describe(void *context, struct text *text)
{
    (void)context;
    text_add(text, "as it is\n");
}

static const char *fake_why_not_back(void *context)
{
    return ((struct fake_target *)context)->no_way;
}

static const char *fake_go_back(void *context, enum travel_kind kind,
                                const struct gdb_breakpoint *watched)
{
    struct fake_target *t = context;

    t->gone_back++;
    t->way = kind;
    if (watched != NULL)
        t->asked = *watched;
    return t->no_way;
}

static const struct gdb_ops fake_ops = {
    .go_back = fake_go_back,
    .why_not_back = fake_why_not_back,
    .cpus = fake_cpus,
    .read_registers = fake_read_registers,
    .write_registers = fake_write_registers,
    .read = fake_read,
    .write = fake_write,
    .insert = fake_insert,
    .remove = fake_remove,
    .resume = fake_resume,
    .interrupt = fake_interrupt,
    .detach = fake_detach,
    .kill = fake_kill,
    .describe_cpu = fake_describe_cpu,
    .describe_means = fake_describe,
    .describe_exits = fake_describe,
};

static void fake_send(void *to, const void *bytes, size_t count)
{
    struct fake_target *t = to;

    if (count >= sizeof t->sent - t->sent_length)
        abort();
    memcpy(t->sent + t->sent_length, bytes, count);
    t->sent_length += count;
    t->sent[t->sent_length] = '\0';
}

/* All the bytes, whatever is answered on the way. */
static void fake_feed(struct gdb_stub *stub, const void *bytes, size_t count)
{
    for (size_t at = 0; at < count;) {
        struct fake_target *t = stub->context;
        size_t before = t->sent_length = t->sent_length > GDB_ANSWER_MAX ? 0 : t->sent_length;
        size_t taken = gdb_stub_feed(stub, (const uint8_t *)bytes + at, count - at);

        if (taken == 0 || taken > count - at || t->sent_length - before > GDB_ANSWER_MAX)
            abort(); /* the stub's promises, for the fuzzer */
        at += taken;
    }
}

/* A stub at a machine that has just stopped; `bits` is the width of its code. */
static void fake_begin(struct gdb_stub *stub, struct fake_target *t, unsigned bits)
{
    *t = (struct fake_target){0};
    memory_init(&t->memory, 0, FAKE_RAM, t->ram);
    for (unsigned i = 0; i < FAKE_CPUS; i++) {
        struct kvm_sregs *s = &t->registers[i].state.sregs;

        t->registers[i].state.memory = &t->memory;
        s->cr0 = bits > 16 ? CR0_PE : 0;
        s->cs.db = bits == 32;
        s->cs.l = bits == 64;
        s->efer = bits == 64 ? EFER_LMA | EFER_LME : 0;
    }
    *stub = (struct gdb_stub){.ops = &fake_ops, .context = t, .send = fake_send, .to = t};
    gdb_stub_begin(stub, &(struct gdb_stop){.reason = GDB_STOPPED});
}

#endif
