/* The PCI host bridge and its bus; see pci.h. */
#include "dev/pci.h"

#include <string.h>

enum { VERSION = 1 }; /* of the saved state */

/* The IDs of QEMU's generic host bridge: no operating system or firmware expects special registers
 * in it. */
static const struct pci_identity bridge_identity = {
    .vendor = 0x1b36, .device = 0x0008, .class_code = 0x060000};
enum { SUBSYSTEM_VENDOR = 0x1af4, SUBSYSTEM = 0x1100 }; /* as in QEMU's devices */

#define GIB_ALIGN (UINT64_C(1) << 30)

uint32_t pci_get(const struct pci_function *f, unsigned reg, unsigned size)
{
    uint32_t value = 0;

    memcpy(&value, f->config + reg, size);
    return value;
}

void pci_set(struct pci_function *f, unsigned reg, unsigned size, uint32_t value)
{
    memcpy(f->config + reg, &value, size);
}

void pci_config_access(struct pci_function *f, unsigned reg, struct bus_access *access)
{
    for (unsigned i = 0; i < access->size; i++) {
        uint8_t *byte = &f->config[reg + i], mask = f->writable[reg + i];

        if (access->write)
            *byte = (uint8_t)((*byte & ~mask) | (access->data[i] & mask));
        else
            access->data[i] = *byte;
    }
}

static bool is_inside(const struct pci_window *window, uint64_t at, uint64_t size)
{
    return at >= window->base && window->size >= size && at - window->base <= window->size - size;
}

uint64_t pci_wanted(const struct pci_function *f)
{
    uint64_t at = (pci_get(f, PCI_BAR, 4) & ~(uint32_t)PCI_BAR_FLAGS) |
                  (uint64_t)pci_get(f, PCI_BAR + 4, 4) << 32;

    if (f->bar_size == 0 || !(pci_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
        return 0;
    return is_inside(&f->pci->low, at, f->bar_size) || is_inside(&f->pci->high, at, f->bar_size)
               ? at
               : 0;
}

void pci_decode_at(struct pci_function *f, uint64_t at)
{
    __atomic_store_n(&f->at, at, __ATOMIC_RELEASE); /* pairs with find_memory */
}

void pci_add(struct pci *pci, unsigned slot, struct pci_function *f,
             const struct pci_identity *identity)
{
    uint64_t mask = ~(f->bar_size - 1), at = pci->low.base + slot * f->bar_size;

    pci->slot[slot] = f;
    f->pci = pci;
    pci_set(f, PCI_VENDOR, 2, identity->vendor);
    pci_set(f, PCI_DEVICE, 2, identity->device);
    pci_set(f, PCI_REVISION, 1, identity->revision);
    pci_set(f, PCI_CLASS, 3, identity->class_code);
    pci_set(f, PCI_SUBSYSTEM_VENDOR, 2, SUBSYSTEM_VENDOR);
    pci_set(f, PCI_SUBSYSTEM, 2, SUBSYSTEM);
    if (f->bar_size == 0)
        return;
    pci_set(f, PCI_BAR, 4, (uint32_t)at | PCI_BAR_64_BITS);
    pci_set(f, PCI_BAR + 4, 4, (uint32_t)(at >> 32));
    memcpy(f->writable + PCI_BAR, &mask, sizeof mask);
    f->writable[PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    f->writable[PCI_COMMAND + 1] = PCI_COMMAND_NO_INTX >> 8;
    f->writable[PCI_INTERRUPT_LINE] = 0xff;
}

static enum verdict read_nothing(struct bus_access *access)
{
    if (!access->write)
        memset(access->data, 0xff, access->size);
    return VERDICT_RESUME;
}

/* `place` is as in PCI Express: 5 bits of slot, 3 of function, 12 of register. Absent functions
 * read as all ones; so do the registers that only PCI Express has. */
static enum verdict access_config(struct pci *pci, uint64_t place, struct bus_access *access)
{
    unsigned slot = place >> 15 & 31, function = place >> 12 & 7, reg = place & 0xfff;
    struct pci_function *f = function == 0 ? pci->slot[slot] : NULL;

    if (f == NULL || reg + access->size > PCI_CONFIG_SIZE)
        return read_nothing(access);
    if (f->ops->config != NULL)
        return f->ops->config(f, reg, access);
    pci_config_access(f, reg, access);
    return VERDICT_RESUME;
}

/* --- configuration access by ports --- */

/* The address register takes only accesses of 32 bits; one of its bytes belongs to another device.
 */
static enum verdict access_address(struct pci *pci, struct bus_access *access)
{
    struct bus_access byte = *access;

    if (access->offset == 0 && access->size == 4) {
        LOCK_FOR_BLOCK(&pci->lock);
        if (access->write)
            memcpy(&pci->state.address, access->data, 4);
        else
            memcpy(access->data, &pci->state.address, 4);
        return VERDICT_RESUME;
    }
    if (!access->write)
        memset(access->data, 0xff, access->size);
    if (access->offset > 1 || access->offset + access->size < 2)
        return VERDICT_RESUME;
    byte.data = access->data + (1 - access->offset);
    byte.size = 1;
    byte.offset = 0;
    return reset_control_ops.access(pci->reset, &byte);
}

static enum verdict ports_access(void *device, struct bus_access *access)
{
    struct pci *pci = device;
    uint32_t address;

    if (access->offset < 4)
        return access_address(pci, access);
    lock_take(&pci->lock);
    address = pci->state.address;
    lock_release(&pci->lock);
    if (!(address & PCI_ADDRESS_ENABLE) || (address >> 16 & 0xff) != 0)
        return read_nothing(access);
    return access_config(
        pci, (uint64_t)(address >> 8 & 0xff) << 12 | ((address & 0xfc) + (access->offset - 4)),
        access);
}

static void pci_reset(void *device)
{
    struct pci *pci = device;
    LOCK_FOR_BLOCK(&pci->lock);

    pci->state.address = 0;
}

static void pci_save(void *device, const char *name, struct chunk_writer *writer)
{
    struct pci *pci = device;
    LOCK_FOR_BLOCK(&pci->lock);

    chunk_write(writer, name, VERSION, &pci->state, sizeof pci->state);
}

static int pci_load(void *device, const struct chunk *chunk, struct error *error)
{
    struct pci *pci = device;
    struct pci_state state;

    if (chunk_copy(chunk, VERSION, &state, sizeof state, error) < 0)
        return -1;
    if (memcmp(&state.high, &pci->state.high, sizeof state.high) != 0)
        return error_set(error,
                         "the saved PCI window is at %#llx; on this host it is at %#llx, as "
                         "physical addresses have another width",
                         (unsigned long long)state.high.base,
                         (unsigned long long)pci->state.high.base);
    lock_take(&pci->lock);
    pci->state = state;
    lock_release(&pci->lock);
    return 0;
}

/* --- configuration access in memory --- */

static enum verdict memory_access(void *device, struct bus_access *access)
{
    return access_config(device, access->offset, access);
}

static struct pci_function *find_memory(struct pci *pci, uint64_t address, uint64_t *offset)
{
    for (unsigned i = 0; i < PCI_SLOTS; i++) {
        struct pci_function *f = pci->slot[i];
        uint64_t at = f != NULL ? __atomic_load_n(&f->at, __ATOMIC_ACQUIRE) : 0;

        *offset = address - at;
        if (at != 0 && address >= at && *offset < f->bar_size)
            return f;
    }
    return NULL;
}

static enum verdict access_window(struct pci *pci, uint64_t address, struct bus_access *access)
{
    uint64_t offset;
    struct pci_function *f = find_memory(pci, address, &offset);

    if (f == NULL || access->size > f->bar_size - offset)
        return read_nothing(access);
    access->offset = offset;
    return f->ops->memory(f, access);
}

static enum verdict low_access(void *device, struct bus_access *access)
{
    struct pci *pci = device;

    return access_window(pci, pci->low.base + access->offset, access);
}

static enum verdict high_access(void *device, struct bus_access *access)
{
    struct pci *pci = device;

    return access_window(pci, pci->high.base + access->offset, access);
}

static const char *const port_names[] = {"CONFIG_ADDRESS", "CONFIG_DATA"};
static const struct bus_registers registers = {
    .read = BUS_NAMES(port_names), .written = BUS_NAMES(port_names), .stride = 4};

const struct bus_ops pci_ports_ops = {.name = "pci",
                                      .registers = &registers,
                                      .width = 4,
                                      .access = ports_access,
                                      .reset = pci_reset,
                                      .save = pci_save,
                                      .load = pci_load};
const struct bus_ops pci_memory_ops = {
    .name = "pci configuration", .width = 4, .access = memory_access};
const struct bus_ops pci_low_ops = {.name = "pci memory", .width = 8, .access = low_access};
const struct bus_ops pci_high_ops = {.name = "pci memory", .width = 8, .access = high_access};

static const struct pci_function_ops bridge_ops = {.config = NULL};

void pci_init(struct pci *pci, struct reset *reset, uint64_t ram_end, unsigned address_bits)
{
    uint64_t end = address_bits >= 64 ? UINT64_MAX : UINT64_C(1) << address_bits, base, size;

    *pci = (struct pci){.reset = reset,
                        .low = {PCI_WINDOW_BASE, PCI_WINDOW_END - PCI_WINDOW_BASE},
                        .bridge = {.ops = &bridge_ops}};
    lock_init(&pci->lock);
    base = ram_end > UINT64_C(1) << 32 ? ram_end : UINT64_C(1) << 32;
    base = (base + GIB_ALIGN - 1) & ~(GIB_ALIGN - 1);
    size = base < end ? end - base : 0;
    if (size > 0)
        pci->high = (struct pci_window){base, size < PCI_WINDOW64_MAX ? size : PCI_WINDOW64_MAX};
    pci->state.high = pci->high;
    pci_add(pci, 0, &pci->bridge, &bridge_identity);
}
