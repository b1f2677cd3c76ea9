/* The harts of the machine; see cpu.h. */
#include "cpu/cpu.h"

#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "lib/console.h"

/* Exceptions that the guest's own kernel handles without us: 0 to 8, page faults 12, 13 and 15
 * (Privileged Architecture 15.2.2), and software checks, which a guest can enable in senvcfg
 * (henvcfg does not mask them) although it is not offered the extension. Older harts keep bit 18
 * zero. */
#define DELEGATED (0xb1fful | 1ul << CAUSE_SOFTWARE_CHECK)

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
struct cpu *cpu_starting; /* for boot.S: the hart that was started last */

void cpu_init_boot(const uint64_t *hartids, unsigned count, uint64_t hartid)
{
    struct cpu *boot = &cpus[0];

    /* The boot hart may have any index; tp must be valid before the first trap. */
    cpu_count = count;
    for (unsigned i = 0; i < count; i++) {
        cpus[i] = (struct cpu){.hartid = hartids[i], .index = i};
        if (hartids[i] == hartid)
            boot = &cpus[i];
    }
    boot->online = true;
    __asm__ volatile("mv tp, %0" : : "r"(boot));
}

void cpu_delegate_breakpoints(bool own)
{
    csr_write(CSR_HEDELEG, own ? DELEGATED : DELEGATED & ~(1ul << CAUSE_BREAKPOINT));
}

void cpu_init_hart(void)
{
    cpu_delegate_breakpoints(true);
    csr_write(CSR_HIDELEG, HVIP_ALL);
    csr_write(CSR_HVIP, 0);
    csr_write(CSR_HCOUNTEREN, 7); /* cycle, time, instret */
    csr_write(CSR_HGATP, 0);
    if (features.aia) { /* no interrupts are injected or prioritised for guests */
        csr_write(CSR_HVIEN, 0);
        csr_write(CSR_HVICTL, 0);
        csr_write(CSR_HVIPRIO1, 0);
        csr_write(CSR_HVIPRIO2, 0);
        csr_write(CSR_HGEIE, 0);
        csr_set(CSR_HIE, 1ul << IRQ_GUEST);
    }
    feature_apply();
    hyp_fence_gvma();
    hyp_fence_vvma();
    csr_set(CSR_SSTATUS, SSTATUS_FS | (features.vector ? SSTATUS_VS : 0));
    csr_write(CSR_SIE, 1ul << IRQ_S_SOFT | 1ul << IRQ_S_TIMER | 1ul << IRQ_S_EXT);
}

/* Both the hart and the one that waits for it decide once: who is first. */
enum arrival { EXPECTED, ARRIVED, GIVEN_UP };

static bool decide(struct cpu *cpu, enum arrival how)
{
    uint8_t expected = EXPECTED;

    return __atomic_compare_exchange_n(&cpu->arrival, &expected, (uint8_t)how, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

bool cpu_start(struct cpu *cpu, uint8_t *stack_top, void (*entry)(void), uint64_t patience)
{
    uint64_t begun = hyp_time();

    cpu->stack_top = stack_top;
    secondary_entry = entry;
    __atomic_store_n(&cpu_starting, cpu, __ATOMIC_RELEASE);
    if (firmware_start_hart(cpu->hartid, (hpa_t)boot_secondary, (uintptr_t)cpu) != SBI_SUCCESS)
        return false;
    while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) /* pairs with cpu_secondary */
        if (hyp_time() - begun > patience && decide(cpu, GIVEN_UP))
            return false;
    return true;
}

/* boot_secondary jumps here, on the hart's own stack. */
void cpu_secondary(void)
{
    if (!decide(cpu_self(), ARRIVED))
        return;
    cpu_init_hart();
    __atomic_store_n(&cpu_self()->online, true, __ATOMIC_RELEASE); /* pairs with cpu_start */
    secondary_entry();
}

void cpu_kick(struct cpu *cpu)
{
    if (cpu != cpu_self())
        firmware_send_ipi(cpu->hartid);
}

/* ---- Interrupts: never taken in HS-mode, only polled ---- */

static void (*serve_interrupt)(uint64_t number);

void cpu_set_interrupt_handler(void (*serve)(uint64_t number))
{
    serve_interrupt = serve;
}

void cpu_interrupts_were_off(void)
{
    struct cpu *cpu = cpu_self();
    uint64_t off = hyp_time() - cpu->off_since;

    if (off > cpu->off_most)
        cpu->off_most = off;
}

void cpu_interrupts_are_off(void)
{
    cpu_self()->off_since = hyp_time();
}

void cpu_serve_interrupts(void)
{
    uint64_t waiting = csr_read(CSR_SIP) & csr_read(CSR_SIE);

    waiting |= csr_read(CSR_HIP) & csr_read(CSR_HIE) & 1ul << IRQ_GUEST;
    cpu_interrupts_were_off();
    for (uint64_t number = 0; waiting != 0 && number <= IRQ_GUEST; number++)
        if (waiting & 1ul << number)
            serve_interrupt(number);
    cpu_interrupts_are_off();
}

/* Called by host_trap_entry with the address of the instruction that trapped. Returns the address
 * at which to continue. */
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
