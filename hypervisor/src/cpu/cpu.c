/* The harts of the machine; see cpu.h. */
#include "cpu/cpu.h"

#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"
#include "mem/page.h"

/* Exceptions that the guest's own kernel handles without us: 0 to 8, page faults 12, 13 and 15
 * (Privileged Architecture 15.2.2). */
#define DELEGATED 0xb1fful

struct cpu cpus[CPUS_MAX];
unsigned cpu_count;

void boot_secondary(void);
void cpu_secondary(void);
uint64_t host_trap(uint64_t pc);

struct extable_entry {
    uint64_t at, resume;
};
extern const struct extable_entry extable_start[], extable_end[];

static void (*secondary_entry)(void);
struct cpu *cpu_starting; /* for boot.S: the one that has been asked to start last */

void cpu_init_boot(uint64_t hartid)
{
    struct cpu *boot = &cpus[0];

    /* The boot hart may be any of them; tp must be valid before the first trap. */
    cpu_count = machine.hart_count;
    for (unsigned i = 0; i < cpu_count; i++) {
        cpus[i] = (struct cpu){.hartid = machine.hartids[i], .index = i, .slice_end = ~0ul};
        if (machine.hartids[i] == hartid)
            boot = &cpus[i];
    }
    boot->online = true;
    __asm__ volatile("mv tp, %0" : : "r"(boot));
}

void cpu_init_hart(void)
{
    csr_write(CSR_HEDELEG, DELEGATED);
    csr_write(CSR_HIDELEG, HVIP_ALL);
    csr_write(CSR_HVIP, 0);
    csr_write(CSR_HCOUNTEREN, 7); /* cycle, time, instret */
    csr_write(CSR_HGATP, 0);
    feature_apply();
    hyp_fence_gvma();
    hyp_fence_vvma();
    csr_set(CSR_SSTATUS, SSTATUS_FS | (features.vector ? SSTATUS_VS : 0));
    csr_write(CSR_SIE, 1ul << IRQ_S_SOFT | 1ul << IRQ_S_TIMER | 1ul << IRQ_S_EXT);
}

void cpu_start_others(void (*entry)(void))
{
    secondary_entry = entry;
    for (unsigned i = 0; i < cpu_count; i++) {
        struct cpu *cpu = &cpus[i];
        uint8_t *stack;

        if (cpu->online)
            continue;
        stack = page_alloc(CPU_STACK_ORDER);
        if (stack == NULL)
            return;
        cpu->stack_top = stack + (PAGE_4K << CPU_STACK_ORDER);
        __atomic_store_n(&cpu_starting, cpu, __ATOMIC_RELEASE);
        if (firmware_start_hart(cpu->hartid, (hpa_t)boot_secondary, (uintptr_t)cpu) != SBI_SUCCESS)
            print("hv: hart %lu does not start; going on without it\n", cpu->hartid);
        else
            while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) /* pairs with cpu_secondary */
                ;
    }
}

/* Where boot_secondary goes, on its own stack. */
void cpu_secondary(void)
{
    cpu_init_hart();
    __atomic_store_n(&cpu_self()->online, true, __ATOMIC_RELEASE); /* pairs with cpu_start_others */
    secondary_entry();
}

void cpu_kick(struct cpu *cpu)
{
    if (cpu != cpu_self())
        firmware_send_ipi(cpu->hartid);
}

/* Called by host_trap_entry with the address of what trapped; returns where to go on. */
uint64_t host_trap(uint64_t pc)
{
    cpu_self()->fault = (struct fault){.cause = csr_read(CSR_SCAUSE),
                                       .stval = csr_read(CSR_STVAL),
                                       .htval = csr_read(CSR_HTVAL),
                                       .htinst = csr_read(CSR_HTINST)};
    for (const struct extable_entry *e = extable_start; e < extable_end; e++)
        if (e->at == pc)
            return e->resume;
    panic("hart %lu: trap %lu at 0x%lx, stval 0x%lx, return address 0x%lx", cpu_self()->hartid,
          cpu_self()->fault.cause, pc, cpu_self()->fault.stval,
          (uint64_t)__builtin_return_address(0));
}
