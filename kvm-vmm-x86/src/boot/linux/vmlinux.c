/* Reads and places vmlinux files; see vmlinux.h. The PVH note is Xen's:
 * xen/include/public/elfnote.h, type 18. */
#include "boot/linux/vmlinux.h"

#include <string.h>

#include "boot/boot_info.h"
#include "common/elf.h"

enum { SEGMENTS_MAX = 64, NOTES_MAX = 64 };
enum { XEN_NOTE_PHYS32_ENTRY = 18 };

/* Where 64-bit kernels are linked: the uppermost 2 GB. 32-bit ones are recognised by their note
 * alone. */
#define KERNEL_HALF UINT64_C(0xffffffff80000000)

struct note_header {
    uint32_t name_size, value_size, type;
};

static uint64_t align4(uint64_t value)
{
    return (value + 3) & ~UINT64_C(3);
}

/* The value of Xen's note in a segment of notes; false if not found. Name and value are padded
 * to 4 bytes. */
static bool find_pvh_note(const uint8_t *bytes, uint64_t size, gpa_t *entry)
{
    for (unsigned i = 0; i < NOTES_MAX && size >= sizeof(struct note_header); i++) {
        struct note_header note;
        uint64_t span;
        uint32_t value;

        memcpy(&note, bytes, sizeof note);
        span = sizeof note + align4(note.name_size) + align4(note.value_size);
        if (span > size)
            return false;
        if (note.type == XEN_NOTE_PHYS32_ENTRY && note.name_size == 4 &&
            note.value_size >= sizeof value && memcmp(bytes + sizeof note, "Xen", 4) == 0) {
            memcpy(&value, bytes + sizeof note + 4, sizeof value);
            *entry = value;
            return true;
        }
        bytes += span;
        size -= span;
    }
    return false;
}

static int take_segment(struct vmlinux *v, const struct elf_file *elf, const struct elf_segment *s,
                        bool *entered)
{
    if (s->type == ELF_PT_NOTE)
        v->pvh |= find_pvh_note(elf->bytes + s->offset, s->filesz, &v->pvh_entry);
    if (s->type != ELF_PT_LOAD || s->memsz == 0)
        return 0;
    if (s->paddr + s->memsz < s->paddr)
        return -1;
    if (s->paddr + s->memsz > v->end)
        v->end = s->paddr + s->memsz;
    if (elf->entry >= s->paddr && elf->entry - s->paddr < s->filesz &&
        (!elf->is64 || s->vaddr >= KERNEL_HALF))
        *entered = true;
    return 0;
}

/* ELF_OK, an error of elf.h, or 1 for a well-formed file that is not a kernel. */
static int examine(struct vmlinux *v, const struct image *image)
{
    struct elf_file elf;
    struct elf_segment s;
    bool entered = false;
    int code = elf_open(&elf, image->bytes, image->size);

    *v = (struct vmlinux){0};
    if (code != ELF_OK)
        return code;
    if (elf.machine != (elf.is64 ? ELF_MACHINE_X86_64 : ELF_MACHINE_386) ||
        elf.phnum > SEGMENTS_MAX)
        return 1;
    for (unsigned i = 0; i < elf.phnum; i++) {
        code = elf_segment(&elf, i, &s);
        if (code != ELF_OK)
            return code;
        if (take_segment(v, &elf, &s, &entered) < 0)
            return ELF_TRUNCATED;
    }
    v->bits64 = elf.is64;
    v->entry = elf.entry;
    return entered || v->pvh ? ELF_OK : 1;
}

/* A kernel that asks for a boot_info is linked like a Linux kernel, but is not one. */
bool vmlinux_recognise(const struct image *image)
{
    struct vmlinux v;

    return elf_has_magic(image->bytes, image->size) && examine(&v, image) == ELF_OK &&
           (v.bits64 || v.pvh) && !boot_info_wanted(image->bytes, image->size);
}

int vmlinux_open(struct vmlinux *vmlinux, const struct image *image, struct error *error)
{
    int code = examine(vmlinux, image);

    if (code < 0)
        return error_set(error, "%s: %s", image->path, elf_error_text(code));
    if (code > 0)
        return error_set(error, "%s: not a kernel that this VMM can enter", image->path);
    return 0;
}

/*
 * RAM is zero before anything is loaded. Pages of zeroes in the file (a kernel's zeroed data) are
 * not copied, so that the host allocates no memory for pages that the guest never touches.
 */
static void copy_sparse(uint8_t *to, const uint8_t *from, uint64_t count)
{
    static const uint8_t zeroes[PAGE_SIZE];
    uint64_t at = 0;

    for (; count - at >= PAGE_SIZE; at += PAGE_SIZE)
        if (memcmp(from + at, zeroes, PAGE_SIZE) != 0)
            memcpy(to + at, from + at, PAGE_SIZE);
    memcpy(to + at, from + at, count - at);
}

static int place_segment(const struct elf_segment *s, const struct image *image,
                         const struct boot_request *request, struct error *error)
{
    const uint8_t *from = image->bytes + s->offset;

    if (loader_place(request, s->paddr, from, 0, s->memsz, error) < 0) /* only checks */
        return -1;
    copy_sparse(memory_at(request->memory, s->paddr, s->memsz), from, s->filesz);
    return 0;
}

int vmlinux_place(const struct vmlinux *vmlinux, const struct image *image,
                  const struct boot_request *request, struct error *error)
{
    struct elf_file elf;
    struct elf_segment s;

    (void)vmlinux;
    if (elf_open(&elf, image->bytes, image->size) != ELF_OK)
        return error_set(error, "%s: not an ELF file", image->path);
    for (unsigned i = 0; i < elf.phnum; i++) {
        if (elf_segment(&elf, i, &s) != ELF_OK)
            return error_set(error, "%s: damaged: an impossible program header", image->path);
        if (s.type == ELF_PT_LOAD && s.memsz != 0 && place_segment(&s, image, request, error) < 0)
            return -1;
    }
    return 0;
}
