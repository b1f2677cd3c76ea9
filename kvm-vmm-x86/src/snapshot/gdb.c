/* A snapshot as the stub's target; see gdb.h. It is read-only: writes are refused, and a request to
 * run gets the answer that it cannot. */
#include "snapshot/gdb.h"

#include <errno.h>
#include <stdio.h>

#include "watch/explain/walk.h"
#include "watch/gdb/stub.h"

struct session {
    struct snapshot_still *still;
    bool resumed; /* a resume was asked for: answer it at once */
};

static struct snapshot_cpu *cpu_of(void *context, unsigned cpu)
{
    return &((struct session *)context)->still->cpus[cpu];
}

static unsigned cpus(void *context)
{
    return ((struct session *)context)->still->cpu_count;
}

static int read_registers(void *context, unsigned cpu, struct gdb_registers *to)
{
    *to = cpu_of(context, cpu)->registers;
    return 0;
}

static int write_registers(void *context, unsigned cpu, const struct gdb_registers *from)
{
    (void)context;
    (void)cpu;
    (void)from;
    return -EROFS;
}

static size_t read_memory(void *context, unsigned cpu, gva_t at, void *to, size_t length)
{
    return walk_read(&cpu_of(context, cpu)->registers.state, at, to, length);
}

static size_t write_memory(void *context, unsigned cpu, gva_t at, const void *from, size_t length)
{
    (void)context;
    (void)cpu;
    (void)at;
    (void)from;
    (void)length;
    return 0;
}

/* Accepts breakpoints, since gdb inserts them only when it resumes the machine, which then reports
 * that it cannot run. */
static int insert(void *context, unsigned cpu, const struct gdb_breakpoint *breakpoint)
{
    (void)context;
    (void)cpu;
    (void)breakpoint;
    return 0;
}

static void remove_breakpoint(void *context, const struct gdb_breakpoint *breakpoint)
{
    (void)context;
    (void)breakpoint;
}

static void resume(void *context, const enum gdb_action *actions)
{
    (void)actions;
    ((struct session *)context)->resumed = true;
}

static void nothing(void *context)
{
    (void)context;
}

static void describe_cpu(void *context, unsigned cpu, struct text *text)
{
    const struct snapshot_cpu *c = cpu_of(context, cpu);

    text_add(text, "vCPU %u, %s%s", cpu, snapshot_mode_name(snapshot_mode(&c->registers.state)),
             snapshot_cpu_state(c));
}

static void describe_means(void *context, struct text *text)
{
    (void)context;
    text_add(text, "a snapshot does not run and cannot be changed\n");
}

static void describe_exits(void *context, struct text *text)
{
    (void)context;
    text_add(text, "a snapshot does not keep how many exits there were\n");
}

static const struct gdb_ops ops = {
    .cpus = cpus,
    .read_registers = read_registers,
    .write_registers = write_registers,
    .read = read_memory,
    .write = write_memory,
    .insert = insert,
    .remove = remove_breakpoint,
    .resume = resume,
    .interrupt = nothing,
    .detach = nothing,
    .kill = nothing,
    .describe_cpu = describe_cpu,
    .describe_means = describe_means,
    .describe_exits = describe_exits,
};

static void send_bytes(void *to, const void *bytes, size_t count)
{
    (void)!fwrite(bytes, 1, count, to); /* ignored: if the debugger is gone, its input ends too */
}

void snapshot_gdb_serve(struct snapshot_still *still)
{
    static struct gdb_stub stub;
    struct session session = {.still = still};
    struct gdb_stop stop = {.reason = GDB_STOPPED};
    uint8_t byte;
    int c;

    stub = (struct gdb_stub){.ops = &ops, .context = &session, .send = send_bytes, .to = stdout};
    gdb_stub_begin(&stub, &stop);
    while (!stub.over && (c = getchar()) != EOF) {
        byte = (uint8_t)c;
        (void)gdb_stub_feed(&stub, &byte, 1);
        if (session.resumed) {
            session.resumed = false;
            stop.cpu = stub.general;
            stop.text = "A snapshot does not run: kvm-vmm --restore FOLDER --gdb PORT "
                        "continues it.\n";
            gdb_stub_stopped(&stub, &stop);
        }
        (void)fflush(stdout);
    }
}
