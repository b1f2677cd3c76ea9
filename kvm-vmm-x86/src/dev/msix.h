/*
 * MSI-X of a PCI function (PCI Local Bus Specification 3.0, 6.8.2): its table of vectors, those
 * that wait because they are masked, and the messages. The function's owner holds its lock.
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

/* Adds the capability; table and pending bits are in BAR 0, where it is told. */
void msix_add(struct msix *msix, struct pci_function *function, unsigned next, uint32_t table,
              uint32_t pending);
/* As after power-on: every vector is masked. */
void msix_reset(struct msix *msix);
bool msix_is_on(const struct msix *msix);
/* An interrupt; a vector that does not exist has none. */
void msix_raise(struct msix *msix, unsigned vector);
/* Sends what waits, as far as it is not masked any more: after a change of the function's
 * registers. */
void msix_send(struct msix *msix);
/* Accesses to the two, `offset` from the start of each; a read is zero before. */
void msix_access_table(struct msix *msix, uint64_t offset, struct bus_access *access);
void msix_read_pending(const struct msix *msix, uint64_t offset, struct bus_access *access);

#endif
