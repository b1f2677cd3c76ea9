/* GDT, IDT and TSS (Intel SDM volume 3, sections 3.4.5, 6.11 and 7.2). The gates lead to entry.S.
 */
#include "common/exception.h"
#include "common/x86.h"
#include "kernel/cpu/cpu.h"

/* The type of a segment or gate: bits 40 to 47 of its descriptor. All are present. */
enum { CODE = 0x9a, DATA = 0x92, TASK_GATE = 0x85, INTERRUPT_GATE = 0x8e, RING_3 = 0x60 };
enum { STUB_SIZE = 16 /* bytes for each vector in entry.S */ };

/* Base 0, limit 4 GB, 32-bit. */
#define FLAT_SEGMENT(type) (0x00cf00000000ffffull | (uint64_t)(type) << 40)

extern const char trap_stubs[]; /* entry.S */

struct task_state descriptors_task = {.ss0 = KERNEL_STACK, .io_map = sizeof descriptors_task};
static uint64_t gates[VECTOR_COUNT];
static uint64_t segments[] = {
    [KERNEL_CODE / 8] = FLAT_SEGMENT(CODE),
    [KERNEL_STACK / 8] = FLAT_SEGMENT(DATA),
    [PROGRAM_CODE / 8] = FLAT_SEGMENT(CODE | RING_3),
    [PROGRAM_DATA / 8] = FLAT_SEGMENT(DATA | RING_3),
    [MAIN_TASK / 8] = 0, /* the addresses of tasks are known only at run time */
    [RESCUE_TASK / 8] = 0,
    [NMI_TASK / 8] = 0,
};
const struct x86_table_register descriptors_gdt = {sizeof segments - 1, (uint32_t)segments};

static uint64_t gate_descriptor(uint64_t type, uint32_t selector, uint32_t offset)
{
    return (offset & 0xffff) | selector << 16 | type << 40 | (uint64_t)(offset >> 16) << 48;
}

uint32_t descriptors_stub(unsigned vector)
{
    return (uint32_t)trap_stubs + vector * STUB_SIZE;
}

/* The vectors that a program may raise by an instruction: `int3`, `into` and the system call. */
static bool open_to_programs(unsigned vector)
{
    return vector == EXCEPTION_BP || vector == EXCEPTION_OF || vector == VECTOR_SYSTEM_CALL;
}

void descriptors_init(void)
{
    const struct x86_table_register idt = {sizeof gates - 1, (uint32_t)gates};

    segments[MAIN_TASK / 8] =
        x86_task_segment((uint32_t)&descriptors_task, sizeof descriptors_task - 1);
    x86_ltr(MAIN_TASK);
    x86_lldt(0);
    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        gates[vector] = gate_descriptor(INTERRUPT_GATE | (open_to_programs(vector) ? RING_3 : 0),
                                        KERNEL_CODE, descriptors_stub(vector));
    x86_lidt(&idt);
}

void descriptors_set_task(unsigned vector, uint32_t selector, const struct task_state *task)
{
    segments[selector / 8] = x86_task_segment((uint32_t)task, sizeof *task - 1);
    gates[vector] = gate_descriptor(TASK_GATE, selector, 0);
}

void descriptors_set_frame(struct trap_frame *frame)
{
    descriptors_task.esp0 = (uint32_t)(frame + 1);
}

void descriptors_set_space(uint32_t space)
{
    descriptors_task.cr3 = space; /* first, as an NMI may come in between */
    x86_write_cr3(space);
}
