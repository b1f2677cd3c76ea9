/* The machine's interrupt controller; see interrupts.h. */
#include "host/interrupts.h"

#include "cpu/cpu.h"
#include "host/machine.h"

enum { PLIC_ENABLE = 0x2000, PLIC_ENABLE_STRIDE = 0x80 };
enum { PLIC_CONTEXT = 0x200000, PLIC_CONTEXT_STRIDE = 0x1000, PLIC_THRESHOLD = 0, PLIC_CLAIM = 4 };

/* Registers of the domain and of a source (AIA 4.5). */
enum {
    APLIC_DOMAIN = 0,
    APLIC_SOURCE = 4,     /* of source 1 */
    APLIC_INPUT = 0x1d00, /* the lines, one bit for each source */
    APLIC_SET_ENABLE = 0x1edc,
    APLIC_SET_PENDING = 0x2000,
    APLIC_TARGET = 0x3004, /* of source 1 */
    APLIC_SOURCES_MAX = 1023
};
enum { DOMAIN_MSI = 1 << 2, DOMAIN_ENABLE = 1 << 8, SOURCE_LEVEL_HIGH = 6 };
enum { TARGET_HART_SHIFT = 18, TARGET_PRIORITY = 1 };
/* Registers of a hart that is interrupted by wire (AIA 4.8.1). */
enum { APLIC_HART = 0x4000, APLIC_HART_STRIDE = 32 };
enum { HART_DELIVERY = 0, HART_THRESHOLD = 8, HART_CLAIM = 0x1c, HART_CLAIM_SHIFT = 16 };

struct connection {
    uint32_t interrupt;
    void (*serve)(void);
};

static struct connection connected[INTERRUPTS_MAX];

static unsigned count;
static uint64_t served;
static struct cpu *listener; /* the hart that is interrupted */

static volatile uint32_t *reg(uint64_t offset)
{
    return (volatile uint32_t *)(machine.controller_base + offset);
}

static volatile uint32_t *plic_context(uint32_t context, uint64_t offset)
{
    return reg(PLIC_CONTEXT + (uint64_t)context * PLIC_CONTEXT_STRIDE + offset);
}

static volatile uint32_t *aplic_hart(uint32_t context, uint64_t offset)
{
    return reg(APLIC_HART + (uint64_t)context * APLIC_HART_STRIDE + offset);
}

/* ---- Connecting ---- */

static bool connect_plic(uint32_t interrupt, uint32_t context)
{
    *reg(4ul * interrupt) = 1; /* its priority */
    *plic_context(context, PLIC_THRESHOLD) = 0;
    reg(PLIC_ENABLE + (uint64_t)context * PLIC_ENABLE_STRIDE)[interrupt / 32] |= 1u
                                                                                 << interrupt % 32;
    return true;
}

static bool connect_aplic(uint32_t interrupt, uint32_t domain, uint32_t target)
{
    volatile uint32_t *source = reg(APLIC_SOURCE) + (interrupt - 1);

    if (interrupt > APLIC_SOURCES_MAX)
        return false;
    *reg(APLIC_DOMAIN) = domain;
    *source = SOURCE_LEVEL_HIGH;
    reg(APLIC_TARGET)[interrupt - 1] = target;
    *reg(APLIC_SET_ENABLE) = interrupt;
    return *source == SOURCE_LEVEL_HIGH; /* else S-mode does not have this source */
}

/* Connection n has MSI n + 1. The first connection enables all of them, and is made on the hart
 * that receives them. False: the firmware does not let S-mode use its IMSIC. */
static bool open_imsic(void)
{
    uint64_t ignored;

    if (!csr_try_write(CSR_SISELECT, IMSIC_DELIVERY) || !csr_try_write(CSR_SIREG, 1) ||
        !csr_try_read(CSR_STOPEI, &ignored))
        return false;
    csr_write(CSR_SISELECT, IMSIC_THRESHOLD);
    csr_write(CSR_SIREG, 0);
    csr_write(CSR_SISELECT, IMSIC_ENABLE);
    csr_write(CSR_SIREG, ((1ul << INTERRUPTS_MAX) - 1) << 1);
    return true;
}

static bool connect(uint32_t interrupt, uint32_t context, unsigned number)
{
    switch (machine.controller) {
    case CONTROLLER_PLIC:
        return connect_plic(interrupt, context);
    case CONTROLLER_APLIC:
        *aplic_hart(context, HART_THRESHOLD) = 0;
        *aplic_hart(context, HART_DELIVERY) = 1;
        return connect_aplic(interrupt, DOMAIN_ENABLE,
                             context << TARGET_HART_SHIFT | TARGET_PRIORITY);
    case CONTROLLER_MSI:
        return (number > 0 || open_imsic()) &&
               connect_aplic(interrupt, DOMAIN_ENABLE | DOMAIN_MSI,
                             context << TARGET_HART_SHIFT | (number + 1));
    default:
        return false;
    }
}

bool interrupts_connect(uint32_t interrupt, void (*serve)(void))
{
    struct cpu *cpu = listener != NULL ? listener : cpu_self();
    uint32_t context = machine.wiring[cpu->index].context;

    if (interrupt == 0 || context == ~0u || count == INTERRUPTS_MAX)
        return false;
    connected[count] = (struct connection){interrupt, serve};
    __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE); /* pairs with the handlers' loads */
    listener = cpu;
    if (connect(interrupt, context, count - 1))
        return true;
    __atomic_store_n(&count, count - 1, __ATOMIC_RELEASE);
    return false;
}

/* ---- Serving ---- */

static void call(uint32_t interrupt)
{
    for (unsigned i = 0; i < __atomic_load_n(&count, __ATOMIC_ACQUIRE); i++)
        if (connected[i].interrupt == interrupt) {
            connected[i].serve();
            served++;
        }
}

static void serve_msi(void)
{
    uint64_t msi = csr_swap(CSR_STOPEI, 0) >> TOPEI_ID_SHIFT & TOPEI_ID_MASK;
    uint32_t interrupt;

    if (msi == 0 || msi > __atomic_load_n(&count, __ATOMIC_ACQUIRE))
        return;
    interrupt = connected[msi - 1].interrupt;
    call(interrupt);
    /* A line that is still high makes no new edge, so its MSI is sent again (AIA 4.9.2). The line
     * is checked because QEMU 7.2 also sends it for a low line. */
    if (reg(APLIC_INPUT)[interrupt / 32] >> interrupt % 32 & 1)
        *reg(APLIC_SET_PENDING) = interrupt;
}

void interrupts_serve(void)
{
    uint32_t context = machine.wiring[cpu_self()->index].context, interrupt;

    if (cpu_self() != listener)
        return;
    switch (machine.controller) {
    case CONTROLLER_PLIC:
        interrupt = *plic_context(context, PLIC_CLAIM);
        call(interrupt);
        if (interrupt != 0)
            *plic_context(context, PLIC_CLAIM) = interrupt;
        break;
    case CONTROLLER_APLIC:
        call(*aplic_hart(context, HART_CLAIM) >> HART_CLAIM_SHIFT);
        break;
    default:
        serve_msi();
        break;
    }
}

const char *interrupts_count(uint64_t *number)
{
    static const char *const names[] = {[CONTROLLER_PLIC] = "PLIC",
                                        [CONTROLLER_APLIC] = "APLIC",
                                        [CONTROLLER_MSI] = "APLIC and IMSIC"};

    *number = served;
    return count > 0 ? names[machine.controller] : "no controller: polled by a timer";
}
