/* The device table: what stands where. To add a device, add its state to struct machine and a row
 * here. */
#include "vm/machine.h"

#include <stddef.h>

#include "abi/debug_exit.h"
#include "abi/hypercall.h"

static const struct {
    enum bus_space space;
    uint64_t base, length;
    const struct bus_ops *ops;
    size_t state; /* where the device lives in struct machine */
} devices[] = {
    {BUS_PIO, I8042_DATA_PORT, 1, &i8042_data_ops, offsetof(struct machine, i8042)},
    {BUS_PIO, I8042_COMMAND_PORT, 1, &i8042_command_ops, offsetof(struct machine, i8042)},
    {BUS_PIO, RESET_SYSTEM_PORT, 1, &reset_system_ops, offsetof(struct machine, reset)},
    {BUS_PIO, RESET_CONTROL_PORT, 1, &reset_control_ops, offsetof(struct machine, reset)},
    {BUS_PIO, RTC_PORT, RTC_PORTS, &rtc_ops, offsetof(struct machine, rtc)},
    {BUS_PIO, DEBUG_EXIT_PORT, 4, &debug_exit_ops, offsetof(struct machine, debug_exit)},
    {BUS_PIO, CRTC_PORT, CRTC_PORTS, &crtc_ops, offsetof(struct machine, crtc)},
    {BUS_PIO, SERIAL_PORT, SERIAL_PORTS, &serial_ops, offsetof(struct machine, serial)},
    {BUS_PIO, ACPI_PM_PORT, ACPI_PM_PORTS, &acpi_pm_ops, offsetof(struct machine, acpi_pm)},
    {BUS_PIO, HC_PORT, 1, &hypercall_ops, offsetof(struct machine, hypercall)},
};

int machine_init(struct machine *machine, const struct guest_config *config,
                 const struct backend *backend, struct error *error)
{
    machine->bus = (struct bus){0};
    hypercall_init(&machine->hypercall, backend);
    debug_exit_init(&machine->debug_exit, backend);
    i8042_init(&machine->i8042, backend);
    reset_init(&machine->reset, backend);
    acpi_pm_init(&machine->acpi_pm, backend);
    crtc_init(&machine->crtc);
    rtc_init(&machine->rtc, backend->seconds);
    serial_init(&machine->serial, backend, !config->no_ctrl_d && !config->text_screen);
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (bus_claim(&machine->bus, devices[i].space, devices[i].base, devices[i].length,
                      devices[i].ops, (char *)machine + devices[i].state, error) < 0)
            return -1;
    return 0;
}
