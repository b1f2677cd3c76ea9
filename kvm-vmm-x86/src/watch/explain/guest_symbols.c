/* The names of a guest's addresses; see guest_symbols.h. */
#include "watch/explain/guest_symbols.h"

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
    guest_symbols_release(symbols);
    if (file_load(&symbols->file, path, SYMBOLS_LIMIT, error) < 0 ||
        read_table(symbols, path, error) < 0)
        return -1;
    symbols->table.bias = bias;
    return 0;
}

/* Takes the image over if it is an ELF file with names in it; no error if not. */
static void take(struct guest_symbols *symbols, struct file *image)
{
    struct error ignored;

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
    *symbols = (struct guest_symbols){.path = symbols->path, .wanted = symbols->wanted};
}

/* Reading names costs time at the start: the image's own are only read if they are shown. */
static int on_image(void *context, struct vm *vm, struct file *image, struct error *error)
{
    struct guest_symbols *symbols = context;

    if (symbols->path != NULL)
        return guest_symbols_load(symbols, symbols->path,
                                  vm->mode == MODE_REAL ? vm->memory.regions[0].base : 0, error);
    guest_symbols_release(symbols);
    if (symbols->wanted)
        take(symbols, image);
    return 0;
}

const struct observer guest_symbols_observer = {.name = "symbols", .image = on_image};

const struct symbols *guest_symbols_of(const struct vm *vm)
{
    const struct guest_symbols *symbols = observers_context(vm, &guest_symbols_observer);

    return symbols != NULL && symbols->known ? &symbols->table : NULL;
}
