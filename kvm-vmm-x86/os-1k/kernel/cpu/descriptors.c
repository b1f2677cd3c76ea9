/* Fills and loads GDT, TSS and IDT; see descriptors.h. The gates lead to kernel/cpu/trap_entry.S.
 */
#include "kernel/cpu/cpu.h"

/* A flat segment: base 0, limit 4 GB, 32-bit. TYPE: present, level, code or data (SDM 3, 3.4.5). */
#define FLAT_SEGMENT(type) (0x00cf00000000ffffull | (uint64_t)(type) << 40)

enum {
    TYPE_KERNEL_CODE = 0x9a,
    TYPE_KERNEL_DATA = 0x92,
    TYPE_PROGRAM_CODE = 0xfa,
    TYPE_PROGRAM_DATA = 0xf2,
    TYPE_TASK_STATE = 0x89,
    GATE_TASK = 0x85,    /* switches to another task, and so to another stack */
    GATE_KERNEL = 0x8e,  /* an interrupt gate: entered with interrupts off */
    GATE_PROGRAM = 0xee, /* the same, open to `int` from ring 3 */
    STUB_SIZE = 16,      /* of a vector in trap_entry.S */
    RESCUE_STACK_SIZE = 4096,
};

struct task_state {
    uint32_t link, esp0, ss0, unused[4];
    uint32_t cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map; /* an I/O map past the limit: ring 3 has no ports */
};
_Static_assert(sizeof(struct task_state) == 104, "SDM volume 3, figure 7-2");

struct table_pointer {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed));

extern const char trap_stubs[]; /* trap_entry.S */

static char rescue_stack[RESCUE_STACK_SIZE];
static struct task_state main_task = {.ss0 = KERNEL_DATA, .io_map = sizeof main_task};
static struct task_state rescue_task = {.eip = (uint32_t)fault_double,
                                        .eflags = 2,
                                        .esp = (uint32_t)(rescue_stack + RESCUE_STACK_SIZE),
                                        .es = KERNEL_DATA,
                                        .cs = KERNEL_CODE,
                                        .ss = KERNEL_DATA,
                                        .ds = KERNEL_DATA,
                                        .io_map = sizeof rescue_task};
static uint64_t gates[VECTOR_COUNT];
static uint64_t segments[] = {
    [KERNEL_CODE / 8] = FLAT_SEGMENT(TYPE_KERNEL_CODE),
    [KERNEL_DATA / 8] = FLAT_SEGMENT(TYPE_KERNEL_DATA),
    [PROGRAM_CODE / 8] = FLAT_SEGMENT(TYPE_PROGRAM_CODE),
    [PROGRAM_DATA / 8] = FLAT_SEGMENT(TYPE_PROGRAM_DATA),
    [MAIN_TASK / 8] = 0, /* their addresses are known only at run time */
    [RESCUE_TASK / 8] = 0,
};

static uint64_t task_segment(const struct task_state *task)
{
    uint64_t base = (uint32_t)task;

    return (sizeof *task - 1) | (base & 0xffffff) << 16 | (uint64_t)TYPE_TASK_STATE << 40 |
           (base >> 24) << 56;
}

static uint64_t gate(uint64_t type, uint32_t selector, uint32_t offset)
{
    return (offset & 0xffff) | selector << 16 | type << 40 | (uint64_t)(offset >> 16) << 48;
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
                     "ltr %w3\n\t"
                     "lldt %w4"
                     :
                     : "m"(gdt), "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(MAIN_TASK), "r"(0)
                     : "memory");
}

void descriptors_init(void)
{
    const struct table_pointer idt = {sizeof gates - 1, (uint32_t)gates};

    segments[MAIN_TASK / 8] = task_segment(&main_task);
    segments[RESCUE_TASK / 8] = task_segment(&rescue_task);
    load_segments();
    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        gates[vector] = gate(vector == VECTOR_SYSTEM_CALL ? GATE_PROGRAM : GATE_KERNEL, KERNEL_CODE,
                             (uint32_t)trap_stubs + vector * STUB_SIZE);
    __asm__ volatile("lidt %0" : : "m"(idt));
}

void descriptors_rescue(uint32_t space)
{
    rescue_task.cr3 = space;
    gates[VECTOR_DOUBLE_FAULT] = gate(GATE_TASK, RESCUE_TASK, 0);
}

void descriptors_set_frame(struct trap_frame *frame)
{
    main_task.esp0 = (uint32_t)(frame + 1);
}

struct trap_frame descriptors_interrupted_task(void)
{
    const struct task_state *t = &main_task;

    return (struct trap_frame){.vector = VECTOR_DOUBLE_FAULT,
                               .eip = t->eip,
                               .eflags = t->eflags,
                               .eax = t->eax,
                               .ecx = t->ecx,
                               .edx = t->edx,
                               .ebx = t->ebx,
                               .esp = t->esp,
                               .ebp = t->ebp,
                               .esi = t->esi,
                               .edi = t->edi};
}
