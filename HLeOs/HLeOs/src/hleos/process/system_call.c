/*
 * The system calls, by number: abi/hleos.h. A program's numbers and addresses are anything at all:
 * each is checked before it is used, and what it sizes is bounded.
 */
#include "process/system_call.h"

#include "abi/hleos.h"
#include "iostream.h"
#include "memory/layout.h"
#include "timer.h"

enum { WRITE_MAX = 4096, CHUNK = 128, STANDARD_OUTPUT = 1, STANDARD_ERROR = 2 };

#define DATA_MAX (UINT64_C(256) << 20)

typedef int64_t call(struct process *process, const struct interrupt_frame *frame);

static int64_t call_exit(struct process *process, const struct interrupt_frame *frame)
{
    (void)process;
    thread_exit(frame->rdi & 0xff);
}

static int64_t call_getpid(struct process *process, const struct interrupt_frame *frame)
{
    (void)frame;
    return process->id;
}

static int64_t call_sleep(struct process *process, const struct interrupt_frame *frame)
{
    (void)process;
    if (frame->rdi > UINT32_MAX)
        return -1;
    thread_sleep_ms(frame->rdi);
    return 0;
}

static int64_t call_uptime(struct process *process, const struct interrupt_frame *frame)
{
    (void)process;
    (void)frame;
    return (int64_t)(timer_now() / TIMER_NS_PER_MS);
}

/* Pages come and go as the end passes their beginning; all or nothing. */
static int64_t call_sbrk(struct process *process, const struct interrupt_frame *frame)
{
    int64_t change = (int64_t)frame->rdi;
    uintptr_t old = process->data_end, new = old + (uintptr_t)change, at;
    uintptr_t old_pages = (old + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1), new_pages;

    if (change > (int64_t)DATA_MAX || change < -(int64_t)DATA_MAX || new < process->data_begin ||
        new - process->data_begin > DATA_MAX)
        return -1;
    new_pages = (new + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1);
    for (at = old_pages; at < new_pages; at += PAGE_SIZE)
        if (!space_map(&process->space, at, SPACE_WRITE))
            break;
    if (at < new_pages) {
        while (at > old_pages)
            space_unmap(&process->space, at -= PAGE_SIZE);
        return -1;
    }
    for (at = new_pages; at < old_pages; at += PAGE_SIZE)
        space_unmap(&process->space, at);
    process->data_end = new;
    return (int64_t)old;
}

/* A longer text is written in part, as its result says. What lies before a bad address is written,
 * too. */
static int64_t call_write(struct process *process, const struct interrupt_frame *frame)
{
    size_t size = frame->rdx < WRITE_MAX ? frame->rdx : WRITE_MAX, done = 0;
    char chunk[CHUNK];

    if (frame->rdi != STANDARD_OUTPUT && frame->rdi != STANDARD_ERROR)
        return -1;
    while (done < size) {
        size_t some = size - done < CHUNK ? size - done : CHUNK;

        if (!space_copy_in(&process->space, chunk, frame->rsi + done, some))
            return done > 0 ? (int64_t)done : -1;
        iostream_write(chunk, some);
        done += some;
    }
    return (int64_t)done;
}

static call *const calls[] = {
    [HLEOS_EXIT] = call_exit,   [HLEOS_GETPID] = call_getpid, [HLEOS_SBRK] = call_sbrk,
    [HLEOS_SLEEP] = call_sleep, [HLEOS_UPTIME] = call_uptime, [HLEOS_WRITE] = call_write,
};

void system_call(struct interrupt_frame *frame)
{
    uint64_t number = frame->rax;
    call *function = number < sizeof calls / sizeof calls[0] ? calls[number] : NULL;

    frame->rax = function != NULL ? (uint64_t)function(thread_process(), frame) : (uint64_t)-1;
}
