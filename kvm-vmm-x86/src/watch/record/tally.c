/* Exits by instruction; see tally.h. A hash table with a few probes: a full neighbourhood costs
 * precision, never time. */
#include "watch/record/tally.h"

#include <stddef.h>
#include <stdlib.h>

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

/* Fibonacci hashing: neighbouring instructions go far apart. */
static unsigned slot_of(uint64_t rip)
{
    return (unsigned)((rip * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % LOG_TALLY_PLACES;
}

static struct log_place *find(struct log_tally *tally, uint64_t rip)
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

void log_tally_merge(struct log_tally *tally, const struct log_place *place)
{
    struct log_place *to;

    if (place->count == 0)
        return;
    to = find(tally, place->rip);
    to->count += place->count;
    to->cost += place->cost;
}

void log_tally_add(struct log_tally *tally, uint64_t rip, uint64_t cost)
{
    log_tally_merge(tally, &(struct log_place){.rip = rip, .count = 1, .cost = cost});
}

static int compare(const void *a, const void *b)
{
    const struct log_place *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->rip > y->rip) - (x->rip < y->rip); /* no chance: the same run, the same table */
}

unsigned log_tally_sort(struct log_tally *tally)
{
    unsigned count = 0;

    qsort(tally->places, LOG_TALLY_PLACES, sizeof *tally->places, compare);
    while (count < LOG_TALLY_PLACES && tally->places[count].count > 0)
        count++;
    return count;
}
