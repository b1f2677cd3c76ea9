/* ACPI's fixed registers; see acpi_pm.h. ACPI 6.3, 4.8.3.1 (events), 4.8.3.2 (control), 4.8.3.6
 * (reset), 4.8.4.1 (general-purpose events). The device is a row of bytes: a wider access is done
 * byte by byte. */
#include "dev/acpi_pm.h"

enum { STATUS = ACPI_PM_EVENT, ENABLE = ACPI_PM_EVENT + 2, CONTROL = ACPI_PM_CONTROL };

/* Bit 15 of the status register (table 4-15): the machine has left a sleeping state. */
enum { HIGH_WAKE = 0x80 };

/* Bits of the control register's low and high byte. */
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
    case ACPI_PM_GENERAL:
    case ACPI_PM_GENERAL + 1:
        return pm->state.general[at - ACPI_PM_GENERAL];
    default: /* the reset register is write-only */
        return 0;
    }
}

/* What a write to a register makes the machine do. */
enum wish { NOTHING, SLEEP, OFF, RESET };

/* The sleep bit starts the transition and is not stored. The tables announce no other sleeping
 * states: if the guest asks for one, the machine stays awake. */
static enum wish write_sleep(struct acpi_pm *pm, uint8_t value)
{
    unsigned type = value >> HIGH_TYPE_SHIFT & HIGH_TYPE_MASK;

    pm->state.control[1] = value & (uint8_t)~HIGH_SLEEP;
    if (!(value & HIGH_SLEEP))
        return NOTHING;
    return type == ACPI_PM_SLEEP_OFF ? OFF : type == ACPI_PM_SLEEP_RAM ? SLEEP : NOTHING;
}

static bool has_event(const struct acpi_pm *pm)
{
    return (pm->state.status[0] & pm->state.enable[0]) != 0 ||
           (pm->state.status[1] & pm->state.enable[1]) != 0 ||
           (pm->state.general[0] & pm->state.general[1]) != 0;
}

/* The interrupt is level-triggered: the line is up while an enabled event is pending. */
static void update_line(void *device)
{
    struct acpi_pm *pm = device;

    irq_set(&pm->irq, has_event(pm));
}

static enum wish write_byte(struct acpi_pm *pm, unsigned at, uint8_t value)
{
    switch (at) {
    case STATUS:
    case STATUS + 1: /* a one clears the bit */
        pm->state.status[at - STATUS] &= (uint8_t)~value;
        return NOTHING;
    case ENABLE:
    case ENABLE + 1:
        pm->state.enable[at - ENABLE] = value;
        return NOTHING;
    case CONTROL:
        pm->state.control[0] = value;
        return NOTHING;
    case CONTROL + 1:
        return write_sleep(pm, value);
    case ACPI_PM_GENERAL:
        pm->state.general[0] &= (uint8_t)~value;
        return NOTHING;
    case ACPI_PM_GENERAL + 1:
        pm->state.general[1] = value;
        return NOTHING;
    case ACPI_PM_RESET:
        return value == ACPI_PM_RESET_VALUE ? RESET : NOTHING;
    default:
        return NOTHING;
    }
}

/* An event that came before the machine slept could not wake it: check for one afterwards. */
static void fall_asleep(struct acpi_pm *pm)
{
    bool event;

    pm->backend->sleep(pm->backend->context);
    lock_take(&pm->lock);
    event = has_event(pm) || pm->pressed;
    lock_release(&pm->lock);
    if (event)
        pm->backend->awaken(pm->backend->context, 0);
}

static enum verdict acpi_pm_access(void *device, struct bus_access *access)
{
    struct acpi_pm *pm = device;
    const struct backend *backend = pm->backend;
    enum wish wish = NOTHING;

    lock_take(&pm->lock);
    for (unsigned i = 0; i < access->size && wish == NOTHING; i++) {
        unsigned at = (unsigned)access->offset + i;

        if (access->write)
            wish = write_byte(pm, at, access->data[i]);
        else
            access->data[i] = read_byte(pm, at);
    }
    if (wish == SLEEP)
        pm->pressed = false;
    update_line(pm);
    lock_release(&pm->lock);
    if (wish == SLEEP)
        fall_asleep(pm);
    if (wish == NOTHING || wish == SLEEP)
        return VERDICT_RESUME;
    backend->end(backend->context, wish == RESET ? END_RESET : END_EXIT, 0, NULL);
    return VERDICT_STOP;
}

/* The power button wakes the machine whether or not its event is enabled (4.8.2.2.1). */
void acpi_pm_happen(struct acpi_pm *pm, enum acpi_pm_event event)
{
    bool wakes;

    lock_take(&pm->lock);
    pm->state.status[1] |= (uint8_t)event;
    pm->pressed |= event == ACPI_PM_POWER_BUTTON;
    wakes = event == ACPI_PM_POWER_BUTTON || (pm->state.enable[1] & event);
    update_line(pm);
    lock_release(&pm->lock);
    if (wakes)
        pm->backend->awaken(pm->backend->context, event);
}

void acpi_pm_general(struct acpi_pm *pm, unsigned event)
{
    LOCK_FOR_BLOCK(&pm->lock);

    pm->state.general[0] |= (uint8_t)(1u << event);
    update_line(pm);
}

void acpi_pm_woken(struct acpi_pm *pm, enum acpi_pm_event cause)
{
    LOCK_FOR_BLOCK(&pm->lock);

    pm->state.status[1] |= (uint8_t)(HIGH_WAKE | cause);
    update_line(pm);
}

/* Each register is one word. */
static const char *const names[] = {"PM1_STS", "PM1_EN", "PM1_CNT", "RESET", "GPE0"};
static const struct bus_registers registers = {
    .read = BUS_NAMES(names), .written = BUS_NAMES(names), .stride = 2};

static const struct bus_state state = {
    .version = 4, BUS_STATE_OF(struct acpi_pm), .told = update_line};

const struct bus_ops acpi_pm_ops = {.name = "acpi-pm",
                                    .registers = &registers,
                                    .width = 4,
                                    .access = acpi_pm_access,
                                    .state = &state};

void acpi_pm_init(struct acpi_pm *pm, const struct backend *backend)
{
    *pm = (struct acpi_pm){.backend = backend,
                           .irq = {.backend = backend, .gsi = ACPI_PM_IRQ, .trigger = IRQ_LEVEL}};
    lock_init(&pm->lock);
}
