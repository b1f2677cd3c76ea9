/* Plans how an image is loaded; see image.h. */
#include "vm/image.h"

#include "common/elf.h"
#include "common/string.h"

enum { LINUX_HEADER_SIZE = 64, LINUX_MAGIC_AT = 0x38 };
enum { ELF_X = 1, ELF_W = 2, ELF_R = 4 };

static uint64_t read64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static bool is_linux(const uint8_t *bytes, size_t size)
{
    return size >= LINUX_HEADER_SIZE && memcmp(bytes + LINUX_MAGIC_AT, "RSC\x05", 4) == 0;
}

static const char *plan_linux(const uint8_t *bytes, size_t size, struct image_plan *plan)
{
    uint64_t offset = read64(bytes + 8), memory = read64(bytes + 16);

    if (memory < size)
        memory = size;
    if (offset > GIB || memory > 64 * GIB)
        return "a Linux image with an impossible header";
    *plan = (struct image_plan){.kind = IMAGE_LINUX,
                                .entry = offset,
                                .lowest = offset,
                                .highest = offset + memory,
                                .count = 1};
    plan->segment[0] = (struct image_segment){0, size, offset, memory, PERM_RWX};
    return NULL;
}

static unsigned elf_perm(uint32_t flags)
{
    return (flags & ELF_R ? PERM_R : 0) | (flags & ELF_W ? PERM_R | PERM_W : 0) |
           (flags & ELF_X ? PERM_R | PERM_X : 0);
}

static const char *plan_elf(const void *bytes, size_t size, struct image_plan *plan)
{
    struct elf_file elf;
    int error = elf_open(&elf, bytes, size);

    if (error != ELF_OK)
        return elf_error_text(error);
    if (!elf.is64 || elf.machine != ELF_MACHINE_RISCV)
        return "an ELF file that is not for 64-bit RISC-V";
    *plan = (struct image_plan){.kind = IMAGE_ELF, .entry = elf.entry, .lowest = ~0ul};
    for (unsigned i = 0; i < elf.phnum; i++) {
        struct elf_segment s;

        error = elf_segment(&elf, i, &s);
        if (error != ELF_OK)
            return elf_error_text(error);
        if (s.type != ELF_PT_LOAD || s.memsz == 0)
            continue;
        if (plan->count == IMAGE_SEGMENTS_MAX)
            return "an ELF file with more segments than fit";
        plan->segment[plan->count++] =
            (struct image_segment){s.offset, s.filesz, s.paddr, s.memsz, elf_perm(s.flags)};
        plan->lowest = min64(plan->lowest, s.paddr);
        if (s.paddr + s.memsz > plan->highest)
            plan->highest = s.paddr + s.memsz;
    }
    return plan->count > 0 ? NULL : "an ELF file with nothing to load";
}

const char *image_plan(const void *bytes, size_t size, uint64_t load, uint64_t entry,
                       struct image_plan *plan)
{
    gpa_t at = load == ~0ul ? 0 : load;

    if (size == 0)
        return "an empty file";
    if (is_linux(bytes, size))
        return plan_linux(bytes, size, plan);
    if (elf_has_magic(bytes, size))
        return plan_elf(bytes, size, plan);
    if (at + size < at)
        return "a flat image past the end of the address space";
    *plan = (struct image_plan){.kind = IMAGE_FLAT,
                                .entry = entry == ~0ul ? at : entry,
                                .lowest = at,
                                .highest = at + size,
                                .count = 1};
    plan->segment[0] = (struct image_segment){0, size, at, size, PERM_RWX};
    return NULL;
}

bool image_is_relative(const struct image_plan *plan, uint64_t load)
{
    return plan->kind == IMAGE_LINUX || (plan->kind == IMAGE_FLAT && load == ~0ul);
}
