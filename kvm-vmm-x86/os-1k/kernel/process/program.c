/*
 * Loads ELF files (System V ABI, chapters 4 and 5) of type EXEC for the 386. The file may be
 * anything, for programs can write files: what does not fit the rules is refused, and what was
 * built up to there is given back.
 */
#include "kernel/process/program.h"

#include <stddef.h>

#include "abi/elf.h"
#include "common/string.h"
#include "kernel/file/file.h"
#include "kernel/memory/image.h"
#include "kernel/memory/page.h"
#include "kernel/memory/space.h"

enum { SEGMENTS_MAX = 8 };

/* Adds a new page to a program's space. Returns NULL if memory is short. */
static char *add_page(uint32_t space, uint32_t address, unsigned rights)
{
    char *page = page_alloc();

    if (page == NULL)
        return NULL;
    if (!space_map(space, address, page, rights | SPACE_PROGRAM)) {
        page_free(page);
        return NULL;
    }
    return page;
}

static bool acceptable(const struct elf32_program_header *h)
{
    return h->vaddr >= PROGRAM_BASE && h->vaddr % PAGE_SIZE == 0 && h->filesz <= h->memsz &&
           h->memsz <= PROGRAM_END - PROGRAM_STACK_SIZE - PAGE_SIZE - PROGRAM_BASE &&
           h->vaddr <= PROGRAM_END - PROGRAM_STACK_SIZE - PAGE_SIZE - h->memsz &&
           (h->flags & (ELF_PF_W | ELF_PF_X)) != (ELF_PF_W | ELF_PF_X);
}

static int load_segment(uint32_t space, const struct file *file,
                        const struct elf32_program_header *h)
{
    unsigned rights =
        (h->flags & ELF_PF_W ? SPACE_WRITE : 0) | (h->flags & ELF_PF_X ? SPACE_EXECUTE : 0);

    if (!acceptable(h))
        return ERROR_NOT_PROGRAM;
    for (uint32_t at = 0; at < h->memsz; at += PAGE_SIZE) {
        uint32_t in_file = at < h->filesz ? h->filesz - at : 0;
        uint32_t length = in_file < PAGE_SIZE ? in_file : PAGE_SIZE;
        char *page;

        if (space_find(space, h->vaddr + at, SPACE_READ) != NULL)
            return ERROR_NOT_PROGRAM; /* segments overlap */
        page = add_page(space, h->vaddr + at, rights);
        if (page == NULL)
            return ERROR_NO_MEMORY;
        if (file_read(file, h->offset + at, page, length) != (int)length)
            return ERROR_NOT_PROGRAM;
    }
    return 0;
}

static int load_segments(uint32_t space, const struct file *file, uint32_t *entry)
{
    struct elf32_header header;

    if (file_read(file, 0, &header, sizeof header) != sizeof header ||
        memcmp(header.ident.magic, ELF_MAGIC, sizeof header.ident.magic) != 0 ||
        header.ident.class_ != ELF_CLASS_32 || header.type != ELF_TYPE_EXEC ||
        header.machine != ELF_MACHINE_386 || header.phnum > SEGMENTS_MAX)
        return ERROR_NOT_PROGRAM;
    for (unsigned i = 0; i < header.phnum; i++) {
        struct elf32_program_header h;
        int error;

        if (file_read(file, header.phoff + i * sizeof h, &h, sizeof h) != sizeof h)
            return ERROR_NOT_PROGRAM;
        error = h.type == ELF_PT_LOAD && h.memsz > 0 ? load_segment(space, file, &h) : 0;
        if (error < 0)
            return error;
    }
    *entry = header.entry;
    return 0;
}

/* The stack of a new program: the command line at its end, below it the address of that. */
static int make_stack(struct program *program, const char *command_line)
{
    uint32_t length = (strlen(command_line) + 1 + 15) & -16u;
    char *page = NULL;

    for (uint32_t at = PROGRAM_END - PROGRAM_STACK_SIZE; at < PROGRAM_END; at += PAGE_SIZE) {
        page = add_page(program->space, at, SPACE_WRITE);
        if (page == NULL)
            return ERROR_NO_MEMORY;
    }
    memcpy(page + PAGE_SIZE - length, command_line, strlen(command_line));
    program->stack = PROGRAM_END - length - sizeof(uint32_t);
    ((uint32_t *)(page + PAGE_SIZE - length))[-1] = PROGRAM_END - length;
    return 0;
}

int program_load(const char *command_line, struct program *program)
{
    const char *space_at = strchr(command_line, ' ');
    size_t length = space_at != NULL ? (size_t)(space_at - command_line) : strlen(command_line);
    const struct file *file;
    int error;

    if (length >= sizeof program->path || strlen(command_line) >= COMMAND_LINE_SIZE)
        return ERROR_NO_FILE;
    string_copy(program->path, command_line, length + 1);
    file = file_find(program->path);
    if (file == NULL)
        return ERROR_NO_FILE;
    program->space = space_create();
    if (program->space == 0)
        return ERROR_NO_MEMORY;
    error = load_segments(program->space, file, &program->entry);
    if (error == 0)
        error = make_stack(program, command_line);
    if (error < 0)
        space_destroy(program->space);
    return error;
}
