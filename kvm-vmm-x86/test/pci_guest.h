/* A machine with two PCI functions, and the guest's access to it, for unit tests. */
#ifndef TEST_PCI_GUEST_H
#define TEST_PCI_GUEST_H

#include <stddef.h>

#include "cmocka_all.h"
#include "fake_backend.h"
#include "vm/machine.h"

enum {
    RAM = 0x10000,
    TABLE = 0x2000,
    PENDING = 0x3000,
    NOTIFY = 0x800,
    ISR = 0x400,
    QUEUE = 0x1000
};
enum { MSIX = 0x40, WINDOW = 0x98, AF = 0xb0 };
#define BAR(slot)      (PCI_WINDOW_BASE + (slot)*0x4000u)
#define COMMON(member) offsetof(struct virtio_pci_common, member)

static struct fake fake;
static uint8_t ram[RAM];
static struct machine machine;
static unsigned wakes;

static inline void wake(void *context)
{
    (void)context;
    wakes++;
}

/* A machine with random bytes in slot 1 and a balloon in slot 2. */
static inline int set_up(void **state)
{
    static const struct guest_config config = {
        .virtio = VIRTIO_BY_PCI, .rng = true, .balloon = true};
    struct error error;

    (void)state;
    fake_init(&fake);
    memset(ram, 0, sizeof ram);
    memory_init(&fake.memory, 0, sizeof ram, ram);
    assert_int_equal(machine_init(&machine, &config, &fake.backend, &fake.backend, 40, &error), 0);
    for (unsigned i = 0; i < machine.virtio_count; i++)
        machine.virtio[i]->wake = wake;
    wakes = 0;
    return 0;
}

static inline enum verdict reach(enum bus_space space, uint64_t at, uint8_t size, bool write,
                                 uint64_t *value)
{
    struct kvm_regs regs = {0};
    struct bus_cpu cpu = {.regs = &regs};
    struct bus_access access = {
        .data = (uint8_t *)value, .size = size, .write = write, .cpu = &cpu};

    return bus_access(&machine.bus, space, at, &access);
}

static inline uint64_t get(enum bus_space space, uint64_t at, uint8_t size)
{
    uint64_t value = 0;

    assert_int_equal(reach(space, at, size, false, &value), VERDICT_RESUME);
    return value;
}

static inline void set(enum bus_space space, uint64_t at, uint8_t size, uint64_t value)
{
    assert_int_equal(reach(space, at, size, true, &value), VERDICT_RESUME);
}

static inline uint64_t config(unsigned slot, unsigned reg, uint8_t size)
{
    return get(BUS_MMIO, PCI_MEMORY_BASE + (slot << 15) + reg, size);
}

static inline void configure(unsigned slot, unsigned reg, uint8_t size, uint64_t value)
{
    set(BUS_MMIO, PCI_MEMORY_BASE + (slot << 15) + reg, size, value);
}

static inline void enable(unsigned slot)
{
    configure(slot, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

#endif
