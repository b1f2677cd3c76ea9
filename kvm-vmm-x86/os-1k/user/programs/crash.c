/* crash HOW: does something that no program may do, to show that only this program suffers. */
#include "common/string.h"
#include "user/lib/call.h"
#include "user/lib/text.h"

#define KERNEL_MEMORY ((volatile uint32_t *)0x80002000)

static volatile int zero = 0, minus_one = -1, smallest = INT32_MIN, result;
static const char constant[] = "constant";

static void divide(void)
{
    result = 100 / zero;
}

static void overflow(void)
{
    result = smallest / minus_one;
}

static void read_kernel(void)
{
    result = (int)*KERNEL_MEMORY;
}

static void write_kernel(void)
{
    *KERNEL_MEMORY = 0;
}

static void write_code(void)
{
    *(volatile uint32_t *)(uint32_t)divide = 0;
}

static void write_constant(void)
{
    *(volatile char *)(uint32_t)constant = 0;
}

static void null_pointer(void)
{
    result = *(volatile int *)(uint32_t)zero;
}

static void jump_nowhere(void)
{
    ((void (*)(void))0x12345678)();
}

/* Runs a RET instruction that lies on the stack. */
static void run_stack(void)
{
    volatile uint8_t code[] = {0xc3};

    ((void (*)(void))(uint32_t)code)();
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

static void port(void)
{
    __asm__ volatile("outb %%al, $0xf4" : : "a"(1));
}

static void no_interrupts(void)
{
    __asm__ volatile("cli");
}

static void page_tables(void)
{
    __asm__ volatile("movl %%cr3, %%eax" : : : "eax");
}

static void bad_instruction(void)
{
    __asm__ volatile("ud2");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void interrupt(void)
{
    __asm__ volatile("int $0x21"); /* the kernel's own gate: not open to programs */
}

static void floating_point(void)
{
    __asm__ volatile("fldz");
}

static void single_step(void)
{
    __asm__ volatile("pushf; orl $0x100, (%%esp); popf; nop" : : : "memory", "cc");
}

/* A selector of the local descriptor table, which does not exist. */
static void local_segment(void)
{
    __asm__ volatile("movw %w0, %%fs" : : "r"(7));
}

/* Executes IRET with EFLAGS.NT set, as if this task were nested in another. */
static void nested_task(void)
{
    __asm__ volatile("pushf; orl $0x4000, (%%esp); popf; iret" : : : "memory", "cc");
}

/* Calls the kernel with null segment registers. The call succeeds: the kernel loads its own. */
static void no_segments(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx; movw %%cx, %%fs; movw %%cx, %%gs; movw %%cx, %%es\n\t"
                     "movw %%cx, %%ds; int $0x80\n\t"
                     "movw %%ss, %%cx; movw %%cx, %%ds; movw %%cx, %%es"
                     :
                     : "a"(HC_YIELD)
                     : "ecx", "memory");
}

static int __attribute__((noinline)) deeper(int n)
{
    volatile char room[1000];

    room[0] = (char)n;
    return n < 0 ? 0 : deeper(n + 1) + room[0];
}

static void stack(void)
{
    result = deeper(0);
}

struct crash {
    const char *name;
    void (*function)(void);
};

static const struct crash crashes[] = {
    {"divide", divide},
    {"overflow", overflow},
    {"read-kernel", read_kernel},
    {"write-kernel", write_kernel},
    {"write-code", write_code},
    {"write-constant", write_constant},
    {"null", null_pointer},
    {"nowhere", jump_nowhere},
    {"run-stack", run_stack},
    {"halt", halt},
    {"port", port},
    {"cli", no_interrupts},
    {"cr3", page_tables},
    {"bad-instruction", bad_instruction},
    {"breakpoint", breakpoint},
    {"interrupt", interrupt},
    {"floating-point", floating_point},
    {"single-step", single_step},
    {"local-segment", local_segment},
    {"nested-task", nested_task},
    {"segments", no_segments},
    {"stack", stack},
};

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
        if (argc == 2 && strcmp(argv[1], crashes[i].name) == 0) {
            crashes[i].function();
            text_print("crash: %s went through\n", crashes[i].name);
            return 1;
        }
    }
    text_print("usage: crash HOW, where HOW is one of\n");
    for (unsigned i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        text_print("  %s\n", crashes[i].name);
    return 2;
}
