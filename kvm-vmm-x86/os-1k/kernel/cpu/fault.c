/* Describes exceptions of the processor (Intel SDM volume 3, chapter 6.15), and ends the machine
 * when the kernel itself is at fault. */
#include "kernel/cpu/cpu.h"

#include "common/exception.h"
#include "common/string.h"
#include "common/symbols.h"
#include "common/x86.h"
#include "kernel/device/device.h"
#include "kernel/kernel.h"

enum { BACKTRACE_DEPTH = 16 };

void fault_print(const struct trap_frame *frame)
{
    const char *words = exception_words((int)frame->vector), *access = "reading";
    uint32_t address = x86_read_cr2();

    if (frame->error & EXCEPTION_PF_WRITE)
        access = "writing";
    else if (address == frame->eip)
        access = "executing";
    console_print("%s", words != NULL ? words : "unknown exception");
    if (frame->vector == EXCEPTION_PF)
        console_print(" %s 0x%08x", access, address);
    console_print(" at eip 0x%08x\n", frame->eip);
}

static void print_function(uint32_t eip)
{
    struct symbol function = symbols_find(eip);

    console_print("  %08x %s+0x%x\n", eip, function.name, function.offset);
}

static bool in_stack(uint32_t address)
{
    return address >= (uint32_t)kernel_stack && address < (uint32_t)kernel_stack_top - 4;
}

/* Follows the saved frame pointers as long as they point into the kernel's stack. */
static void __attribute__((noreturn)) stop_machine(uint32_t eip, uint32_t ebp)
{
    print_function(eip);
    for (int depth = 1; depth < BACKTRACE_DEPTH; depth++) {
        if (!in_stack(ebp))
            break;
        print_function(((const uint32_t *)ebp)[1]);
        ebp = ((const uint32_t *)ebp)[0];
    }
    console_print("The kernel stops here.\n");
    power_off(1);
}

/* gcc makes no frame for a function that calls no other, despite its options; and a jump to a bad
 * address makes none either. */
static bool has_frame(uint32_t eip)
{
    const char *begin = (const char *)eip - symbols_find(eip).offset;

    return begin != (const char *)eip && memcmp(begin, "\x55\x89\xe5" /* push, mov */, 3) == 0;
}

void fault_of_kernel(const struct trap_frame *f)
{
    /* From ring 0 the processor pushes no ESP. (A double fault's frame has it: descriptors.c.) */
    uint32_t esp = f->vector == EXCEPTION_DF ? f->esp : (uint32_t)&f->esp;
    static bool reporting;

    if (reporting) /* a fault in the report of one */
        power_off(1);
    reporting = true;
    console_print(in_stack(esp) ? "\n" : "\nThe kernel's stack has overflowed.\n");
    console_print("KERNEL FAULT: ");
    fault_print(f);
    console_print("eax %08x  ebx %08x  ecx %08x  edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
    console_print("esi %08x  edi %08x  ebp %08x  esp %08x\n", f->esi, f->edi, f->ebp, esp);
    console_print("eip %08x  eflags %08x  error %x\n", f->eip, f->eflags, f->error);
    console_print("cr0 %08x  cr2 %08x  cr3 %08x\n", x86_read_cr0(), x86_read_cr2(), x86_read_cr3());
    console_print("backtrace:\n");
    if (in_stack(esp) && !has_frame(f->eip)) {
        print_function(f->eip);
        stop_machine(*(const uint32_t *)esp, f->ebp); /* only the return address was pushed */
    }
    stop_machine(f->eip, f->ebp);
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

void fault_on_purpose(const char *which)
{
    if (strcmp(which, "fault") == 0)
        write_to_constant();
    if (strcmp(which, "overflow") == 0)
        console_print("%d\n", recurse(0));
}
