/* PCI Local Bus 3.0, 3.2.2.3.2 (mechanism 1) and 6.1 (header). See pci.h. */
#include "device/pci.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/x86.h"
#include "cpu/lock.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc };
enum { VENDOR = 0x00, CLASS = 0x08, HEADER = 0x0c, BRIDGE_BUSES = 0x18 };
enum { DEVICES = 32, FUNCTIONS = 8, MULTIFUNCTION = 0x80, NOBODY = 0xffff };
enum { CLASS_BRIDGE = 6, SUBCLASS_PCI = 4, DEPTH_MAX = 8 };

struct scan {
    void (*visit)(void *context, const struct pci_function *function);
    void *context;
    unsigned count;
};

static struct lock lock = LOCK_INIT("pci", LOCK_REGISTER);

static uint32_t read(unsigned bus, unsigned device, unsigned function, unsigned offset)
{
    uint64_t flags = lock_take(&lock);
    uint32_t value;

    x86_out32(ADDRESS, 0x80000000u | bus << 16 | device << 11 | function << 8 | offset);
    value = x86_in32(DATA);
    lock_give(&lock, flags);
    return value;
}

uint32_t pci_read(const struct pci_function *f, unsigned offset)
{
    return read(f->bus, f->device, f->function, offset);
}

void pci_write(const struct pci_function *f, unsigned offset, uint32_t value)
{
    uint64_t flags = lock_take(&lock);

    x86_out32(ADDRESS, 0x80000000u | (unsigned)f->bus << 16 | (unsigned)f->device << 11 |
                           (unsigned)f->function << 8 | offset);
    x86_out32(DATA, value);
    lock_give(&lock, flags);
}

static void scan_bus(struct scan *scan, unsigned bus, int depth);

/* True if the function exists and its header says that the device has several. */
static bool scan_function(struct scan *scan, unsigned bus, unsigned device, unsigned number,
                          int depth)
{
    uint32_t ids = read(bus, device, number, VENDOR), class_;
    struct pci_function f;

    if ((ids & 0xffff) == NOBODY)
        return false;
    class_ = read(bus, device, number, CLASS);
    f = (struct pci_function){.bus = (uint8_t)bus,
                              .device = (uint8_t)device,
                              .function = (uint8_t)number,
                              .vendor = (uint16_t)ids,
                              .id = (uint16_t)(ids >> 16),
                              .class_ = (uint8_t)(class_ >> 24),
                              .subclass = (uint8_t)(class_ >> 16),
                              .interface = (uint8_t)(class_ >> 8),
                              .header = (uint8_t)(read(bus, device, number, HEADER) >> 16)};
    scan->count++;
    scan->visit(scan->context, &f);
    if (f.class_ == CLASS_BRIDGE && f.subclass == SUBCLASS_PCI) {
        unsigned secondary = read(bus, device, number, BRIDGE_BUSES) >> 8 & 0xff;

        if (secondary > bus) /* skip a bridge that is not set up, or a loop */
            scan_bus(scan, secondary, depth + 1);
    }
    return f.header & MULTIFUNCTION;
}

static void scan_bus(struct scan *scan, unsigned bus, int depth)
{
    if (depth == DEPTH_MAX)
        return;
    for (unsigned device = 0; device < DEVICES; device++)
        if (scan_function(scan, bus, device, 0, depth))
            for (unsigned function = 1; function < FUNCTIONS; function++)
                scan_function(scan, bus, device, function, depth);
}

unsigned pci_scan(void (*visit)(void *context, const struct pci_function *function), void *context)
{
    struct scan scan = {.visit = visit, .context = context};

    scan_bus(&scan, 0, 0);
    return scan.count;
}

const char *pci_class_text(const struct pci_function *f)
{
    static const struct {
        uint8_t class_, subclass;
        const char *text;
    } names[] = {
        {0x01, 0x01, "IDE controller"},  {0x01, 0x06, "SATA controller"},
        {0x01, 0x00, "SCSI controller"}, {0x02, 0x00, "Ethernet controller"},
        {0x03, 0x00, "VGA display"},     {0x04, 0x03, "audio device"},
        {0x06, 0x00, "host bridge"},     {0x06, 0x01, "ISA bridge"},
        {0x06, 0x04, "PCI bridge"},      {0x06, 0x80, "bridge"},
        {0x0c, 0x03, "USB controller"},  {0x0c, 0x05, "SMBus controller"},
        {0x00, 0x01, "old VGA display"}, {0x05, 0x00, "memory controller"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].class_ == f->class_ && names[i].subclass == f->subclass)
            return names[i].text;
    return "device";
}
