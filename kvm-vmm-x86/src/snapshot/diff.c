/* Compares two snapshots; see diff.h. */
#include "snapshot/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/chunk.h"
#include "watch/explain/walk.h"

/* Limits: a file may have half a million symbols, each with any size. */
enum { PIECES_MAX = 1 << 20, NAMES_A_RUN = 8, RECORDS_MAX = 4096 };

/* The part of a symbol that lies in one page. */
struct piece {
    gpa_t at;
    uint32_t size;
    const struct symbol *symbol;
};

struct pieces {
    struct piece *list; /* by address */
    size_t count, room;
    bool full;
};

static bool add_piece(struct pieces *p, const struct piece *piece)
{
    if (p->count == p->room) {
        size_t room = p->room == 0 ? 1024 : 2 * p->room;
        struct piece *list = room <= PIECES_MAX ? realloc(p->list, room * sizeof *list) : NULL;

        p->full = list == NULL;
        if (p->full)
            return false;
        p->list = list;
        p->room = room;
    }
    p->list[p->count++] = *piece;
    return true;
}

static int by_address(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* Finds the places of the symbols in memory. */
static void find_pieces(struct pieces *p, const struct snapshot_still *s)
{
    const struct symbols *names = &s->symbols;
    const struct snapshot *view = snapshot_still_view(s);

    for (size_t i = 0; i < names->count && !p->full; i++) {
        const struct symbol *symbol = &names->list[i];
        gva_t at = symbol->start + names->bias, end = symbol->end + names->bias;

        while (at < end) {
            uint64_t part = PAGE_SIZE - at % PAGE_SIZE;
            struct piece piece = {.size = (uint32_t)(part < end - at ? part : end - at),
                                  .symbol = symbol};

            if (!walk_place(view, at, &piece.at) || !add_piece(p, &piece))
                break;
            at += piece.size;
        }
    }
    if (p->count > 0)
        qsort(p->list, p->count, sizeof *p->list, by_address);
}

static size_t count_changed(const uint8_t *a, const uint8_t *b, size_t size)
{
    size_t changed = 0;

    for (size_t i = 0; i < size; i++)
        changed += a[i] != b[i];
    return changed;
}

/* Prints the symbols in a run of changed pages, each once even if it covers several pages. */
static void print_names(const struct pieces *p, const struct snapshot_still *a,
                        const struct snapshot_still *b, gpa_t from, gpa_t end)
{
    size_t i = 0, high = p->count;
    unsigned named = 0, more = 0;

    while (i < high) { /* a piece is in one page, and `from` begins a page */
        size_t middle = i + (high - i) / 2;

        if (p->list[middle].at < from)
            i = middle + 1;
        else
            high = middle;
    }
    while (i < p->count && p->list[i].at < end) {
        const struct symbol *symbol = p->list[i].symbol;
        size_t changed = 0;

        for (; i < p->count && p->list[i].at < end && p->list[i].symbol == symbol; i++) {
            const uint8_t *x = memory_at(&a->memory, p->list[i].at, p->list[i].size);
            const uint8_t *y = memory_at(&b->memory, p->list[i].at, p->list[i].size);

            if (x != NULL && y != NULL)
                changed += count_changed(x, y, p->list[i].size);
        }
        if (changed == 0)
            continue;
        if (named++ < NAMES_A_RUN)
            printf("%s %s (%zu byte%s)", named == 1 ? " " : ",", a->symbols.names + symbol->name,
                   changed, changed == 1 ? "" : "s");
        else
            more++;
    }
    if (more > 0)
        printf(" and %u more", more);
}

static uint64_t diff_slot(const struct pieces *p, const struct snapshot_still *a,
                          const struct snapshot_still *b, unsigned slot)
{
    const struct memory_slot *x = &a->memory.slots[slot], *y = &b->memory.slots[slot];
    uint64_t pages = 0, first = UINT64_MAX;

    for (uint64_t at = 0; at <= x->size; at += PAGE_SIZE) {
        bool same = at == x->size || memcmp(x->host + at, y->host + at, PAGE_SIZE) == 0;

        pages += !same;
        if (!same && first == UINT64_MAX)
            first = at;
        if (!same || first == UINT64_MAX)
            continue;
        printf("memory %#012llx  %llu page%s", (unsigned long long)(x->base + first),
               (unsigned long long)((at - first) / PAGE_SIZE), at - first > PAGE_SIZE ? "s" : "");
        print_names(p, a, b, x->base + first, x->base + at);
        printf("\n");
        first = UINT64_MAX;
    }
    return pages;
}

static void diff_memory(const struct snapshot_still *a, const struct snapshot_still *b)
{
    struct pieces pieces = {0};
    uint64_t pages = 0, all = 0;

    find_pieces(&pieces, a);
    for (unsigned i = 0; i < a->memory.count; i++) {
        pages += diff_slot(&pieces, a, b, i);
        all += a->memory.slots[i].size / PAGE_SIZE;
    }
    printf("memory %llu of %llu pages differ\n", (unsigned long long)pages,
           (unsigned long long)all);
    if (a->no_names != NULL)
        printf("memory without names: %s\n", a->no_names);
    if (pieces.full)
        printf("memory some names are left out: there are too many\n");
    free(pieces.list);
}

/* Limits the number of records, because a comparison takes the product of both counts. */
static int check_count(const struct snapshot_folder *f, struct error *error)
{
    struct chunk_reader reader = {.bytes = f->state, .size = f->saved.state_size};
    struct chunk ignored;
    unsigned count = 0;
    int more;

    while ((more = chunk_next(&reader, &ignored, error)) > 0)
        if (++count > RECORDS_MAX)
            return error_set(error, "%s: more than %d records of state", f->folder, RECORDS_MAX);
    return more;
}

/* Finds the nth record of that name: a vCPU may have several waiting writes. */
static int find_record(const struct snapshot_folder *f, const char *name, unsigned n,
                       struct chunk *chunk, struct error *error)
{
    struct chunk_reader reader = {.bytes = f->state, .size = f->saved.state_size};
    int more;

    while ((more = chunk_next(&reader, chunk, error)) > 0)
        if (strcmp(chunk->name, name) == 0 && n-- == 0)
            return 1;
    return more;
}

static unsigned count_before(const struct snapshot_folder *f, const struct chunk *chunk)
{
    struct chunk_reader reader = {.bytes = f->state, .size = f->saved.state_size};
    struct error ignored;
    struct chunk other;
    unsigned n = 0;

    while (chunk_next(&reader, &other, &ignored) > 0 && other.bytes != chunk->bytes)
        n += strcmp(other.name, chunk->name) == 0;
    return n;
}

/* Compares the records of `a` with those of `b`. Unless `whole`, only prints records that `b`
 * lacks. */
static int diff_state(const struct snapshot_folder *a, const struct snapshot_folder *b,
                      const char *letter, bool whole, struct error *error)
{
    struct chunk_reader reader = {.bytes = a->state, .size = a->saved.state_size};
    struct chunk x, y;
    int more, found;

    while ((more = chunk_next(&reader, &x, error)) > 0) {
        found = find_record(b, x.name, count_before(a, &x), &y, error);
        if (found < 0)
            return -1;
        if (found == 0)
            printf("state  %-24s only in %s\n", x.name, letter);
        else if (whole && (x.version != y.version || x.size != y.size))
            printf("state  %-24s %zu bytes, and %zu\n", x.name, x.size, y.size);
        else if (whole && memcmp(x.bytes, y.bytes, x.size) != 0)
            printf("state  %-24s %zu of %zu bytes\n", x.name,
                   count_changed(x.bytes, y.bytes, x.size), x.size);
    }
    return more;
}

static void diff_disks(const struct snapshot_machine *a, const struct snapshot_machine *b)
{
    for (unsigned i = 0; i < a->config.disk_count && i < b->config.disk_count; i++) {
        const struct snapshot_disk *x = &a->disks[i], *y = &b->disks[i];

        if (x->overlay.sum != y->overlay.sum || x->map.sum != y->map.sum ||
            x->sample != y->sample || x->changed != y->changed)
            printf("disk   %u, %s, was written to\n", i, a->config.disks[i].path);
    }
}

int snapshot_diff_print(const struct snapshot_still *a, const struct snapshot_still *b,
                        struct error *error)
{
    const struct snapshot_machine *x = &a->folder.machine, *y = &b->folder.machine;

    if (x->base != y->base || x->config.memory != y->config.memory || x->rom != y->rom)
        return error_set(error,
                         "they are of different machines: one has %llu KiB at %#llx, the other "
                         "%llu KiB at %#llx",
                         (unsigned long long)(x->config.memory >> 10), (unsigned long long)x->base,
                         (unsigned long long)(y->config.memory >> 10), (unsigned long long)y->base);
    if (check_count(&a->folder, error) < 0 || check_count(&b->folder, error) < 0)
        return -1;
    diff_memory(a, b);
    if (diff_state(&a->folder, &b->folder, "the first", true, error) < 0 ||
        diff_state(&b->folder, &a->folder, "the second", false, error) < 0)
        return -1;
    diff_disks(x, y);
    return 0;
}
