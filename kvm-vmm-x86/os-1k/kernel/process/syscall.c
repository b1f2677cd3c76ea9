/*
 * The system calls, one function each, and their table. A call reads its arguments from the
 * program's registers and trusts none of them: memory goes through program_memory.h.
 */
#include "kernel/process/syscall.h"

#include <stddef.h>

#include "abi/hypercall.h"
#include "common/string.h"
#include "include/system.h"
#include "kernel/cpu/x86.h"
#include "kernel/device/clock.h"
#include "kernel/device/console.h"
#include "kernel/file/file.h"
#include "kernel/memory/boot_info.h"
#include "kernel/memory/page.h"
#include "kernel/memory/program_memory.h"
#include "kernel/memory/space.h"
#include "kernel/process/process.h"
#include "kernel/process/scheduler.h"

static int call_exit(const struct trap_frame *f)
{
    process_exit((int)f->ebx);
}

static int call_putchar(const struct trap_frame *f)
{
    char c = (char)f->ebx;

    console_write(&c, 1);
    return 0;
}

static int call_write(const struct trap_frame *f)
{
    const char *text = program_memory_in(f->ebx, f->ecx);

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
    (void)f;
    while (!process_current()->background) {
        bool front = process_foreground() == process_current();
        int c = front ? console_read() : -1;

        if (c >= 0)
            return c;
        if (front && console_ended())
            break;
        scheduler_block(PROCESS_READING);
    }
    return ERROR_END_OF_INPUT;
}

static int call_readfile(const struct trap_frame *f)
{
    void *to = program_memory_out(f->ecx, f->edx);
    const struct file *file;
    char name[NAME_SIZE];
    int error = program_memory_text(f->ebx, name, sizeof name);

    if (error < 0 || to == NULL)
        return error < 0 ? error : ERROR_BAD_ADDRESS;
    file = file_find(name);
    return file != NULL ? file_read(file, f->esi, to, f->edx) : ERROR_NO_FILE;
}

static int call_writefile(const struct trap_frame *f)
{
    const void *from = program_memory_in(f->ecx, f->edx);
    char name[NAME_SIZE];
    int error = program_memory_text(f->ebx, name, sizeof name);

    if (error < 0 || from == NULL)
        return error < 0 ? error : ERROR_BAD_ADDRESS;
    return file_write(name, f->esi, from, f->edx);
}

static int call_remove(const struct trap_frame *f)
{
    char name[NAME_SIZE];
    int error = program_memory_text(f->ebx, name, sizeof name);

    return error < 0 ? error : file_remove(name);
}

static int call_fileinfo(const struct trap_frame *f)
{
    const struct file *file = file_at(f->ebx);
    struct file_info *info = program_memory_out(f->ecx, sizeof *info);

    if (file == NULL)
        return ERROR_NO_FILE;
    if (info == NULL)
        return ERROR_BAD_ADDRESS;
    *info = (struct file_info){.size = file->size};
    string_copy(info->name, file->name, sizeof info->name);
    return 0;
}

static int call_spawn(const struct trap_frame *f)
{
    char command_line[COMMAND_LINE_SIZE];
    int error = program_memory_text(f->ebx, command_line, sizeof command_line);

    return error < 0 ? error : process_spawn(command_line, f->ecx == SPAWN_BACKGROUND);
}

static int call_wait(const struct trap_frame *f)
{
    int *out = program_memory_out(f->edx, sizeof *out);
    int status = 0, pid;

    if (out == NULL)
        return ERROR_BAD_ADDRESS;
    pid = process_wait((int)f->ebx, f->ecx == WAIT_POLL, &status);
    if (pid > 0)
        *out = status;
    return pid;
}

static int call_yield(const struct trap_frame *f)
{
    (void)f;
    scheduler_yield();
    return 0;
}

static int call_sleep(const struct trap_frame *f)
{
    if (f->ebx > INT32_MAX)
        return ERROR_BAD_ARGUMENT;
    process_current()->wake_at = clock_now() + f->ebx;
    scheduler_block(PROCESS_SLEEPING);
    return 0;
}

static int call_uptime(const struct trap_frame *f)
{
    (void)f;
    return (int)(clock_now() & INT32_MAX);
}

static int call_kill(const struct trap_frame *f)
{
    return process_kill((int)f->ebx);
}

static int call_processinfo(const struct trap_frame *f)
{
    static const char *const states[] = {
        [PROCESS_READY] = "ready",     [PROCESS_SLEEPING] = "sleeping",
        [PROCESS_READING] = "reading", [PROCESS_WAITING] = "waiting",
        [PROCESS_ENDED] = "ended",
    };
    struct process_info *info = program_memory_out(f->ecx, sizeof *info);
    const struct process *p = &process_table[f->ebx % PROCESS_MAX];

    if (info == NULL)
        return ERROR_BAD_ADDRESS;
    if (f->ebx >= PROCESS_MAX)
        return ERROR_NO_PROCESS;
    if (p->state == PROCESS_FREE)
        return 0; /* the slot is empty, but others may follow */
    *info = (struct process_info){.pid = p->pid, .parent = p->parent, .ticks = p->ticks};
    string_copy(info->name, p->name, sizeof info->name);
    string_copy(info->state, p == process_current() ? "running" : states[p->state],
                sizeof info->state);
    return 1;
}

static int call_systeminfo(const struct trap_frame *f)
{
    struct system_info *info = program_memory_out(f->ebx, sizeof *info);

    if (info == NULL)
        return ERROR_BAD_ADDRESS;
    *info =
        (struct system_info){.pages_total = page_count_total(), .pages_free = page_count_free()};
    for (unsigned i = 1; i < PROCESS_MAX; i++)
        info->processes += process_table[i].state != PROCESS_FREE;
    string_copy(info->protection, space_protection(), sizeof info->protection);
    string_copy(info->console, console_name(), sizeof info->console);
    string_copy(info->store, file_store(), sizeof info->store);
    string_copy(info->loader, boot_info.loader, sizeof info->loader);
    return 0;
}

/* Reads a word of another program, as a debugger does. */
static int call_peek(const struct trap_frame *f)
{
    const struct process *p = process_find((int)f->ebx);
    uint32_t *out = program_memory_out(f->edx, sizeof *out);
    const uint32_t *word;

    if (p == NULL || p->state == PROCESS_ENDED)
        return ERROR_NO_PROCESS;
    if (out == NULL || f->ecx % sizeof *word != 0)
        return ERROR_BAD_ADDRESS;
    word = space_find(p->space, f->ecx, SPACE_PROGRAM);
    if (word == NULL)
        return ERROR_BAD_ADDRESS;
    *out = *word;
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

void syscall_handle(struct trap_frame *frame)
{
    uint32_t number = frame->eax;
    bool known = number < sizeof calls / sizeof calls[0] && calls[number] != NULL;
    int result = known ? calls[number](frame) : ERROR_BAD_CALL;

    frame->eax = (uint32_t)result;
    frame->eflags &= ~EFLAGS_CF;
    if (result == ERROR_END_OF_INPUT)
        frame->eflags |= EFLAGS_CF; /* as the hypercall of that number does */
}
