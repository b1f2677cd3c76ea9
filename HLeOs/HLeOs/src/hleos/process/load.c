/* Makes a program's address space from its ELF file (common/elf.h) and arguments; see load.h. */
#include "process/load.h"

#include "common/elf.h"
#include "common/string.h"
#include "common/x86.h"
#include "interrupt/gdt.h"
#include "memory/layout.h"

#define STACK_TOP UINT64_C(0x00007ffffff00000)

enum { STACK_PAGES = 16, IMAGE_PAGES_MAX = 16384 /* 64 MB */ };

static bool map_pages(struct space *space, uintptr_t from, uintptr_t to, unsigned flags)
{
    for (; from < to; from += PAGE_SIZE)
        if (!space_map(space, from, flags))
            return false;
    return true;
}

/* Segments must not share a page: the second one finds the page in use. */
static int load_segment(struct process_image *image, const struct elf_file *elf,
                        const struct elf_segment *s)
{
    uintptr_t from = s->vaddr & ~(uintptr_t)(PAGE_SIZE - 1);
    unsigned flags =
        (s->flags & ELF_PF_W ? SPACE_WRITE : 0) | (s->flags & ELF_PF_X ? SPACE_EXECUTE : 0);
    uintptr_t end = s->vaddr + s->memsz;

    if (s->vaddr < SPACE_LOW || s->memsz > IMAGE_PAGES_MAX * PAGE_SIZE || end < s->vaddr ||
        end > STACK_TOP - STACK_PAGES * PAGE_SIZE || flags == (SPACE_WRITE | SPACE_EXECUTE))
        return PROCESS_BAD_SEGMENT;
    if (!map_pages(&image->space, from, end, flags))
        return PROCESS_NO_MEMORY;
    if (!space_fill(&image->space, s->vaddr, elf->bytes + s->offset, s->filesz))
        return PROCESS_BAD_SEGMENT;
    if (end > image->data_end)
        image->data_end = end;
    return 0;
}

static int load_segments(struct process_image *image, const void *file, size_t size)
{
    struct elf_file elf;
    int error = 0;

    if (elf_open(&elf, file, size) != ELF_OK || !elf.is64 || elf.machine != ELF_MACHINE_X86_64 ||
        elf.type != ELF_TYPE_EXEC)
        return PROCESS_NOT_ELF;
    for (unsigned i = 0; i < elf.phnum && error == 0; i++) {
        struct elf_segment segment;

        if (elf_segment(&elf, i, &segment) != ELF_OK)
            return PROCESS_NOT_ELF;
        if (segment.type == ELF_PT_LOAD && segment.memsz > 0)
            error = load_segment(image, &elf, &segment);
    }
    image->frame.rip = elf.entry; /* IRET would fault in ring 0 if it is not canonical */
    if (error == 0 && (elf.entry < SPACE_LOW || elf.entry >= SPACE_HIGH))
        error = PROCESS_BAD_SEGMENT;
    image->data_begin = image->data_end =
        (image->data_end + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1);
    return error;
}

/* The stack, with the arguments' text at its top and the array of pointers to it below. */
static int push_arguments(struct process_image *image, int argc, const char *const *argv)
{
    uintptr_t pointers[LOAD_ARGUMENTS_MAX + 1] = {0}, at = STACK_TOP;

    if (argc > LOAD_ARGUMENTS_MAX)
        return PROCESS_ARGUMENTS;
    if (!map_pages(&image->space, STACK_TOP - STACK_PAGES * PAGE_SIZE, STACK_TOP, SPACE_WRITE))
        return PROCESS_NO_MEMORY;
    for (int i = 0; i < argc; i++) {
        size_t length = strlen(argv[i]) + 1;

        if (length > at - (STACK_TOP - LOAD_ARGUMENT_BYTES))
            return PROCESS_ARGUMENTS;
        at -= length;
        pointers[i] = at;
        if (!space_fill(&image->space, at, argv[i], length))
            return PROCESS_NO_MEMORY;
    }
    at = (at - sizeof pointers) & ~(uintptr_t)15;
    if (!space_fill(&image->space, at, pointers, sizeof pointers))
        return PROCESS_NO_MEMORY;
    image->frame.rdi = (uint64_t)argc;
    image->frame.rsi = at;
    /* As after a call: room for a missing return address gives the stack the ABI's alignment. */
    image->frame.rsp = at - sizeof(uintptr_t);
    return 0;
}

int load_image(struct process_image *image, const void *file, size_t size, int argc,
               const char *const *argv)
{
    int error;

    *image = (struct process_image){.frame = {.cs = GDT_SELECTOR_USER_CODE,
                                              .ss = GDT_SELECTOR_USER_DATA,
                                              .rflags = X86_FLAGS_IF | X86_FLAGS_1}};
    if (!space_create(&image->space))
        return PROCESS_NO_MEMORY;
    error = load_segments(image, file, size);
    if (error == 0)
        error = push_arguments(image, argc, argv);
    if (error != 0)
        space_destroy(&image->space);
    return error;
}
