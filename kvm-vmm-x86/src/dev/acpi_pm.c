/* ACPI's fixed registers; see acpi_pm.h. ACPI 6.3, 4.8.3.1 (events), 4.8.3.2 (control), 4.8.3.6
 * (reset). The device is a row of bytes: an access of any width is each of its bytes in turn. */
#include "dev/acpi_pm.h"

enum { ENABLE = ACPI_PM_EVENT + 2, CONTROL = ACPI_PM_CONTROL };

/* Of the control register's two bytes. */
enum { LOW_SCI_ENABLED = 0x01, HIGH_SLEEP = 0x20, HIGH_TYPE_SHIFT = 2, HIGH_TYPE_MASK = 7 };

static uint8_t read_byte(const struct acpi_pm *pm, unsigned at)
{
    switch (at) {
    case ENABLE:
    case ENABLE + 1:
        return pm->enable[at - ENABLE];
    case CONTROL:
        return pm->control[0] | LOW_SCI_ENABLED; /* always in ACPI mode: there is no other */
    case CONTROL + 1:
        return pm->control[1];
    default: /* no event has happened; the reset register is for writing */
        return 0;
    }
}

/* The sleep bit acts and does not stay. The other states are not announced: asked for one of them
 * the machine just stays awake. */
static enum verdict write_sleep(struct acpi_pm *pm, uint8_t value)
{
    pm->control[1] = value & (uint8_t)~HIGH_SLEEP;
    if (!(value & HIGH_SLEEP) || (value >> HIGH_TYPE_SHIFT & HIGH_TYPE_MASK) != ACPI_PM_SLEEP_OFF)
        return VERDICT_RESUME;
    pm->backend->end(pm->backend->context, END_EXIT, 0, NULL);
    return VERDICT_STOP;
}

static enum verdict write_reset(struct acpi_pm *pm, uint8_t value)
{
    if (value != ACPI_PM_RESET_VALUE)
        return VERDICT_RESUME;
    pm->backend->end(pm->backend->context, END_RESET, 0, NULL);
    return VERDICT_STOP;
}

static enum verdict write_byte(struct acpi_pm *pm, unsigned at, uint8_t value)
{
    switch (at) {
    case ENABLE:
    case ENABLE + 1:
        pm->enable[at - ENABLE] = value;
        return VERDICT_RESUME;
    case CONTROL:
        pm->control[0] = value;
        return VERDICT_RESUME;
    case CONTROL + 1:
        return write_sleep(pm, value);
    case ACPI_PM_RESET:
        return write_reset(pm, value);
    default: /* a one clears a status bit, and all are clear */
        return VERDICT_RESUME;
    }
}

static enum verdict acpi_pm_access(void *device, struct bus_access *access)
{
    struct acpi_pm *pm = device;

    for (unsigned i = 0; i < access->size; i++) {
        unsigned at = (unsigned)access->offset + i;

        if (!access->write)
            access->data[i] = read_byte(pm, at);
        else if (write_byte(pm, at, access->data[i]) == VERDICT_STOP)
            return VERDICT_STOP;
    }
    return VERDICT_RESUME;
}

/* A word each. */
static const char *const names[] = {"PM1_STS", "PM1_EN", "PM1_CNT", "RESET"};
static const struct bus_registers registers = {
    .read = BUS_NAMES(names), .written = BUS_NAMES(names), .stride = 2};

const struct bus_ops acpi_pm_ops = {
    .name = "acpi-pm", .registers = &registers, .width = 4, .access = acpi_pm_access};

void acpi_pm_init(struct acpi_pm *pm, const struct backend *backend)
{
    *pm = (struct acpi_pm){.backend = backend};
}
