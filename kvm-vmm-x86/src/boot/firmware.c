/* Firmware images (--bios): SeaBIOS, qboot and their like. The whole image is mapped as ROM below 4
 * GB (host/ram.h), where the reset vector is; its end is also copied to RAM below 1 MB. */
#include "boot/loader.h"

enum { ALIGN = 4096, LOW_MAX = FIRMWARE_MAX };

static bool recognise(const struct image *image)
{
    (void)image;
    return false; /* only --bios chooses it */
}

static int mode(const struct image *image, enum guest_mode asked, enum guest_mode *result,
                struct error *error)
{
    *result = MODE_FIRMWARE;
    if (asked != MODE_BY_CONTENT)
        return error_set(
            error, "--bios %s: firmware starts at the reset vector: remove --real-mode, -p or -l",
            image->path);
    if (image->size % ALIGN != 0 || image->size > FIRMWARE_MAX)
        return error_set(
            error,
            "--bios %s: %zu bytes; a firmware image has a multiple of 4K, at most %dK, "
            "as SeaBIOS and qboot have (UEFI's and U-Boot do not run here)",
            image->path, image->size, FIRMWARE_MAX / 1024);
    return 0;
}

static int load(const struct boot_request *request, enum guest_mode m, struct cpu_start *start,
                struct error *error)
{
    const struct image *image = request->image;
    size_t size = image->size < LOW_MAX ? image->size : LOW_MAX;

    (void)m;
    start->entry = 0; /* not used: the processor starts at its reset vector */
    return loader_place(request, MIB - size, image->bytes + image->size - size, size, size, error);
}

const struct loader loader_firmware = {
    .name = "firmware", .recognise = recognise, .mode = mode, .load = load, .takes_modules = true};
