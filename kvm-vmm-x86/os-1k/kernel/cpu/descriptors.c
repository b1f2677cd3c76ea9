/* Fills and loads GDT, TSS and IDT; see descriptors.h. The gates lead to kernel/cpu/trap_entry.S.
 */
#include "kernel/cpu/descriptors.h"

/* A flat segment: base 0, limit 4 GB, 32-bit. TYPE: present, level, code or data (SDM 3, 3.4.5). */
#define FLAT_SEGMENT(type) (0x00cf00000000ffffull | (uint64_t)(type) << 40)

enum {
    TYPE_KERNEL_CODE = 0x9a,
    TYPE_KERNEL_DATA = 0x92,
    TYPE_PROGRAM_CODE = 0xfa,
    TYPE_PROGRAM_DATA = 0xf2,
    TYPE_TASK_STATE = 0x89,
    GATE_KERNEL = 0x8e,  /* an interrupt gate: entered with interrupts off */
    GATE_PROGRAM = 0xee, /* the same, open to `int` from ring 3 */
};

struct task_state {
    uint32_t link, esp0, ss0;
    uint32_t unused[22];
    uint16_t trap, io_map; /* an I/O map past the limit: ring 3 has no ports */
};
_Static_assert(sizeof(struct task_state) == 104, "SDM volume 3, figure 7-2");

struct gate {
    uint16_t offset_low, selector;
    uint8_t zero, type;
    uint16_t offset_high;
};
_Static_assert(sizeof(struct gate) == 8, "SDM volume 3, figure 6-2");

struct table_pointer {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed));

extern const uint32_t trap_stubs[VECTOR_COUNT]; /* trap_entry.S: one address a vector */
void trap_system_call(void);                    /* trap_entry.S */

static struct task_state task_state = {.ss0 = KERNEL_DATA, .io_map = sizeof task_state};
static struct gate gates[256];
static uint64_t segments[] = {
    [KERNEL_CODE / 8] = FLAT_SEGMENT(TYPE_KERNEL_CODE),
    [KERNEL_DATA / 8] = FLAT_SEGMENT(TYPE_KERNEL_DATA),
    [PROGRAM_CODE / 8] = FLAT_SEGMENT(TYPE_PROGRAM_CODE),
    [PROGRAM_DATA / 8] = FLAT_SEGMENT(TYPE_PROGRAM_DATA),
    [TASK_STATE / 8] = 0, /* its address is known only at run time */
};

static uint64_t task_state_segment(void)
{
    uint64_t base = (uint32_t)&task_state;

    return (sizeof task_state - 1) | (base & 0xffffff) << 16 | (uint64_t)TYPE_TASK_STATE << 40 |
           (base >> 24) << 56;
}

static void set_gate(unsigned vector, uint32_t handler, uint8_t type)
{
    gates[vector] = (struct gate){.offset_low = (uint16_t)handler,
                                  .offset_high = (uint16_t)(handler >> 16),
                                  .selector = KERNEL_CODE,
                                  .type = type};
}

static void load_segments(void)
{
    const struct table_pointer gdt = {sizeof segments - 1, (uint32_t)segments};

    __asm__ volatile("lgdt %0\n\t"
                     "ljmp %1, $1f\n"
                     "1:\tmovl %2, %%ds\n\t"
                     "movl %2, %%es\n\t"
                     "movl %2, %%fs\n\t"
                     "movl %2, %%gs\n\t"
                     "movl %2, %%ss\n\t"
                     "ltr %w3"
                     :
                     : "m"(gdt), "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(TASK_STATE)
                     : "memory");
}

void descriptors_init(void)
{
    const struct table_pointer idt = {sizeof gates - 1, (uint32_t)gates};

    segments[TASK_STATE / 8] = task_state_segment();
    load_segments();
    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        set_gate(vector, trap_stubs[vector], GATE_KERNEL);
    set_gate(VECTOR_SYSTEM_CALL, (uint32_t)trap_system_call, GATE_PROGRAM);
    __asm__ volatile("lidt %0" : : "m"(idt));
}

void descriptors_set_kernel_stack(uint32_t top)
{
    task_state.esp0 = top;
}
