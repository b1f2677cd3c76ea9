/*
 * Reads ELF files that may lie: every offset and size is checked against the bytes at hand before
 * it is used. Both classes come out as one shape. Layouts: abi/elf.h. No allocation; the caller's
 * bytes are only borrowed.
 */
#ifndef COMMON_ELF_H
#define COMMON_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/elf.h"

/* An ELF file's header, checked. Valid as long as `bytes` is. */
struct elf_file {
    const uint8_t *bytes;
    size_t size;
    bool is64;
    uint16_t type, machine;
    uint64_t entry;
    uint64_t phoff, shoff;
    uint16_t phentsize, phnum, shentsize, shnum;
};

/* One program header, widened to 64 bits. Its file range [offset, offset + filesz) lies inside the
 * file. */
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

/* One section header, widened. Unless its type is ELF_SHT_NOBITS, its file range [offset, offset +
 * size) lies inside the file. */
struct elf_section {
    uint32_t name, type, link;
    uint64_t flags, addr, offset, size, entsize;
};

/* One entry of a symbol table, widened. */
struct elf_symbol {
    uint32_t name; /* offset in the section that the table's `link` names */
    uint8_t bind, type;
    uint16_t section;
    uint64_t value, size;
};

enum elf_error {
    ELF_OK = 0,
    ELF_NOT_ELF = -1,   /* no magic number */
    ELF_TRUNCATED = -2, /* the headers or a segment reach past the end of the file */
    ELF_UNSUPPORTED =
        -3 /* big-endian, an unknown class, or header sizes that are not the class's */
};

/* True if the bytes begin with the ELF magic number, whatever follows. */
bool elf_has_magic(const void *bytes, size_t size);

/* Checks the file header, and that the program header table lies inside the file. This and the
 * functions below return ELF_OK or an elf_error. */
int elf_open(struct elf_file *elf, const void *bytes, size_t size)
    __attribute__((warn_unused_result));

/* Reads program header `index` (< phnum). filesz > memsz or a range that wraps counts as truncated.
 */
int elf_segment(const struct elf_file *elf, unsigned index, struct elf_segment *segment)
    __attribute__((warn_unused_result));

/* Reads section header `index`. A loader needs none, so elf_open does not look at them. */
int elf_section(const struct elf_file *elf, unsigned index, struct elf_section *section)
    __attribute__((warn_unused_result));

/* A symbol table (a section of type ELF_SHT_SYMTAB): how many entries, and one of them. */
unsigned elf_symbol_count(const struct elf_file *elf, const struct elf_section *table);
int elf_symbol(const struct elf_file *elf, const struct elf_section *table, unsigned index,
               struct elf_symbol *symbol) __attribute__((warn_unused_result));

/* A short English phrase for an error above. */
const char *elf_error_text(int error);

#endif
