/* Guest interrupt files; see irq_file.h. */
#include "vm/irq_file.h"

#include "cpu/feature.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/lock.h"

static struct lock lock; /* guards what follows */
static struct irq_file *owners[CPUS_MAX][FILES_MAX];

bool irq_file_take(struct irq_file *f, unsigned hart, struct task *task)
{
    unsigned count = (unsigned)min64(features.guest_files, machine.imsic_guests);
    LOCK_FOR_BLOCK(&lock);

    for (unsigned i = 1; machine.wiring[hart].imsic != 0 && i <= count; i++) {
        if (owners[hart][i] != NULL)
            continue;
        *f = (struct irq_file){.number = i, .hart = hart, .task = task, .stale = true};
        owners[hart][i] = f;
        return true;
    }
    return false;
}

void irq_file_give_back(struct irq_file *f)
{
    LOCK_FOR_BLOCK(&lock);

    if (f->number != 0)
        owners[f->hart][f->number] = NULL;
    f->number = 0;
}

hpa_t irq_file_page(const struct irq_file *f)
{
    return machine.wiring[f->hart].imsic + f->number * PAGE_4K;
}

void irq_file_send(const struct irq_file *f, unsigned msi)
{
    hyp_fence_device();                           /* after earlier writes, such as to a ring */
    *(volatile uint32_t *)irq_file_page(f) = msi; /* seteipnum_le */
}

/* Clears a register of the file that VGEIN selects. If the hart lacks the register, the access
 * traps and is ignored; the guest cannot access it either. */
static void clear_register(unsigned number)
{
    csr_write(CSR_VSISELECT, number);
    (void)csr_try_write(CSR_VSIREG, 0);
}

static void clear(void)
{
    clear_register(IMSIC_DELIVERY);
    clear_register(IMSIC_THRESHOLD);
    for (unsigned i = 0; i <= machine.imsic_guest_ids / 64; i++) {
        clear_register(IMSIC_ENABLE + 2 * i);
        clear_register(IMSIC_PENDING + 2 * i);
    }
}

void irq_file_load(struct irq_file *f, uint64_t hstatus)
{
    if (!features.aia)
        return;
    if (f->number != 0) {
        csr_clear(CSR_HGEIE, 1ul << f->number); /* it is delivered to the guest now */
        irq_file_interrupts();
        __atomic_store_n(&f->pending, false, __ATOMIC_RELAXED);
        csr_write(CSR_HSTATUS, hstatus); /* VGEIN selects the file of vsireg */
        if (f->stale)
            clear();
        f->stale = false;
    }
    csr_write(CSR_VSISELECT, f->select);
}

void irq_file_save(struct irq_file *f)
{
    if (!features.aia)
        return;
    f->select = csr_read(CSR_VSISELECT);
    if (f->number == 0)
        return;
    csr_set(CSR_HGEIE, 1ul << f->number);
    irq_file_interrupts();
}

/* Also called after each change of hgeie. An emulator may compute the interrupt before it takes the
 * lock under which an MSI arrives, and apply its result after the MSI; then the interrupt is
 * lost. */
void irq_file_interrupts(void)
{
    struct irq_file **of_hart = owners[cpu_self()->index];
    uint64_t raised;

    while ((raised = csr_read(CSR_HGEIE) & csr_read(CSR_HGEIP)) != 0) {
        LOCK_FOR_BLOCK(&lock); /* under the lock: the owner must not go meanwhile */

        csr_clear(CSR_HGEIE, raised);
        for (; raised != 0; raised &= raised - 1) {
            struct irq_file *f = of_hart[lowest_bit(raised)];

            if (f == NULL)
                continue;
            __atomic_store_n(&f->pending, true, __ATOMIC_RELEASE);
            sched_wake(f->task);
        }
    }
}
