/*
 * Makes a file into an address space that is ready to run: ELF (System V ABI, chapters 4 and 5) of
 * type EXEC for the 386. The file may be anything, for programs can write files: what does not fit
 * the rules is refused, and what was built up to there is given back.
 */

#include "common/elf.h"
#include "common/string.h"
#include "common/x86.h"
#include "kernel/file/file.h"
#include "kernel/memory/memory.h"
#include "kernel/process/process.h"

/* Where the stack ends below; the page before it stays unmapped. */
#define STACK_BEGIN  (PROGRAM_END - PROGRAM_STACK_SIZE)
#define SEGMENTS_END (STACK_BEGIN - PAGE_SIZE)

static bool acceptable(const struct elf_segment *s)
{
    return s->vaddr >= PROGRAM_BASE && s->vaddr < SEGMENTS_END && s->vaddr % PAGE_SIZE == 0 &&
           s->memsz <= SEGMENTS_END - s->vaddr &&
           (s->flags & (ELF_PF_W | ELF_PF_X)) != (ELF_PF_W | ELF_PF_X);
}

static int load_segment(uint32_t space, const uint8_t *file, const struct elf_segment *s)
{
    unsigned rights = SPACE_PROGRAM | (s->flags & ELF_PF_W ? SPACE_WRITE : 0) |
                      (s->flags & ELF_PF_X ? SPACE_EXECUTE : 0);

    if (!acceptable(s))
        return ERROR_NOT_PROGRAM;
    for (uint32_t at = 0; at < s->memsz; at += PAGE_SIZE) {
        uint32_t address = (uint32_t)s->vaddr + at,
                 rest = at < s->filesz ? (uint32_t)s->filesz - at : 0;
        char *page;

        if (space_find(space, address, SPACE_READ) != NULL)
            return ERROR_NOT_PROGRAM; /* segments overlap */
        page = space_add(space, address, rights);
        if (page == NULL)
            return ERROR_NO_MEMORY;
        memcpy(page, file + s->offset + at, rest < PAGE_SIZE ? rest : PAGE_SIZE);
    }
    return 0;
}

static int load_segments(struct process *p, const struct file *file)
{
    struct elf_segment segment;
    struct elf_file elf;
    int error = 0;

    if (elf_open(&elf, file->bytes, file->size) != ELF_OK || elf.is64 ||
        elf.type != ELF_TYPE_EXEC || elf.machine != ELF_MACHINE_386)
        return ERROR_NOT_PROGRAM;
    for (unsigned i = 0; i < elf.phnum && error == 0; i++) {
        if (elf_segment(&elf, i, &segment) != ELF_OK)
            return ERROR_NOT_PROGRAM;
        if (segment.type == ELF_PT_LOAD && segment.memsz > 0)
            error = load_segment(p->space, elf.bytes, &segment);
    }
    p->frame.eip = (uint32_t)elf.entry;
    return error;
}

/* The stack of a new program: the command line at its end, below it the address of that. */
static int make_stack(struct process *p, const char *command_line)
{
    uint32_t length = (strlen(command_line) + 1 + 15) & -16u;
    char *page = NULL;

    for (uint32_t at = STACK_BEGIN; at < PROGRAM_END; at += PAGE_SIZE) {
        page = space_add(p->space, at, SPACE_WRITE | SPACE_PROGRAM);
        if (page == NULL)
            return ERROR_NO_MEMORY;
    }
    page += PAGE_SIZE - length;
    string_copy(page, command_line, length);
    ((uint32_t *)page)[-1] = PROGRAM_END - length;
    p->frame.esp = PROGRAM_END - length - sizeof(uint32_t);
    return 0;
}

/* Finds the file that the first word names, and names the process after it, without folders. */
static const struct file *find_program(struct process *p, const char *command_line)
{
    const char *blank = strchr(command_line, ' '), *slash;
    size_t length = blank != NULL ? (size_t)(blank - command_line) : strlen(command_line);
    char path[NAME_SIZE];

    if (length >= sizeof path)
        return NULL;
    string_copy(path, command_line, length + 1);
    slash = strrchr(path, '/');
    string_copy(p->name, slash != NULL ? slash + 1 : path, sizeof p->name);
    return file_find(path);
}

int process_load(struct process *p, const char *command_line)
{
    const struct file *file = find_program(p, command_line);
    int error;

    if (file == NULL)
        return ERROR_NO_FILE;
    p->space = space_create();
    if (p->space == 0)
        return ERROR_NO_MEMORY;
    p->frame = (struct trap_frame){
        .cs = PROGRAM_CODE, .eflags = X86_FLAGS_1 | X86_FLAGS_IF, .ss = PROGRAM_DATA};
    error = load_segments(p, file);
    if (error == 0)
        error = make_stack(p, command_line);
    if (error < 0)
        space_destroy(p->space);
    return error;
}
