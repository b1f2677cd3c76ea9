/* General queries: what the stub can do, the description, the list of threads (GDB manual, E.4
 * "General Query Packets"), and `monitor`, with which gdb's user asks for the system's view of the
 * vCPU. */
#include <errno.h>
#include <string.h>

#include "watch/explain/fault/gate.h"
#include "watch/gdb/commands.h"

/* Output of a monitor command: as much as is sensible on a terminal. */
enum { MONITOR_MAX = 32 * 1024, MONITOR_LINE_MAX = 256, MONITOR_CHUNK = 4096 };

typedef unsigned long long hex;

enum { GATES = 256 };

static void put_general(struct text *t, const struct snapshot *s)
{
    const struct kvm_regs *r = &s->regs;
    const struct {
        const char *name;
        uint64_t value;
    } list[] = {{"rax", r->rax}, {"rbx", r->rbx},      {"rcx", r->rcx}, {"rdx", r->rdx},
                {"rsi", r->rsi}, {"rdi", r->rdi},      {"rbp", r->rbp}, {"rsp", r->rsp},
                {"r8", r->r8},   {"r9", r->r9},        {"r10", r->r10}, {"r11", r->r11},
                {"r12", r->r12}, {"r13", r->r13},      {"r14", r->r14}, {"r15", r->r15},
                {"rip", r->rip}, {"rflags", r->rflags}};
    bool wide = snapshot_code_bits(s) == 64;

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        bool only64 = list[i].name[1] == '8' || list[i].name[1] == '9' || list[i].name[1] == '1';

        if (wide || !only64)
            text_add(t, "%-6s %016llx%s", list[i].name, (hex)list[i].value,
                     i % 4 == 3 ? "\n" : "  ");
    }
    text_add(t, "\n");
}

static void put_segment(struct text *t, const char *name, const struct kvm_segment *s)
{
    text_add(t, "%-4s %04x  base %016llx  limit %08x  type %x dpl %u%s%s%s%s\n", name, s->selector,
             (hex)s->base, s->limit, s->type, s->dpl,
             s->l    ? " 64-bit"
             : s->db ? " 32-bit"
                     : "",
             s->g ? " 4K" : "", s->s ? "" : " system", s->unusable || !s->present ? " absent" : "");
}

static void put_system(struct text *t, const struct kvm_sregs *s)
{
    text_add(t, "cr0 %llx  cr2 %llx  cr3 %llx  cr4 %llx  cr8 %llx  efer %llx\n", (hex)s->cr0,
             (hex)s->cr2, (hex)s->cr3, (hex)s->cr4, (hex)s->cr8, (hex)s->efer);
    text_add(t, "gdt base %llx limit %x  idt base %llx limit %x\n", (hex)s->gdt.base, s->gdt.limit,
             (hex)s->idt.base, s->idt.limit);
}

static void on_regs(struct gdb_stub *stub, const struct gdb_registers *r, char *line,
                    struct text *t)
{
    const struct kvm_sregs *s = &r->state.sregs;

    (void)line;
    text_add(t, "vCPU %u: %s, privilege level %u, %s\n", stub->general,
             snapshot_mode_name(snapshot_mode(&r->state)), snapshot_cpl(&r->state),
             walk_paging_name(walk_paging(&r->state)));
    put_general(t, &r->state);
    put_segment(t, "cs", &s->cs);
    put_segment(t, "ss", &s->ss);
    put_segment(t, "ds", &s->ds);
    put_segment(t, "es", &s->es);
    put_segment(t, "fs", &s->fs);
    put_segment(t, "gs", &s->gs);
    put_segment(t, "ldtr", &s->ldt);
    put_segment(t, "tr", &s->tr);
    put_system(t, s);
}

/* A number in hex, with or without 0x, to the end of the line: gdb's users write addresses so. */
static bool in_hex(const char *line, uint64_t *value)
{
    struct gdb_scan scan = {line, line + strlen(line)};

    if (!gdb_scan_word(&scan, "0x"))
        gdb_scan_word(&scan, "0X");
    return gdb_scan_number(&scan, value) && gdb_scan_left(&scan) == 0;
}

/* Or one of the registers that one asks about, as gdb writes them: gdb itself passes them on as
 * text. */
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

/* A vector as the table's lines and the manuals have it: in decimal, or in hex behind 0x. */
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

static void on_walk(struct gdb_stub *stub, const struct gdb_registers *r, char *line,
                    struct text *t)
{
    struct walk walk;
    uint64_t address;

    if (!address_of(&r->state, line, &address)) {
        text_add(t, "walk ADDR: a linear address is meant, in hex, or $pc, $sp or $cr2\n");
        return;
    }
    walk = walk_address(&r->state, stub->ops->memory(stub->context), address, WALK_READ);
    walk_print(t, &walk);
    if (t->length > 0 && t->bytes[t->length - 1] != '\n')
        text_add(t, "\n");
}

static void put_gate(struct gdb_stub *stub, const struct gdb_registers *r, unsigned vector,
                     bool always, struct text *t)
{
    struct gate gate = gate_look(&r->state, stub->ops->memory(stub->context), vector);

    if (!always && (!gate.inside || !gate.readable || (gate.raw == 0 && gate.raw_high == 0)))
        return;
    gate_print(t, &r->state, &gate);
    if (t->bytes[t->length - 1] != '\n')
        text_add(t, "\n");
}

static void on_idt(struct gdb_stub *stub, const struct gdb_registers *r, char *line, struct text *t)
{
    bool all = *line == '\0';
    unsigned vector = 0;

    if (!all && !vector_of(line, &vector)) {
        text_add(t, "idt [VECTOR]: a vector is meant, from 0 to 255, or in hex with 0x\n");
        return;
    }
    text_add(t, "interrupt table at %llx, limit %x\n", (hex)r->state.sregs.idt.base,
             r->state.sregs.idt.limit);
    do
        put_gate(stub, r, vector, !all, t);
    while (all && ++vector < GATES);
}

static void on_exits(struct gdb_stub *stub, const struct gdb_registers *r, char *line,
                     struct text *t)
{
    (void)r;
    (void)line;
    stub->ops->describe_exits(stub->context, t);
}

static void on_info(struct gdb_stub *stub, const struct gdb_registers *r, char *line,
                    struct text *t)
{
    (void)line;
    text_add(t, "described to gdb as %s; vCPU %u is in %s\n", gdb_arch_name(stub->arch),
             stub->general, snapshot_mode_name(snapshot_mode(&r->state)));
    stub->ops->describe_means(stub->context, t);
}

static void on_arch(struct gdb_stub *stub, const struct gdb_registers *r, char *line,
                    struct text *t)
{
    (void)r;
    for (unsigned i = 0; i < GDB_ARCHES; i++) {
        if (strcmp(line, gdb_arch_name((enum gdb_arch)i)) != 0)
            continue;
        stub->next_arch = (enum gdb_arch)i;
        stub->fixed = true;
    }
    stub->fixed = stub->fixed && strcmp(line, "auto") != 0;
    text_add(t, "now %s, from the next connection on %s\n", gdb_arch_name(stub->arch),
             stub->fixed ? gdb_arch_name(stub->next_arch) : "what fits the mode then");
    text_add(t, "arch i8086 | i386 | i386:x86-64 fixes it, arch auto lets the mode decide\n");
}

static void on_help(struct gdb_stub *stub, const struct gdb_registers *r, char *line,
                    struct text *t);

struct command {
    const char *name, *about;
    void (*handle)(struct gdb_stub *, const struct gdb_registers *, char *, struct text *);
};

static const struct command commands[] = {
    {"regs", "the vCPU's mode and all its registers", on_regs},
    {"walk", "ADDR: the page walk of a linear address, or of $pc, $sp, $cr2", on_walk},
    {"idt", "[VECTOR]: the interrupt table, or one gate (14, 0xe)", on_idt},
    {"exits", "how often each vCPU left the guest, and why", on_exits},
    {"info", "how breakpoints, watchpoints and steps are done on this KVM", on_info},
    {"arch", "[NAME]: the architecture described to gdb when it connects", on_arch},
    {"help", "this list", on_help},
};

static void on_help(struct gdb_stub *stub, const struct gdb_registers *r, char *line,
                    struct text *t)
{
    (void)stub;
    (void)r;
    (void)line;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        text_add(t, "monitor %-6s %s\n", commands[i].name, commands[i].about);
}

static void run_monitor(struct gdb_stub *stub, char *line, struct text *text)
{
    struct gdb_registers registers;
    const char *name = *line != '\0' ? line : "help";
    char *rest = line + strcspn(line, " ");

    if (*rest != '\0')
        *rest++ = '\0';
    rest += strspn(rest, " ");
    if (stub->ops->read_registers(stub->context, stub->general, &registers) < 0) {
        text_add(text, "the registers of vCPU %u cannot be read\n", stub->general);
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            commands[i].handle(stub, &registers, rest, text);
            return;
        }
    }
    text_add(text, "no such command: %s; monitor help lists them\n", name);
}

static void on_supported(struct gdb_stub *stub, struct gdb_scan *scan)
{
    stub->knows_swbreak = memmem(scan->at, gdb_scan_left(scan), "swbreak+", 8) != NULL;
    stub->knows_hwbreak = memmem(scan->at, gdb_scan_left(scan), "hwbreak+", 8) != NULL;
    gdb_put_text(&stub->reply, "PacketSize=");
    gdb_put_number(&stub->reply, GDB_PACKET_MAX);
    gdb_put_text(&stub->reply, ";qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;"
                               "hwbreak+");
}

static void on_description(struct gdb_stub *stub, struct gdb_scan *scan)
{
    char bytes[GDB_DESCRIPTION_MAX];
    struct text text = text_in(bytes, sizeof bytes);
    uint64_t offset, length;
    size_t left;

    if (!gdb_scan_number(scan, &offset) || !gdb_scan_word(scan, ",") ||
        !gdb_scan_number(scan, &length)) {
        gdb_put_result(&stub->reply, -EINVAL);
        return;
    }
    gdb_describe(&text, stub->arch);
    if (offset > text.length)
        offset = text.length;
    left = text.length - offset;
    if (length > GDB_PACKET_MAX / 2) /* every byte may have to be escaped */
        length = GDB_PACKET_MAX / 2;
    gdb_put_text(&stub->reply, left > length ? "m" : "l");
    gdb_put_binary(&stub->reply, bytes + offset, left > length ? length : left);
}

static void on_threads(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    for (unsigned i = 0; i < stub->ops->cpus(stub->context); i++) {
        gdb_put_text(&stub->reply, i == 0 ? "m" : ",");
        gdb_put_number(&stub->reply, i + 1);
    }
}

static void on_no_more_threads(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_text(&stub->reply, "l");
}

static void on_thread_extra(struct gdb_stub *stub, struct gdb_scan *scan)
{
    char bytes[160];
    struct text text = text_in(bytes, sizeof bytes);
    uint64_t thread;

    if (!gdb_scan_number(scan, &thread) || thread == 0 || thread > stub->ops->cpus(stub->context)) {
        gdb_put_result(&stub->reply, -ESRCH);
        return;
    }
    stub->ops->describe_cpu(stub->context, (unsigned)thread - 1, &text);
    gdb_put_hex(&stub->reply, bytes, text.length);
}

static void on_current_thread(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_text(&stub->reply, "QC");
    gdb_put_number(&stub->reply, stub->general + 1);
}

/* We were there before the debugger: it detaches when it quits. */
static void on_attached(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_text(&stub->reply, "1");
}

static void on_symbol(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_text(&stub->reply, "OK"); /* we ask for none */
}

static void on_monitor(struct gdb_stub *stub, struct gdb_scan *scan)
{
    char bytes[MONITOR_MAX];
    struct text text = text_in(bytes, sizeof bytes);
    char line[MONITOR_LINE_MAX] = "";
    size_t length = gdb_scan_left(scan) / 2;

    if (length >= sizeof line || !gdb_scan_hex(scan, line, length)) {
        gdb_put_result(&stub->reply, -EINVAL);
        return;
    }
    run_monitor(stub, line, &text);
    for (size_t at = 0; at < text.length; at += MONITOR_CHUNK) {
        size_t left = text.length - at;

        gdb_put_text(&stub->reply, "O");
        gdb_put_hex(&stub->reply, bytes + at, left < MONITOR_CHUNK ? left : MONITOR_CHUNK);
        gdb_finish(&stub->reply);
        stub->send(stub->to, stub->reply.bytes, stub->reply.length);
        gdb_begin(&stub->reply);
    }
    gdb_put_text(&stub->reply, "OK");
}

struct query {
    const char *name;
    void (*handle)(struct gdb_stub *, struct gdb_scan *);
};

static const struct query queries[] = {
    {"Supported", on_supported},
    {"Xfer:features:read:target.xml:", on_description},
    {"fThreadInfo", on_threads},
    {"sThreadInfo", on_no_more_threads},
    {"ThreadExtraInfo,", on_thread_extra},
    {"Attached", on_attached},
    {"Symbol:", on_symbol},
    {"Rcmd,", on_monitor},
};

void gdb_on_query(struct gdb_stub *stub, struct gdb_scan *scan)
{
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        if (gdb_scan_word(scan, queries[i].name)) {
            queries[i].handle(stub, scan);
            return;
        }
    }
    if (gdb_scan_word(scan, "C") && gdb_scan_left(scan) == 0)
        on_current_thread(stub, scan);
}

void gdb_on_set(struct gdb_stub *stub, struct gdb_scan *scan)
{
    if (!gdb_scan_word(scan, "StartNoAckMode"))
        return;
    stub->next_no_ack = true; /* from the next packet on */
    gdb_put_text(&stub->reply, "OK");
}
