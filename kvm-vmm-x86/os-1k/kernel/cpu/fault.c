/* Exceptions of the processor (Intel SDM volume 3, chapter 6.15): a program is killed with a
 * message that names it, the fault and the address; for the kernel it is the end. */
#include "kernel/cpu/fault.h"

#include <stddef.h>

#include "common/fmt.h"
#include "common/string.h"
#include "kernel/cpu/descriptors.h"
#include "kernel/cpu/x86.h"
#include "kernel/device/console.h"
#include "kernel/device/power.h"
#include "kernel/memory/boot_info.h"
#include "kernel/memory/page.h"
#include "kernel/process/process.h"

enum { BACKTRACE_DEPTH = 16, PAGE_FAULT_WRITE = 1 << 1 };

/* The kernel's functions, in the order of their offsets from text_begin, so that both images share
 * one table. The Makefile makes it from a first link of the kernel. */
struct symbol {
    uint32_t offset;
    const char *name;
};
extern const struct symbol symbol_table[], symbol_table_end[];

static const char *const fault_names[32] = {"divide error",
                                            "debug exception",
                                            "non-maskable interrupt",
                                            "breakpoint",
                                            "overflow",
                                            "bound range exceeded",
                                            "invalid instruction",
                                            "no floating point here",
                                            "double fault",
                                            "coprocessor overrun",
                                            "invalid task state",
                                            "segment not present",
                                            "stack segment fault",
                                            "general protection fault",
                                            "page fault",
                                            "reserved exception",
                                            "floating point error",
                                            "misaligned access",
                                            "machine check",
                                            "SIMD floating point error"};

/* Says in words what a fault was about. */
static void describe(char *text, size_t size, const struct trap_frame *frame)
{
    const char *name = fault_names[frame->vector], *access = "reading";
    uint32_t address = x86_read_cr2();

    if (frame->error & PAGE_FAULT_WRITE)
        access = "writing";
    else if (address == frame->eip)
        access = "executing";
    if (frame->vector == VECTOR_PAGE_FAULT)
        fmt_snprint(text, size, "%s %s 0x%08x", name, access, address);
    else
        fmt_snprint(text, size, "%s", name != NULL ? name : "reserved exception");
}

static bool is_code(uint32_t address)
{
    return address >= (uint32_t)text_begin && address < (uint32_t)rodata_begin;
}

static struct symbol find_function(uint32_t eip)
{
    struct symbol best = {0, "text_begin"};

    for (const struct symbol *s = symbol_table; s < symbol_table_end; s++)
        if (s->offset <= eip - (uint32_t)text_begin)
            best = *s;
    return best;
}

static void print_function(uint32_t eip)
{
    struct symbol function = find_function(eip);

    if (is_code(eip))
        console_print("  %08x %s+0x%x\n", eip, function.name,
                      eip - (uint32_t)text_begin - function.offset);
    else
        console_print("  %08x nowhere\n", eip);
}

/* Follows the saved frame pointers as long as they point into the kernel's stack. */
static void __attribute__((noreturn)) stop_machine(uint32_t eip, uint32_t ebp)
{
    print_function(eip);
    for (int depth = 1; depth < BACKTRACE_DEPTH; depth++) {
        if (ebp < (uint32_t)kernel_stack || ebp > (uint32_t)kernel_stack_top - 8 || ebp % 4 != 0)
            break;
        print_function(((const uint32_t *)ebp)[1]);
        ebp = ((const uint32_t *)ebp)[0];
    }
    console_print("The kernel stops here.\n");
    power_off(1);
}

void fault_of_program(const struct trap_frame *frame)
{
    char what[48];

    describe(what, sizeof what, frame);
    console_print("\n%s (process %d) was stopped: %s at eip 0x%08x\n", process_current()->name,
                  process_current()->pid, what, frame->eip);
    process_end(process_current(), STATUS_FAULT + (int)frame->vector);
}

/* From ring 0 the processor pushes no ESP: it is where that would lie. */
void fault_of_kernel(const struct trap_frame *f)
{
    const char *function = text_begin + find_function(f->eip).offset;
    uint32_t esp = f->vector == VECTOR_DOUBLE_FAULT ? f->esp : (uint32_t)&f->esp;
    char what[48];

    describe(what, sizeof what, f);
    console_print("\nKERNEL FAULT: %s at eip 0x%08x\n", what, f->eip);
    console_print("eax %08x  ebx %08x  ecx %08x  edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
    console_print("esi %08x  edi %08x  ebp %08x  esp %08x\n", f->esi, f->edi, f->ebp, esp);
    console_print("eip %08x  eflags %08x  error %x\n", f->eip, f->eflags, f->error);
    console_print("cr0 %08x  cr2 %08x  cr3 %08x\n", x86_read_cr0(), x86_read_cr2(), x86_read_cr3());
    console_print("backtrace:\n");
    if (is_code(f->eip) && memcmp(function, "\x55\x89\xe5", 3) == 0) /* push ebp; mov esp, ebp */
        stop_machine(f->eip, f->ebp);
    print_function(f->eip); /* gcc gives functions that call none no frame, whatever it is told */
    stop_machine(*(const uint32_t *)esp, f->ebp);
}

void fault_double(void)
{
    const struct trap_frame frame = descriptors_interrupted_task();

    if (frame.esp - (uint32_t)kernel_stack > (uint32_t)(kernel_stack_top - kernel_stack))
        console_print("\nThe kernel's stack has overflowed.");
    fault_of_kernel(&frame);
}

void fault_panic(const char *reason)
{
    console_print("\nKERNEL PANIC: %s\nbacktrace:\n", reason);
    stop_machine((uint32_t)__builtin_return_address(0), *(uint32_t *)__builtin_frame_address(0));
}

static void __attribute__((noinline)) write_to_constant(void)
{
    *(volatile char *)rodata_begin = 0;
}

static int __attribute__((noinline)) recurse(int depth)
{
    return depth == INT32_MAX ? 0 : recurse(depth + 1) + 1;
}

void fault_on_purpose(void)
{
    if (boot_info_option("fault"))
        write_to_constant();
    if (boot_info_option("overflow"))
        console_print("%d\n", recurse(0));
}
