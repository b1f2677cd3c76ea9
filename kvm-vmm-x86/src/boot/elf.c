/* ELF images for x86: 64-bit ones start in long mode, 32-bit ones in protected mode. See elf.h. */
#include "boot/elf.h"

#include <string.h>

enum { SEGMENTS_MAX = 64 }; /* our limit; the file's own number may be larger */

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

/* Whether a file is a program for an operating system: it names an interpreter, has the ABI note of
 * a C library's start code, or is a PIE. */
static bool is_program(const struct elf_file *elf)
{
    struct elf_segment s;

    for (unsigned i = 0; i < elf->phnum; i++) {
        if (elf_segment(elf, i, &s) != ELF_OK)
            continue; /* the loader reports the error */
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

int elf_image_open(const struct image *image, struct elf_file *elf, struct error *error)
{
    return open_elf(image, elf, error) < 0 ? -1 : check_type(image, elf, error);
}

static int mode(const struct image *image, enum guest_mode asked, enum guest_mode *result,
                struct error *error)
{
    struct elf_file elf;

    if (elf_image_open(image, &elf, error) < 0)
        return -1;
    *result = elf.is64 ? MODE_LONG : MODE_PROTECTED;
    if (asked != MODE_BY_CONTENT && asked != *result)
        return error_set(error,
                         "%s: a %d-bit ELF file starts only with %s, or without a mode option",
                         image->path, elf.is64 ? 64 : 32, elf.is64 ? "-l" : "-p");
    return 0;
}

int elf_image_place(const struct boot_request *request, const struct elf_file *elf, gpa_t high,
                    gpa_t *end, struct error *error)
{
    const struct image *image = request->image;
    struct elf_segment s;
    unsigned loaded = 0;

    *end = 0;
    for (unsigned i = 0; i < elf->phnum; i++) {
        int code = elf_segment(elf, i, &s);
        gpa_t to = s.paddr;

        if (code != ELF_OK)
            return error_set(error, "%s: program header %u: %s", image->path, i,
                             elf_error_text(code));
        if (s.type != ELF_PT_LOAD || s.memsz == 0)
            continue;
        if (high != 0 && s.paddr >= high && s.paddr == s.vaddr)
            to -= high;
        if (loader_place(request, to, image->bytes + s.offset, s.filesz, s.memsz, error) < 0)
            return -1;
        if (to + s.memsz > *end)
            *end = to + s.memsz;
        loaded++;
    }
    if (loaded == 0)
        return error_set(error, "%s: an ELF file with nothing to load", image->path);
    return 0;
}

gpa_t elf_image_entry(const struct elf_file *elf)
{
    struct elf_segment s;

    for (unsigned i = 0; i < elf->phnum; i++)
        if (elf_segment(elf, i, &s) == ELF_OK && s.type == ELF_PT_LOAD && elf->entry >= s.vaddr &&
            elf->entry - s.vaddr < s.memsz)
            return elf->entry - s.vaddr + s.paddr;
    return elf->entry;
}

/* A 32-bit image that is linked high and has no load addresses of its own is loaded where the high
 * mapping leads. */
static int load(const struct boot_request *request, enum guest_mode m, struct cpu_start *start,
                struct error *error)
{
    const struct guest_config *o = request->config;
    struct elf_file elf;
    gpa_t end;

    (void)m;
    if (open_elf(request->image, &elf, error) < 0 ||
        elf_image_place(request, &elf, start->paging ? CPU_HIGH_BASE : 0, &end, error) < 0)
        return -1;
    start->entry = o->has_entry ? o->entry : elf.entry;
    return 0;
}

const struct loader loader_elf = {
    .name = "ELF", .recognise = recognise, .mode = mode, .load = load};
