/*
 * ELF images for x86: 64-bit ones start in long mode, 32-bit ones in protected mode. One that
 * carries a multiboot header starts as that specification says (3.2): paging off.
 */
#include <string.h>

#include "abi/multiboot.h"
#include "boot/loader.h"
#include "common/elf.h"

enum { SEGMENTS_MAX = 64 }; /* program headers looked at: a bound of ours for a file's number */

static bool recognise(const struct image *image)
{
    return elf_has_magic(image->bytes, image->size);
}

static int open_elf(const struct image *image, struct elf_file *elf, struct error *error)
{
    int code = elf_open(elf, image->bytes, image->size);

    if (code != ELF_OK)
        return error_set(error, "%s: %s", image->path, elf_error_text(code));
    if (elf->machine != (elf->is64 ? ELF_MACHINE_X86_64 : ELF_MACHINE_386))
        return error_set(error, "%s: an ELF file for another kind of CPU (machine %u)", image->path,
                         elf->machine);
    if (elf->phnum > SEGMENTS_MAX)
        return error_set(error, "%s: %u program headers, more than %d", image->path, elf->phnum,
                         SEGMENTS_MAX);
    return 0;
}

/* A note of glibc's start code: "GNU", type 1, for Linux (LSB core, "ABI note tag"). */
static bool has_abi_tag(const uint8_t *bytes, uint64_t size)
{
    static const uint32_t linux_tag[] = {4, 16, 1, 0x00554e47 /* GNU */, 0 /* Linux */};

    for (uint64_t at = 0; at + sizeof linux_tag <= size; at += 4)
        if (memcmp(bytes + at, linux_tag, sizeof linux_tag) == 0)
            return true;
    return false;
}

/* Whether a file is a program that calls an operating system instead of being one: it wants an
 * interpreter or a C library's start, or it is linked to be moved and says so (a PIE). */
static bool is_program(const struct elf_file *elf)
{
    struct elf_segment s;

    for (unsigned i = 0; i < elf->phnum; i++) {
        if (elf_segment(elf, i, &s) != ELF_OK)
            continue; /* the loader says what is wrong with it */
        if (s.type == ELF_PT_INTERP || (s.type == ELF_PT_DYNAMIC && elf->type == ELF_TYPE_DYN) ||
            (s.type == ELF_PT_NOTE && has_abi_tag(elf->bytes + s.offset, s.filesz)))
            return true;
    }
    return false;
}

static int check_type(const struct image *image, const struct elf_file *elf, struct error *error)
{
    if (elf->type == ELF_TYPE_REL)
        return error_set(error, "%s: an object file: link it first (ld -Ttext=ADDRESS)",
                         image->path);
    if (elf->type == ELF_TYPE_CORE)
        return error_set(error, "%s: a core file, not a kernel", image->path);
    if (is_program(elf))
        return error_set(error,
                         "%s: a program for Linux; code for a bare machine is linked with "
                         "-nostdlib -static -no-pie",
                         image->path);
    return 0;
}

static int mode(const struct image *image, enum guest_mode asked, enum guest_mode *result,
                struct error *error)
{
    struct elf_file elf;

    if (open_elf(image, &elf, error) < 0 || check_type(image, &elf, error) < 0)
        return -1;
    *result = elf.is64 ? MODE_LONG : MODE_PROTECTED;
    if (asked != MODE_BY_CONTENT && asked != *result)
        return error_set(error, "%s: a %d-bit ELF file does not start in the mode asked for",
                         image->path, elf.is64 ? 64 : 32);
    return 0;
}

static bool has_multiboot_header(const struct image *image)
{
    size_t end = image->size < MULTIBOOT_SEARCH ? image->size : MULTIBOOT_SEARCH;
    uint32_t words[3]; /* magic, flags, checksum: their sum is 0 */

    for (size_t at = 0; at + sizeof words <= end; at += 4) {
        memcpy(words, image->bytes + at, sizeof words);
        if (words[0] == MULTIBOOT_HEADER_MAGIC && words[0] + words[1] + words[2] == 0)
            return true;
    }
    return false;
}

/* A 32-bit image linked high without load addresses of its own goes where the high mapping leads.
 */
static gpa_t load_address(const struct elf_segment *segment, const struct cpu_start *start)
{
    if (start->paging && segment->paddr >= CPU_HIGH_BASE && segment->paddr == segment->vaddr)
        return segment->paddr - CPU_HIGH_BASE;
    return segment->paddr;
}

static int load(const struct boot_request *request, enum guest_mode m, struct cpu_start *start,
                struct error *error)
{
    const struct image *image = request->image;
    const struct guest_config *o = request->config;
    struct elf_file elf;
    struct elf_segment s;
    unsigned loaded = 0;

    if (open_elf(image, &elf, error) < 0)
        return -1;
    if (m == MODE_PROTECTED && has_multiboot_header(image))
        start->paging = false;
    for (unsigned i = 0; i < elf.phnum; i++) {
        int code = elf_segment(&elf, i, &s);

        if (code != ELF_OK)
            return error_set(error, "%s: program header %u: %s", image->path, i,
                             elf_error_text(code));
        if (s.type != ELF_PT_LOAD || s.memsz == 0)
            continue;
        if (loader_place(request, load_address(&s, start), image->bytes + s.offset, s.filesz,
                         s.memsz, error) < 0)
            return -1;
        loaded++;
    }
    if (loaded == 0)
        return error_set(error, "%s: an ELF file with nothing to load", image->path);
    start->entry = o->has_entry ? o->entry : elf.entry;
    return 0;
}

const struct loader loader_elf = {
    .name = "ELF", .recognise = recognise, .mode = mode, .load = load};
