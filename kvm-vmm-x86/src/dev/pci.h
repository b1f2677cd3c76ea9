/*
 * A PCI host bridge and its bus, number 0: configuration by the ports 0xcf8 and 0xcfc (PCI Local
 * Bus Specification 3.0, 3.2.2.3.2) and in memory (PCI Express Base Specification 4.0, 7.2.2), and
 * two windows of memory for BARs. Each device has one function, number 0, with at most one BAR
 * (64-bit memory) and one interrupt line. There are no I/O BARs and no bridges behind this one.
 *
 * A BAR is decoded only where all of it lies in a window: never over RAM, interrupt controllers or
 * other devices. If two overlap, the function in the lower slot answers.
 *
 *
 */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include "abi/pci.h"
#include "dev/bus.h"
#include "dev/reset.h"

/* Fixed addresses: firmware (SeaBIOS) expects the first window there. */
#define PCI_MEMORY_BASE  UINT64_C(0xd1000000) /* configuration space of bus 0 */
#define PCI_MEMORY_SIZE  UINT64_C(0x100000)
#define PCI_WINDOW_BASE  UINT64_C(0xe0000000)
#define PCI_WINDOW_END   UINT64_C(0xfec00000)
#define PCI_WINDOW64_MAX (UINT64_C(16) << 30)

enum { PCI_SLOTS = 32, PCI_CONFIG_SIZE = 256, PCI_PORTS = 8 };

struct pci;
struct pci_function;

/* Called by vCPUs, several at once. */
struct pci_function_ops {
    /* An access of 1, 2 or 4 bytes to configuration space; NULL: only pci_config_access. */
    enum verdict (*config)(struct pci_function *function, unsigned reg,
                           struct bus_access *access) MUST_CHECK;
    /* An access to its BAR; `access->offset` counts from the BAR's start. */
    enum verdict (*memory)(struct pci_function *function, struct bus_access *access) MUST_CHECK;
};

struct pci_function {
    const struct pci_function_ops *ops;
    void *device;
    struct pci *pci;
    uint32_t gsi;                      /* of its interrupt line (INTA); 0: it has none */
    uint64_t bar_size;                 /* a power of two; 0: it has none */
    uint64_t at;                       /* where its BAR is decoded; 0: nowhere. Atomic */
    uint8_t config[PCI_CONFIG_SIZE];   /* protected by its owner's lock, */
    uint8_t writable[PCI_CONFIG_SIZE]; /* and the bits of it that a guest may change: constant */
};

struct pci_window {
    uint64_t base, size;
};

struct pci_state {
    uint32_t address; /* 0xcf8 */
    uint32_t reserved;
    struct pci_window high; /* what the guest was told */
};

struct pci {
    struct reset *reset; /* it has port 0xcf9, in the middle of the address register */
    struct lock lock;    /* protects `state` */
    struct pci_state state;
    struct pci_window low, high; /* of memory, below 4 GB and above; constant */
    struct pci_function bridge;
    struct pci_function *slot[PCI_SLOTS];
};

extern const struct bus_ops pci_ports_ops, pci_memory_ops, pci_low_ops, pci_high_ops;

/* The high window lies above `ram_end` and below the limit of `address_bits`, if there is room. */
void pci_init(struct pci *pci, struct reset *reset, uint64_t ram_end, unsigned address_bits);

/* Puts a function into a slot. Fills in its registers up to the subsystem ID, and places its BAR;
 * the rest is zero and read-only. */
struct pci_identity {
    uint16_t vendor, device;
    uint32_t class_code; /* class, subclass, interface */
    uint8_t revision;
};
void pci_add(struct pci *pci, unsigned slot, struct pci_function *function,
             const struct pci_identity *identity);

/* Configuration space as memory of which some bits can be written. */
void pci_config_access(struct pci_function *function, unsigned reg, struct bus_access *access);

/* Little-endian registers of it. */
uint32_t pci_get(const struct pci_function *function, unsigned reg, unsigned size);
void pci_set(struct pci_function *function, unsigned reg, unsigned size, uint32_t value);

/* The address at which the function's registers place its BAR; 0: not decoded. The owner then calls
 * pci_decode_at. */
uint64_t pci_wanted(const struct pci_function *function);
void pci_decode_at(struct pci_function *function, uint64_t at);

#endif
