/*
 * Exceptions: Intel SDM volume 3, 6.15. A fault ends only its thread if it came from thread code
 * with interrupts on, and the thread holds neither a spinlock nor a mutex: then no shared data is
 * inconsistent.
 */
#include "interrupt/handler.h"

#include <stddef.h>

#include "common/exception.h"
#include "common/symbols.h"
#include "common/x86.h"
#include "cpu.h"
#include "cpu/console.h"
#include "cpu/machine.h"
#include "cpu/panic.h"
#include "interrupt/gdt.h"

/* Bytes that must be free on a thread's stack to preempt it: a frame, and the calls up to
 * thread_switch_stacks(). */
enum { SWITCH_ROOM = 1024 };

void handler_switch(void); /* asm/vectors.S */

static const struct handler_threads *threads;
static const struct handler_programs *programs;

void handler_attach_threads(const struct handler_threads *attached)
{
    threads = attached;
}

void handler_attach_programs(const struct handler_programs *attached)
{
    programs = attached;
}

static const char *thread_name(void)
{
    return threads != NULL ? threads->name() : "boot";
}

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

    console_say("  %s %016lx: %s", what, x86_read_cr2(), why);
}

/* Prints each bank of error registers: SDM volume 3, 15.3. */
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
            console_say("  bank %u: status %016lx, address %lx", i, status,
                        status >> HAS_ADDRESS & 1 ? x86_rdmsr(ADDRESS + i * BANK) : 0);
    }
}

static void print_registers(const struct interrupt_frame *f)
{
    console_say("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    console_say("  rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    console_say("  r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    console_say("  r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    console_say("  rip %016lx  cs %02lx  rflags %06lx  cr2 %016lx  cr3 %lx", f->rip, f->cs,
                f->rflags, x86_read_cr2(), x86_read_cr3());
}

/* True if a stack overflow caused the double fault: the CPU could not push the frame of the page
 * fault, which was below the stack. */
static bool stack_overflow(const struct interrupt_frame *f)
{
    const struct cpu_stack *stack = cpu_this()->stack;
    uintptr_t at = x86_read_cr2();

    return f->vector == EXCEPTION_DF && at >= stack->gap && at < stack->low;
}

static bool from_program(const struct interrupt_frame *frame)
{
    return frame->cs & 3;
}

static void report(const struct interrupt_frame *f, const char *what)
{
    struct symbol at = symbols_find(f->rip);

    if (from_program(f))
        console_say("\n\033[1;33m%s\033[0m (vector %lu, error %#lx) in program %s at %#lx", what,
                    f->vector, f->error, thread_name(), f->rip);
    else
        console_say("\n\033[1;33m%s\033[0m (vector %lu, error %#lx) in thread %s at %s+0x%lx", what,
                    f->vector, f->error, thread_name(), at.name, at.offset);
    if (f->vector == EXCEPTION_PF)
        print_page_fault(f);
    if (f->vector == EXCEPTION_MC)
        print_machine_check();
    print_registers(f);
    panic_backtrace((const uintptr_t *)f->rbp);
}

static bool may_end_thread(const struct interrupt_frame *f)
{
    return (f->rflags & X86_FLAGS_IF) && threads != NULL && cpu_may_sleep() && threads->may_end();
}

static bool fatal(const struct interrupt_frame *f)
{
    return f->vector == EXCEPTION_NMI || f->vector == EXCEPTION_MC ||
           (f->vector == EXCEPTION_DF && !stack_overflow(f));
}

/* Changes the frame, so that it returns to threads->end(vector) on the empty stack. */
static void end_thread(struct interrupt_frame *frame, uint64_t vector)
{
    frame->rdi = vector;
    frame->rip = (uintptr_t)threads->end;
    frame->rsp = cpu_this()->stack->high - sizeof(uintptr_t); /* as after a call */
    frame->rbp = 0;
    frame->cs = GDT_SELECTOR_CODE;
    frame->ss = GDT_SELECTOR_DATA;
    frame->rflags = X86_FLAGS_IF | X86_FLAGS_1;
}

/* True if the fault was a write to a page that is shared since a fork; now it is writable. */
static bool resolved(const struct interrupt_frame *frame)
{
    const uint64_t write = EXCEPTION_PF_PRESENT | EXCEPTION_PF_WRITE;

    return frame->vector == EXCEPTION_PF && from_program(frame) && programs != NULL &&
           (frame->error & (write | EXCEPTION_PF_RESERVED)) == write &&
           programs->write_fault(x86_read_cr2());
}

void handler_exception(struct interrupt_frame *frame)
{
    if (resolved(frame))
        return;
    if (frame->vector == EXCEPTION_NMI && machine_is_stopping())
        x86_stop();
    console_begin();
    report(frame, stack_overflow(frame) ? "stack overflow" : name_of(frame));
    if (frame->vector != EXCEPTION_BP) {
        if (fatal(frame) || !may_end_thread(frame))
            panic("%s", name_of(frame));
        console_say("  thread %s is ended", thread_name());
        end_thread(frame, frame->vector);
    }
    console_end();
}

void handler_system_call(struct interrupt_frame *frame)
{
    programs->system_call(frame);
}

void handler_leave(struct interrupt_frame *frame)
{
    struct cpu *cpu = cpu_this();
    struct interrupt_frame *copy;
    uintptr_t sp = from_program(frame) ? cpu->stack->high : frame->rsp;

    cpu->attention &= ~(unsigned)CPU_TICKED;
    if (from_program(frame) && threads->interrupted()) {
        end_thread(frame, HANDLER_INTERRUPTED);
        return;
    }
    if (sp < cpu->stack->low + SWITCH_ROOM || sp > cpu->stack->high) {
        if (may_end_thread(frame)) {
            console_begin();
            report(frame, "stack overflow");
            console_say("  thread %s is ended", thread_name());
            end_thread(frame, EXCEPTION_DF);
            console_end();
        }
        return;
    }
    if (cpu->attention == 0 || cpu->interrupt_depth > 0 || cpu->lock != NULL || threads == NULL)
        return;
    copy = (struct interrupt_frame *)(sp & ~(uint64_t)15) - 1;
    *copy = *frame;
    frame->rip = (uintptr_t)handler_switch;
    frame->rsp = (uintptr_t)copy;
    frame->cs = GDT_SELECTOR_CODE;
    frame->ss = GDT_SELECTOR_DATA;
    frame->rflags = X86_FLAGS_1;
}

void handler_preempt(void)
{
    threads->preempt();
}
