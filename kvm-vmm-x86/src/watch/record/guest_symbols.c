/* The names of a guest's addresses; see guest_symbols.h. */
#include "watch/record/guest_symbols.h"

#include "base/address.h"
#include "common/elf.h"

/* A kernel with all its debugging information is some hundred megabytes. */
#define SYMBOLS_LIMIT (2 * GIB)

static int read_table(struct guest_symbols *symbols, const char *path, struct error *error)
{
    symbols->known =
        symbols_read(&symbols->table, symbols->file.bytes, symbols->file.size, path, error) == 0;
    if (!symbols->known)
        file_release(&symbols->file);
    return symbols->known ? 0 : -1;
}

int guest_symbols_load(struct guest_symbols *symbols, const char *path, uint64_t bias,
                       struct error *error)
{
    *symbols = (struct guest_symbols){0};
    if (file_load(&symbols->file, path, SYMBOLS_LIMIT, error) < 0 ||
        read_table(symbols, path, error) < 0)
        return -1;
    symbols->table.bias = bias;
    return 0;
}

void guest_symbols_take(struct guest_symbols *symbols, struct file *image)
{
    struct error ignored;

    *symbols = (struct guest_symbols){0};
    if (!elf_has_magic(image->bytes, image->size))
        return;
    symbols->file = *image;
    *image = (struct file){0};
    (void)!read_table(symbols, "", &ignored); /* then it has no names */
}

void guest_symbols_release(struct guest_symbols *symbols)
{
    if (symbols->known)
        symbols_release(&symbols->table);
    file_release(&symbols->file);
    *symbols = (struct guest_symbols){0};
}
