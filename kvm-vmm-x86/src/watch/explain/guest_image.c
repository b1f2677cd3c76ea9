/* A guest's image and symbols; see guest_image.h. */
#include "watch/explain/guest_image.h"

#include "base/address.h"
#include "common/elf.h"

/* A kernel with all its debugging information has some hundred megabytes. */
#define SYMBOLS_LIMIT (2 * GIB)

/* Reads the symbols of symbols_file, which is released if it has none. */
static int read_names(struct guest_image *g, const char *path, const struct vm *vm,
                      struct error *error)
{
    if (symbols_read(&g->symbols, g->symbols_file.bytes, g->symbols_file.size, path, error) < 0) {
        file_release(&g->symbols_file);
        return -1;
    }
    if (vm->mode == MODE_REAL) /* symbols are relative to the code segment */
        g->symbols.bias = vm->memory.slots[0].base;
    return 0;
}

/* Reading symbols takes time, so those of the image itself are read only when needed. An image from
 * a pipe is kept if it may have symbols. */
static int on_image(void *context, struct vm *vm, struct file *image, struct error *error)
{
    struct guest_image *g = context;

    guest_image_release(g);
    if (image->fd != 0 || elf_has_magic(image->bytes, image->size)) {
        g->image = *image;
        *image = (struct file){0};
        if (g->image.fd != 0)
            file_forget(&g->image);
    }
    if (g->symbols_path == NULL)
        return 0;
    g->looked = true;
    return file_load(&g->symbols_file, g->symbols_path, SYMBOLS_LIMIT, error) < 0
               ? -1
               : read_names(g, g->symbols_path, vm, error);
}

const struct observer guest_image_observer = {.name = "image", .image = on_image};

void guest_image_release(struct guest_image *g)
{
    symbols_release(&g->symbols);
    file_release(&g->symbols_file);
    file_release(&g->image);
    *g = (struct guest_image){.symbols_path = g->symbols_path};
}

const struct symbols *guest_image_symbols(const struct vm *vm)
{
    struct guest_image *g = observers_context(vm, &guest_image_observer);

    if (g == NULL)
        return NULL;
    if (!g->looked && vm->mode < MODE_LINUX) {
        if (g->image.fd == 0) {
            g->symbols_file = g->image;
            g->image = (struct file){0};
        } else if (file_load_again(&g->symbols_file, &g->image, &g->why_none) < 0) {
            g->symbols_file = (struct file){0};
        }
        if (elf_has_magic(g->symbols_file.bytes, g->symbols_file.size))
            (void)!read_names(g, vm->name, vm, &g->why_none);
        else
            file_release(&g->symbols_file);
    }
    g->looked = true;
    return g->symbols.count > 0 ? &g->symbols : NULL;
}

const char *guest_image_no_symbols(const struct vm *vm)
{
    const struct guest_image *g = observers_context(vm, &guest_image_observer);

    return g != NULL && g->symbols.count == 0 && g->why_none.text[0] != '\0' ? g->why_none.text
                                                                             : NULL;
}

int guest_image_load_again(const struct vm *vm, struct file *again, struct error *error)
{
    const struct guest_image *g = observers_context(vm, &guest_image_observer);

    if (g == NULL || g->image.fd == 0)
        return error_set(error, "its image is not a file that can be read again");
    return file_load_again(again, &g->image, error) < 0
               ? error_set(error, "its image was changed during the run")
               : 0;
}
