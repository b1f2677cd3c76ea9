/*
 * Names for addresses, from the symbol table of an ELF file (System V ABI, chapter 4; layouts in
 * abi/elf.h), 32 or 64 bits. The file may lie: every offset is checked, and a name always ends.
 *
 * Only symbols that stand for a place in the image count: of a section that is loaded, not
 * absolute, and neither a section's nor a file's own.
 */
#ifndef EXPLAIN_SYMBOLS_H
#define EXPLAIN_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "watch/explain/text.h"

struct symbol {
    uint64_t start, end; /* a symbol without a size reaches to the next, or its section's end */
    uint32_t name;       /* where it begins in `names` */
    bool sized;
    uint8_t rank; /* of several at one address the highest is shown */
};

struct symbols {
    struct symbol *list; /* by address, no two alike */
    size_t count;
    const char *names; /* in the file's bytes */
    uint64_t bias;     /* added to every address of the file: where a real-mode window begins */
};

/*
 * Reads the table. `bytes` must live as long as `symbols`; `path` is for the message. An ELF file
 * without any is an error, as the user asked for them.
 */
int symbols_read(struct symbols *symbols, const uint8_t *bytes, size_t size, const char *path,
                 struct error *error) MUST_CHECK;
void symbols_release(struct symbols *symbols);

/* The symbol that holds `address`, or NULL. `symbols` may be NULL. */
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t address);

/* Writes "name+0x1f" (or "name") and returns true; an empty text and false if not found. */
bool symbols_name(const struct symbols *symbols, uint64_t address, char *text, size_t size);

/* "0x1234 <name+0x1f>", or the address alone. */
struct words symbols_words(const struct symbols *symbols, uint64_t address);

/* The same for RIP, an offset in the code segment, which begins at the bias; a place without a name
 * is written as its address. */
const struct symbol *symbols_find_rip(const struct symbols *symbols, uint64_t rip);
bool symbols_name_rip(const struct symbols *symbols, uint64_t rip, char *text, size_t size);

#endif
