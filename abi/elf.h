/*
 * The Executable and Linkable Format, as far as a loader and a debugger need it: System V ABI,
 * chapters 4 and 5. Layouts only; reading them safely is common/elf.c.
 */
#ifndef ABI_ELF_H
#define ABI_ELF_H

#include <stdint.h>

#define ELF_MAGIC "\177ELF"

enum { ELF_CLASS_32 = 1, ELF_CLASS_64 = 2 };
enum { ELF_DATA_LSB = 1 };
enum { ELF_TYPE_REL = 1, ELF_TYPE_EXEC = 2, ELF_TYPE_DYN = 3, ELF_TYPE_CORE = 4 };
enum { ELF_MACHINE_386 = 3, ELF_MACHINE_X86_64 = 62, ELF_MACHINE_RISCV = 243 };
enum { ELF_PT_LOAD = 1, ELF_PT_DYNAMIC = 2, ELF_PT_INTERP = 3, ELF_PT_NOTE = 4 };
enum { ELF_PF_X = 1, ELF_PF_W = 2, ELF_PF_R = 4 };
enum { ELF_SHT_SYMTAB = 2, ELF_SHT_STRTAB = 3, ELF_SHT_NOBITS = 8 };
enum { ELF_SHF_ALLOC = 2 };
enum { ELF_STB_LOCAL = 0 };
enum { ELF_STT_NOTYPE = 0, ELF_STT_OBJECT = 1, ELF_STT_FUNC = 2 };

struct elf_ident {
    uint8_t magic[4];
    uint8_t class_;
    uint8_t data;
    uint8_t version;
    uint8_t padding[9];
};

struct elf32_header {
    struct elf_ident ident;
    uint16_t type, machine;
    uint32_t version, entry, phoff, shoff, flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_header {
    struct elf_ident ident;
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf32_program_header {
    uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct elf64_program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf32_section_header {
    uint32_t name, type, flags, addr, offset, size, link, info, addralign, entsize;
};

struct elf64_section_header {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};

struct elf32_symbol {
    uint32_t name, value, size;
    uint8_t info, other;
    uint16_t section;
};

struct elf64_symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
};

_Static_assert(sizeof(struct elf_ident) == 16, "System V ABI, figure 4-4");
_Static_assert(sizeof(struct elf32_header) == 52, "System V ABI, figure 4-3");
_Static_assert(sizeof(struct elf64_header) == 64, "System V ABI, figure 4-3");
_Static_assert(sizeof(struct elf32_program_header) == 32, "System V ABI, figure 5-1");
_Static_assert(sizeof(struct elf64_program_header) == 56, "System V ABI, figure 5-1");
_Static_assert(sizeof(struct elf32_section_header) == 40, "System V ABI, figure 4-8");
_Static_assert(sizeof(struct elf64_section_header) == 64, "System V ABI, figure 4-8");
_Static_assert(sizeof(struct elf32_symbol) == 16, "System V ABI, figure 4-15");
_Static_assert(sizeof(struct elf64_symbol) == 24, "System V ABI, figure 4-15");

#endif
