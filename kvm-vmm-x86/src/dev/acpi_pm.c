/* ACPI's fixed registers; see acpi_pm.h. ACPI 6.3, 4.8.3.1 (events), 4.8.3.2 (control), 4.8.3.6
 * (reset). The device is a row of bytes: an access of any width is each of its bytes in turn. */
#include "dev/acpi_pm.h"

enum { VERSION = 2 }; /* of the saved state */
enum { STATUS = ACPI_PM_EVENT, ENABLE = ACPI_PM_EVENT + 2, CONTROL = ACPI_PM_CONTROL };

/* Bit 8 of the status and enable registers (tables 4-15 and 4-16): the power button. */
enum { HIGH_POWER_BUTTON = 0x01 };

/* Of the control register's two bytes. */
enum { LOW_SCI_ENABLED = 0x01, HIGH_SLEEP = 0x20, HIGH_TYPE_SHIFT = 2, HIGH_TYPE_MASK = 7 };

static uint8_t read_byte(const struct acpi_pm *pm, unsigned at)
{
    switch (at) {
    case STATUS:
    case STATUS + 1:
        return pm->state.status[at - STATUS];
    case ENABLE:
    case ENABLE + 1:
        return pm->state.enable[at - ENABLE];
    case CONTROL:
        return pm->state.control[0] | LOW_SCI_ENABLED; /* always in ACPI mode: there is no other */
    case CONTROL + 1:
        return pm->state.control[1];
    default: /* the reset register is for writing */
        return 0;
    }
}

/* The sleep bit acts and does not stay. The other states are not announced: asked for one of them
 * the machine just stays awake. */
static enum end_kind write_sleep(struct acpi_pm *pm, uint8_t value)
{
    pm->state.control[1] = value & (uint8_t)~HIGH_SLEEP;
    if (!(value & HIGH_SLEEP) || (value >> HIGH_TYPE_SHIFT & HIGH_TYPE_MASK) != ACPI_PM_SLEEP_OFF)
        return END_NONE;
    return END_EXIT;
}

/* The interrupt is level-triggered: up while an event has happened that the guest wants to know. */
static void update_line(struct acpi_pm *pm)
{
    irq_set(&pm->irq, (pm->state.status[0] & pm->state.enable[0]) != 0 ||
                          (pm->state.status[1] & pm->state.enable[1]) != 0);
}

/* What the guest asks for by it. */
static enum end_kind write_byte(struct acpi_pm *pm, unsigned at, uint8_t value)
{
    switch (at) {
    case STATUS:
    case STATUS + 1: /* a one clears the bit */
        pm->state.status[at - STATUS] &= (uint8_t)~value;
        return END_NONE;
    case ENABLE:
    case ENABLE + 1:
        pm->state.enable[at - ENABLE] = value;
        return END_NONE;
    case CONTROL:
        pm->state.control[0] = value;
        return END_NONE;
    case CONTROL + 1:
        return write_sleep(pm, value);
    case ACPI_PM_RESET:
        return value == ACPI_PM_RESET_VALUE ? END_RESET : END_NONE;
    default:
        return END_NONE;
    }
}

static enum verdict acpi_pm_access(void *device, struct bus_access *access)
{
    struct acpi_pm *pm = device;
    enum end_kind end = END_NONE;

    lock_take(&pm->lock);
    for (unsigned i = 0; i < access->size && end == END_NONE; i++) {
        unsigned at = (unsigned)access->offset + i;

        if (access->write)
            end = write_byte(pm, at, access->data[i]);
        else
            access->data[i] = read_byte(pm, at);
    }
    update_line(pm);
    lock_release(&pm->lock);
    if (end == END_NONE)
        return VERDICT_RESUME;
    pm->backend->end(pm->backend->context, end, 0, NULL);
    return VERDICT_STOP;
}

static void acpi_pm_reset(void *device)
{
    struct acpi_pm *pm = device;
    LOCK_FOR_BLOCK(&pm->lock);

    pm->state = (struct acpi_pm_state){0};
    update_line(pm);
}

static void acpi_pm_save(void *device, const char *name, struct chunk_writer *writer)
{
    struct acpi_pm *pm = device;
    LOCK_FOR_BLOCK(&pm->lock);

    chunk_write(writer, name, VERSION, &pm->state, sizeof pm->state);
}

static int acpi_pm_load(void *device, const struct chunk *chunk, struct error *error)
{
    struct acpi_pm *pm = device;
    struct acpi_pm_state state;

    if (chunk_copy(chunk, VERSION, &state, sizeof state, error) < 0)
        return -1;
    lock_take(&pm->lock);
    pm->state = state;
    update_line(pm);
    lock_release(&pm->lock);
    return 0;
}

void acpi_pm_press(struct acpi_pm *pm)
{
    LOCK_FOR_BLOCK(&pm->lock);

    pm->state.status[1] |= HIGH_POWER_BUTTON;
    update_line(pm);
}

/* A word each. */
static const char *const names[] = {"PM1_STS", "PM1_EN", "PM1_CNT", "RESET"};
static const struct bus_registers registers = {
    .read = BUS_NAMES(names), .written = BUS_NAMES(names), .stride = 2};

const struct bus_ops acpi_pm_ops = {.name = "acpi-pm",
                                    .registers = &registers,
                                    .width = 4,
                                    .access = acpi_pm_access,
                                    .reset = acpi_pm_reset,
                                    .save = acpi_pm_save,
                                    .load = acpi_pm_load};

void acpi_pm_init(struct acpi_pm *pm, const struct backend *backend)
{
    *pm = (struct acpi_pm){.backend = backend,
                           .irq = {.backend = backend, .gsi = ACPI_PM_IRQ, .trigger = IRQ_LEVEL}};
    lock_init(&pm->lock);
}
