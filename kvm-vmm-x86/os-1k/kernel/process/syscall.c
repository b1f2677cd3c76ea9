/*
 * The system calls: a function for each, and a table of them that also says which memory of the
 * program a call uses. It is checked before the call; only WRITE checks its memory itself.
 */
#include "kernel/process/syscall.h"
#include "abi/hypercall.h"
#include "common/string.h"
#include "common/x86.h"
#include "kernel/device/device.h"
#include "kernel/file/file.h"
#include "kernel/memory/memory.h"
#include "kernel/process/process.h"

/* At the end of input AL is HC_EOF, as after the hypercall. */
_Static_assert((uint8_t)ERROR_END_OF_INPUT == HC_EOF, "abi/hypercall.h, HC_GETCHAR");

/* The result of a call that cannot be served yet: the process has left the state `ready`, and when
 * it is ready again it makes the call again. */
enum { NOT_YET = -1000, INT_INSTRUCTION_SIZE = 2 };

static int suspend_caller(enum process_state state)
{
    process_current->state = state;
    return NOT_YET;
}

static int call_exit(const struct trap_frame *f)
{
    process_end(process_current, (int)f->ebx & STATUS_MAX);
    return 0;
}

static int call_putchar(const struct trap_frame *f)
{
    console_write((const char *)&f->ebx, 1);
    return 0;
}

/* The text is at EBX, as the hypercall's is. At most a page is written, because output takes long
 * and no other process runs meanwhile. */
static int call_write(const struct trap_frame *f)
{
    uint32_t length = f->ecx < PAGE_SIZE ? f->ecx : PAGE_SIZE;

    if (!space_program_has(f->ebx, length, SPACE_READ))
        return ERROR_BAD_ADDRESS;
    console_write((const char *)f->ebx, length);
    return (int)length;
}

/* A background process has no input; one behind the foreground process waits for its end. */
static int call_getchar(const struct trap_frame *f)
{
    int c = process_foreground() == process_current ? console_read() : CONSOLE_EMPTY;

    (void)f;
    if (process_current->background)
        return ERROR_END_OF_INPUT;
    return c != CONSOLE_EMPTY ? c : suspend_caller(PROCESS_READING);
}

static int call_readfile(const struct trap_frame *f)
{
    const struct file *file = file_find((const char *)f->ebx);
    uint32_t length = f->edx;

    if (file == NULL)
        return ERROR_NO_FILE;
    if (f->esi >= file->size)
        return 0;
    if (length > file->size - f->esi)
        length = file->size - f->esi;
    memcpy((void *)f->ecx, file->bytes + f->esi, length);
    return (int)length;
}

static int call_writefile(const struct trap_frame *f)
{
    return file_write((const char *)f->ebx, f->esi, (const void *)f->ecx, f->edx);
}

static int call_remove(const struct trap_frame *f)
{
    return file_remove((const char *)f->ebx);
}

static int call_fileinfo(const struct trap_frame *f)
{
    struct file_info *info = (struct file_info *)f->ecx;

    if (f->ebx >= FILE_MAX)
        return ERROR_NO_FILE;
    info->size = file_table[f->ebx].size;
    string_copy(info->name, file_table[f->ebx].name, sizeof info->name);
    return 0;
}

static int call_spawn(const struct trap_frame *f)
{
    return process_spawn((const char *)f->ebx, f->ecx == SPAWN_BACKGROUND);
}

static int call_wait(const struct trap_frame *f)
{
    int pid = process_collect((int)f->ebx, (int *)f->ecx);

    return pid != 0 || f->edx == WAIT_POLL ? pid : suspend_caller(PROCESS_WAITING);
}

/* syscall_handle chooses the next process. */
static int call_yield(const struct trap_frame *f)
{
    (void)f;
    return 0;
}

static int call_sleep(const struct trap_frame *f)
{
    if (f->ebx > INT32_MAX)
        return ERROR_BAD_ARGUMENT;
    process_current->wake_at = clock_now() + f->ebx;
    process_current->state = PROCESS_SLEEPING;
    return 0;
}

static int call_uptime(const struct trap_frame *f)
{
    (void)f;
    return (int)(clock_now() & INT32_MAX);
}

static int call_kill(const struct trap_frame *f)
{
    struct process *p = process_find((int)f->ebx);

    if (p == NULL)
        return ERROR_NO_PROCESS;
    if (p->pid == FIRST_PROCESS)
        return ERROR_BAD_ARGUMENT;
    process_end(p, STATUS_KILLED);
    return 0;
}

static int call_processinfo(const struct trap_frame *f)
{
    struct process_info *info = (struct process_info *)f->ecx;
    const struct process *p = &process_table[f->ebx % PROCESS_MAX];

    if (f->ebx >= PROCESS_MAX)
        return ERROR_NO_PROCESS;
    *info = (struct process_info){
        .pid = p->pid, .parent = p->parent, .state = p->state, .ticks = p->ticks};
    string_copy(info->name, p->name, sizeof info->name);
    return 0;
}

static int call_systeminfo(const struct trap_frame *f)
{
    *(struct system_info *)f->ecx = kernel_info;
    return 0;
}

/* Reads a word of another program, as a debugger does. */
static int call_peek(const struct trap_frame *f)
{
    const struct process *p = process_find((int)f->ebx);
    const uint32_t *word;

    if (p == NULL)
        return ERROR_NO_PROCESS;
    word = space_find(p->space, f->edx & -sizeof *word, SPACE_PROGRAM);
    if (word == NULL)
        return ERROR_BAD_ADDRESS;
    *(uint32_t *)f->ecx = *word;
    return 0;
}

enum { IN_EDX = UINT32_MAX };

struct call {
    int (*serve)(const struct trap_frame *f);
    uint32_t text;  /* if not 0, EBX points to a text that ends within this many bytes */
    uint32_t reads; /* the length of the memory at ECX that is read, or IN_EDX */
    uint32_t fills; /* the same, for memory that is written */
};

static const struct call calls[] = {
    [HC_EXIT] = {.serve = call_exit},
    [HC_PUTCHAR] = {.serve = call_putchar},
    [HC_GETCHAR] = {.serve = call_getchar},
    [HC_READFILE] = {.serve = call_readfile, .text = NAME_SIZE, .fills = IN_EDX},
    [HC_WRITEFILE] = {.serve = call_writefile, .text = NAME_SIZE, .reads = IN_EDX},
    [HC_SPAWN] = {.serve = call_spawn, .text = COMMAND_LINE_SIZE},
    [HC_WAIT] = {.serve = call_wait, .fills = sizeof(int)},
    [HC_YIELD] = {.serve = call_yield},
    [HC_SLEEP] = {.serve = call_sleep},
    [HC_UPTIME] = {.serve = call_uptime},
    [HC_KILL] = {.serve = call_kill},
    [HC_PROCESSINFO] = {.serve = call_processinfo, .fills = sizeof(struct process_info)},
    [HC_FILEINFO] = {.serve = call_fileinfo, .fills = sizeof(struct file_info)},
    [HC_REMOVE] = {.serve = call_remove, .text = NAME_SIZE},
    [HC_SYSTEMINFO] = {.serve = call_systeminfo, .fills = sizeof(struct system_info)},
    [HC_PEEK] = {.serve = call_peek, .fills = sizeof(uint32_t)},
    [HC_WRITE] = {.serve = call_write},
};

static uint32_t memory_length(uint32_t length, const struct trap_frame *f)
{
    return length == IN_EDX ? f->edx : length;
}

static int check_and_serve(const struct call *call, const struct trap_frame *f)
{
    if (call->serve == NULL)
        return ERROR_BAD_CALL;
    if ((call->text != 0 && !space_program_has_text(f->ebx, call->text)) ||
        !space_program_has(f->ecx, memory_length(call->reads, f), SPACE_READ) ||
        !space_program_has(f->ecx, memory_length(call->fills, f), SPACE_WRITE))
        return ERROR_BAD_ADDRESS;
    return call->serve(f);
}

struct trap_frame *syscall_handle(struct trap_frame *frame)
{
    uint32_t number = frame->eax;
    int result = number < sizeof calls / sizeof calls[0] ? check_and_serve(&calls[number], frame)
                                                         : ERROR_BAD_CALL;

    if (result == NOT_YET) {
        frame->eip -= INT_INSTRUCTION_SIZE;
        return process_next();
    }
    frame->eax = (uint32_t)result;
    frame->eflags &= ~(uint32_t)X86_FLAGS_CF;
    if (result == ERROR_END_OF_INPUT)
        frame->eflags |= X86_FLAGS_CF; /* as the hypercall of that number does */
    return number == HC_YIELD || process_current->state != PROCESS_READY ? process_next() : frame;
}
