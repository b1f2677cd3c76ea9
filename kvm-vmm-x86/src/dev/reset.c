/* Ports that reset the machine; see reset.h. Each resets when its reset bit changes to 1. */
#include "dev/reset.h"

enum { CONTROL_RESET = 1 << 2, CONTROL_KEPT = 0x0e }; /* kind of reset, reset now, full reset */
enum { SYSTEM_RESET = 1 << 0, SYSTEM_A20 = 1 << 1, SYSTEM_KEPT = 0xc2 }; /* and activity lights */

static enum verdict write_register(struct reset *r, uint8_t *reg, uint8_t trigger, uint8_t value,
                                   uint8_t kept)
{
    bool fires;

    lock_take(&r->lock);
    fires = (value & trigger) && !(*reg & trigger);
    *reg = value & kept;
    lock_release(&r->lock);
    if (!fires)
        return VERDICT_RESUME;
    r->backend->end(r->backend->context, END_RESET, 0, NULL);
    return VERDICT_STOP;
}

static uint8_t read_register(struct reset *r, const uint8_t *reg)
{
    uint8_t value;

    lock_take(&r->lock);
    value = *reg;
    lock_release(&r->lock);
    return value;
}

static enum verdict control_access(void *device, struct bus_access *access)
{
    struct reset *r = device;

    if (access->write)
        return write_register(r, &r->state.control, CONTROL_RESET, access->data[0], CONTROL_KEPT);
    access->data[0] = read_register(r, &r->state.control);
    return VERDICT_RESUME;
}

static enum verdict system_access(void *device, struct bus_access *access)
{
    struct reset *r = device;

    if (access->write)
        return write_register(r, &r->state.system, SYSTEM_RESET, access->data[0], SYSTEM_KEPT);
    access->data[0] = read_register(r, &r->state.system) | SYSTEM_A20;
    return VERDICT_RESUME;
}

static const char *const control_name[] = {"RST_CNT"}, *const system_name[] = {"port A"};
static const struct bus_registers control_registers = {.read = BUS_NAMES(control_name),
                                                       .written = BUS_NAMES(control_name)};
static const struct bus_registers system_registers = {.read = BUS_NAMES(system_name),
                                                      .written = BUS_NAMES(system_name)};

static const struct bus_state state = {.version = 1, BUS_STATE_OF(struct reset)};

const struct bus_ops reset_control_ops = {
    .name = "reset control", .registers = &control_registers, .width = 1, .access = control_access};
/* If there is a PCI host, it owns the other port and passes accesses on. */
const struct bus_ops reset_system_ops = {.name = "system control",
                                         .registers = &system_registers,
                                         .width = 1,
                                         .access = system_access,
                                         .state = &state};

void reset_init(struct reset *reset, const struct backend *backend)
{
    *reset = (struct reset){.backend = backend};
    lock_init(&reset->lock);
}

#define ENTRY UINT64_C(0xffff0)

static const uint8_t entry[] = {
    0xfa,             /* cli */
    0xba, 0xf9, 0x0c, /* mov $RESET_CONTROL_PORT, %dx */
    0xb0, 0x06,       /* mov $6, %al: CONTROL_RESET and the kind */
    0xee,             /* out %al, %dx */
    0xf4,             /* hlt */
    0xeb, 0xfd,       /* jmp to the hlt */
};
_Static_assert(RESET_CONTROL_PORT == 0xcf9, "the code has it in two bytes");
_Static_assert(sizeof entry <= MIB - ENTRY, "it ends below 1 MB");

void reset_write_entry(const struct memory *memory)
{
    (void)!memory_write(memory, ENTRY, entry, sizeof entry);
}
