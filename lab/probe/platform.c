/* Checks of the platform: memory-mapped devices, model-specific registers, interrupts, a second
 * processor. See checks.h. */
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lab/probe/checks.h"

/* Intel SDM volume 4, table 2-2. */
#define MSR_SYSENTER_CS       0x174u
#define MSR_SYSENTER_ESP      0x175u
#define MSR_SYSENTER_EIP      0x176u
#define MSR_PAT               0x277u
#define MSR_STAR              0xc0000081u
#define MSR_LSTAR             0xc0000082u
#define MSR_FMASK             0xc0000084u
#define MSR_KERNEL_GS         0xc0000102u
#define MSR_ARCH_CAPABILITIES 0x10au

int platform_mmio(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(mmio), GUEST_LONG);

    if (code == 0)
        code = guest_expect(guest, 0, KVM_EXIT_MMIO);
    if (code == 0 && (guest->runs[0]->mmio.phys_addr != MMIO_BASE ||
                      guest->runs[0]->mmio.data[0] != 0x5a || !guest->runs[0]->mmio.is_write))
        code = guest_fail(guest, "wrong address or value reported");
    return code < 0 ? code : guest_expect(guest, 0, KVM_EXIT_HLT);
}

static int set_and_get(struct guest *guest, uint32_t index, uint64_t value)
{
    struct {
        struct kvm_msrs header;
        struct kvm_msr_entry entry;
    } msrs = {.header.nmsrs = 1, .entry = {.index = index, .data = value}};

    if (ioctl(guest->cpus[0], KVM_SET_MSRS, &msrs) != 1)
        return guest_fail(guest, "MSR 0x%x cannot be set", index);
    msrs.entry.data = ~value;
    if (ioctl(guest->cpus[0], KVM_GET_MSRS, &msrs) != 1 || msrs.entry.data != value)
        return guest_fail(guest, "MSR 0x%x does not keep its value", index);
    return 0;
}

int platform_msrs(struct guest *guest)
{
    static const struct {
        uint32_t index;
        uint64_t value;
    } msrs[] = {
        {MSR_SYSENTER_CS, 8},         {MSR_SYSENTER_ESP, 0x7000},
        {MSR_SYSENTER_EIP, 0x8000},   {MSR_PAT, 0x0007040600070406},
        {MSR_STAR, 0x1b000800000000}, {MSR_LSTAR, 0xffffffff81000000},
        {MSR_FMASK, 0x47700},         {MSR_KERNEL_GS, 0xffff888000000000},
    };
    int code = guest_make(guest, GUEST_CODE(long), GUEST_LONG);

    for (size_t i = 0; code == 0 && i < sizeof(msrs) / sizeof(msrs[0]); i++)
        code = set_and_get(guest, msrs[i].index, msrs[i].value);
    return code;
}

int platform_msr_capabilities(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(long), GUEST_LONG);

    return code < 0 ? code : set_and_get(guest, MSR_ARCH_CAPABILITIES, 0);
}

/* A 64-bit interrupt gate. Intel SDM volume 3, 6.14.1. */
static void set_gate(struct guest *guest, uint8_t vector, uint32_t handler)
{
    uint64_t low =
        (handler & 0xffffull) | 8ull << 16 | 0x8e00ull << 32 | (uint64_t)(handler >> 16) << 48;

    memcpy(guest->memory + IDT_BASE + 16 * vector, &low, sizeof(low));
}

/* An external interrupt reaches a halted guest through the in-kernel interrupt controllers. */
int platform_irqchip(struct guest *guest)
{
    extern const uint8_t guest_interrupt_handler_offset[];
    struct kvm_irq_level line = {.irq = 0, .level = 1};
    int code = guest_open(guest);

    if (code == 0 && ioctl(guest->vm, KVM_CREATE_IRQCHIP, 0) != 0)
        code = guest_fail(guest, "KVM_CREATE_IRQCHIP: %m");
    if (code == 0)
        code = guest_add_cpu(guest, 0);
    if (code == 0)
        code = guest_load(guest, GUEST_CODE(interrupt), GUEST_LONG);
    set_gate(guest, VECTOR, CODE_BASE + (uint32_t)(uintptr_t)guest_interrupt_handler_offset);
    if (code == 0)
        code = guest_set_mode(guest, 0, GUEST_LONG);
    if (code == 0)
        code = guest_expect_say(guest, 0, 1);
    if (code == 0 && ioctl(guest->vm, KVM_IRQ_LINE, &line) != 0)
        code = guest_fail(guest, "KVM_IRQ_LINE: %m");
    return code < 0 ? code : guest_expect_say(guest, 0, 2);
}

static void *run_second(void *context)
{
    struct guest *guest = context;

    return (void *)(intptr_t)guest_expect_say(guest, 1, 3);
}

int platform_smp(struct guest *guest)
{
    pthread_t thread;
    void *second;
    int code = guest_make(guest, GUEST_CODE(turns), GUEST_LONG);

    memset(guest->memory + DATA_BASE, 0, 4);
    if (code == 0)
        code = guest_add_cpu(guest, 1);
    if (code == 0)
        code = guest_set_mode(guest, 1, GUEST_LONG);
    if (code < 0)
        return code;
    if (pthread_create(&thread, NULL, run_second, guest) != 0)
        return guest_fail(guest, "cannot start a thread");
    code = guest_expect_say(guest, 0, 3);
    pthread_join(thread, &second);
    return code < 0 ? code : (int)(intptr_t)second;
}
