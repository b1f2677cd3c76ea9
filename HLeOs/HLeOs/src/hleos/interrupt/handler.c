/*
 * Exceptions: Intel SDM volume 3, 6.15. A thread is ended, and the rest lives on, if the fault came
 * from thread code with interrupts on, and the thread holds neither a spinlock nor a mutex: then
 * nothing shared can be left half done.
 */
#include "interrupt/handler.h"

#include <stdbool.h>

#include "common/exception.h"
#include "common/symbols.h"
#include "common/x86.h"
#include "cpu.h"
#include "interrupt.h"
#include "iostream.h"
#include "machine.h"
#include "panic.h"
#include "thread.h"

static const char *name_of(const struct interrupt_frame *f)
{
    const char *name = exception_words((int)f->vector);

    return name != NULL ? name : "unknown exception";
}

static void print_page_fault(const struct interrupt_frame *f)
{
    const char *what = f->error & EXCEPTION_PF_FETCH   ? "fetch from"
                       : f->error & EXCEPTION_PF_WRITE ? "write to"
                                                       : "read from";
    const char *why = f->error & EXCEPTION_PF_RESERVED  ? "a reserved bit is set"
                      : f->error & EXCEPTION_PF_PRESENT ? "not allowed there"
                                                        : "not mapped";

    println("  %s %016lx: %s", what, x86_read_cr2(), why);
}

/* SDM volume 3, 15.3: what each bank of error registers says. */
static void print_machine_check(void)
{
    enum { CAPABILITIES = 0x179, STATUS = 0x401, ADDRESS = 0x402, BANK = 4, COUNT = 0xff };
    enum { ARCHITECTURE = 14, VALID = 63, HAS_ADDRESS = 58 };
    unsigned banks = 0;

    if (x86_cpuid(1, 0).d >> ARCHITECTURE & 1)
        banks = x86_rdmsr(CAPABILITIES) & COUNT;
    for (unsigned i = 0; i < banks; i++) {
        uint64_t status = x86_rdmsr(STATUS + i * BANK);

        if (status >> VALID & 1)
            println("  bank %u: status %016lx, address %lx", i, status,
                    status >> HAS_ADDRESS & 1 ? x86_rdmsr(ADDRESS + i * BANK) : 0);
    }
}

static void print_registers(const struct interrupt_frame *f)
{
    println("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    println("  rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    println("  r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    println("  r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    println("  rip %016lx  cs %02lx  rflags %06lx  cr2 %016lx  cr3 %lx", f->rip, f->cs, f->rflags,
            x86_read_cr2(), x86_read_cr3());
}

/* Where the stack ran over, the double fault's own cause is a page fault in the guard page. */
static bool stack_overflow(const struct interrupt_frame *f)
{
    return f->vector == EXCEPTION_DF && thread_in_guard(thread_current(), x86_read_cr2());
}

static void report(const struct interrupt_frame *f)
{
    struct symbol at = symbols_find(f->rip);

    iostream_emergency();
    println("\n\033[1;33m%s\033[0m (vector %lu, error %#lx) in thread %s at %s+0x%lx",
            stack_overflow(f) ? "stack overflow" : name_of(f), f->vector, f->error,
            thread_name(thread_current()), at.name, at.offset);
    if (f->vector == EXCEPTION_PF)
        print_page_fault(f);
    if (f->vector == EXCEPTION_MC)
        print_machine_check();
    print_registers(f);
    panic_backtrace((const uintptr_t *)f->rbp);
}

static bool may_end_thread(const struct interrupt_frame *f)
{
    if (f->vector == EXCEPTION_NMI || f->vector == EXCEPTION_MC)
        return false;
    if (f->vector == EXCEPTION_DF && !stack_overflow(f))
        return false;
    return (f->rflags & X86_FLAGS_IF) && cpu_may_sleep() && thread_may_be_ended(thread_current());
}

void handler_exception(struct interrupt_frame *frame)
{
    struct thread *thread = thread_current();

    report(frame);
    if (frame->vector == EXCEPTION_BP) {
        iostream_calm();
        return;
    }
    if (!may_end_thread(frame))
        panic("%s", name_of(frame));
    println("  thread %s is ended", thread_name(thread));
    iostream_calm();
    /* Returning from the exception goes to thread_end_by_fault(vector) on the emptied stack. */
    frame->rdi = frame->vector;
    frame->rip = (uintptr_t)thread_end_by_fault;
    frame->rsp = thread_stack_top(thread) - sizeof(uintptr_t); /* as after a call */
    frame->rbp = 0;
    frame->cs = CPU_SELECTOR_CODE;
    frame->ss = CPU_SELECTOR_DATA;
    frame->rflags = X86_FLAGS_IF | 2;
}
