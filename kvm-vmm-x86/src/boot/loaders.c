/* The table of image formats, in the order in which they are tried. */
#include <string.h>

#include "boot/loader.h"

static const struct loader *const loaders[] = {
    &loader_bzimage, &loader_multiboot, &loader_vmlinux,
    &loader_elf,     &loader_foreign,   &loader_flat, /* anything else */
};

/* Whether this guest's options skip the loader. */
static bool is_passed_over(const struct loader *loader, const struct guest_config *config)
{
    if (loader == &loader_multiboot)
        return config->kernel_entry != KERNEL_ENTRY_AUTO;
    return loader == &loader_foreign && (config->has_load || config->has_entry);
}

const struct loader *loader_find(const struct image *image, const struct guest_config *config)
{
    size_t i = 0;

    while (is_passed_over(loaders[i], config) || !loaders[i]->recognise(image))
        i++;
    return loaders[i];
}

int loader_place(const struct boot_request *request, gpa_t to, const uint8_t *from, uint64_t count,
                 uint64_t span, struct error *error)
{
    const char *path = request->image->path;
    void *at = memory_at(request->memory, to, span);
    bool low = to < memory_low_end(request->memory);
    gpa_t zeroes = to + count, end = to + span < MIB ? to + span : MIB;

    if (at == NULL)
        return error_set(error, "%s: cannot load %lu bytes at %#lx: not all of it is guest memory",
                         path, span, to);
    if (low && to + span > request->limit)
        return error_set(error,
                         "%s: %lu bytes at %#lx leave no room for tables and stack (from %#lx)",
                         path, span, to, request->limit);
    memcpy(at, from, count);
    if (zeroes < end) /* RAM is zero, except for what multiboot_write_bios put there */
        memset((uint8_t *)at + count, 0, end - zeroes);
    return 0;
}
