/*
 * Makes a file into an address space that is ready to run: ELF (System V ABI, chapters 4 and 5) of
 * type EXEC for the 386. The file may be anything, since programs can write files: an invalid file
 * is refused, and the pages used so far are freed.
 */
#include "common/elf.h"
#include "common/string.h"
#include "common/x86.h"
#include "kernel/file/file.h"
#include "kernel/memory/memory.h"
#include "kernel/process/process.h"

/* The page below the stack stays unmapped. */
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

    for (uint32_t at = 0; at < s->memsz; at += PAGE_SIZE) {
        uint32_t address = (uint32_t)s->vaddr + at;
        char *page;

        if (space_find(space, address, SPACE_READ) != NULL)
            return ERROR_NOT_PROGRAM; /* segments overlap */
        page = space_add(space, address, rights);
        if (page == NULL)
            return ERROR_NO_MEMORY;
        if (at < s->filesz)
            memcpy(page, file + s->offset + at,
                   s->filesz - at < PAGE_SIZE ? (uint32_t)s->filesz - at : PAGE_SIZE);
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
        if (segment.type != ELF_PT_LOAD || segment.memsz == 0)
            continue;
        error =
            acceptable(&segment) ? load_segment(p->space, elf.bytes, &segment) : ERROR_NOT_PROGRAM;
    }
    p->frame.eip = (uint32_t)elf.entry;
    return error;
}

static int make_stack(struct process *p, const char *command_line)
{
    const struct elf_segment stack = {
        .vaddr = STACK_BEGIN, .memsz = PROGRAM_STACK_SIZE, .flags = ELF_PF_W};
    int error = load_segment(p->space, NULL, &stack);

    if (error == 0)
        string_copy(space_find(p->space, PROGRAM_COMMAND_LINE, SPACE_WRITE), command_line,
                    COMMAND_LINE_SIZE);
    p->frame.esp = PROGRAM_COMMAND_LINE;
    return error;
}

/* Finds the file that the first word names, and gives its name without folders to the process. */
static const struct file *find_program(struct process *p, const char *command_line)
{
    const char *blank = strchr(command_line, ' '), *slash;
    size_t length = blank != NULL ? (size_t)(blank - command_line) : strlen(command_line);
    const struct file *file;

    if (length >= sizeof p->name)
        return NULL;
    string_copy(p->name, command_line, length + 1);
    file = file_find(p->name);
    slash = strrchr(p->name, '/');
    if (slash != NULL)
        memmove(p->name, slash + 1, strlen(slash));
    return file;
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
