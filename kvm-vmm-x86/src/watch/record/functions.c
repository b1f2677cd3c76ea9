/* Exits by function; see functions.h. */
#include "watch/record/functions.h"

#include <stdio.h>

static uint64_t linear(const struct symbols *symbols, uint64_t rip)
{
    return symbols != NULL ? symbols->bias + rip : rip;
}

void log_functions_fold(struct log_tally *to, const struct log_tally *from,
                        const struct symbols *symbols)
{
    for (unsigned i = 0; i < LOG_TALLY_PLACES; i++) {
        struct log_place place = from->places[i];
        const struct symbol *symbol = symbols_find(symbols, linear(symbols, place.rip));

        if (symbol != NULL)
            place.rip = symbol->start;
        log_tally_merge(to, &place);
    }
    to->elsewhere.count += from->elsewhere.count;
    to->elsewhere.cost += from->elsewhere.cost;
}

bool log_functions_symbol(const struct symbols *symbols, uint64_t rip, char *text, size_t size)
{
    return symbols_name(symbols, linear(symbols, rip), text, size);
}

void log_functions_name(const struct symbols *symbols, uint64_t rip, char *text, size_t size)
{
    if (!log_functions_symbol(symbols, rip, text, size))
        snprintf(text, size, "%#llx", (unsigned long long)rip);
}
