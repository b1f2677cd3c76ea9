/* Names for addresses; see symbols.h. */
#include "watch/explain/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/elf.h"

/* Limits for a file. The largest kernels have a third of a million symbols; sorting half a million
 * takes a fifth of a second. */
enum { SECTIONS_MAX = 65536, SYMBOLS_MAX = 512 * 1024 };

enum { RANK_LOCAL_PLACE, RANK_PLACE, RANK_LOCAL_FUNCTION, RANK_FUNCTION };

/* The tables of one file, found and checked. */
struct tables {
    struct elf_file elf;
    struct elf_section symbols, names;
    uint64_t names_end; /* after the last zero byte: names before it are terminated */
};

static uint64_t end_of_names(const struct tables *t)
{
    const uint8_t *start = t->elf.bytes + t->names.offset;
    const uint8_t *last = memrchr(start, '\0', t->names.size);

    return last != NULL ? (uint64_t)(last - start) + 1 : 0;
}

static int find_tables(struct tables *t, struct error *error, const char *path)
{
    for (unsigned i = 0; i < t->elf.shnum && i < SECTIONS_MAX; i++) {
        if (elf_section(&t->elf, i, &t->symbols) != ELF_OK)
            return error_set(error, "%s: section %u reaches past the end of the file", path, i);
        if (t->symbols.type != ELF_SHT_SYMTAB)
            continue;
        if (elf_section(&t->elf, t->symbols.link, &t->names) != ELF_OK ||
            t->names.type != ELF_SHT_STRTAB)
            return error_set(error, "%s: its symbols have no names", path);
        t->names_end = end_of_names(t);
        return 0;
    }
    return error_set(error, "%s: no symbols in it (stripped?)", path);
}

/* Whether a name at `offset` is not empty, and ends inside its table. */
static bool is_name(const struct tables *t, uint32_t offset)
{
    return offset < t->names_end && t->elf.bytes[t->names.offset + offset] != '\0';
}

static uint8_t rank_of(const struct elf_symbol *s)
{
    bool function = s->type == ELF_STT_FUNC;
    bool local = s->bind == ELF_STB_LOCAL;

    return function ? (local ? RANK_LOCAL_FUNCTION : RANK_FUNCTION)
                    : (local ? RANK_LOCAL_PLACE : RANK_PLACE);
}

/* Turns entry `index` into a symbol; false if it is not an address in the image. */
static bool take_symbol(const struct tables *t, unsigned index, struct symbol *symbol)
{
    struct elf_section home;
    struct elf_symbol s;

    if (elf_symbol(&t->elf, &t->symbols, index, &s) != ELF_OK || s.type > ELF_STT_FUNC)
        return false;
    if (!is_name(t, s.name) || elf_section(&t->elf, s.section, &home) != ELF_OK ||
        !(home.flags & ELF_SHF_ALLOC) || s.value < home.addr || s.value - home.addr >= home.size)
        return false;
    *symbol = (struct symbol){.start = s.value,
                              .end = home.addr + home.size,
                              .name = s.name,
                              .sized = s.size != 0,
                              .rank = rank_of(&s)};
    if (s.size != 0 && s.size < symbol->end - symbol->start)
        symbol->end = symbol->start + s.size;
    return true;
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (int)y->rank - (int)x->rank;
}

/* Keeps the best symbol for each address. A symbol without a size ends where the next begins. */
static void tidy(struct symbols *symbols)
{
    size_t kept = 0;

    qsort(symbols->list, symbols->count, sizeof *symbols->list, by_address);
    for (size_t i = 0; i < symbols->count; i++)
        if (kept == 0 || symbols->list[i].start != symbols->list[kept - 1].start)
            symbols->list[kept++] = symbols->list[i];
    symbols->count = kept;
    for (size_t i = 0; i + 1 < kept; i++)
        if (!symbols->list[i].sized && symbols->list[i].end > symbols->list[i + 1].start)
            symbols->list[i].end = symbols->list[i + 1].start;
}

int symbols_read(struct symbols *symbols, const uint8_t *bytes, size_t size, const char *path,
                 struct error *error)
{
    struct tables t;
    unsigned entries;
    int code = elf_open(&t.elf, bytes, size);

    *symbols = (struct symbols){0};
    if (code != ELF_OK)
        return error_set(error, "%s: %s", path, elf_error_text(code));
    if (t.elf.machine != ELF_MACHINE_386 && t.elf.machine != ELF_MACHINE_X86_64)
        return error_set(error, "%s: symbols of another kind of CPU (machine %u)", path,
                         t.elf.machine);
    if (find_tables(&t, error, path) < 0)
        return -1;
    entries = elf_symbol_count(&t.elf, &t.symbols);
    if (entries == 0 || entries > SYMBOLS_MAX)
        return error_set(error, "%s: its symbol table has %u entries; at most %d are supported",
                         path, entries, SYMBOLS_MAX);
    symbols->names = (const char *)bytes + t.names.offset;
    symbols->list = calloc(entries, sizeof *symbols->list);
    if (symbols->list == NULL)
        return error_set(error, "%s: out of memory for its symbols", path);
    for (unsigned i = 0; i < entries; i++)
        if (take_symbol(&t, i, &symbols->list[symbols->count]))
            symbols->count++;
    tidy(symbols);
    if (symbols->count > 0)
        return 0;
    symbols_release(symbols);
    return error_set(error, "%s: none of its symbols lies within its image", path);
}

void symbols_release(struct symbols *symbols)
{
    free(symbols->list);
    *symbols = (struct symbols){0};
}

/* The last symbol that begins at or before the address; nested symbols are ignored. */
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t address)
{
    size_t low = 0, high;

    if (symbols == NULL || symbols->count == 0 || address < symbols->bias)
        return NULL;
    address -= symbols->bias;
    high = symbols->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (symbols->list[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && address < symbols->list[low - 1].end ? &symbols->list[low - 1] : NULL;
}

bool symbols_name(const struct symbols *symbols, uint64_t address, char *text, size_t size)
{
    const struct symbol *s = symbols_find(symbols, address);
    uint64_t offset;

    if (size > 0)
        text[0] = '\0';
    if (s == NULL)
        return false;
    offset = address - symbols->bias - s->start;
    if (offset == 0)
        snprintf(text, size, "%.120s", symbols->names + s->name);
    else
        snprintf(text, size, "%.120s+0x%lx", symbols->names + s->name, offset);
    for (char *c = text; size > 0 && *c != '\0'; c++)
        if (*c < ' ' || *c > '~') /* no control characters for the terminal */
            *c = '?';
    return true;
}

struct words symbols_words(const struct symbols *symbols, uint64_t address)
{
    struct words place;
    char name[160];
    bool named = symbols_name(symbols, address, name, sizeof name);

    snprintf(place.text, sizeof place.text, "0x%lx%s%s%s", address, named ? " <" : "", name,
             named ? ">" : "");
    return place;
}

static uint64_t linear(const struct symbols *symbols, uint64_t rip)
{
    return symbols != NULL ? symbols->bias + rip : rip;
}

const struct symbol *symbols_find_rip(const struct symbols *symbols, uint64_t rip)
{
    return symbols_find(symbols, linear(symbols, rip));
}

bool symbols_name_rip(const struct symbols *symbols, uint64_t rip, char *text, size_t size)
{
    if (symbols_name(symbols, linear(symbols, rip), text, size))
        return true;
    snprintf(text, size, "%#lx", rip);
    return false;
}
