/*
 * Kernels with a multiboot header: Multiboot Specification 0.6.96, sections 3.1 and 3.2, and
 * Multiboot2 Specification 2.0, sections 3.1 to 3.5. ELF files of both classes, and any file whose
 * header carries addresses, start in 32-bit protected mode without paging. A kernel with both
 * headers starts by the first version, as with QEMU's -kernel. See multiboot.h.
 */
#include "boot/multiboot.h"

#include <string.h>

#include "abi/multiboot.h"
#include "abi/multiboot2.h"
#include "boot/elf.h"

/* What a header of either version asks for. */
struct header {
    unsigned version; /* 0: not found */
    size_t at;        /* offset in the file */
    bool has_addresses, has_entry;
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
    const char *refused; /* a demand of the header that is not met; NULL: none */
};

static struct header find_version_1(const struct image *image)
{
    size_t end = image->size < MULTIBOOT_SEARCH ? image->size : MULTIBOOT_SEARCH;
    struct multiboot_header h = {0};
    const uint32_t known = MULTIBOOT_ALIGN_MODULES | MULTIBOOT_WANT_MEMORY | MULTIBOOT_WANT_VIDEO;

    for (size_t at = 0; at + offsetof(struct multiboot_header, header_addr) <= end; at += 4) {
        size_t here = image->size - at < sizeof h ? image->size - at : sizeof h;
        struct header found = {.version = 1, .at = at};

        memcpy(&h, image->bytes + at, here);
        if (h.magic != MULTIBOOT_HEADER_MAGIC || h.magic + h.flags + h.checksum != 0)
            continue;
        if ((h.flags & MULTIBOOT_HAS_ADDRESSES) &&
            here >= offsetof(struct multiboot_header, mode_type)) {
            found.has_addresses = found.has_entry = true;
            found.header_addr = h.header_addr;
            found.load_addr = h.load_addr;
            found.load_end_addr = h.load_end_addr;
            found.bss_end_addr = h.bss_end_addr;
            found.entry_addr = h.entry_addr;
        }
        if (h.flags & MULTIBOOT_REQUIREMENTS & ~known)
            found.refused = "a feature that this version of multiboot does not define";
        else if ((h.flags & MULTIBOOT_WANT_VIDEO) && h.mode_type != MULTIBOOT_VIDEO_TEXT)
            found.refused = "a graphics screen; this machine has only a text screen";
        return found;
    }
    return (struct header){0};
}

/* Whether this loader has all the information that a tag asks for. */
static bool has_all(const uint8_t *types, size_t size)
{
    static const uint32_t offered[] = {
        MULTIBOOT2_CMDLINE, MULTIBOOT2_LOADER_NAME, MULTIBOOT2_MODULE, MULTIBOOT2_MEMORY,
        MULTIBOOT2_MMAP,    MULTIBOOT2_RSDP_1,      MULTIBOOT2_RSDP_2};

    for (size_t at = 0; at + sizeof(uint32_t) <= size; at += sizeof(uint32_t)) {
        bool known = false;
        uint32_t type;

        memcpy(&type, types + at, sizeof type);
        for (size_t i = 0; i < sizeof offered / sizeof offered[0]; i++)
            known |= offered[i] == type;
        if (!known)
            return false;
    }
    return true;
}

static void take_tag(struct header *found, const struct multiboot2_header_tag *tag,
                     const uint8_t *bytes)
{
    struct multiboot2_addresses a;
    struct multiboot2_entry e;

    switch (tag->type) {
    case MULTIBOOT2_HEADER_INFORMATION:
        if (!has_all(bytes + sizeof *tag, tag->size - sizeof *tag) &&
            !(tag->flags & MULTIBOOT2_OPTIONAL))
            found->refused = "information that this machine does not have";
        break;
    case MULTIBOOT2_HEADER_ADDRESSES:
        if (tag->size < sizeof a)
            break;
        memcpy(&a, bytes, sizeof a);
        found->has_addresses = true;
        found->header_addr = a.header_addr;
        found->load_addr = a.load_addr;
        found->load_end_addr = a.load_end_addr;
        found->bss_end_addr = a.bss_end_addr;
        break;
    case MULTIBOOT2_HEADER_ENTRY:
        if (tag->size < sizeof e)
            break;
        memcpy(&e, bytes, sizeof e);
        found->has_entry = true;
        found->entry_addr = e.entry_addr;
        break;
    case MULTIBOOT2_HEADER_CONSOLE:
    case MULTIBOOT2_HEADER_ALIGN_MODULES:
    case MULTIBOOT2_HEADER_EFI_ENTRY_32: /* for a machine with EFI */
    case MULTIBOOT2_HEADER_EFI_ENTRY_64:
    case MULTIBOOT2_HEADER_RELOCATABLE: /* may be moved, need not be */
        break;
    case MULTIBOOT2_HEADER_FRAMEBUFFER:
        if (!(tag->flags & MULTIBOOT2_OPTIONAL))
            found->refused = "a graphics screen; this machine has only a text screen";
        break;
    default:
        if (!(tag->flags & MULTIBOOT2_OPTIONAL))
            found->refused = "a feature that this VMM does not have";
    }
}

static struct header find_version_2(const struct image *image)
{
    size_t end = image->size < MULTIBOOT2_SEARCH ? image->size : MULTIBOOT2_SEARCH;
    struct multiboot2_header h;

    for (size_t at = 0; at + sizeof h <= end; at += 8) {
        struct header found = {.version = 2, .at = at};
        struct multiboot2_header_tag tag;
        size_t last;

        memcpy(&h, image->bytes + at, sizeof h);
        if (h.magic != MULTIBOOT2_HEADER_MAGIC ||
            h.magic + h.architecture + h.length + h.checksum != 0)
            continue;
        if (h.architecture != MULTIBOOT2_I386)
            found.refused = "another kind of processor";
        last = h.length < end - at ? at + h.length : end;
        for (size_t t = at + sizeof h; t <= last && last - t >= sizeof tag;) {
            memcpy(&tag, image->bytes + t, sizeof tag);
            if (tag.type == MULTIBOOT2_HEADER_END || tag.size < sizeof tag || tag.size > last - t)
                break;
            take_tag(&found, &tag, image->bytes + t);
            t += ((size_t)tag.size + 7) & ~(size_t)7;
        }
        return found;
    }
    return (struct header){0};
}

static struct header find_header(const struct image *image)
{
    struct header found = find_version_1(image);

    return found.version != 0 ? found : find_version_2(image);
}

/* A file that is not an ELF file can be loaded only if the header says where. */
static bool recognise(const struct image *image)
{
    struct header h = find_header(image);

    return h.version != 0 && (h.has_addresses || elf_has_magic(image->bytes, image->size));
}

/* With -l the ELF loader takes the file, and starts a 64-bit one in long mode. */
static bool wants_long(const struct image *image, enum guest_mode asked)
{
    return asked == MODE_LONG && elf_has_magic(image->bytes, image->size);
}

static int mode(const struct image *image, enum guest_mode asked, enum guest_mode *result,
                struct error *error)
{
    struct header h = find_header(image);
    struct elf_file elf;

    if (wants_long(image, asked))
        return loader_elf.mode(image, asked, result, error);
    if (asked != MODE_BY_CONTENT && asked != MODE_PROTECTED)
        return error_set(error, "%s: a multiboot kernel starts in 32-bit protected mode (-p)",
                         image->path);
    if (h.refused != NULL)
        return error_set(error, "%s: its multiboot header asks for %s", image->path, h.refused);
    if (!h.has_addresses && elf_image_open(image, &elf, error) < 0)
        return -1;
    *result = MODE_PROTECTED;
    return 0;
}

/* The part of the file that the header's addresses name: Multiboot 0.6.96, section 3.1.3. */
static int place_by_addresses(const struct boot_request *request, const struct header *h,
                              gpa_t *end, struct error *error)
{
    const struct image *image = request->image;
    uint64_t before = (uint64_t)h->header_addr - h->load_addr, from, count, span;

    if (h->header_addr < h->load_addr || before > h->at)
        return error_set(error, "%s: the addresses in its multiboot header do not fit the file",
                         image->path);
    from = h->at - before;
    count = h->load_end_addr != 0 ? (uint64_t)h->load_end_addr - h->load_addr : image->size - from;
    if ((h->load_end_addr != 0 && h->load_end_addr < h->load_addr) || count > image->size - from)
        return error_set(error, "%s: its multiboot header loads more than the file has",
                         image->path);
    span = count;
    if (h->bss_end_addr != 0 && h->bss_end_addr > h->load_addr + count)
        span = h->bss_end_addr - h->load_addr;
    *end = h->load_addr + span;
    return loader_place(request, h->load_addr, image->bytes + from, count, span, error);
}

static int place_kernel(const struct boot_request *request, const struct header *h, gpa_t *entry,
                        gpa_t *end, struct error *error)
{
    struct elf_file elf;

    if (h->has_addresses) {
        *entry = h->entry_addr;
        return place_by_addresses(request, h, end, error);
    }
    if (elf_image_open(request->image, &elf, error) < 0 ||
        elf_image_place(request, &elf, 0, end, error) < 0)
        return -1;
    *entry = h->has_entry ? h->entry_addr : elf_image_entry(&elf);
    return 0;
}

/* Places the modules behind the kernel, each on a page boundary. */
static int place_modules(const struct boot_request *request, gpa_t kernel_end,
                         struct multiboot_modules *modules, struct error *error)
{
    gpa_t at = kernel_end;

    for (unsigned i = 0; i < request->initrd_count; i++) {
        const struct image *file = &request->initrds[i];

        at = (at + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
        if (at > request->limit || file->size > request->limit - at)
            return error_set(error, "%s: %zu bytes do not fit behind the kernel (-m)", file->path,
                             file->size);
        if (loader_place(request, at, file->bytes, file->size, file->size, error) < 0)
            return -1;
        modules->at[i].from = at;
        modules->at[i].to = at += file->size;
        modules->at[i].text = file->name != NULL ? file->name : file->path;
        modules->count++;
    }
    return 0;
}

static int load(const struct boot_request *request, enum guest_mode m, struct cpu_start *start,
                struct error *error)
{
    const struct guest_config *o = request->config;
    struct header h = find_header(request->image);
    struct multiboot_modules modules = {0};
    struct multiboot_facts facts = {.memory = request->memory,
                                    .at = cpu_boot_info_address(request->limit),
                                    .reserved = request->limit,
                                    .name = request->image->path,
                                    .append = o->append,
                                    .rsdp = request->rsdp,
                                    .modules = &modules};
    gpa_t entry, end;

    if (m == MODE_LONG)
        return loader_elf.load(request, m, start, error);
    multiboot_write_bios(request->memory, request->limit); /* first: a kernel may overwrite it */
    if (place_kernel(request, &h, &entry, &end, error) < 0 ||
        place_modules(request, end, &modules, error) < 0)
        return -1;
    start->paging = false;
    start->entry = o->has_entry ? o->entry : entry;
    start->boot_info = facts.at;
    start->boot_magic = h.version == 1 ? MULTIBOOT_BOOT_MAGIC : MULTIBOOT2_BOOT_MAGIC;
    return h.version == 1 ? multiboot_write_info(&facts, error)
                          : multiboot_write_info2(&facts, error);
}

const struct loader loader_multiboot = {
    .name = "multiboot", .recognise = recognise, .mode = mode, .load = load, .takes_modules = true};
