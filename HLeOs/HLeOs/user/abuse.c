/* Forbidden operations, by number: each must end the program with a fault and not harm the kernel.
 * Status 0 means that no fault occurred. */
#include "lib.h"

/* Hides the value of a pointer from the compiler. */
static volatile char *at(uintptr_t address)
{
    __asm__ volatile("" : "+r"(address));
    return (volatile char *)address;
}

static void touch_null(void)
{
    *at(8) = 1;
}

static void read_kernel(void)
{
    (void)*at(0xffffffff80000000);
}

static void write_kernel(void)
{
    *at(0xffff800000100000) = 1;
}

static void write_own_text(void)
{
    *at((uintptr_t)main) = 1;
}

static void run_stack(void)
{
    volatile unsigned char code[16] = {0xc3};

    ((void (*)(void))(uintptr_t)code)();
}

static void overflow_stack(void)
{
    volatile char here[512];

    here[0] = 1;
    if (here[0])
        overflow_stack();
    here[1] = 2;
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

static void disable_interrupts(void)
{
    __asm__ volatile("cli");
}

static void use_port(void)
{
    __asm__ volatile("outb %%al, $0xf4" : : "a"(0x10));
}

static void load_cr3(void)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(0L));
}

static void divide(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" : : : "eax", "ecx", "edx");
}

static void bad_opcode(void)
{
    __asm__ volatile("ud2");
}

static void return_nowhere(void)
{
    __asm__ volatile("movq %0, %%rsp; ret" : : "r"(0x0000700000000000) : "memory");
}

static void exchange_gs(void)
{
    __asm__ volatile("swapgs");
}

static void single_step(void)
{
    __asm__ volatile("pushfq; orq $0x100, (%rsp); popfq; nop");
}

static void interrupt_vector(void)
{
    __asm__ volatile("int $0x40"); /* the timer's vector */
}

/* Spins with an invalid stack pointer: interrupts must still work. */
static void lose_stack(void)
{
    __asm__ volatile("xorl %%esp, %%esp; movl $300000000, %%ecx; 1: decl %%ecx; jnz 1b; pushq %%rax"
                     :
                     :
                     : "ecx", "memory");
}

/* Spins until it is killed. */
static void spin(void)
{
    for (;;)
        __asm__ volatile("pause");
}

static void (*const operations[])(void) = {
    touch_null,  read_kernel, write_kernel,     write_own_text, run_stack,          overflow_stack,
    halt,        use_port,    load_cr3,         divide,         bad_opcode,         return_nowhere,
    exchange_gs, single_step, interrupt_vector, lose_stack,     disable_interrupts, spin,
};

int main(int argc, char **argv)
{
    size_t number = 0;

    if (argc < 2)
        return 200;
    for (const char *p = argv[1]; *p >= '0' && *p <= '9'; p++)
        number = number * 10 + (size_t)(*p - '0');
    if (number >= sizeof operations / sizeof operations[0])
        return 201;
    operations[number]();
    return 0;
}
