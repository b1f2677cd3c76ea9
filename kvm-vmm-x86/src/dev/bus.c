/* The port and memory-mapped buses; see bus.h. */
#include "dev/bus.h"

#include <stddef.h>
#include <string.h>

#include "host/threads.h"

int bus_claim(struct bus *bus, enum bus_space space, uint64_t base, uint64_t length,
              const struct bus_ops *ops, void *device, struct error *error)
{
    if (length == 0 || base + length < base)
        return error_set(error, "device %s: a range of %#llx bytes at %#llx is impossible",
                         ops->name, (unsigned long long)length, (unsigned long long)base);
    if (bus->count == BUS_RANGES_MAX)
        return error_set(error, "device %s: more than %d device ranges", ops->name, BUS_RANGES_MAX);
    for (unsigned i = 0; i < bus->count; i++) {
        const struct bus_range *r = &bus->ranges[i];

        if (r->space == space && base < r->base + r->length && r->base < base + length)
            return error_set(error, "device %s overlaps %s at %#llx", ops->name, r->ops->name,
                             (unsigned long long)base);
    }
    if (space == BUS_MMIO)
        bus->memory[bus->memory_count++] = (uint8_t)bus->count;
    bus->ranges[bus->count++] = (struct bus_range){
        .space = space, .base = base, .length = length, .ops = ops, .device = device};
    for (uint64_t port = base; space == BUS_PIO && port < base + length && port < BUS_LOW_PORTS;
         port++)
        bus->low_ports[port] = (uint8_t)bus->count;
    return 0;
}

static struct bus_range *search_ports(struct bus *bus, uint64_t port)
{
    for (unsigned i = 0; i < bus->count; i++) {
        struct bus_range *r = &bus->ranges[i];

        if (r->space == BUS_PIO && port >= r->base && port - r->base < r->length)
            return r;
    }
    return NULL;
}

static inline struct bus_range *find(struct bus *bus, enum bus_space space, uint64_t address)
{
    if (space == BUS_PIO && address < BUS_LOW_PORTS) {
        size_t number = bus->low_ports[address];

        return number != 0 ? &bus->ranges[number - 1] : NULL;
    }
    if (space == BUS_PIO)
        return search_ports(bus, address);
    for (unsigned i = 0; i < bus->memory_count; i++) {
        struct bus_range *r = &bus->ranges[bus->memory[i]];

        if (address - r->base < r->length)
            return r;
    }
    return NULL;
}

struct bus_range *bus_find(struct bus *bus, enum bus_space space, uint64_t address)
{
    return find(bus, space, address);
}

unsigned bus_register(const struct bus_range *range, uint64_t offset, bool write, uint8_t value)
{
    const struct bus_registers *r = range->ops->registers;
    uint64_t index = 0;

    if (r != NULL)
        index = r->by_value && write ? value : offset / (r->stride > 0 ? r->stride : 1);
    return index < BUS_REGISTERS_MAX ? (unsigned)index : BUS_REGISTERS_MAX - 1;
}

const char *bus_register_name(const struct bus_range *range, unsigned index, bool write)
{
    const struct bus_registers *r = range->ops->registers;
    const struct bus_names *names = r == NULL ? NULL : write ? &r->written : &r->read;

    return names != NULL && index < names->count ? names->names[index] : NULL;
}

/* `bytes` NULL: zeroes. */
static void put_state(const struct bus_state *state, void *device, const void *bytes)
{
    LOCK_FOR_BLOCK((struct lock *)((char *)device + state->lock));

    if (bytes != NULL)
        memcpy((char *)device + state->at, bytes, state->size);
    else
        memset((char *)device + state->at, 0, state->size);
    if (state->told != NULL)
        state->told(device);
}

void bus_reset(const struct bus_ops *ops, void *device)
{
    if (ops->reset != NULL)
        ops->reset(device);
    else if (ops->state != NULL)
        put_state(ops->state, device, ops->state->at_power_on);
}

void bus_save(const struct bus_ops *ops, void *device, const char *name,
              struct chunk_writer *writer)
{
    const struct bus_state *state = ops->state;

    if (ops->save != NULL) {
        ops->save(device, name, writer);
    } else if (state != NULL) {
        LOCK_FOR_BLOCK((struct lock *)((char *)device + state->lock));
        chunk_write(writer, name, state->version, (char *)device + state->at, state->size);
    }
}

int bus_load(const struct bus_ops *ops, void *device, const struct chunk *chunk,
             struct error *error)
{
    const struct bus_state *state = ops->state;

    if (ops->load != NULL)
        return ops->load(device, chunk, error);
    if (state == NULL)
        return error_set(error, "a saved state of %s, a device that saves none", chunk->name);
    if (chunk_check(chunk, state->version, state->size, error) < 0)
        return -1;
    if (state->is_sound != NULL && !state->is_sound(chunk->bytes))
        return error_set(error, "the saved state of %s is damaged", chunk->name);
    put_state(state, device, chunk->bytes);
    return 0;
}

/* An access that is wider than the device, or reaches past its range, is split into bytes, and each
 * byte goes to its owner. (Inlined, it would make bus_access save registers at each access.) */
static __attribute__((noinline)) enum verdict access_split(struct bus *bus, enum bus_space space,
                                                           uint64_t address,
                                                           const struct bus_access *whole)
{
    for (uint8_t i = 0; i < whole->size; i++) {
        struct bus_access part = *whole;
        enum verdict verdict;

        part.data = whole->data + i;
        part.size = 1;
        verdict = bus_access(bus, space, address + i, &part);
        if (verdict != VERDICT_RESUME)
            return verdict;
    }
    return VERDICT_RESUME;
}

enum verdict bus_access(struct bus *bus, enum bus_space space, uint64_t address,
                        struct bus_access *access)
{
    struct bus_range *r = find(bus, space, address);

    if (r == NULL) {
        if (!access->write)
            memset(access->data, 0xff, access->size);
        return VERDICT_RESUME;
    }
    access->offset = address - r->base;
    if (access->size > 1 &&
        (access->size > r->ops->width || access->size > r->length - access->offset))
        return access_split(bus, space, address, access);
    return r->ops->access(r->device, access);
}
