/*
 * Starts the other processors one by one. Each runs asm/trampoline.S in a page below 1 MB, which
 * leads from real mode to the kernel's own page tables; see smp.h.
 */
#include "smp.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/string.h"
#include "common/x86.h"
#include "cpu.h"
#include "cpu/flush.h"
#include "cpu/panic.h"
#include "interrupt.h"
#include "interrupt/apic.h"
#include "interrupt/gdt.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "thread.h"
#include "timer.h"

enum { INIT_US = 10000, STARTUP_US = 300, PATIENCE_US = 5000000, STEP_US = 50 };

#define ONE_MB     UINT64_C(0x100000)
#define ENTRY_HALF 256

/* The data at the end of the trampoline. */
struct words {
    uint64_t gdt[3];
    struct cpu *cpu; /* the next processor's; it takes this and leaves NULL */
    uint64_t root;
    void (*entry)(void);
    uint32_t first_root, efer;
    uint32_t far_offset;
    uint16_t far_selector, table_limit;
    uint32_t table_base;
} __attribute__((packed, aligned(8)));

/* Pages below 1 MB: the code, and page tables that map it at its physical address. */
struct trampoline {
    phys_t code, root, directories[2];
    struct words *words;
};

extern const char smp_trampoline[], smp_trampoline_words[], smp_trampoline_end[];
void smp_enter(void);
void smp_begin(struct cpu *cpu);

/* Maps the kernel's upper half, and the first 2 MB at their physical addresses. */
static void fill_tables(const struct trampoline *t)
{
    uint64_t *root = page_virtual(t->root), *above = page_virtual(t->directories[0]);
    uint64_t *below = page_virtual(t->directories[1]);
    const uint64_t *kernel = page_virtual(paging_root());

    memset(root, 0, PAGE_SIZE);
    memset(above, 0, PAGE_SIZE);
    memset(below, 0, PAGE_SIZE);
    memcpy(root + ENTRY_HALF, kernel + ENTRY_HALF, PAGE_SIZE / 2);
    root[0] = t->directories[0].at | PAGING_PRESENT | PAGING_WRITE;
    above[0] = t->directories[1].at | PAGING_PRESENT | PAGING_WRITE;
    below[0] = PAGING_PRESENT | PAGING_WRITE | PAGING_LARGE;
}

static void release(const struct trampoline *t)
{
    const phys_t pages[] = {t->code, t->root, t->directories[0], t->directories[1]};

    for (unsigned i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (pages[i].at != 0)
            page_free(pages[i]);
}

/* False if low memory is out. */
static bool set_up(struct trampoline *t)
{
    char *code;

    *t = (struct trampoline){
        .code = page_allocate_below(ONE_MB),
        .root = page_allocate_below(ONE_MB),
        .directories = {page_allocate_below(ONE_MB), page_allocate_below(ONE_MB)}};
    if (t->code.at == 0 || t->root.at == 0 || t->directories[0].at == 0 ||
        t->directories[1].at == 0) {
        release(t);
        return false;
    }
    fill_tables(t);
    code = page_virtual(t->code);
    memcpy(code, smp_trampoline, (size_t)(smp_trampoline_end - smp_trampoline));
    t->words = (struct words *)(code + (smp_trampoline_words - smp_trampoline));
    t->words->root = paging_root().at;
    t->words->entry = smp_enter;
    t->words->first_root = (uint32_t)t->root.at;
    t->words->efer = X86_EFER_LME | (x86_rdmsr(X86_MSR_EFER) & X86_EFER_NXE);
    t->words->far_offset += (uint32_t)t->code.at;
    t->words->table_base += (uint32_t)t->code.at;
    return true;
}

/* A processor's first C code, on its idle thread's stack. */
void smp_begin(struct cpu *cpu)
{
    cpu_init_other(cpu);
    interrupt_init_other();
    cpu->apic_id = apic_id();
    cpu_set_online();
    flush_serve(); /* flushes unmaps made before the others knew this processor */
    timer_run_tick(true);
    x86_sti();
    thread_idle();
}

static bool comes(unsigned id, uint64_t us)
{
    for (uint64_t waited = 0; cpu_count() <= id && waited < us; waited += STEP_US)
        timer_spin_us(STEP_US);
    return cpu_count() > id;
}

/*
 * Starts a processor. One that does not answer in time is not tried again: its `cpu` is taken back.
 */
static bool start(const struct trampoline *t, uint32_t apic, struct cpu *cpu)
{
    __atomic_store_n(&t->words->cpu, cpu, __ATOMIC_SEQ_CST);
    for (int tries = 0; tries < 2; tries++) {
        apic_send_startup(apic, t->code.at);
        if (comes(cpu->id, STARTUP_US))
            return true;
    }
    if (comes(cpu->id, PATIENCE_US))
        return true;
    if (__atomic_exchange_n(&t->words->cpu, NULL, __ATOMIC_SEQ_CST) != NULL)
        return false;
    if (!comes(cpu->id, PATIENCE_US))
        panic("processor %u, APIC %u, does not finish its start", cpu->id, apic);
    return true;
}

static bool prepare(struct cpu *cpu)
{
    if (cpu == NULL || !gdt_prepare(cpu) || !thread_prepare_idle(cpu))
        return false;
    cpu->kernel_sp = cpu->stack->high; /* asm/trampoline.S loads it */
    return true;
}

unsigned smp_init(unsigned most, unsigned *missing)
{
    uint32_t ids[CPU_MAX], self;
    unsigned count = apic_processors(ids, CPU_MAX);
    struct trampoline t;

    *missing = 0;
    if (count <= 1 || most <= 1)
        return 1;
    self = cpu_this()->apic_id = apic_id();
    if (!set_up(&t)) {
        *missing = count - 1;
        return 1;
    }
    for (unsigned i = 0; i < count; i++)
        if (ids[i] != self)
            apic_send_init(ids[i]);
    timer_spin_us(INIT_US);
    for (unsigned i = 0; i < count && cpu_count() < most; i++)
        if (ids[i] != self && (!prepare(cpu_next()) || !start(&t, ids[i], cpu_next())))
            ++*missing;
    if (*missing == 0) /* a late processor may still run this code */
        release(&t);
    return cpu_count();
}
