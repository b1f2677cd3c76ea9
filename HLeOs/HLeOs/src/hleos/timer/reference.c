/* IA-PC HPET specification 1.0a, 2.3; the 8254: common/pc/pit.h. See reference.h. */
#include "timer/reference.h"

#include <stddef.h>

#include "common/pc/pit.h"
#include "interrupt/acpi.h"
#include "memory/paging.h"
#include "panic.h"

enum { HPET_CAPABILITIES = 0, HPET_CONFIGURATION = 2, HPET_COUNTER = 30 }; /* in 64-bit words */
enum { HPET_ENABLE = 1, HPET_SIZE = 1024, HPET_PERIOD_MAX = 100000000 };

#define FS_PER_US UINT64_C(1000000000)
#define LOOKS     UINT64_C(500000000)

/* HPET specification 3.2.4. */
struct hpet_table {
    struct acpi_header header;
    uint32_t block;
    uint8_t space, width, offset, access;
    uint64_t address;
} __attribute__((packed));

static volatile uint64_t *hpet;
static uint64_t hpet_period; /* femtoseconds a count */

bool reference_hpet_init(void)
{
    const struct hpet_table *table = (const struct hpet_table *)acpi_find("HPET");

    if (table == NULL || table->header.length < sizeof *table || table->space != 0)
        return false;
    hpet = paging_map_device(PHYS(table->address), HPET_SIZE, PAGING_WRITE | PAGING_UNCACHED);
    if (hpet == NULL)
        return false;
    hpet_period = hpet[HPET_CAPABILITIES] >> 32;
    if (hpet_period == 0 || hpet_period > HPET_PERIOD_MAX)
        return false;
    hpet[HPET_CONFIGURATION] = hpet[HPET_CONFIGURATION] | HPET_ENABLE;
    return true;
}

uint64_t reference_hpet_wait(uint64_t us)
{
    uint32_t start = (uint32_t)hpet[HPET_COUNTER], passed = 0; /* some are 32 bits wide */
    uint32_t wanted = (uint32_t)(us * FS_PER_US / hpet_period);

    for (uint64_t look = 0; passed < wanted; look++) {
        if (look == LOOKS)
            panic("the HPET stands still");
        passed = (uint32_t)hpet[HPET_COUNTER] - start;
    }
    return passed * hpet_period / FS_PER_US;
}

uint64_t reference_pit_wait(uint64_t us)
{
    uint64_t wanted = us * PC_PIT_HZ / 1000000, passed = 0;
    uint16_t last;

    pc_pit_start(PC_PIT_LONGEST);
    last = pc_pit_read();
    for (uint64_t look = 0; passed < wanted; look++) {
        uint16_t now = pc_pit_read();

        if (look == LOOKS)
            panic("the PIT stands still");
        passed += (uint16_t)(last - now); /* it counts down */
        last = now;
    }
    return passed * 1000000 / PC_PIT_HZ;
}

void reference_pit_periodic(unsigned hz)
{
    pc_pit_start((PC_PIT_HZ + hz / 2) / hz);
}
