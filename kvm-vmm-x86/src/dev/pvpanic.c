/* The panic port; see pvpanic.h. */
#include "dev/pvpanic.h"

/* The events that a guest can report; a read returns those that are supported. */
enum { PANICKED = 1 << 0, CRASH_LOADED = 1 << 1 };

static enum verdict pvpanic_access(void *device, struct bus_access *access)
{
    const struct backend *b = ((struct pvpanic *)device)->backend;

    if (!access->write) {
        access->data[0] = PANICKED | CRASH_LOADED;
        return VERDICT_RESUME;
    }
    if (access->data[0] & PANICKED) {
        b->end(b->context, END_CRASH, 0, "the kernel panicked");
        return VERDICT_STOP;
    }
    if (access->data[0] & CRASH_LOADED)
        b->say(b->context, "the kernel panicked, and starts its crash kernel");
    return VERDICT_RESUME;
}

static const char *const names[] = {"event"};
static const struct bus_registers registers = {.read = BUS_NAMES(names),
                                               .written = BUS_NAMES(names)};

const struct bus_ops pvpanic_ops = {
    .name = "pvpanic", .registers = &registers, .width = 1, .access = pvpanic_access};

void pvpanic_init(struct pvpanic *pvpanic, const struct backend *backend)
{
    *pvpanic = (struct pvpanic){.backend = backend};
}
