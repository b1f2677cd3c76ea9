/* Reads untrusted ELF files; see elf.h. */
#include "common/elf.h"

static void copy(void *to, const uint8_t *from, size_t n)
{
    uint8_t *t = to;

    while (n-- > 0)
        *t++ = *from++;
}

static bool in_file(const struct elf_file *elf, uint64_t offset, uint64_t length)
{
    return offset <= elf->size && length <= elf->size - offset;
}

bool elf_has_magic(const void *bytes, size_t size)
{
    const uint8_t *b = bytes;

    return size >= 4 && b[0] == 0x7f && b[1] == 'E' && b[2] == 'L' && b[3] == 'F';
}

static int open32(struct elf_file *elf)
{
    struct elf32_header h;

    if (elf->size < sizeof h)
        return ELF_TRUNCATED;
    copy(&h, elf->bytes, sizeof h);
    elf->type = h.type;
    elf->machine = h.machine;
    elf->entry = h.entry;
    elf->phoff = h.phoff;
    elf->phentsize = h.phentsize;
    elf->phnum = h.phnum;
    elf->shoff = h.shoff;
    elf->shentsize = h.shentsize;
    elf->shnum = h.shnum;
    return h.phnum == 0 || h.phentsize == sizeof(struct elf32_program_header) ? ELF_OK
                                                                              : ELF_UNSUPPORTED;
}

static int open64(struct elf_file *elf)
{
    struct elf64_header h;

    if (elf->size < sizeof h)
        return ELF_TRUNCATED;
    copy(&h, elf->bytes, sizeof h);
    elf->type = h.type;
    elf->machine = h.machine;
    elf->entry = h.entry;
    elf->phoff = h.phoff;
    elf->phentsize = h.phentsize;
    elf->phnum = h.phnum;
    elf->shoff = h.shoff;
    elf->shentsize = h.shentsize;
    elf->shnum = h.shnum;
    return h.phnum == 0 || h.phentsize == sizeof(struct elf64_program_header) ? ELF_OK
                                                                              : ELF_UNSUPPORTED;
}

int elf_open(struct elf_file *elf, const void *bytes, size_t size)
{
    struct elf_ident ident;
    int error;

    *elf = (struct elf_file){.bytes = bytes, .size = size};
    if (!elf_has_magic(bytes, size))
        return ELF_NOT_ELF;
    if (size < sizeof ident)
        return ELF_TRUNCATED;
    copy(&ident, elf->bytes, sizeof ident);
    if (ident.data != ELF_DATA_LSB)
        return ELF_UNSUPPORTED;
    if (ident.class_ != ELF_CLASS_32 && ident.class_ != ELF_CLASS_64)
        return ELF_UNSUPPORTED;
    elf->is64 = ident.class_ == ELF_CLASS_64;
    error = elf->is64 ? open64(elf) : open32(elf);
    if (error != ELF_OK)
        return error;
    return in_file(elf, elf->phoff, (uint64_t)elf->phnum * elf->phentsize) ? ELF_OK : ELF_TRUNCATED;
}

static struct elf_segment widen(const struct elf32_program_header *p)
{
    return (struct elf_segment){.type = p->type,
                                .flags = p->flags,
                                .offset = p->offset,
                                .vaddr = p->vaddr,
                                .paddr = p->paddr,
                                .filesz = p->filesz,
                                .memsz = p->memsz,
                                .align = p->align};
}

int elf_segment(const struct elf_file *elf, unsigned index, struct elf_segment *segment)
{
    const uint8_t *at;

    if (index >= elf->phnum)
        return ELF_TRUNCATED;
    at = elf->bytes + elf->phoff + (size_t)index * elf->phentsize;
    if (elf->is64) {
        struct elf64_program_header p;

        copy(&p, at, sizeof p);
        *segment = (struct elf_segment){p.type,  p.flags,  p.offset, p.vaddr,
                                        p.paddr, p.filesz, p.memsz,  p.align};
    } else {
        struct elf32_program_header p;

        copy(&p, at, sizeof p);
        *segment = widen(&p);
    }
    if (!in_file(elf, segment->offset, segment->filesz))
        return ELF_TRUNCATED;
    if (segment->type == ELF_PT_LOAD && segment->filesz > segment->memsz)
        return ELF_TRUNCATED;
    return segment->paddr + segment->memsz < segment->paddr ? ELF_TRUNCATED : ELF_OK;
}

static struct elf_section widen_section(const struct elf32_section_header *h)
{
    return (struct elf_section){.name = h->name,
                                .type = h->type,
                                .link = h->link,
                                .flags = h->flags,
                                .addr = h->addr,
                                .offset = h->offset,
                                .size = h->size,
                                .entsize = h->entsize};
}

int elf_section(const struct elf_file *elf, unsigned index, struct elf_section *section)
{
    size_t size =
        elf->is64 ? sizeof(struct elf64_section_header) : sizeof(struct elf32_section_header);
    const uint8_t *at;

    if (index >= elf->shnum || !in_file(elf, elf->shoff, (uint64_t)elf->shnum * size))
        return ELF_TRUNCATED;
    if (elf->shentsize != size)
        return ELF_UNSUPPORTED;
    at = elf->bytes + elf->shoff + index * size;
    if (elf->is64) {
        struct elf64_section_header h;

        copy(&h, at, sizeof h);
        *section = (struct elf_section){h.name, h.type,   h.link, h.flags,
                                        h.addr, h.offset, h.size, h.entsize};
    } else {
        struct elf32_section_header h;

        copy(&h, at, sizeof h);
        *section = widen_section(&h);
    }
    if (section->addr + section->size < section->addr)
        return ELF_TRUNCATED;
    return section->type == ELF_SHT_NOBITS || in_file(elf, section->offset, section->size)
               ? ELF_OK
               : ELF_TRUNCATED;
}

static size_t symbol_size(const struct elf_file *elf)
{
    return elf->is64 ? sizeof(struct elf64_symbol) : sizeof(struct elf32_symbol);
}

/* In size_t: 32-bit programs without libgcc, a boot loader for one, cannot divide 64-bit numbers.
 */
unsigned elf_symbol_count(const struct elf_file *elf, const struct elf_section *table)
{
    size_t count;

    if (table->entsize != symbol_size(elf) || table->size > elf->size)
        return 0;
    count = (size_t)table->size / symbol_size(elf);
    return count > UINT32_MAX ? 0 : (unsigned)count;
}

int elf_symbol(const struct elf_file *elf, const struct elf_section *table, unsigned index,
               struct elf_symbol *symbol)
{
    const uint8_t *at = elf->bytes + table->offset + (size_t)index * symbol_size(elf);

    if (index >= elf_symbol_count(elf, table) || !in_file(elf, table->offset, table->size))
        return ELF_TRUNCATED;
    if (elf->is64) {
        struct elf64_symbol s;

        copy(&s, at, sizeof s);
        *symbol = (struct elf_symbol){s.name, s.info >> 4, s.info & 15, s.section, s.value, s.size};
    } else {
        struct elf32_symbol s;

        copy(&s, at, sizeof s);
        *symbol = (struct elf_symbol){s.name, s.info >> 4, s.info & 15, s.section, s.value, s.size};
    }
    return ELF_OK;
}

const char *elf_error_text(int error)
{
    switch (error) {
    case ELF_OK:
        return "no error";
    case ELF_NOT_ELF:
        return "not an ELF file";
    case ELF_TRUNCATED:
        return "a header or segment reaches past the end of the file";
    default:
        return "an ELF file of an unsupported kind";
    }
}
