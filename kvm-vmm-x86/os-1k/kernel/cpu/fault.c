/* Exceptions of the processor (Intel SDM volume 3, chapter 6.15): a program is killed with a
 * message that names it, the fault and the address; for the kernel it is the end. */
#include "kernel/cpu/fault.h"

#include <stddef.h>

#include "common/fmt.h"
#include "common/string.h"
#include "include/system.h"
#include "kernel/cpu/symbols.h"
#include "kernel/cpu/x86.h"
#include "kernel/device/console.h"
#include "kernel/device/power.h"
#include "kernel/memory/image.h"
#include "kernel/process/process.h"

enum { VECTOR_PAGE_FAULT = 14, BACKTRACE_DEPTH = 16 };
enum { PAGE_FAULT_WRITE = 1 << 1 };

static const char *const fault_names[32] = {
    "divide error",
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
    "SIMD floating point error",
};

/* Says in words what a fault was about. */
static void describe(char *text, size_t size, const struct trap_frame *frame)
{
    const char *name = fault_names[frame->vector];
    uint32_t address = x86_read_cr2();

    if (frame->vector == VECTOR_PAGE_FAULT)
        fmt_snprint(text, size, "page fault %s 0x%08x",
                    frame->error & PAGE_FAULT_WRITE ? "writing"
                    : address == frame->eip         ? "executing"
                                                    : "reading",
                    address);
    else
        fmt_snprint(text, size, "%s", name != NULL ? name : "reserved exception");
}

static void print_registers(const struct trap_frame *f)
{
    console_print("eax %08x  ebx %08x  ecx %08x  edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
    console_print("esi %08x  edi %08x  ebp %08x  esp %08x\n", f->esi, f->edi, f->ebp,
                  (uint32_t)&f->esp); /* from ring 0 the processor pushed no ESP: it is there */
    console_print("eip %08x  eflags %08x  error %x\n", f->eip, f->eflags, f->error);
    console_print("cr0 %08x  cr2 %08x  cr3 %08x\n", x86_read_cr0(), x86_read_cr2(), x86_read_cr3());
}

/* A frame pointer is believed if it points at two words of one kernel stack page. */
static bool plausible_frame(uint32_t ebp)
{
    return ebp >= (uint32_t)image_begin && ebp % 4 == 0 && ebp % 4096 <= 4096 - 8;
}

static void print_function(uint32_t eip)
{
    uint32_t offset = 0;
    const char *name = symbols_is_code(eip) ? symbols_find(eip, &offset) : "nowhere";

    console_print("  %08x %s+0x%x\n", eip, name, offset);
}

/* The compiler gives no frame to a function that has no use for one, whatever its options say. */
static bool has_frame(uint32_t eip)
{
    uint32_t offset;

    symbols_find(eip, &offset);
    return memcmp((const void *)(eip - offset), "\x55\x89\xe5", 3) ==
           0; /* push ebp; mov esp, ebp */
}

/* Follows the saved frame pointers, which end with 0 (boot/entry.S) or on a page's edge. */
static void print_backtrace(uint32_t eip, uint32_t ebp)
{
    uint32_t stack_page = ebp / 4096;

    for (int depth = 0; depth < BACKTRACE_DEPTH && symbols_is_code(eip); depth++) {
        print_function(eip);
        if (!plausible_frame(ebp) || ebp / 4096 != stack_page)
            break;
        eip = ((const uint32_t *)ebp)[1];
        ebp = ((const uint32_t *)ebp)[0];
    }
}

static void __attribute__((noreturn)) stop_machine(uint32_t eip, uint32_t ebp)
{
    print_backtrace(eip, ebp);
    console_print("The kernel stops here.\n");
    power_off(1);
}

void fault_handle(struct trap_frame *frame)
{
    char what[48];

    describe(what, sizeof what, frame);
    if (trap_from_program(frame)) {
        console_print("\n%s (process %d) was stopped: %s at eip 0x%08x\n", process_current()->name,
                      process_current()->pid, what, frame->eip);
        process_exit(STATUS_FAULT + (int)frame->vector);
    }
    console_print("\nKERNEL FAULT: %s at eip 0x%08x\n", what, frame->eip);
    print_registers(frame);
    console_print("backtrace:\n");
    if (symbols_is_code(frame->eip) && has_frame(frame->eip))
        stop_machine(frame->eip, frame->ebp);
    print_function(frame->eip);
    stop_machine(frame->esp, frame->ebp); /* not ESP but what it points at: the return address */
}

void fault_panic(const char *reason)
{
    console_print("\nKERNEL PANIC: %s\nbacktrace:\n", reason);
    stop_machine((uint32_t)__builtin_return_address(0), *(uint32_t *)__builtin_frame_address(0));
}
