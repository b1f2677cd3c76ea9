/*
 * The system calls, one function each, and their table. A call reads its arguments from the
 * program's registers and trusts none of them: memory goes through space_program_memory.
 */
#include "kernel/process/process.h"

#include "abi/hypercall.h"
#include "common/string.h"
#include "common/x86.h"
#include "kernel/device/device.h"
#include "kernel/file/file.h"
#include "kernel/memory/memory.h"

/* What a call returns that cannot be served yet: the process has left the state `ready`, and when
 * somebody brings it back there it makes the call again. */
enum { NOT_YET = -1000, INT_INSTRUCTION_SIZE = 2 };

static int block(enum process_state state)
{
    process_current()->state = state;
    return NOT_YET;
}

static int call_exit(const struct trap_frame *f)
{
    process_end(process_current(), (int)f->ebx);
    return 0;
}

static int call_putchar(const struct trap_frame *f)
{
    char c = (char)f->ebx;

    console_write(&c, 1);
    return 0;
}

static int call_write(const struct trap_frame *f)
{
    const char *text = space_program_memory(f->ebx, f->ecx, SPACE_READ);

    if (text == NULL)
        return ERROR_BAD_ADDRESS;
    console_write(text, f->ecx);
    return (int)f->ecx;
}

/* The keyboard belongs to the foreground. A program in the background has no input; one that is not
 * in front yet, because its parent has still to wait for it, waits for that as it does for a key.
 */
static int call_getchar(const struct trap_frame *f)
{
    bool front = process_foreground() == process_current();
    int c = front ? console_read() : -1;

    (void)f;
    if (c >= 0)
        return c;
    if (process_current()->background || (front && console_ended()))
        return ERROR_END_OF_INPUT;
    return block(PROCESS_READING);
}

static int call_readfile(const struct trap_frame *f)
{
    void *to = space_program_memory(f->ecx, f->edx, SPACE_WRITE);
    const struct file *file;
    const char *name = space_program_text(f->ebx, NAME_SIZE);
    uint32_t length = f->edx;

    if (name == NULL || to == NULL)
        return ERROR_BAD_ADDRESS;
    file = file_find(name);
    if (file == NULL)
        return ERROR_NO_FILE;
    if (f->esi >= file->size)
        return 0;
    if (length > file->size - f->esi)
        length = file->size - f->esi;
    memcpy(to, file->bytes + f->esi, length);
    return (int)length;
}

static int call_writefile(const struct trap_frame *f)
{
    const void *from = space_program_memory(f->ecx, f->edx, SPACE_READ);
    const char *name = space_program_text(f->ebx, NAME_SIZE);

    if (name == NULL || from == NULL)
        return ERROR_BAD_ADDRESS;
    return file_write(name, f->esi, from, f->edx);
}

static int call_remove(const struct trap_frame *f)
{
    const char *name = space_program_text(f->ebx, NAME_SIZE);

    return name != NULL ? file_remove(name) : ERROR_BAD_ADDRESS;
}

static int call_fileinfo(const struct trap_frame *f)
{
    struct file_info *info = space_program_memory(f->ecx, sizeof *info, SPACE_WRITE);

    if (f->ebx >= FILE_MAX)
        return ERROR_NO_FILE;
    if (info == NULL)
        return ERROR_BAD_ADDRESS;
    *info = (struct file_info){.size = file_table[f->ebx].size};
    string_copy(info->name, file_table[f->ebx].name, sizeof info->name);
    return 0;
}

static int call_spawn(const struct trap_frame *f)
{
    const char *command_line = space_program_text(f->ebx, COMMAND_LINE_SIZE);

    if (command_line == NULL)
        return ERROR_BAD_ADDRESS;
    return process_spawn(command_line, f->ecx == SPAWN_BACKGROUND);
}

static int call_wait(const struct trap_frame *f)
{
    int *status = space_program_memory(f->edx, sizeof *status, SPACE_WRITE);
    int pid;

    if (status == NULL)
        return ERROR_BAD_ADDRESS;
    pid = process_collect((int)f->ebx, status);
    if (pid != 0 || f->ecx == WAIT_POLL) {
        process_current()->waiting_for = 0;
        return pid;
    }
    process_current()->waiting_for = (int)f->ebx;
    process_wake(PROCESS_READING); /* the child may have come to the front by this */
    return block(PROCESS_WAITING);
}

/* The other half of it is in syscall_handle. */
static int call_yield(const struct trap_frame *f)
{
    (void)f;
    return 0;
}

static int call_sleep(const struct trap_frame *f)
{
    if (f->ebx > INT32_MAX)
        return ERROR_BAD_ARGUMENT;
    process_current()->wake_at = clock_now() + f->ebx;
    process_current()->state = PROCESS_SLEEPING;
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

    if (p == NULL || p->state == PROCESS_ENDED)
        return ERROR_NO_PROCESS;
    if (p->pid == FIRST_PROCESS)
        return ERROR_BAD_ARGUMENT;
    process_end(p, STATUS_KILLED);
    return 0;
}

static int call_processinfo(const struct trap_frame *f)
{
    struct process_info *info = space_program_memory(f->ecx, sizeof *info, SPACE_WRITE);
    const struct process *p = &process_table[f->ebx % PROCESS_MAX];

    if (f->ebx >= PROCESS_MAX)
        return ERROR_NO_PROCESS;
    if (info == NULL)
        return ERROR_BAD_ADDRESS;
    *info = (struct process_info){
        .pid = p->pid, .parent = p->parent, .state = p->state, .ticks = p->ticks};
    string_copy(info->name, p->name, sizeof info->name);
    return 0;
}

static int call_systeminfo(const struct trap_frame *f)
{
    struct system_info *info = space_program_memory(f->ebx, sizeof *info, SPACE_WRITE);

    if (info == NULL)
        return ERROR_BAD_ADDRESS;
    *info = kernel_info;
    return 0;
}

/* Reads a word of another program, as a debugger does. */
static int call_peek(const struct trap_frame *f)
{
    const struct process *p = process_find((int)f->ebx);
    uint32_t *to = space_program_memory(f->edx, sizeof *to, SPACE_WRITE);
    const uint32_t *word;

    if (p == NULL || p->state == PROCESS_ENDED)
        return ERROR_NO_PROCESS;
    word = space_find(p->space, f->ecx & -sizeof *word, SPACE_PROGRAM);
    if (to == NULL || word == NULL)
        return ERROR_BAD_ADDRESS;
    *to = *word;
    return 0;
}

static int (*const calls[])(const struct trap_frame *f) = {
    [HC_EXIT] = call_exit,
    [HC_PUTCHAR] = call_putchar,
    [HC_GETCHAR] = call_getchar,
    [HC_READFILE] = call_readfile,
    [HC_WRITEFILE] = call_writefile,
    [HC_SPAWN] = call_spawn,
    [HC_WAIT] = call_wait,
    [HC_YIELD] = call_yield,
    [HC_SLEEP] = call_sleep,
    [HC_UPTIME] = call_uptime,
    [HC_KILL] = call_kill,
    [HC_PROCESSINFO] = call_processinfo,
    [HC_FILEINFO] = call_fileinfo,
    [HC_REMOVE] = call_remove,
    [HC_SYSTEMINFO] = call_systeminfo,
    [HC_PEEK] = call_peek,
    [HC_WRITE] = call_write,
};

struct trap_frame *syscall_handle(struct trap_frame *frame)
{
    uint32_t number = frame->eax;
    bool known = number < sizeof calls / sizeof calls[0] && calls[number] != NULL;
    int result = known ? calls[number](frame) : ERROR_BAD_CALL;

    if (result == NOT_YET) {
        frame->eip -= INT_INSTRUCTION_SIZE;
        return process_next();
    }
    frame->eax = (uint32_t)result;
    frame->eflags &= ~X86_FLAGS_CF;
    if (result == ERROR_END_OF_INPUT)
        frame->eflags |= X86_FLAGS_CF; /* as the hypercall of that number does */
    return number == HC_YIELD || process_current()->state != PROCESS_READY ? process_next() : frame;
}
