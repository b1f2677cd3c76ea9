/* Loading, starting and ending of programs; see process.h. */
#include "process.h"

#include "common/elf.h"
#include "common/string.h"
#include "interrupt/handler.h"
#include "kmalloc.h"
#include "memory/layout.h"
#include "memory/space.h"
#include "process/programs.h"
#include "process/system_call.h"
#include "thread.h"

#define STACK_TOP UINT64_C(0x00007ffffff00000)

enum { STACK_PAGES = 16, ARGUMENTS_MAX = 16, ARGUMENT_BYTES_MAX = 1024 };
enum { IMAGE_PAGES_MAX = 16384 /* 64 MB */ };

void asm_enter_program(uintptr_t entry, uintptr_t stack, uint64_t argc, uintptr_t argv)
    __attribute__((noreturn));

static bool map_pages(struct space *space, uintptr_t from, uintptr_t to, unsigned flags)
{
    for (; from < to; from += PAGE_SIZE)
        if (!space_map(space, from, flags))
            return false;
    return true;
}

/* Segments do not share pages: a second one there finds the first. */
static int load_segment(struct process *process, const struct elf_file *elf,
                        const struct elf_segment *s)
{
    uintptr_t from = s->vaddr & ~(uintptr_t)(PAGE_SIZE - 1);
    unsigned flags =
        (s->flags & ELF_PF_W ? SPACE_WRITE : 0) | (s->flags & ELF_PF_X ? SPACE_EXECUTE : 0);
    uintptr_t end = s->vaddr + s->memsz;

    if (s->vaddr < SPACE_LOW || s->memsz > IMAGE_PAGES_MAX * PAGE_SIZE || end < s->vaddr ||
        end > STACK_TOP - STACK_PAGES * PAGE_SIZE || flags == (SPACE_WRITE | SPACE_EXECUTE))
        return PROCESS_BAD_SEGMENT;
    if (!map_pages(&process->space, from, end, flags))
        return PROCESS_NO_MEMORY;
    if (!space_fill(&process->space, s->vaddr, elf->bytes + s->offset, s->filesz))
        return PROCESS_BAD_SEGMENT;
    if (end > process->data_end)
        process->data_end = end;
    return 0;
}

static int load(struct process *process, const void *file, size_t size)
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
            error = load_segment(process, &elf, &segment);
    }
    process->entry = elf.entry; /* IRET faults in ring 0 where it is not canonical */
    if (error == 0 && (elf.entry < SPACE_LOW || elf.entry >= SPACE_HIGH))
        error = PROCESS_BAD_SEGMENT;
    process->data_begin = process->data_end =
        (process->data_end + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1);
    return error;
}

/* The stack, with the arguments' text at its top and the array of pointers to it below. */
static int push_arguments(struct process *process, int argc, const char *const *argv)
{
    uintptr_t pointers[ARGUMENTS_MAX + 1] = {0}, at = STACK_TOP;

    if (argc > ARGUMENTS_MAX)
        return PROCESS_ARGUMENTS;
    if (!map_pages(&process->space, STACK_TOP - STACK_PAGES * PAGE_SIZE, STACK_TOP, SPACE_WRITE))
        return PROCESS_NO_MEMORY;
    for (int i = 0; i < argc; i++) {
        size_t length = strlen(argv[i]) + 1;

        if (length > at - (STACK_TOP - ARGUMENT_BYTES_MAX))
            return PROCESS_ARGUMENTS;
        at -= length;
        pointers[i] = at;
        if (!space_fill(&process->space, at, argv[i], length))
            return PROCESS_NO_MEMORY;
    }
    at = (at - sizeof pointers) & ~(uintptr_t)15;
    if (!space_fill(&process->space, at, pointers, sizeof pointers))
        return PROCESS_NO_MEMORY;
    process->argc = argc;
    process->argv = process->stack = at;
    return 0;
}

static intptr_t run(void *argument)
{
    struct process *process = argument;

    thread_enter_space(&process->space, process);
    /* As after a call: the return address that is not there makes the stack what the ABI wants. */
    asm_enter_program(process->entry, process->stack - sizeof(uintptr_t), (uint64_t)process->argc,
                      process->argv);
}

int process_start_file(const void *file, size_t size, int argc, const char *const *argv,
                       struct process **started)
{
    static unsigned next_id = 1;
    struct process *process = kmalloc(sizeof *process);
    int error;

    if (process == NULL)
        return PROCESS_NO_MEMORY;
    *process = (struct process){.id = __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED)};
    if (!space_create(&process->space)) {
        kfree(process);
        return PROCESS_NO_MEMORY;
    }
    error = load(process, file, size);
    if (error == 0)
        error = push_arguments(process, argc, argv);
    if (error == 0) {
        *started = process; /* it may run, and end, before thread_create() returns */
        process->thread =
            thread_create(argc > 0 ? argv[0] : "?", THREAD_PRIORITY_NORMAL, run, process);
        if (process->thread != NULL)
            return 0;
        error = PROCESS_NO_MEMORY;
    }
    space_destroy(&process->space);
    kfree(process);
    return error;
}

int process_start(int argc, const char *const *argv, struct process **process)
{
    for (const struct program *p = programs; p->name != NULL && argc > 0; p++)
        if (strcmp(p->name, argv[0]) == 0)
            return process_start_file(p->file, (size_t)(p->end - p->file), argc, argv, process);
    return PROCESS_NO_SUCH;
}

intptr_t process_wait(struct process *process)
{
    intptr_t status = thread_join(process->thread);

    space_destroy(&process->space);
    kfree(process);
    return status;
}

void process_init(void)
{
    handler_attach_system_calls(system_call);
}

const char *process_error_text(int error)
{
    static const char *const texts[] = {
        [-PROCESS_NO_SUCH] = "no such program",
        [-PROCESS_NO_MEMORY] = "no memory",
        [-PROCESS_NOT_ELF] = "not a statically linked ELF file for x86-64",
        [-PROCESS_BAD_SEGMENT] =
            "a segment is writable and executable, or it or the entry is where no program may be",
        [-PROCESS_ARGUMENTS] = "too many arguments, or too long ones",
    };

    return error < 0 && error >= PROCESS_ARGUMENTS ? texts[-error] : "no error";
}
