/* Flat images: bytes without a header, loaded and entered where the mode or the user says. */
#include "boot/loader.h"
#include "dev/no_bios.h"

/* Where each mode puts a flat image, relative to the start of its RAM, and where it enters it. */
static const struct {
    gpa_t load;
    gva_t entry;
} places[] = {
    [MODE_REAL] = {.load = 0, .entry = 0},
    [MODE_PROTECTED] = {.load = 0x1000, .entry = CPU_HIGH_BASE + 0x1000},
    [MODE_LONG] = {.load = 0x100000, .entry = 0x100000},
};

static bool recognise(const struct image *image)
{
    (void)image;
    return true;
}

static int mode(const struct image *image, enum guest_mode asked, enum guest_mode *result,
                struct error *error)
{
    (void)image;
    (void)error;
    *result = asked == MODE_BY_CONTENT ? MODE_REAL : asked;
    return 0;
}

/* A BIOS loads a boot sector at 0x7c00, so it is linked for that address. */
enum { SECTOR = 512, BOOT_SECTOR_PLACE = 0x7c00 };

static bool is_boot_sector(const struct image *image)
{
    return image->size >= SECTOR && image->bytes[SECTOR - 2] == 0x55 &&
           image->bytes[SECTOR - 1] == 0xaa;
}

static int load(const struct boot_request *request, enum guest_mode m, struct cpu_start *start,
                struct error *error)
{
    const struct guest_config *o = request->config;
    const struct image *image = request->image;
    gpa_t base = request->memory->slots[0].base;
    gpa_t at = o->has_load ? o->load : places[m].load;

    if (m == MODE_REAL && !o->has_load && is_boot_sector(image))
        at = BOOT_SECTOR_PLACE;
    start->entry = o->has_entry ? o->entry : places[m].entry + (at - places[m].load);
    if (!o->has_entry && m == MODE_PROTECTED && !start->paging)
        start->entry -= CPU_HIGH_BASE;
    if (m == MODE_REAL && start->entry > UINT16_MAX)
        return error_set(error, "%s: --entry %#lx: real mode's IP has 16 bits", image->path,
                         start->entry);
    if (m == MODE_REAL && image->size > memory_low_end(request->memory) - base)
        return error_set(error, "%s: %zu bytes do not fit in a window of %lu", image->path,
                         image->size, memory_low_end(request->memory) - base);
    if (m == MODE_REAL)
        no_bios_fill(request->memory, at, at + image->size);
    return loader_place(request, base + at, image->bytes, image->size, image->size, error);
}

const struct loader loader_flat = {
    .name = "flat", .recognise = recognise, .mode = mode, .load = load};
