/*
 * A PCI host bridge and its bus, number 0: configuration by the ports 0xcf8 and 0xcfc (PCI Local
 * Bus Specification 3.0, 3.2.2.3.2) and in memory (PCI Express Base Specification 4.0, 7.2.2), and
 * two windows of memory that functions answer in. Functions have one number each, 0, at most one
 * BAR, of memory and 64 bits wide, and a line of interrupt of their own. There are no I/O BARs and
 * no bridges behind this one.
 *
 * A BAR is decoded only where all of it lies in a window: never over RAM, interrupt controllers or
 * other devices. Of two at one address, the lower function answers.
 */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include "abi/pci.h"
#include "dev/bus.h"
#include "dev/reset.h"

/* Where it is: firmware (SeaBIOS) takes the first window for granted. */
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
    /* An access to configuration space, of 1, 2 or 4 bytes; NULL: pci_config_access alone. */
    enum verdict (*config)(struct pci_function *function, unsigned reg,
                           struct bus_access *access) MUST_CHECK;
    /* One to its BAR: `access->offset` is from its start. */
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

/* `ram_end` and `address_bits`: above the one and below the limit of the other is the high window,
 * if there is room for it. */
void pci_init(struct pci *pci, struct reset *reset, uint64_t ram_end, unsigned address_bits);

/* Puts a function into a slot. Its registers up to the subsystem's are filled in, its BAR at some
 * free place; the rest is zero and read-only. */
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

/* Where the function's registers say that its BAR is to be decoded; 0: nowhere. The owner stores it
 * with pci_decode_at, whatever it has to do before and after. */
uint64_t pci_wanted(const struct pci_function *function);
void pci_decode_at(struct pci_function *function, uint64_t at);

#endif
