/* MSI-X; see msix.h. */
#include "dev/msix.h"

#include <string.h>

static uint32_t control(const struct msix *m)
{
    return pci_get(m->function, m->at + PCI_MSIX_CONTROL, 2);
}

bool msix_is_on(const struct msix *m)
{
    return (control(m) & PCI_MSIX_ENABLE) != 0;
}

void msix_add(struct msix *m, struct pci_function *f, unsigned next, uint32_t table,
              uint32_t pending)
{
    pci_set(f, m->at, 2, PCI_CAP_MSIX | next << 8);
    pci_set(f, m->at + PCI_MSIX_CONTROL, 2, m->vectors - 1);
    pci_set(f, m->at + PCI_MSIX_TABLE, 4, table);
    pci_set(f, m->at + PCI_MSIX_PENDING, 4, pending);
    f->writable[m->at + PCI_MSIX_CONTROL + 1] = (PCI_MSIX_ENABLE | PCI_MSIX_MASK) >> 8;
}

void msix_reset(struct msix *m)
{
    *m->pending = 0;
    for (unsigned i = 0; i < m->vectors; i++)
        m->table[i] = (struct pci_msix_entry){.control = PCI_MSIX_ENTRY_MASK};
}

/* A message is a memory write, which only a bus master may do. */
static bool is_masked(const struct msix *m, unsigned vector)
{
    return (control(m) & PCI_MSIX_MASK) ||
           !(pci_get(m->function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER) ||
           (m->table[vector].control & PCI_MSIX_ENTRY_MASK);
}

void msix_send(struct msix *m)
{
    if (!msix_is_on(m))
        return;
    for (unsigned i = 0; i < m->vectors; i++) {
        if (!(*m->pending >> i & 1) || is_masked(m, i))
            continue;
        *m->pending &= ~(UINT32_C(1) << i);
        m->backend->message(m->backend->context, m->table[i].address, m->table[i].data);
    }
}

void msix_raise(struct msix *m, unsigned vector)
{
    if (vector >= m->vectors)
        return;
    *m->pending |= UINT32_C(1) << vector;
    msix_send(m);
}

void msix_access_table(struct msix *m, uint64_t offset, struct bus_access *access)
{
    uint8_t *at = (uint8_t *)m->table + offset;

    if (offset >= m->vectors * sizeof m->table[0] || offset % access->size != 0)
        return;
    if (!access->write) {
        memcpy(access->data, at, access->size);
        return;
    }
    memcpy(at, access->data, access->size);
    msix_send(m);
}

void msix_read_pending(const struct msix *m, uint64_t offset, struct bus_access *access)
{
    uint64_t bits = *m->pending;

    if (offset + access->size <= sizeof bits)
        memcpy(access->data, (const char *)&bits + offset, access->size);
}
