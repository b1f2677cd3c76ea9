/* General queries: features, the target description, the list of threads (GDB manual, E.4 "General
 * Query Packets"), and `monitor`, which shows the system state of the vCPU. */
#include <errno.h>
#include <string.h>

#include "watch/explain/fault/gate.h"
#include "watch/explain/page.h"
#include "watch/gdb/stub.h"

/* Output of a monitor command: as much as is sensible on a terminal. */
enum { MONITOR_MAX = 32 * 1024, MONITOR_LINE_MAX = 256, MONITOR_CHUNK = 4096 };

enum { GATES = 256 };

/* A monitor command: its subject, and its output. */
struct monitor {
    struct gdb_stub *stub;
    struct gdb_registers registers; /* of the vCPU that gdb has chosen */
    char *line;                     /* behind the command's name */
    struct text text;
};

static void on_regs(struct monitor *m)
{
    const struct snapshot *s = &m->registers.state;
    struct text *t = &m->text;

    text_add(t, "vCPU %u: %s, privilege level %u, %s\n", m->stub->general,
             snapshot_mode_name(snapshot_mode(s)), snapshot_cpl(s),
             walk_paging_name(walk_paging(s)));
    page_print_state(t, s);
    text_add(t, "  cr8    0x%llx\n", s->sregs.cr8);
}

/* A number in hex, with or without 0x, to the end of the line: the usual way in gdb. */
static bool in_hex(const char *line, uint64_t *value)
{
    struct gdb_scan scan = {line, line + strlen(line)};

    if (!gdb_scan_word(&scan, "0x"))
        gdb_scan_word(&scan, "0X");
    return gdb_scan_number(&scan, value) && gdb_scan_left(&scan) == 0;
}

/* Parses an address, or one of a few registers with gdb's names, because gdb passes the text on as
 * it is. */
static bool address_of(const struct snapshot *s, const char *line, uint64_t *value)
{
    const struct {
        const char *name;
        gva_t at;
    } registers[] = {
        {"$pc", snapshot_linear_rip(s)}, {"$sp", snapshot_linear_rsp(s)}, {"$cr2", s->sregs.cr2}};

    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        if (strcmp(line, registers[i].name) == 0) {
            *value = registers[i].at;
            return true;
        }
    }
    return in_hex(line, value);
}

/* Parses a vector as tables and manuals write it: in decimal, or in hex after 0x. */
static bool vector_of(const char *line, unsigned *vector)
{
    uint64_t value = 0;

    if (line[0] == '0' && (line[1] == 'x' || line[1] == 'X')) {
        if (!in_hex(line, &value))
            return false;
    } else {
        do {
            if (*line < '0' || *line > '9')
                return false;
            value = value * 10 + (unsigned)(*line++ - '0');
        } while (*line != '\0' && value < GATES);
    }
    *vector = (unsigned)value;
    return value < GATES;
}

/* Ends the line: the report prints in the middle of a line, a command prints whole lines. */
static void end_line(struct text *t)
{
    if (t->length > 0 && t->bytes[t->length - 1] != '\n')
        text_add(t, "\n");
}

static void on_walk(struct monitor *m)
{
    struct walk walk;
    uint64_t address;

    if (!address_of(&m->registers.state, m->line, &address)) {
        text_add(&m->text, "walk ADDR: expected a linear address in hex, or $pc, $sp or $cr2\n");
        return;
    }
    walk = walk_address(&m->registers.state, address, WALK_READ);
    walk_print(&m->text, &walk);
    end_line(&m->text);
}

static void put_gate(struct monitor *m, unsigned vector, bool always)
{
    struct gate gate = gate_look(&m->registers.state, vector);

    if (!always && (!gate.inside || !gate.readable || (gate.raw == 0 && gate.raw_high == 0)))
        return;
    gate_print(&m->text, &m->registers.state, &gate);
    end_line(&m->text);
}

static void on_idt(struct monitor *m)
{
    const struct kvm_dtable *idt = &m->registers.state.sregs.idt;
    bool all = *m->line == '\0';
    unsigned vector = 0;

    if (!all && !vector_of(m->line, &vector)) {
        text_add(&m->text, "idt [VECTOR]: expected a vector from 0 to 255, or in hex with 0x\n");
        return;
    }
    text_add(&m->text, "interrupt table at %llx, limit %x\n", idt->base, idt->limit);
    do
        put_gate(m, vector, !all);
    while (all && ++vector < GATES);
}

static void on_exits(struct monitor *m)
{
    m->stub->ops->describe_exits(m->stub->context, &m->text);
}

/* ADDR [LEN]: the answer comes after the search of the past. */
static void on_who(struct monitor *m)
{
    struct gdb_stub *stub = m->stub;
    struct gdb_breakpoint b = {.type = GDB_WATCH_WRITE, .length = 1};
    char *length = m->line + strcspn(m->line, " ");
    const char *why = "this guest cannot run backwards";
    uint64_t bytes = 1;

    if (*length != '\0')
        *length++ = '\0';
    if (!address_of(&m->registers.state, m->line, &b.address) ||
        (*length != '\0' && (!in_hex(length, &bytes) || bytes == 0 || bytes > 8))) {
        text_add(&m->text,
                 "who-wrote ADDR [LENGTH]: expected an address in hex and 1 to 8 bytes\n");
        return;
    }
    b.length = (uint32_t)bytes;
    stub->running = stub->asked = true;
    if (stub->ops->go_back != NULL)
        why = stub->ops->go_back(stub->context, TRAVEL_WHO, &b);
    if (why == NULL)
        return;
    stub->running = stub->asked = false;
    text_add(&m->text, "who-wrote: %s\n", why);
}

static void on_info(struct monitor *m)
{
    text_add(&m->text, "described to gdb as %s; vCPU %u is in %s\n", gdb_arch_name(m->stub->arch),
             m->stub->general, snapshot_mode_name(snapshot_mode(&m->registers.state)));
    m->stub->ops->describe_means(m->stub->context, &m->text);
}

static void on_arch(struct monitor *m)
{
    struct gdb_stub *stub = m->stub;

    for (unsigned i = 0; i < GDB_ARCHES; i++) {
        if (strcmp(m->line, gdb_arch_name((enum gdb_arch)i)) != 0)
            continue;
        stub->next_arch = (enum gdb_arch)i;
        stub->fixed = true;
    }
    stub->fixed = stub->fixed && strcmp(m->line, "auto") != 0;
    text_add(&m->text, "described to gdb as %s; from the next connection on as %s\n",
             gdb_arch_name(stub->arch),
             stub->fixed ? gdb_arch_name(stub->next_arch) : "what fits the mode at that time");
    text_add(&m->text,
             "arch i8086 | i386 | i386:x86-64 fixes it, arch auto lets the mode decide\n");
}

static void on_help(struct monitor *m);

static const struct {
    const char *name, *about;
    void (*handle)(struct monitor *);
} query_commands[] = {
    {"regs", "the vCPU's mode and all its registers", on_regs},
    {"walk", "ADDR: the page walk of a linear address, or of $pc, $sp, $cr2", on_walk},
    {"idt", "[VECTOR]: the interrupt table, or one gate (14, 0xe)", on_idt},
    {"exits", "how often each vCPU left the guest, and why", on_exits},
    {"who-wrote", "ADDR [LENGTH]: which instruction wrote there last", on_who},
    {"info", "how breakpoints, watchpoints and steps are done on this KVM", on_info},
    {"arch", "[NAME]: the architecture described to gdb when it connects", on_arch},
    {"help", "this list", on_help},
};

static void on_help(struct monitor *m)
{
    for (size_t i = 0; i < sizeof query_commands / sizeof query_commands[0]; i++)
        text_add(&m->text, "monitor %-9s %s\n", query_commands[i].name, query_commands[i].about);
}

static void run_monitor(struct monitor *m)
{
    struct gdb_stub *stub = m->stub;
    const char *name = *m->line != '\0' ? m->line : "help";

    m->line += strcspn(m->line, " ");
    if (*m->line != '\0')
        *m->line++ = '\0';
    m->line += strspn(m->line, " ");
    if (stub->ops->read_registers(stub->context, stub->general, &m->registers) < 0) {
        text_add(&m->text, "the registers of vCPU %u cannot be read\n", stub->general);
        return;
    }
    for (size_t i = 0; i < sizeof query_commands / sizeof query_commands[0]; i++) {
        if (strcmp(name, query_commands[i].name) == 0) {
            query_commands[i].handle(m);
            return;
        }
    }
    text_add(&m->text, "no such command: %s; monitor help lists them\n", name);
}

static int on_supported(struct gdb_stub *stub)
{
    const struct gdb_scan *scan = &stub->scan;

    stub->knows_swbreak = memmem(scan->at, gdb_scan_left(scan), "swbreak+", 8) != NULL;
    stub->knows_hwbreak = memmem(scan->at, gdb_scan_left(scan), "hwbreak+", 8) != NULL;
    gdb_put_text(&stub->reply, "PacketSize=");
    gdb_put_number(&stub->reply, GDB_PACKET_MAX);
    gdb_put_text(&stub->reply, ";qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;"
                               "hwbreak+");
    if (stub->ops->why_not_back != NULL && stub->ops->why_not_back(stub->context) == NULL)
        gdb_put_text(&stub->reply, ";ReverseStep+;ReverseContinue+");
    return GDB_ANSWERED;
}

static int on_description(struct gdb_stub *stub)
{
    char bytes[GDB_DESCRIPTION_MAX];
    struct text text = text_in(bytes, sizeof bytes);
    uint64_t offset, length;
    size_t left;

    if (!gdb_scan_range(&stub->scan, &offset, &length))
        return -EINVAL;
    gdb_describe(&text, stub->arch);
    if (offset > text.length)
        offset = text.length;
    left = text.length - offset;
    if (length > GDB_PACKET_MAX / 2) /* every byte may have to be escaped */
        length = GDB_PACKET_MAX / 2;
    gdb_put_text(&stub->reply, left > length ? "m" : "l");
    gdb_put_binary(&stub->reply, bytes + offset, left > length ? length : left);
    return GDB_ANSWERED;
}

static int on_threads(struct gdb_stub *stub)
{
    for (unsigned i = 0; i < stub->ops->cpus(stub->context); i++) {
        gdb_put_text(&stub->reply, i == 0 ? "m" : ",");
        gdb_put_number(&stub->reply, i + 1);
    }
    return GDB_ANSWERED;
}

static int on_thread_extra(struct gdb_stub *stub)
{
    char bytes[160];
    struct text text = text_in(bytes, sizeof bytes);
    uint64_t thread;

    if (!gdb_scan_number(&stub->scan, &thread) || thread == 0 ||
        thread > stub->ops->cpus(stub->context))
        return -ESRCH;
    stub->ops->describe_cpu(stub->context, (unsigned)thread - 1, &text);
    gdb_put_hex(&stub->reply, bytes, text.length);
    return GDB_ANSWERED;
}

static int on_monitor(struct gdb_stub *stub)
{
    char bytes[MONITOR_MAX], line[MONITOR_LINE_MAX] = "";
    struct monitor m = {.stub = stub, .line = line, .text = text_in(bytes, sizeof bytes)};
    size_t length = gdb_scan_left(&stub->scan) / 2;

    if (length >= sizeof line || !gdb_scan_hex(&stub->scan, line, length))
        return -EINVAL;
    run_monitor(&m);
    for (size_t at = 0; at < m.text.length; at += MONITOR_CHUNK) {
        size_t left = m.text.length - at;

        gdb_put_text(&stub->reply, "O");
        gdb_put_hex(&stub->reply, bytes + at, left < MONITOR_CHUNK ? left : MONITOR_CHUNK);
        gdb_finish(&stub->reply);
        stub->send(stub->to, stub->reply.bytes, stub->reply.length);
        gdb_begin(&stub->reply);
    }
    return 0;
}

/* The queries, each with its function or its fixed answer. */
static const struct {
    const char *name, *answer;
    int (*handle)(struct gdb_stub *);
} query_answers[] = {
    {"Supported", NULL, on_supported},
    {"Xfer:features:read:target.xml:", NULL, on_description},
    {"fThreadInfo", NULL, on_threads},
    {"sThreadInfo", "l", NULL}, /* there are no more */
    {"ThreadExtraInfo,", NULL, on_thread_extra},
    {"Attached", "1", NULL}, /* the guest existed before: the debugger detaches when it quits */
    {"Symbol:", "OK", NULL}, /* we need no symbols */
    {"Rcmd,", NULL, on_monitor},
};

int gdb_on_query(struct gdb_stub *stub)
{
    for (size_t i = 0; i < sizeof query_answers / sizeof query_answers[0]; i++) {
        if (!gdb_scan_word(&stub->scan, query_answers[i].name))
            continue;
        if (query_answers[i].handle != NULL)
            return query_answers[i].handle(stub);
        gdb_put_text(&stub->reply, query_answers[i].answer);
        return GDB_ANSWERED;
    }
    if (gdb_scan_word(&stub->scan, "C") && gdb_scan_left(&stub->scan) == 0) {
        gdb_put_text(&stub->reply, "QC");
        gdb_put_number(&stub->reply, stub->general + 1);
    }
    return GDB_ANSWERED;
}
