/* The data kept of a run; see history.h. */
#include "watch/record/history.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int log_ring_create(struct log_ring *ring, uint32_t capacity, struct error *error)
{
    size_t size = (size_t)capacity * sizeof *ring->records;

    *ring = (struct log_ring){.capacity = capacity, .records = malloc(size)};
    if (ring->records == NULL)
        return error_set(error, "no memory for a log of %u exits", capacity);
    memset(ring->records, 0xff, size); /* writes all pages: zeroes might stay unmapped */
    return 0;
}

void log_ring_destroy(struct log_ring *ring)
{
    free(ring->records);
    *ring = (struct log_ring){0};
}

uint32_t log_ring_count(const struct log_ring *ring)
{
    return ring->total < ring->capacity ? (uint32_t)ring->total : ring->capacity;
}

uint64_t log_ring_dropped(const struct log_ring *ring)
{
    return ring->total - log_ring_count(ring);
}

const struct exit_record *log_ring_at(const struct log_ring *ring, uint32_t index)
{
    uint64_t at = index + (ring->total > ring->capacity ? ring->next : 0u);

    return &ring->records[at % ring->capacity];
}

/* The tally is a hash table with a few probes: if they are all in use, precision is lost, but never
 * time. */
int log_tally_create(struct log_tally *tally, struct error *error)
{
    *tally = (struct log_tally){.places = calloc(LOG_TALLY_PLACES, sizeof *tally->places)};
    return tally->places != NULL ? 0 : error_set(error, "no memory to count exits in");
}

void log_tally_destroy(struct log_tally *tally)
{
    free(tally->places);
    *tally = (struct log_tally){0};
}

/* Fibonacci hashing puts neighbouring instructions far apart. */
static unsigned slot_of(uint64_t rip)
{
    return (unsigned)((rip * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % LOG_TALLY_PLACES;
}

static struct log_place *find_place(struct log_tally *tally, uint64_t rip)
{
    unsigned slot = slot_of(rip);

    for (unsigned i = 0; i < LOG_TALLY_PROBES; i++) {
        struct log_place *place = &tally->places[(slot + i) % LOG_TALLY_PLACES];

        if (place->count == 0)
            place->rip = rip;
        if (place->rip == rip)
            return place;
    }
    return &tally->elsewhere;
}

/* Adds the exits of a place at once, to sum up places by function. */
static void merge(struct log_tally *tally, const struct log_place *place)
{
    struct log_place *to;

    if (place->count == 0)
        return;
    to = find_place(tally, place->rip);
    to->count += place->count;
    to->cost += place->cost;
}

void log_tally_add(struct log_tally *tally, uint64_t rip, uint64_t cost)
{
    merge(tally, &(struct log_place){.rip = rip, .count = 1, .cost = cost});
}

static int compare(const void *a, const void *b)
{
    const struct log_place *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->rip > y->rip) - (x->rip < y->rip); /* the same run gives the same table */
}

unsigned log_tally_sort(struct log_tally *tally)
{
    unsigned count = 0;

    qsort(tally->places, LOG_TALLY_PLACES, sizeof *tally->places, compare);
    while (count < LOG_TALLY_PLACES && tally->places[count].count > 0)
        count++;
    return count;
}

void log_tally_fold(struct log_tally *to, const struct log_tally *from,
                    const struct symbols *symbols)
{
    for (unsigned i = 0; i < LOG_TALLY_PLACES; i++) {
        struct log_place place = from->places[i];
        const struct symbol *symbol = symbols_find_rip(symbols, place.rip);

        if (symbol != NULL)
            place.rip = symbol->start;
        merge(to, &place);
    }
    to->elsewhere.count += from->elsewhere.count;
    to->elsewhere.cost += from->elsewhere.cost;
}

/* There is one writer; others may read at any time. */
static void add_count(struct log_count *to, uint64_t reads, uint64_t writes)
{
    __atomic_store_n(&to->reads, to->reads + reads, __ATOMIC_RELAXED);
    __atomic_store_n(&to->writes, to->writes + writes, __ATOMIC_RELAXED);
}

static void merge_count(struct log_count *to, const struct log_count *from)
{
    to->reads += __atomic_load_n(&from->reads, __ATOMIC_RELAXED);
    to->writes += __atomic_load_n(&from->writes, __ATOMIC_RELAXED);
}

/* The counter of an address without a device; NULL if there are too many. */
static struct log_count *place_of(struct log_accesses *a, enum bus_space space, uint64_t address)
{
    for (unsigned i = 0; i < LOG_ADDRESSES_MAX; i++) {
        struct log_address *place = &a->addresses[i];

        if (place->count.reads + place->count.writes == 0) {
            place->space = space;
            place->address = address;
        }
        if (place->space == space && place->address == address)
            return &place->count;
    }
    return NULL;
}

void log_accesses_add(struct log_accesses *a, struct bus *bus, const struct exit_record *r)
{
    enum bus_space space = r->space == EXIT_PORT ? BUS_PIO : BUS_MMIO;
    uint64_t reads = r->write ? 0 : r->count, writes = r->write ? r->count : 0;
    const struct bus_range *range;
    struct log_count *place;

    if (r->space != EXIT_PORT && r->space != EXIT_MEMORY)
        return;
    range = bus_find(bus, space, r->address);
    if (range != NULL) {
        unsigned index = bus_register(range, r->address - range->base, r->write, (uint8_t)r->value);

        add_count(&a->registers[range - bus->ranges][index], reads, writes);
        return;
    }
    add_count(&a->unclaimed[space], reads, writes);
    place = place_of(a, space, r->address);
    if (place != NULL)
        add_count(place, reads, writes);
}

void log_accesses_merge(struct log_accesses *to, const struct log_accesses *from)
{
    for (unsigned i = 0; i < BUS_RANGES_MAX; i++)
        for (unsigned j = 0; j < BUS_REGISTERS_MAX; j++)
            merge_count(&to->registers[i][j], &from->registers[i][j]);
    for (unsigned i = 0; i < BUS_SPACES; i++)
        merge_count(&to->unclaimed[i], &from->unclaimed[i]);
    for (unsigned i = 0; i < LOG_ADDRESSES_MAX; i++) {
        const struct log_address *place = &from->addresses[i];
        struct log_count *same = place_of(to, place->space, place->address);

        if (same != NULL)
            merge_count(same, &place->count);
    }
}

struct log_count log_accesses_of(const struct log_accesses *accesses, unsigned range)
{
    struct log_count sum = {0};

    for (unsigned i = 0; i < BUS_REGISTERS_MAX; i++)
        merge_count(&sum, &accesses->registers[range][i]);
    return sum;
}

int log_output_create(struct log_output *output, struct error *error)
{
    *output = (struct log_output){.bytes = calloc(1, LOG_OUTPUT_BYTES),
                                  .pieces = calloc(LOG_OUTPUT_PIECES, sizeof *output->pieces)};
    if (output->bytes != NULL && output->pieces != NULL)
        return 0;
    log_output_destroy(output);
    return error_set(error, "no memory to keep a guest's output in");
}

void log_output_destroy(struct log_output *output)
{
    free(output->bytes);
    free(output->pieces);
    *output = (struct log_output){0};
}

/*
 * A piece begins at a new line, after a pause, and where a line is so long that it would be lost as
 * a whole. This does not split a UTF-8 character, unless there are more continuation bytes than a
 * character can have.
 */
static bool begins_piece(const struct log_output *o, uint8_t byte, uint64_t time)
{
    uint64_t size;

    if (o->byte_total == 0 || log_output_byte(o, o->byte_total - 1) == '\n')
        return true;
    size = o->byte_total - log_output_piece(o, o->piece_total - 1)->start;
    if ((byte & 0xc0) == 0x80 && size < 2 * LOG_OUTPUT_LINE)
        return false;
    return size >= LOG_OUTPUT_LINE || time - o->last > LOG_OUTPUT_PAUSE;
}

void log_output_add(struct log_output *output, const uint8_t *bytes, size_t count, uint64_t time)
{
    for (size_t i = 0; i < count; i++) {
        if (begins_piece(output, bytes[i], time))
            output->pieces[output->piece_total++ % LOG_OUTPUT_PIECES] =
                (struct log_piece){.start = output->byte_total, .time = time};
        output->bytes[output->byte_total++ % LOG_OUTPUT_BYTES] = bytes[i];
        output->last = time;
    }
}

const struct log_piece *log_output_piece(const struct log_output *output, uint64_t index)
{
    return &output->pieces[index % LOG_OUTPUT_PIECES];
}

size_t log_output_size(const struct log_output *output, uint64_t index)
{
    uint64_t end = index + 1 < output->piece_total ? log_output_piece(output, index + 1)->start
                                                   : output->byte_total;

    return (size_t)(end - log_output_piece(output, index)->start);
}

uint64_t log_output_first(const struct log_output *output)
{
    uint64_t index =
        output->piece_total > LOG_OUTPUT_PIECES ? output->piece_total - LOG_OUTPUT_PIECES : 0;

    while (index < output->piece_total &&
           output->byte_total - log_output_piece(output, index)->start > LOG_OUTPUT_BYTES)
        index++;
    return index;
}

uint64_t log_output_dropped(const struct log_output *output)
{
    uint64_t first = log_output_first(output);

    return first < output->piece_total ? log_output_piece(output, first)->start
                                       : output->byte_total;
}

void log_run_destroy(struct log_run *run)
{
    for (unsigned g = 0; g < GUESTS_MAX; g++) {
        struct log_guest *guest = &run->guests[g];

        for (unsigned v = 0; v < guest->vcpu_count; v++) {
            log_ring_destroy(&guest->vcpus[v]->ring);
            log_tally_destroy(&guest->vcpus[v]->tally);
            free(guest->vcpus[v]->accesses);
            free(guest->vcpus[v]);
        }
        log_output_destroy(&guest->output);
        log_tally_destroy(&guest->functions);
    }
    *run = (struct log_run){0};
}
