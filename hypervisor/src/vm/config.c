/* Reads manifests; see config.h. */
#include "vm/config.h"

#include "common/fmt.h"
#include "common/string.h"
#include "lib/number.h"
#include "mem/gstage.h"

enum { WORD_SIZE = CONFIG_ARGS_SIZE + 32, WEIGHT_USUAL = 100, WEIGHT_MAX = 10000 };

struct reader {
    const char *at, *end;
    unsigned line;
    struct config_error *error;
    bool failed;
};

static void fail(struct reader *r, const char *what, const char *detail)
{
    if (!r->failed) {
        r->error->line = r->line;
        fmt_snprint(r->error->text, sizeof r->error->text, "%s '%.40s'", what, detail);
    }
    r->failed = true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct reader *r)
{
    bool comment = false;

    for (; r->at < r->end && (comment || is_space(*r->at) || *r->at == '#'); r->at++) {
        if (*r->at == '\n')
            r->line++;
        comment = *r->at == '#' || (comment && *r->at != '\n');
    }
}

/* Reads the next word, without its quotes. False at the end or after an error. */
static bool next_word(struct reader *r, char word[WORD_SIZE])
{
    size_t n = 0;
    bool quoted = false;

    skip_space(r);
    if (r->at == r->end || *r->at == '\0')
        return false;
    for (; r->at < r->end && *r->at != '\0' && (quoted || !is_space(*r->at)); r->at++) {
        if (*r->at == '"') {
            quoted = !quoted;
        } else if (n + 1 < WORD_SIZE) {
            word[n++] = *r->at;
        } else {
            word[n] = '\0';
            fail(r, "word too long:", word);
            return false;
        }
    }
    word[n] = '\0';
    if (quoted)
        fail(r, "no closing quote after", word);
    return !r->failed;
}

/* ---- Keys: one row each ---- */

static const char *const page_names[] = {"4K", "2M", "1G", NULL};
static const char *const console_names[] = {"uart", "virtio", NULL};
static const char *const interrupts_names[] = {"plic", "imsic", NULL};

enum key_kind { KEY_TEXT, KEY_NUMBER, KEY_COUNT, KEY_CHOICE, KEY_HARTS };

struct key {
    const char *name;
    enum key_kind kind;
    size_t offset, size;
    const char *const *choices; /* the value's names; it is an unsigned or an enum */
};

_Static_assert(sizeof(enum vm_console) == sizeof(unsigned) &&
                   sizeof(enum vm_interrupts) == sizeof(unsigned),
               "a choice is an unsigned");

#define TEXT_KEY(member)                                                                           \
    {                                                                                              \
#member, KEY_TEXT, offsetof(struct vm_config, member),                                     \
            sizeof(((struct vm_config *)0)->member), NULL                                          \
    }
#define NUMBER_KEY(name, member)                                                                   \
    {                                                                                              \
        name, KEY_NUMBER, offsetof(struct vm_config, member), 8, NULL                              \
    }

/* 1 to `max`. */
#define COUNT_KEY(member, max)                                                                     \
    {                                                                                              \
#member, KEY_COUNT, offsetof(struct vm_config, member), max, NULL                          \
    }
#define CHOICE_KEY(name, member, names)                                                            \
    {                                                                                              \
        name, KEY_CHOICE, offsetof(struct vm_config, member), 0, names                             \
    }

static const struct key keys[] = {
    TEXT_KEY(kernel),
    TEXT_KEY(initrd),
    TEXT_KEY(disk),
    TEXT_KEY(net),
    TEXT_KEY(symbols),
    TEXT_KEY(args),
    NUMBER_KEY("mem", memory),
    NUMBER_KEY("base", base),
    NUMBER_KEY("entry", entry),
    NUMBER_KEY("load", load),
    COUNT_KEY(cpus, VM_VCPUS_MAX),
    COUNT_KEY(clones, VMS_MAX),
    COUNT_KEY(weight, WEIGHT_MAX),
    CHOICE_KEY("page", page_level, page_names),
    {"harts", KEY_HARTS, 0, 0, NULL},
    CHOICE_KEY("console", console, console_names),
    CHOICE_KEY("interrupts", interrupts, interrupts_names),
};

static bool set_key(struct vm_config *c, const struct key *key, const char *value)
{
    uint64_t number;

    switch (key->kind) {
    case KEY_TEXT:
        return string_copy((char *)c + key->offset, value, key->size) < key->size;
    case KEY_NUMBER:
        return number_parse(value, (uint64_t *)((char *)c + key->offset));
    case KEY_COUNT:
        if (!number_parse(value, &number) || number < 1 || number > key->size)
            return false;
        *(unsigned *)((char *)c + key->offset) = (unsigned)number;
        return true;
    case KEY_HARTS:
        return number_parse_set(value, &c->harts);
    default:
        for (unsigned i = 0; key->choices[i] != NULL; i++) {
            if (strcmp(value, key->choices[i]) != 0)
                continue;
            *(unsigned *)((char *)c + key->offset) = i;
            return true;
        }
        return false;
    }
}

static void read_setting(struct reader *r, struct vm_config *c, char *word)
{
    char *equals = strchr(word, '=');

    if (equals == NULL) {
        fail(r, "not key=value:", word);
        return;
    }
    *equals = '\0';
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (strcmp(keys[i].name, word) != 0)
            continue;
        if (!set_key(c, &keys[i], equals + 1)) {
            *equals = '=';
            fail(r, "bad value in", word);
        }
        return;
    }
    fail(r, "unknown key", word);
}

/* Checks the combination of a guest's settings, after all of them have been read. */
static void check_config(struct reader *r, const struct vm_config *c)
{
    if (c->kernel[0] == '\0')
        fail(r, "no kernel= for vm", c->name);
    else if (c->memory < 64 * KIB || c->memory > 1ul << 40 || (c->memory & (PAGE_4K - 1)) != 0)
        fail(r, "mem= must be 64K to 1024G and whole pages, vm", c->name);
    else if (c->base != ~0ul && ((c->base & (PAGE_4K - 1)) != 0 || c->base > 1ul << 49))
        fail(r, "base= must be a whole page below 2^49, vm", c->name);
}

static bool name_is_taken(const struct vm_config *configs, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(configs[i].name, configs[count].name) == 0)
            return true;
    return false;
}

static bool read_name(struct reader *r, struct vm_config *configs, unsigned count)
{
    char word[WORD_SIZE];

    configs[count] = (struct vm_config){.cpus = 1,
                                        .weight = WEIGHT_USUAL,
                                        .harts = ~0u,
                                        .memory = 128 * MIB,
                                        .base = ~0ul,
                                        .entry = ~0ul,
                                        .load = ~0ul,
                                        .page_level = GSTAGE_2M};
    if (!next_word(r, word))
        fail(r, "a name is missing after", "vm");
    else if (string_copy(configs[count].name, word, NAME_SIZE) >= NAME_SIZE || word[0] == '\0')
        fail(r, "a name has 1 to 15 characters:", word);
    else if (name_is_taken(configs, count))
        fail(r, "two guests called", word);
    return !r->failed;
}

int config_parse(const char *text, size_t size, struct vm_config *configs, unsigned max,
                 struct config_error *error)
{
    struct reader r = {.at = text, .end = text + size, .line = 1, .error = error};
    char word[WORD_SIZE];
    unsigned count = 0;

    while (next_word(&r, word) && !r.failed) {
        if (strcmp(word, "vm") != 0) {
            if (count == 0)
                fail(&r, "expected 'vm', found", word);
            else
                read_setting(&r, &configs[count - 1], word);
            continue;
        }
        if (count > 0)
            check_config(&r, &configs[count - 1]);
        if (!r.failed && count == max)
            fail(&r, "more guests than this hypervisor runs at once:",
                 next_word(&r, word) ? word : "vm");
        if (!r.failed && read_name(&r, configs, count))
            count++;
    }
    if (!r.failed && count > 0)
        check_config(&r, &configs[count - 1]);
    return r.failed ? -1 : (int)count;
}

/* ---- Writing ---- */

static size_t write_key(const struct vm_config *c, const struct key *key, char *to, size_t size)
{
    const char *value = (const char *)c + key->offset, *comma = "";
    size_t n;

    switch (key->kind) {
    case KEY_TEXT:
        return (size_t)fmt_snprint(to, size, " %s=\"%s\"", key->name, value);
    case KEY_NUMBER:
        return (size_t)fmt_snprint(to, size, " %s=%lu", key->name, *(const uint64_t *)value);
    case KEY_COUNT:
        return *(const unsigned *)value == 0
                   ? 0
                   : (size_t)fmt_snprint(to, size, " %s=%u", key->name, *(const unsigned *)value);
    case KEY_CHOICE:
        return (size_t)fmt_snprint(to, size, " %s=%s", key->name,
                                   key->choices[*(const unsigned *)value]);
    default:
        n = (size_t)fmt_snprint(to, size, " harts=");
        for (unsigned i = 0; i < 32; i++) {
            if (c->harts >> i & 1) {
                n += (size_t)fmt_snprint(to + n, size - n, "%s%u", comma, i);
                comma = ",";
            }
        }
        return n;
    }
}

void config_write(const struct vm_config *c, char line[CONFIG_LINE_SIZE])
{
    size_t n = (size_t)fmt_snprint(line, CONFIG_LINE_SIZE, "vm \"%s\"", c->name);

    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
        n += write_key(c, &keys[i], line + n, CONFIG_LINE_SIZE - n);
}
