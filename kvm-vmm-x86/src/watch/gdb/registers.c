/* The register tables, and the target.xml made from them; see registers.h. */
#include "watch/gdb/registers.h"

#include <stddef.h>
#include <string.h>

/* `bits` 0: the architecture's word size. */
#define REG(name_, type_, bits_, field)                                                            \
    {                                                                                              \
        .name = name_, .type = type_, .bits = bits_,                                               \
        .stored = sizeof(((struct gdb_registers *)0)->field),                                      \
        .offset = offsetof(struct gdb_registers, field)                                            \
    }
#define WORD(name, field)     REG(name, "int", 0, state.regs.field)
#define DATA(name, field)     REG(name, "data_ptr", 0, state.regs.field)
#define CODE(name, field)     REG(name, "code_ptr", 0, state.regs.field)
#define SELECTOR(name, field) REG(name, "int32", 32, state.sregs.field.selector)
#define BASE(name, field)     REG(name, "int", 0, state.sregs.field.base)
#define LIMIT(name, field)    REG(name, "int32", 32, state.sregs.field.limit)
#define FLAGS                 REG("eflags", "i386_eflags", 32, state.regs.rflags)
#define X87(n)                REG("st" #n, "i387_ext", 80, fpu.fpr[n])
#define XMM(n)                REG("xmm" #n, "vec128", 128, fpu.xmm[n])
#define MXCSR                 REG("mxcsr", "i386_mxcsr", 32, fpu.mxcsr)
#define X87_CONTROL(name_, field, bytes, skip)                                                     \
    {                                                                                              \
        .name = name_, .type = "int", .bits = 32, .stored = bytes,                                 \
        .offset = offsetof(struct gdb_registers, fpu.field) + (skip)                               \
    }

#define SELECTORS                                                                                  \
    SELECTOR("cs", cs), SELECTOR("ss", ss), SELECTOR("ds", ds), SELECTOR("es", es),                \
        SELECTOR("fs", fs), SELECTOR("gs", gs)
/* FXSAVE keeps the offset of the last instruction and of its operand in 8 bytes with the selector
 * at the fifth (Intel SDM volume 1, 10.5.1). */
#define X87_ALL                                                                                    \
    X87(0), X87(1), X87(2), X87(3), X87(4), X87(5), X87(6), X87(7),                                \
        X87_CONTROL("fctrl", fcw, 2, 0), X87_CONTROL("fstat", fsw, 2, 0),                          \
        X87_CONTROL("ftag", ftwx, 1, 0), X87_CONTROL("fiseg", last_ip, 2, 4),                      \
        X87_CONTROL("fioff", last_ip, 4, 0), X87_CONTROL("foseg", last_dp, 2, 4),                  \
        X87_CONTROL("fooff", last_dp, 4, 0), X87_CONTROL("fop", last_opcode, 2, 0)

static const struct gdb_register core64[] = {WORD("rax", rax), WORD("rbx", rbx), WORD("rcx", rcx),
                                             WORD("rdx", rdx), WORD("rsi", rsi), WORD("rdi", rdi),
                                             DATA("rbp", rbp), DATA("rsp", rsp), WORD("r8", r8),
                                             WORD("r9", r9),   WORD("r10", r10), WORD("r11", r11),
                                             WORD("r12", r12), WORD("r13", r13), WORD("r14", r14),
                                             WORD("r15", r15), CODE("rip", rip), FLAGS,
                                             SELECTORS,        X87_ALL};

static const struct gdb_register core32[] = {
    WORD("eax", rax), WORD("ecx", rcx), WORD("edx", rdx), WORD("ebx", rbx), DATA("esp", rsp),
    DATA("ebp", rbp), WORD("esi", rsi), WORD("edi", rdi), CODE("eip", rip), FLAGS,
    SELECTORS,        X87_ALL};

static const struct gdb_register sse64[] = {XMM(0),  XMM(1),  XMM(2),  XMM(3),  XMM(4),  XMM(5),
                                            XMM(6),  XMM(7),  XMM(8),  XMM(9),  XMM(10), XMM(11),
                                            XMM(12), XMM(13), XMM(14), XMM(15), MXCSR};

static const struct gdb_register sse32[] = {XMM(0), XMM(1), XMM(2), XMM(3), XMM(4),
                                            XMM(5), XMM(6), XMM(7), MXCSR};

static const struct gdb_register bases64[] = {BASE("fs_base", fs), BASE("gs_base", gs)};

#define SYSTEM                                                                                     \
    REG("cr0", "x86_cr0", 0, state.sregs.cr0), REG("cr2", "int", 0, state.sregs.cr2),              \
        REG("cr3", "int", 0, state.sregs.cr3), REG("cr4", "x86_cr4", 0, state.sregs.cr4),          \
        REG("cr8", "int", 0, state.sregs.cr8), REG("efer", "x86_efer", 0, state.sregs.efer),       \
        BASE("gdtr_base", gdt), LIMIT("gdtr_limit", gdt), BASE("idtr_base", idt),                  \
        LIMIT("idtr_limit", idt), SELECTOR("ldtr", ldt), BASE("ldtr_base", ldt),                   \
        SELECTOR("tr", tr), BASE("tr_base", tr), LIMIT("tr_limit", tr), BASE("cs_base", cs),       \
        BASE("ss_base", ss), BASE("ds_base", ds), BASE("es_base", es)

static const struct gdb_register system64[] = {SYSTEM};
static const struct gdb_register system32[] = {SYSTEM, BASE("fs_base", fs), BASE("gs_base", gs)};

/* A feature of the target description: a group of registers. */
struct gdb_feature {
    const char *name;
    const char *group; /* gdb's group for all of them, or NULL */
    const struct gdb_register *registers;
    unsigned count;
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define FEATURE(name_, group_, table)                                                              \
    {                                                                                              \
        .name = name_, .group = group_, .registers = table, .count = COUNT(table)                  \
    }

/* gdb has no 16-bit registers: real mode gets the 32-bit ones, which its code may also use. */
static const struct gdb_feature features32[] = {FEATURE("org.gnu.gdb.i386.core", NULL, core32),
                                                FEATURE("org.gnu.gdb.i386.sse", NULL, sse32),
                                                FEATURE("mini-kvm.system", "system", system32),
                                                {NULL, NULL, NULL, 0}};

static const struct gdb_feature features64[] = {FEATURE("org.gnu.gdb.i386.core", NULL, core64),
                                                FEATURE("org.gnu.gdb.i386.sse", NULL, sse64),
                                                FEATURE("org.gnu.gdb.i386.segments", NULL, bases64),
                                                FEATURE("mini-kvm.system", "system", system64),
                                                {NULL, NULL, NULL, 0}};

struct arch {
    const char *name;
    unsigned bits;
    const struct gdb_feature *features;
};

static const struct arch arches[GDB_ARCHES] = {
    [GDB_I8086] = {"i8086", 32, features32},
    [GDB_I386] = {"i386", 32, features32},
    [GDB_X86_64] = {"i386:x86-64", 64, features64},
};

const char *gdb_arch_name(enum gdb_arch arch)
{
    return arches[arch].name;
}

enum gdb_arch gdb_arch_of(const struct snapshot *state)
{
    unsigned bits = snapshot_code_bits(state);

    return bits == 64 ? GDB_X86_64 : bits == 32 ? GDB_I386 : GDB_I8086;
}

const struct gdb_register *gdb_register(enum gdb_arch arch, unsigned number)
{
    for (const struct gdb_feature *f = arches[arch].features; f->name != NULL; f++) {
        if (number < f->count)
            return &f->registers[number];
        number -= f->count;
    }
    return NULL;
}

unsigned gdb_register_size(enum gdb_arch arch, const struct gdb_register *reg)
{
    return (reg->bits != 0 ? reg->bits : arches[arch].bits) / 8;
}

/*
 * The x87 tag word. The state has one bit for each physical register, "not empty"; gdb has two: 0
 * valid, 1 zero, 2 special, 3 empty (Intel SDM volume 1, 8.1.7 and 10.5.1).
 */
static unsigned tag_of(const uint8_t st[16])
{
    uint64_t fraction;
    unsigned exponent = ((unsigned)st[9] << 8 | st[8]) & 0x7fff;

    memcpy(&fraction, st, sizeof fraction);
    if (exponent == 0 && fraction == 0)
        return 1;
    return exponent == 0 || exponent == 0x7fff || !(fraction >> 63) ? 2 : 0;
}

static uint16_t full_tags(const struct kvm_fpu *fpu)
{
    unsigned top = fpu->fsw >> 11 & 7;
    unsigned tags = 0;

    for (unsigned physical = 0; physical < 8; physical++) {
        bool used = fpu->ftwx >> physical & 1;

        tags |= (used ? tag_of(fpu->fpr[(physical - top) & 7]) : 3) << 2 * physical;
    }
    return (uint16_t)tags;
}

static uint8_t short_tags(uint16_t full)
{
    unsigned tags = 0;

    for (unsigned physical = 0; physical < 8; physical++)
        tags |= (unsigned)((full >> 2 * physical & 3) != 3) << physical;
    return (uint8_t)tags;
}

static bool is_tag_word(const struct gdb_register *reg)
{
    return reg->offset == offsetof(struct gdb_registers, fpu.ftwx);
}

void gdb_register_get(enum gdb_arch arch, const struct gdb_register *reg,
                      const struct gdb_registers *from, uint8_t bytes[GDB_REGISTER_MAX])
{
    unsigned size = gdb_register_size(arch, reg);

    memset(bytes, 0, GDB_REGISTER_MAX);
    memcpy(bytes, (const uint8_t *)from + reg->offset, size < reg->stored ? size : reg->stored);
    if (is_tag_word(reg)) {
        uint16_t full = full_tags(&from->fpu);

        memcpy(bytes, &full, sizeof full);
    }
}

/* In real mode a selector also sets the segment's base; in other modes the base comes from a
 * descriptor, and is a separate register here. */
static void load_real_segment(struct gdb_registers *to, uint32_t offset)
{
    struct kvm_sregs *s = &to->state.sregs;
    struct kvm_segment *segments[] = {&s->cs, &s->ss, &s->ds, &s->es, &s->fs, &s->gs};

    if (s->cr0 & CR0_PE)
        return;
    for (size_t i = 0; i < COUNT(segments); i++)
        if ((uint8_t *)&segments[i]->selector == (uint8_t *)to + offset)
            segments[i]->base = (uint64_t)segments[i]->selector << 4;
}

void gdb_register_set(enum gdb_arch arch, const struct gdb_register *reg, struct gdb_registers *to,
                      const uint8_t bytes[GDB_REGISTER_MAX])
{
    uint8_t old[GDB_REGISTER_MAX];
    unsigned size = gdb_register_size(arch, reg);

    gdb_register_get(arch, reg, to, old);
    if (memcmp(old, bytes, size) == 0)
        return; /* keeps the parts that gdb does not show */
    if (is_tag_word(reg)) {
        to->fpu.ftwx = short_tags((uint16_t)(bytes[0] | bytes[1] << 8));
        return;
    }
    if (reg->stored > size && reg->bits == 0)
        memset((uint8_t *)to + reg->offset, 0, reg->stored);
    memcpy((uint8_t *)to + reg->offset, bytes, size < reg->stored ? size : reg->stored);
    load_real_segment(to, reg->offset);
}

struct flags {
    const char *id;
    unsigned size;                   /* bytes; 0: a word of the architecture */
    const char *feature;             /* where it is used: types belong to a feature */
    const struct snapshot_bit *bits; /* the last one has no name */
};

static const struct snapshot_bit mxcsr_bits[] = {
    {"IE", 0}, {"DE", 1}, {"ZE", 2},  {"OE", 3},  {"UE", 4},  {"PE", 5},  {"DAZ", 6}, {"IM", 7},
    {"DM", 8}, {"ZM", 9}, {"OM", 10}, {"UM", 11}, {"PM", 12}, {"FZ", 15}, {NULL, 0}};
static const struct flags all_flags[] = {
    {"i386_eflags", 4, "org.gnu.gdb.i386.core", snapshot_flags},
    {"i386_mxcsr", 4, "org.gnu.gdb.i386.sse", mxcsr_bits},
    {"x86_cr0", 0, "mini-kvm.system", snapshot_cr0},
    {"x86_cr4", 0, "mini-kvm.system", snapshot_cr4},
    {"x86_efer", 0, "mini-kvm.system", snapshot_efer},
};

/* A type of the SSE registers' union. */
struct view {
    const char *id, *type;
    unsigned count;
};

static const struct view views[] = {{"v4_float", "ieee_single", 4}, {"v2_double", "ieee_double", 2},
                                    {"v16_int8", "int8", 16},       {"v8_int16", "int16", 8},
                                    {"v4_int32", "int32", 4},       {"v2_int64", "int64", 2}};

static void put_vector_types(struct text *text)
{
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        text_add(text, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>", views[i].id, views[i].type,
                 views[i].count);
    text_add(text, "<union id=\"vec128\">");
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        text_add(text, "<field name=\"%s\" type=\"%s\"/>", views[i].id, views[i].id);
    text_add(text, "<field name=\"uint128\" type=\"uint128\"/></union>\n");
}

static void put_flags(struct text *text, const struct flags *flags, enum gdb_arch arch)
{
    text_add(text, "<flags id=\"%s\" size=\"%u\">", flags->id,
             flags->size != 0 ? flags->size : arches[arch].bits / 8);
    for (const struct snapshot_bit *b = flags->bits; b->name != NULL; b++)
        text_add(text, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", b->name, b->at, b->at);
    text_add(text, "</flags>\n");
}

static void put_feature(struct text *text, const struct gdb_feature *feature, enum gdb_arch arch)
{
    text_add(text, "<feature name=\"%s\">\n", feature->name);
    if (strcmp(feature->name, "org.gnu.gdb.i386.sse") == 0)
        put_vector_types(text);
    for (size_t i = 0; i < sizeof all_flags / sizeof all_flags[0]; i++)
        if (strcmp(all_flags[i].feature, feature->name) == 0)
            put_flags(text, &all_flags[i], arch);
    for (unsigned i = 0; i < feature->count; i++) {
        const struct gdb_register *reg = &feature->registers[i];

        text_add(text, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"", reg->name,
                 8 * gdb_register_size(arch, reg), reg->type);
        if (feature->group != NULL)
            text_add(text, " group=\"%s\"", feature->group);
        text_add(text, "/>\n");
    }
    text_add(text, "</feature>\n");
}

void gdb_describe(struct text *text, enum gdb_arch arch)
{
    text_add(text,
             "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
             "<target version=\"1.0\">\n<architecture>%s</architecture>\n",
             gdb_arch_name(arch));
    for (const struct gdb_feature *f = arches[arch].features; f->name != NULL; f++)
        put_feature(text, f, arch);
    text_add(text, "</target>\n");
}
