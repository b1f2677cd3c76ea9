/*
 * Linux kernels, packed (bzImage) and plain (vmlinux). A bzImage is unpacked here, because its own
 * decompressor would do the same inside the guest, but slower. If it cannot be unpacked here, its
 * decompressor runs.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/linux/bzimage.h"
#include "boot/linux/cached.h"
#include "boot/linux/params.h"
#include "boot/linux/unpack.h"
#include "boot/linux/vmlinux.h"
#include "cpu/linux.h"

/* The values assumed for a plain vmlinux, which has no setup header. */
enum {
    ALIGNMENT = 0x200000,
    PROTOCOL = 0x20f,
    COMMAND_LINE_SIZE = 2047,
    HEADER_MAGIC = 0x53726448
};

#define INITRD_LAST UINT64_C(0x7fffffff)

/* A kernel in memory: how to enter it, and its setup header. */
struct placed {
    enum kernel_entry entry;
    gva_t at;
    gpa_t end;   /* initrds are placed above it */
    bool packed; /* the entry is that of its own decompressor */
    struct setup_header header;
};

static int mode_of_kernel(const struct image *image, enum guest_mode asked, enum guest_mode *mode,
                          struct error *error)
{
    *mode = MODE_LINUX;
    if (asked == MODE_BY_CONTENT)
        return 0;
    return error_set(
        error, "%s: a Linux kernel starts without a mode option: remove --real-mode, -p or -l",
        image->path);
}

/* The entry that the user forced, or the best one for the kernel. */
static int choose_entry(struct placed *placed, const struct vmlinux *v,
                        const struct boot_request *request, struct error *error)
{
    enum kernel_entry asked = request->config->kernel_entry;
    enum kernel_entry own = v->bits64 ? KERNEL_ENTRY_64 : KERNEL_ENTRY_32;

    placed->entry = asked == KERNEL_ENTRY_AUTO ? own : asked;
    if (placed->entry == KERNEL_ENTRY_PVH && !v->pvh)
        return error_set(error, "%s: this kernel has no PVH entry", request->image->path);
    if (placed->entry != KERNEL_ENTRY_PVH && placed->entry != own)
        return error_set(error, "%s: an unpacked %d-bit kernel has no %d-bit entry",
                         request->image->path, v->bits64 ? 64 : 32, v->bits64 ? 32 : 64);
    placed->at = placed->entry == KERNEL_ENTRY_PVH ? v->pvh_entry : v->entry;
    return 0;
}

static int place_vmlinux(struct placed *placed, const struct image *image,
                         const struct boot_request *request, struct error *error)
{
    struct vmlinux v;

    if (vmlinux_open(&v, image, error) < 0 || choose_entry(placed, &v, request, error) < 0 ||
        vmlinux_place(&v, image, request, error) < 0)
        return -1;
    if (placed->end < v.end)
        placed->end = v.end;
    return 0;
}

/* Places a kernel that an earlier run unpacked. 1: it is not in the cache. */
static int place_kept(struct placed *placed, const struct cached_key *key,
                      const struct boot_request *request, struct error *error)
{
    struct cached_kernel kept;
    struct image vmlinux = {.path = request->image->path};
    int result;

    if (!request->cache->find(key, &kept))
        return 1;
    vmlinux.bytes = kept.bytes;
    vmlinux.size = kept.size;
    result = place_vmlinux(placed, &vmlinux, request, error);
    if (!request->cache->release(&kept))
        return error_set(error,
                         "%s: its unpacked copy in the cache was cut short while it was read",
                         request->image->path);
    return result;
}

/* The unpacked kernel, from malloc; NULL on failure. */
static uint8_t *unpack_payload(const struct bzimage *b, const char *path, size_t *size,
                               struct error *error)
{
    struct error why;
    uint8_t *bytes;

    *size = unpack_size(b->payload, b->payload_size);
    if (*size == 0 || *size > b->init_size) {
        error_set(error, "%s: damaged: the size of its packed kernel is impossible", path);
        return NULL;
    }
    bytes = malloc(*size);
    if (bytes == NULL) {
        error_set(error, "%s: no memory to unpack it", path);
    } else if (unpack(b->payload, b->payload_size, bytes, *size, &why) < 0) {
        error_set(error, "%s: %s", path, why.text);
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

/* Unpacks the kernel, and caches it under `key` unless that is NULL. */
static int place_fresh(struct placed *placed, const struct bzimage *b, const struct cached_key *key,
                       const struct boot_request *request, struct error *error)
{
    struct image vmlinux = {.path = request->image->path};
    uint8_t *bytes;
    int result;

    if (bzimage_is_damaged(b, request->image))
        return error_set(error, "%s: a damaged kernel: its checksum is wrong", vmlinux.path);
    bytes = unpack_payload(b, vmlinux.path, &vmlinux.size, error);
    if (bytes == NULL)
        return -1;
    vmlinux.bytes = bytes;
    result = place_vmlinux(placed, &vmlinux, request, error);
    if (result == 0 && key != NULL)
        request->cache->keep(key, bytes, vmlinux.size);
    else
        free(bytes);
    return result;
}

/* 1: this kernel cannot be unpacked here. */
static int place_unpacked(struct placed *placed, const struct bzimage *b,
                          const struct boot_request *request, struct error *error)
{
    uint8_t secret[SIPHASH_SECRET];
    struct cached_key key;
    int result;

    if (b->payload == NULL || unpack_format(b->payload, b->payload_size) == NULL)
        return 1;
    if (request->cache == NULL || !request->cache->secret(secret))
        return place_fresh(placed, b, NULL, request, error);
    key = cached_key_of(secret, b->payload, b->payload_size);
    result = place_kept(placed, &key, request, error);
    return result > 0 ? place_fresh(placed, b, &key, request, error) : result;
}

/* Places the packed kernel; its own decompressor will run. */
static int place_packed(struct placed *placed, const struct bzimage *b,
                        const struct boot_request *request, struct error *error)
{
    enum kernel_entry asked = request->config->kernel_entry;

    placed->entry = asked == KERNEL_ENTRY_AUTO && b->entry64 ? KERNEL_ENTRY_64
                    : asked == KERNEL_ENTRY_AUTO             ? KERNEL_ENTRY_32
                                                             : asked;
    if (placed->entry == KERNEL_ENTRY_PVH)
        return error_set(error,
                         "%s: --kernel-entry pvh: only an unpacked kernel has that entry, and this "
                         "VMM cannot unpack this one",
                         request->image->path);
    if (placed->entry == KERNEL_ENTRY_64 && !b->entry64)
        return error_set(error, "%s: this kernel has no 64-bit entry", request->image->path);
    placed->packed = true;
    placed->at = b->preferred + (placed->entry == KERNEL_ENTRY_64 ? BZIMAGE_ENTRY_64 : 0);
    return bzimage_place(b, request, error);
}

/* --kernel-entry=32 with a 64-bit kernel means its decompressor, the only 32-bit part. */
static int place_bzimage(struct placed *placed, const struct boot_request *request,
                         struct error *error)
{
    struct bzimage b;
    int result = 1;

    if (bzimage_open(&b, request->image, BZIMAGE_OLDEST, error) < 0 ||
        bzimage_check_room(&b, request, error) < 0)
        return -1;
    placed->header = b.header;
    placed->end = b.preferred + b.init_size;
    if (request->config->kernel_entry != KERNEL_ENTRY_32 || !b.entry64)
        result = place_unpacked(placed, &b, request, error);
    return result > 0 ? place_packed(placed, &b, request, error) : result;
}

static int write_command_line(const struct placed *placed, const struct boot_request *request,
                              struct error *error)
{
    static const char full[] =
        "%s: the command line has %zu bytes; this kernel takes %u (--append)";
    char *line = memory_at(request->memory, LINUX_COMMAND_LINE, LINUX_COMMAND_LINE_ROOM);
    uint32_t limit = placed->header.cmdline_size;
    size_t length;

    if (line == NULL)
        return error_set(error, "%s: too little memory for Linux (-m)", request->image->path);
    if (limit > LINUX_COMMAND_LINE_ROOM - 1)
        limit = LINUX_COMMAND_LINE_ROOM - 1;
    length = linux_command_line(line, LINUX_COMMAND_LINE_ROOM, request->config->append,
                                config_has_pci(request->config));
    if (length > limit)
        return error_set(error, full, request->image->path, length, limit);
    return 0;
}

/* Whether the initrds have names. With names they are separate modules of the kernel, without them
 * parts of one ramdisk. */
static bool has_names(const struct boot_request *request)
{
    bool named = false;

    for (unsigned i = 0; i < request->initrd_count; i++)
        named |= request->initrds[i].name != NULL;
    return named;
}

static int check_module_text(const struct boot_request *request, struct error *error)
{
    size_t used = 0;

    for (unsigned i = 0; i < request->initrd_count; i++)
        used += request->initrds[i].name != NULL ? strlen(request->initrds[i].name) + 1 : 0;
    return used <= LINUX_MODULE_TEXT
               ? 0
               : error_set(error, "%s: the names of its modules have more than %d bytes in all",
                           request->image->path, LINUX_MODULE_TEXT);
}

/* Writes the kernel's boot parameters. */
static int inform(const struct placed *placed, const struct boot_request *request,
                  struct cpu_start *start, struct error *error)
{
    struct linux_params params = {
        .header = placed->header, .command_line = LINUX_COMMAND_LINE, .rsdp = request->rsdp};
    bool pvh = placed->entry == KERNEL_ENTRY_PVH;
    gpa_t last = placed->header.initrd_addr_max;

    if (check_module_text(request, error) < 0 || write_command_line(placed, request, error) < 0 ||
        linux_place_initrds(request, placed->end, last < INITRD_LAST ? last : INITRD_LAST,
                            pvh && has_names(request), &params, error) < 0)
        return -1;
    if (!linux_mark_flag(request->memory) ||
        !(pvh ? linux_write_start_info(request->memory, &params)
              : linux_write_zero_page(request->memory, &params)))
        return error_set(error, "%s: too little memory for Linux (-m)", request->image->path);
    start->entry = placed->at;
    start->kernel_entry = placed->entry;
    start->packed = placed->packed;
    start->boot_info = pvh ? LINUX_START_INFO : LINUX_ZERO_PAGE;
    return 0;
}

static int load_bzimage(const struct boot_request *request, enum guest_mode mode,
                        struct cpu_start *start, struct error *error)
{
    struct placed placed = {0};

    (void)mode;
    if (place_bzimage(&placed, request, error) < 0)
        return -1;
    return inform(&placed, request, start, error);
}

static int load_vmlinux(const struct boot_request *request, enum guest_mode mode,
                        struct cpu_start *start, struct error *error)
{
    struct placed placed = {.header = {.boot_flag = 0xaa55,
                                       .header = HEADER_MAGIC,
                                       .version = PROTOCOL,
                                       .kernel_alignment = ALIGNMENT,
                                       .initrd_addr_max = INITRD_LAST,
                                       .cmdline_size = COMMAND_LINE_SIZE}};

    (void)mode;
    if (place_vmlinux(&placed, request->image, request, error) < 0)
        return -1;
    return inform(&placed, request, start, error);
}

const struct loader loader_bzimage = {.name = "Linux, packed",
                                      .recognise = bzimage_recognise,
                                      .mode = mode_of_kernel,
                                      .load = load_bzimage,
                                      .takes_modules = true};
const struct loader loader_vmlinux = {.name = "Linux, plain",
                                      .recognise = vmlinux_recognise,
                                      .mode = mode_of_kernel,
                                      .load = load_vmlinux,
                                      .takes_modules = true};
