/* Reads the state of interrupt controllers; see interrupts.h. */
#include "host/kvm/interrupts.h"

#include <string.h>
#include <sys/ioctl.h>

void kvm_interrupt(const struct kvm_cpu *cpu, uint8_t vector)
{
    struct kvm_interrupt interrupt = {.irq = vector};

    /* Fails only for a VM with KVM's interrupt controllers. */
    (void)ioctl(cpu->fd, KVM_INTERRUPT, &interrupt);
}

int kvm_injected(const struct kvm_cpu *cpu)
{
    struct kvm_vcpu_events events;

    return ioctl(cpu->fd, KVM_GET_VCPU_EVENTS, &events) == 0 && events.interrupt.injected
               ? events.interrupt.nr
               : -1;
}

bool kvm_read_pic(int vm, unsigned chip, struct kvm_pic_state *pic)
{
    struct kvm_irqchip irqchip = {.chip_id =
                                      chip == 0 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE};

    if (ioctl(vm, KVM_GET_IRQCHIP, &irqchip) < 0)
        return false;
    *pic = irqchip.chip.pic;
    return true;
}

/* Each 32 bits are at the start of 16 bytes (Intel SDM volume 3, table 11-1). */
bool kvm_read_lapic_bits(const struct kvm_cpu *cpu, unsigned offset, uint32_t words[8])
{
    struct kvm_lapic_state lapic;

    if (ioctl(cpu->fd, KVM_GET_LAPIC, &lapic) < 0)
        return false;
    for (unsigned i = 0; i < 8; i++)
        memcpy(&words[i], lapic.regs + offset + 16 * i, sizeof words[i]);
    return true;
}
