/* The machine a guest sees: its devices and where they are. */
#ifndef MACHINE_H
#define MACHINE_H

#include "base/config.h"
#include "dev/acpi_pm.h"
#include "dev/backend.h"
#include "dev/bus.h"
#include "dev/crtc.h"
#include "dev/debug_exit.h"
#include "dev/hypercall.h"
#include "dev/i8042.h"
#include "dev/reset.h"
#include "dev/rtc.h"
#include "dev/serial.h"

struct machine {
    struct bus bus;
    struct hypercall hypercall;
    struct debug_exit debug_exit;
    struct serial serial;
    struct rtc rtc;
    struct i8042 i8042;
    struct reset reset;
    struct acpi_pm acpi_pm;
    struct crtc crtc;
};

/* Creates every device of the table and claims its range. `backend` must live as long as the
 * machine. */
int machine_init(struct machine *machine, const struct guest_config *config,
                 const struct backend *backend, struct error *error) MUST_CHECK;

#endif
