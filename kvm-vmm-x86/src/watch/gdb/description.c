/* target.xml; see description.h. Bits of the control registers: Intel SDM volume 3, 2.5; EFER: AMD
 * APM volume 2, 3.1.7. */
#include "watch/gdb/description.h"

#include <stddef.h>
#include <string.h>

struct bit {
    const char *name;
    unsigned at;
};

struct flags {
    const char *id;
    unsigned size;          /* bytes; 0: a word of the architecture */
    const char *feature;    /* where it is used: types belong to a feature */
    const struct bit *bits; /* ended by one without a name */
};

static const struct bit eflags_bits[] = {
    {"CF", 0},  {"", 1},    {"PF", 2},   {"AF", 4},   {"ZF", 6},  {"SF", 7},
    {"TF", 8},  {"IF", 9},  {"DF", 10},  {"OF", 11},  {"NT", 14}, {"RF", 16},
    {"VM", 17}, {"AC", 18}, {"VIF", 19}, {"VIP", 20}, {"ID", 21}, {NULL, 0}};
static const struct bit mxcsr_bits[] = {{"IE", 0},  {"DE", 1},  {"ZE", 2},  {"OE", 3},  {"UE", 4},
                                        {"PE", 5},  {"DAZ", 6}, {"IM", 7},  {"DM", 8},  {"ZM", 9},
                                        {"OM", 10}, {"UM", 11}, {"PM", 12}, {"FZ", 15}, {NULL, 0}};
static const struct bit cr0_bits[] = {{"PE", 0},  {"MP", 1},  {"EM", 2},  {"TS", 3},
                                      {"ET", 4},  {"NE", 5},  {"WP", 16}, {"AM", 18},
                                      {"NW", 29}, {"CD", 30}, {"PG", 31}, {NULL, 0}};
static const struct bit cr4_bits[] = {
    {"VME", 0},   {"PVI", 1},   {"TSD", 2},   {"DE", 3},        {"PSE", 4},         {"PAE", 5},
    {"MCE", 6},   {"PGE", 7},   {"PCE", 8},   {"OSFXSR", 9},    {"OSXMMEXCPT", 10}, {"UMIP", 11},
    {"LA57", 12}, {"VMXE", 13}, {"SMXE", 14}, {"FSGSBASE", 16}, {"PCIDE", 17},      {"OSXSAVE", 18},
    {"SMEP", 20}, {"SMAP", 21}, {"PKE", 22},  {NULL, 0}};
static const struct bit efer_bits[] = {{"SCE", 0},   {"LME", 8},    {"LMA", 10}, {"NXE", 11},
                                       {"SVME", 12}, {"FFXSR", 14}, {NULL, 0}};

static const struct flags all_flags[] = {
    {"i386_eflags", 4, "org.gnu.gdb.i386.core", eflags_bits},
    {"i386_mxcsr", 4, "org.gnu.gdb.i386.sse", mxcsr_bits},
    {"x86_cr0", 0, "mini-kvm.system", cr0_bits},
    {"x86_cr4", 0, "mini-kvm.system", cr4_bits},
    {"x86_efer", 0, "mini-kvm.system", efer_bits},
};

/* What an SSE register may be looked at as. */
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
             flags->size != 0 ? flags->size : gdb_arch_bits(arch) / 8);
    for (const struct bit *b = flags->bits; b->name != NULL; b++)
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
    for (const struct gdb_feature *f = gdb_features(arch); f->name != NULL; f++)
        put_feature(text, f, arch);
    text_add(text, "</target>\n");
}
