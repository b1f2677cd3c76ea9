/* The PCI bus: its functions and their configuration space, by mechanism 1. */
#ifndef HLEOS_DEVICE_PCI_H
#define HLEOS_DEVICE_PCI_H

#include <stdint.h>

struct pci_function {
    uint8_t bus, device, function;
    uint16_t vendor, id;
    uint8_t class_, subclass, interface, header;
};

/* Calls `visit` for every function, in order, behind bridges too; returns how many there are. */
unsigned pci_scan(void (*visit)(void *context, const struct pci_function *function), void *context);

/* The 32 bits of configuration space at `offset`, a multiple of 4. */
uint32_t pci_read(const struct pci_function *function, unsigned offset);
void pci_write(const struct pci_function *function, unsigned offset, uint32_t value);

const char *pci_class_text(const struct pci_function *function);

#endif
