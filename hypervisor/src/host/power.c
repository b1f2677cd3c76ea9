/* The machine's end; see power.h. */
#include "host/power.h"

#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/serial.h"

enum { FINISHER_FAIL = 0x3333, FINISHER_SECONDS = 10 };

/* OpenSBI reports a failure to an emulator's finisher device without a status other than 0, so this
 * writes to the device itself. The machine ends some moments later. The wait keeps OpenSBI from
 * replacing the status until then. */
static void finish_with_failure(void)
{
    uint64_t limit = hyp_time() + FINISHER_SECONDS * machine.timebase;

    if (machine.finisher.base == 0)
        return;
    *(volatile uint32_t *)machine.finisher.base = 1u << 16 | FINISHER_FAIL;
    while (hyp_time() < limit)
        ;
}

void power_off(bool failed)
{
    serial_flush();
    if (failed)
        finish_with_failure();
    firmware_shutdown(failed);
}
