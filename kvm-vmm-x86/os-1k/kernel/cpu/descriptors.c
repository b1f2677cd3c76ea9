/* GDT, IDT and TSS (Intel SDM volume 3, sections 3.4.5, 6.11 and 7.2). The gates lead to entry.S.
 */
#include "common/exception.h"
#include "common/x86.h"
#include "kernel/cpu/cpu.h"

/* What a segment or a gate is: bits 40 to 47 of its descriptor. All are present. */
enum { CODE = 0x9a, DATA = 0x92, TASK_GATE = 0x85, GATE = 0x8e, RING_3 = 0x60 };
enum { STUB_SIZE = 16 /* of a vector in entry.S */, RESCUE_STACK_SIZE = 4096 };

/* Base 0, limit 4 GB, 32-bit. */
#define FLAT_SEGMENT(type) (0x00cf00000000ffffull | (uint64_t)(type) << 40)

struct task_state {
    uint32_t link, esp0, ss0, unused[4];
    uint32_t cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map; /* an I/O map past the limit: ring 3 has no ports */
};
_Static_assert(sizeof(struct task_state) == 104, "SDM volume 3, figure 7-2");

extern const char trap_stubs[]; /* entry.S */

static struct task_state main_task = {.ss0 = KERNEL_STACK, .io_map = sizeof main_task};
static struct task_state rescue_task;
static char rescue_stack[RESCUE_STACK_SIZE];
static uint64_t gates[VECTOR_COUNT];
static uint64_t segments[] = {
    [KERNEL_CODE / 8] = FLAT_SEGMENT(CODE),
    [KERNEL_STACK / 8] = FLAT_SEGMENT(DATA),
    [PROGRAM_CODE / 8] = FLAT_SEGMENT(CODE | RING_3),
    [PROGRAM_DATA / 8] = FLAT_SEGMENT(DATA | RING_3),
    [MAIN_TASK / 8] = 0, /* their addresses are known only at run time */
    [RESCUE_TASK / 8] = 0,
};
const struct x86_table_register descriptors_gdt = {sizeof segments - 1, (uint32_t)segments};

static uint64_t gate(uint64_t type, uint32_t selector, uint32_t offset)
{
    return (offset & 0xffff) | selector << 16 | type << 40 | (uint64_t)(offset >> 16) << 48;
}

static uint32_t stub(unsigned vector)
{
    return (uint32_t)trap_stubs + vector * STUB_SIZE;
}

void descriptors_init(void)
{
    const struct x86_table_register idt = {sizeof gates - 1, (uint32_t)gates};

    segments[MAIN_TASK / 8] = x86_task_segment((uint32_t)&main_task, sizeof main_task - 1);
    segments[RESCUE_TASK / 8] = x86_task_segment((uint32_t)&rescue_task, sizeof rescue_task - 1);
    x86_ltr(MAIN_TASK);
    x86_lldt(0);
    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        gates[vector] =
            gate(vector == VECTOR_SYSTEM_CALL ? GATE | RING_3 : GATE, KERNEL_CODE, stub(vector));
    x86_lidt(&idt);
}

/*
 * Where the processor goes after a double fault: in a task, because that alone has a stack for
 * sure. It lends this stack to the task that failed, as if the processor had found it there and
 * pushed the exception on it, and goes back to it, by iret.
 */
static void __attribute__((noreturn)) rescue(void)
{
    struct trap_frame *frame = (struct trap_frame *)(rescue_stack + RESCUE_STACK_SIZE) - 1;

    frame->error = 0;
    frame->eip = main_task.eip;
    frame->cs = KERNEL_CODE;
    frame->eflags = main_task.eflags;
    frame->esp = main_task.esp;
    main_task.esp = (uint32_t)&frame->error;
    main_task.eip = stub(EXCEPTION_DF);
    __asm__ volatile("iret; ud2" : : : "memory");
    __builtin_unreachable();
}

void descriptors_rescue(uint32_t space)
{
    main_task.cr3 = space;
    rescue_task = (struct task_state){.cr3 = space,
                                      .eip = (uint32_t)rescue,
                                      .eflags = X86_FLAGS_1,
                                      .esp = (uint32_t)rescue_stack + RESCUE_STACK_SIZE / 2,
                                      .cs = KERNEL_CODE,
                                      .ss = KERNEL_STACK,
                                      .ds = PROGRAM_DATA};
    gates[EXCEPTION_DF] = gate(TASK_GATE, RESCUE_TASK, 0);
}

void descriptors_set_frame(struct trap_frame *frame)
{
    main_task.esp0 = (uint32_t)(frame + 1);
}
