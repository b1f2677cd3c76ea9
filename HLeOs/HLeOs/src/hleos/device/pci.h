/* A look at the PCI bus: what is there, by configuration mechanism 1. */
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

const char *pci_class_text(const struct pci_function *function);

#endif
