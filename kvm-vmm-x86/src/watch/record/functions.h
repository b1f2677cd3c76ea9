/* Exits by function of the guest. */
#ifndef LOG_FUNCTIONS_H
#define LOG_FUNCTIONS_H

#include <stddef.h>

#include "watch/explain/symbols.h"
#include "watch/record/tally.h"

/*
 * Adds the places of `from` to `to`, those of one function as one: its `rip` is where it begins. A
 * place that no symbol covers stays what it is; so does every one where `symbols` is NULL.
 */
void log_functions_fold(struct log_tally *to, const struct log_tally *from,
                        const struct symbols *symbols);

/*
 * "name+0x1f" or "name"; an empty text and false where there is none. RIP is an offset in the code
 * segment, which begins where the symbols' bias says.
 */
bool log_functions_symbol(const struct symbols *symbols, uint64_t rip, char *text, size_t size);

/* The same, or the address where there is none. */
void log_functions_name(const struct symbols *symbols, uint64_t rip, char *text, size_t size);

#endif
