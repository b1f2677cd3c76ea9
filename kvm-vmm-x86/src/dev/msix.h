/*
 * MSI-X of a PCI function (PCI Local Bus Specification 3.0, 6.8.2): its table of vectors, the
 * pending bits of masked vectors, and the messages. The caller holds the lock of the function's
 * owner.
 */
#ifndef DEV_MSIX_H
#define DEV_MSIX_H

#include "dev/backend.h"
#include "dev/pci.h"

enum { MSIX_VECTORS_MAX = 32 };

struct msix {
    const struct backend *backend;
    const struct pci_function *function;
    unsigned at;      /* its capability in configuration space */
    unsigned vectors; /* of the table, MSIX_VECTORS_MAX at most */
    struct pci_msix_entry *table;
    uint32_t *pending; /* a bit each */
};

/* Adds the capability; the table and the pending bits are in BAR 0, at the offsets given. */
void msix_add(struct msix *msix, struct pci_function *function, unsigned next, uint32_t table,
              uint32_t pending);
/* As after power-on: every vector is masked. */
void msix_reset(struct msix *msix);
bool msix_is_on(const struct msix *msix);
/* Raises an interrupt; does nothing for a vector that does not exist. */
void msix_raise(struct msix *msix, unsigned vector);
/* Sends pending interrupts that are no longer masked. Call it after a change of the function's
 * registers. */
void msix_send(struct msix *msix);
/* Access the table and the pending bits at `offset` from their start. The caller zeroes the data of
 * a read. */
void msix_access_table(struct msix *msix, uint64_t offset, struct bus_access *access);
void msix_read_pending(const struct msix *msix, uint64_t offset, struct bus_access *access);

#endif
