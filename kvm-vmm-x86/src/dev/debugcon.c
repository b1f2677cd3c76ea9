/* The debug console and the POST port; see debugcon.h. */
#include "dev/debugcon.h"

/* A guest reads this value to detect the console. */
enum { DEBUGCON_IS_HERE = 0xe9 };

static enum verdict debugcon_access(void *device, struct bus_access *access)
{
    const struct backend *backend = ((struct debugcon *)device)->backend;

    if (access->write)
        backend->debug(backend->context, access->data[0]);
    else
        access->data[0] = DEBUGCON_IS_HERE;
    return VERDICT_RESUME;
}

/* POST codes are evaluated where exits are recorded. */
static enum verdict post_access(void *device, struct bus_access *access)
{
    (void)device;
    if (!access->write)
        access->data[0] = 0xff;
    return VERDICT_RESUME;
}

static const char *const byte_name[] = {"byte"}, *const code_name[] = {"code"};
static const struct bus_registers debugcon_registers = {.read = BUS_NAMES(byte_name),
                                                        .written = BUS_NAMES(byte_name)};
static const struct bus_registers post_registers = {.read = BUS_NAMES(code_name),
                                                    .written = BUS_NAMES(code_name)};

const struct bus_ops debugcon_ops = {.name = "debug console",
                                     .registers = &debugcon_registers,
                                     .width = 1,
                                     .access = debugcon_access};
const struct bus_ops debugcon_post_ops = {
    .name = "POST", .registers = &post_registers, .width = 1, .access = post_access};

void debugcon_init(struct debugcon *device, const struct backend *backend)
{
    *device = (struct debugcon){.backend = backend};
}
