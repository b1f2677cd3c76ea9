/* The debug-exit port (abi/debug_exit.h); a read gives 0, as QEMU's does. */
#include "dev/debug_exit.h"

#include "abi/debug_exit.h"

static enum verdict debug_exit_access(void *device, struct bus_access *access)
{
    struct debug_exit *d = device;
    unsigned value = 0;

    for (unsigned i = 0; i < access->size; i++) {
        if (!access->write)
            access->data[i] = 0;
        value |= (unsigned)access->data[i] << (i * 8);
    }
    if (!access->write)
        return VERDICT_RESUME;
    d->backend->end(d->backend->context, END_CODE, DEBUG_EXIT_STATUS(value), NULL);
    return VERDICT_STOP;
}

static const char *const read_names[] = {"nothing"};
static const char *const write_names[] = {"status"};
static const struct bus_registers registers = {
    .read = BUS_NAMES(read_names), .written = BUS_NAMES(write_names), .stride = 4};

const struct bus_ops debug_exit_ops = {
    .name = "debug-exit", .registers = &registers, .width = 4, .access = debug_exit_access};

void debug_exit_init(struct debug_exit *device, const struct backend *backend)
{
    *device = (struct debug_exit){.backend = backend};
}
