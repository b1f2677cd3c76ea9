/* Names for exits; see exit_names.h. */
#include "watch/record/exit_names.h"

#include <stdio.h>

struct space_words {
    const char *name; /* of an address without a device */
    const char *read, *write;
    const char *address;
};

static const struct space_words spaces[] = {
    [EXIT_NOWHERE] = {"", "", "", ""},
    [EXIT_PORT] = {"port", "in", "out", "port"},
    [EXIT_MEMORY] = {"memory", "read", "write", "address"},
};

/* The device range of an access; NULL if the exit is not an access, or there is no device. */
static const struct bus_range *range_of(struct bus *bus, const struct exit_record *record)
{
    if (record->space != EXIT_PORT && record->space != EXIT_MEMORY)
        return NULL;
    return bus_find(bus, record->space == EXIT_PORT ? BUS_PIO : BUS_MMIO, record->address);
}

static void name_register(const struct bus_range *range, const struct exit_record *r, char *text,
                          size_t size)
{
    unsigned index = bus_register(range, r->address - range->base, r->write, (uint8_t)r->value);
    const char *name = bus_register_name(range, index, r->write);

    snprintf(text, size, "%s%s%s", range->ops->name, name != NULL ? "." : "",
             name != NULL ? name : "");
}

void log_exit_name(struct bus *bus, const struct exit_record *record, const char *reason,
                   char *text, size_t size)
{
    const struct bus_range *range = range_of(bus, record);

    if (range != NULL)
        name_register(range, record, text, size);
    else if (record->space == EXIT_NOWHERE)
        snprintf(text, size, "%s", reason);
    else
        snprintf(text, size, "%s %#lx", spaces[record->space].name, record->address);
}

void log_exit_describe(struct bus *bus, const struct exit_record *record, char *text, size_t size)
{
    const struct bus_range *range = range_of(bus, record);
    char name[64] = "no device";
    char more[32] = "";

    if (record->space == EXIT_NOWHERE) {
        snprintf(text, size, "%s", "");
        return;
    }
    if (range != NULL)
        name_register(range, record, name, sizeof name);
    if (record->count > 1)
        snprintf(more, sizeof more, " and %u more", record->count - 1);
    snprintf(text, size, "%s %s %#lx %s value %#lx%s",
             record->write ? spaces[record->space].write : spaces[record->space].read,
             spaces[record->space].address, record->address, name, record->value, more);
}
