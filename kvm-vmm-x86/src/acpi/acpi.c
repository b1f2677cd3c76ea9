/* The ACPI tables except the DSDT; see acpi.h. ACPI 6.3, 5.2.5 to 5.2.12. */
#include "acpi/acpi.h"

#include <string.h>

#include "acpi/dsdt.h"
#include "acpi/writer.h"
#include "dev/acpi_pm.h"
#include "dev/watchdog.h"

enum { SPACE_IO = 1, WIDTH_8 = 8, WIDTH_16 = 16, WIDTH_32 = 32 };
enum { ACCESS_BYTE = 1, ACCESS_WORD = 2, ACCESS_DWORD = 3 };

/* 5.2.3.2: where a register is. */
struct register_address {
    uint8_t space, width, offset, access;
    uint64_t address;
} __attribute__((packed));

/* Table 5-27. The first checksum is that of version 1, which ended before `length`. */
struct root_pointer {
    char signature[8] ACPI_LETTERS;
    uint8_t checksum;
    char oem[6] ACPI_LETTERS;
    uint8_t revision;
    uint32_t rsdt, length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} __attribute__((packed));

enum { ROOT_POINTER_V1 = offsetof(struct root_pointer, length) };

/* Table 5-36: a PC shares it with its firmware; here the VMM reads the waking vector. The table is
 * at ACPI_FACS. */
struct facs {
    char signature[4] ACPI_LETTERS;
    uint32_t length, hardware_signature, waking_vector, global_lock, flags;
    uint64_t x_waking_vector;
    uint8_t version, reserved[31];
} __attribute__((packed));

/* Table 5-33, behind the common header. Registers are given twice: by port, and as addresses. */
struct fadt_body {
    uint32_t facs, dsdt;
    uint8_t reserved, profile;
    uint16_t sci;
    uint32_t smi_command;
    uint8_t smi[4];
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe[2];
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    uint8_t gpe_lengths[3], c_state_control;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, rtc_day_alarm, rtc_month_alarm, rtc_century;
    uint16_t boot_flags;
    uint8_t reserved2;
    uint32_t flags;
    struct register_address reset;
    uint8_t reset_value;
    uint16_t arm_boot_flags;
    uint8_t minor_version;
    uint64_t x_facs, x_dsdt;
    struct register_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control,
        x_pm2_control, x_pm_timer, x_gpe[2], sleep_control, sleep_status;
    uint8_t hypervisor[8];
} __attribute__((packed));

_Static_assert(sizeof(struct root_pointer) == 36 && ROOT_POINTER_V1 == 20, "table 5-27");
_Static_assert(sizeof(struct facs) == 64, "table 5-36");
_Static_assert(sizeof(struct fadt_body) == 276 - 36, "table 5-33");
_Static_assert(offsetof(struct fadt_body, reset) == 116 - 36, "table 5-33");

enum { FADT_VERSION = 6, FADT_MINOR = 3, MADT_VERSION = 4, XSDT_VERSION = 1, MCFG_VERSION = 1 };
enum { PROFILE_DESKTOP = 1, C2_NONE = 0x65, C3_NONE = 0x3e9, RTC_CENTURY = 0x32 };

/* Fixed feature flags (table 5-34) and boot architecture flags (table 5-35). */
enum {
    WBINVD = 1 << 0,
    C1_SUPPORTED = 1 << 2,
    SLEEP_BUTTON_NOT_FIXED = 1 << 5,
    RESET_REGISTER = 1 << 10,
    HEADLESS = 1 << 12,
};
enum { BOOT_LEGACY_DEVICES = 1 << 0, BOOT_8042 = 1 << 1, BOOT_NO_VGA = 1 << 2 };

/* MADT entries: tables 5-45 to 5-50. */
enum { MADT_PC_PICS = 1, MADT_CPU = 0, MADT_IO_APIC = 1, MADT_OVERRIDE = 2, MADT_NMI = 4 };
enum { CPU_ENABLED = 1, ALL_CPUS = 0xff, NMI_PIN = 1, ACTIVE_HIGH_LEVEL = 0xd };

static struct register_address port(unsigned offset, uint8_t width)
{
    return (struct register_address){.space = SPACE_IO,
                                     .width = width,
                                     .access = width == WIDTH_8 ? ACCESS_BYTE : ACCESS_WORD,
                                     .address = ACPI_PM_PORT + offset};
}

static gpa_t write_facs(struct acpi_writer *writer)
{
    gpa_t at = acpi_align(writer, 64);
    struct facs facs = {.signature = "FACS", .length = sizeof facs, .version = 2};

    acpi_put(writer, &facs, sizeof facs);
    return at;
}

static bool has_keyboard(const struct acpi_machine *machine)
{
    for (unsigned i = 0; i < machine->device_count; i++)
        if (strcmp(machine->devices[i].identity, ACPI_IDENTITY_KEYBOARD) == 0)
            return true;
    return false;
}

/* The machine is in ACPI mode from the start (4.8.2.5), so there is no SMI command to enter it. */
static gpa_t write_fadt(struct acpi_writer *writer, const struct acpi_machine *machine, gpa_t facs,
                        gpa_t dsdt)
{
    gpa_t table = acpi_table_begin(writer, "FACP", FADT_VERSION);
    struct fadt_body fadt = {
        .facs = (uint32_t)facs,
        .dsdt = (uint32_t)dsdt,
        .profile = PROFILE_DESKTOP,
        .sci = ACPI_PM_IRQ,
        .pm1a_event = ACPI_PM_PORT + ACPI_PM_EVENT,
        .pm1a_control = ACPI_PM_PORT + ACPI_PM_CONTROL,
        .pm1_event_length = ACPI_PM_EVENT_LENGTH,
        .pm1_control_length = ACPI_PM_CONTROL_LENGTH,
        .gpe = {ACPI_PM_PORT + ACPI_PM_GENERAL},
        .gpe_lengths = {ACPI_PM_GENERAL_LENGTH},
        .c2_latency = C2_NONE,
        .c3_latency = C3_NONE,
        .rtc_century = RTC_CENTURY,
        .boot_flags = BOOT_LEGACY_DEVICES | BOOT_NO_VGA | (has_keyboard(machine) ? BOOT_8042 : 0),
        .flags = WBINVD | C1_SUPPORTED | SLEEP_BUTTON_NOT_FIXED | RESET_REGISTER | HEADLESS,
        .reset = port(ACPI_PM_RESET, WIDTH_8),
        .reset_value = ACPI_PM_RESET_VALUE,
        .minor_version = FADT_MINOR,
        .x_dsdt = dsdt,
        .x_pm1a_event = port(ACPI_PM_EVENT, WIDTH_32),
        .x_pm1a_control = port(ACPI_PM_CONTROL, WIDTH_16),
        .x_gpe = {{.space = SPACE_IO,
                   .width = WIDTH_16,
                   .access = ACCESS_BYTE,
                   .address = ACPI_PM_PORT + ACPI_PM_GENERAL}},
    };

    acpi_put(writer, &fadt, sizeof fadt);
    acpi_table_end(writer, table);
    return table;
}

/* KVM's I/O APIC has ID 0 after a reset. Interrupt n is at pin n, the timer's too. */
static void put_interrupt_controllers(struct acpi_writer *writer)
{
    acpi_put_bytes(writer, MADT_IO_APIC, 12, 0, 0); /* number 0 */
    acpi_put_number(writer, ACPI_IO_APIC, 4);
    acpi_put_number(writer, 0, 4); /* its first interrupt */

    /* ISA interrupts are edge-triggered; ACPI's own, the SCI, is level-triggered. */
    acpi_put_bytes(writer, MADT_OVERRIDE, 10, 0, ACPI_PM_IRQ);
    acpi_put_number(writer, ACPI_PM_IRQ, 4);
    acpi_put_number(writer, ACTIVE_HIGH_LEVEL, 2);

    /* Flags 0: polarity and trigger mode conform to the bus. */
    acpi_put_bytes(writer, MADT_NMI, 6, ALL_CPUS, 0, 0, NMI_PIN);
}

static gpa_t write_madt(struct acpi_writer *writer, const struct acpi_machine *machine)
{
    gpa_t table = acpi_table_begin(writer, "APIC", MADT_VERSION);

    acpi_put_number(writer, ACPI_LOCAL_APIC, 4);
    acpi_put_number(writer, MADT_PC_PICS, 4);
    for (unsigned i = 0; i < machine->cpus; i++) { /* processor ID as in the DSDT, local APIC ID */
        acpi_put_bytes(writer, MADT_CPU, 8, (uint8_t)i, (uint8_t)i);
        acpi_put_number(writer, CPU_ENABLED, 4);
    }
    put_interrupt_controllers(writer);
    acpi_table_end(writer, table);
    return table;
}

/* PCI Firmware Specification 3.0, 4.1.2: where configuration space is in memory. */
static gpa_t write_mcfg(struct acpi_writer *writer)
{
    gpa_t table = acpi_table_begin(writer, "MCFG", MCFG_VERSION);

    acpi_put_number(writer, 0, 8);
    acpi_put_number(writer, PCI_MEMORY_BASE, 8);
    acpi_put_number(writer, 0, 8); /* segment 0, of buses 0 to 0 */
    acpi_table_end(writer, table);
    return table;
}

/* WDAT: each action is an instruction on a register (Hardware Watchdog Timers Design Specification,
 * 4). READ_VALUE tests whether the register has the value; the others read or write it. */
enum { WDAT_READ_VALUE, WDAT_READ_COUNT, WDAT_WRITE_VALUE, WDAT_WRITE_COUNT };
enum { WDAT_VERSION = 1, WDAT_HEADER = 32, WDAT_NO_PCI = 0xff, WDAT_ENABLED = 1 };

struct wdat_entry {
    uint8_t action, instruction;
    uint16_t reserved;
    struct register_address address;
    uint32_t value, mask;
} __attribute__((packed));

_Static_assert(sizeof(struct wdat_entry) == 24, "WDAT, 4.2");

static gpa_t write_wdat(struct acpi_writer *writer)
{
    static const struct {
        uint8_t action, instruction, at;
        uint32_t value;
    } actions[] = {
        {1, WDAT_WRITE_VALUE, WATCHDOG_FEED, 1},     {4, WDAT_READ_COUNT, WATCHDOG_COUNT, 0},
        {5, WDAT_READ_COUNT, WATCHDOG_PERIOD, 0},    {6, WDAT_WRITE_COUNT, WATCHDOG_PERIOD, 0},
        {8, WDAT_READ_VALUE, WATCHDOG_RUNNING, 1},  /* is it running? */
        {9, WDAT_WRITE_VALUE, WATCHDOG_RUNNING, 1}, /* start */
        {10, WDAT_READ_VALUE, WATCHDOG_RUNNING, 0}, /* is it stopped? */
        {11, WDAT_WRITE_VALUE, WATCHDOG_RUNNING, 0},
    };
    enum { ACTIONS = sizeof actions / sizeof actions[0] };
    gpa_t table = acpi_table_begin(writer, "WDAT", WDAT_VERSION);

    acpi_put_number(writer, WDAT_HEADER, 4);
    acpi_put_number(writer, WDAT_NO_PCI, 2); /* segment; bus, device and function: */
    acpi_put_bytes(writer, WDAT_NO_PCI, WDAT_NO_PCI, WDAT_NO_PCI, 0, 0, 0);
    acpi_put_number(writer, WATCHDOG_TICK_MS, 4);
    acpi_put_number(writer, WATCHDOG_TICKS_MAX, 4);
    acpi_put_number(writer, WATCHDOG_TICKS_MIN, 4);
    acpi_put_number(writer, WDAT_ENABLED, 4);
    acpi_put_number(writer, ACTIONS, 4);
    for (unsigned i = 0; i < ACTIONS; i++) {
        struct wdat_entry entry = {.action = actions[i].action,
                                   .instruction = actions[i].instruction,
                                   .address = {.space = SPACE_IO,
                                               .width = WIDTH_32,
                                               .access = ACCESS_DWORD,
                                               .address = (uint64_t)WATCHDOG_PORT + actions[i].at},
                                   .value = actions[i].value,
                                   .mask = UINT32_MAX};

        acpi_put(writer, &entry, sizeof entry);
    }
    acpi_table_end(writer, table);
    return table;
}

/* `mcfg`, `wdat`: 0 without such a table. */
static gpa_t write_xsdt(struct acpi_writer *writer, gpa_t fadt, gpa_t madt, gpa_t mcfg, gpa_t wdat)
{
    gpa_t table = acpi_table_begin(writer, "XSDT", XSDT_VERSION);

    acpi_put_number(writer, fadt, 8);
    acpi_put_number(writer, madt, 8);
    if (mcfg != 0)
        acpi_put_number(writer, mcfg, 8);
    if (wdat != 0)
        acpi_put_number(writer, wdat, 8);
    acpi_table_end(writer, table);
    return table;
}

static struct root_pointer make_root_pointer(gpa_t xsdt)
{
    struct root_pointer root = {.signature = "RSD PTR ",
                                .oem = "KVMVMM",
                                .revision = 2,
                                .length = sizeof root,
                                .xsdt = xsdt};

    root.checksum = acpi_checksum((const uint8_t *)&root, ROOT_POINTER_V1);
    root.extended_checksum = acpi_checksum((const uint8_t *)&root, sizeof root);
    return root;
}

static int check(const struct acpi_machine *machine, struct error *error)
{
    if (machine->cpus < 1 || machine->cpus > ACPI_CPUS_MAX)
        return error_set(error, "ACPI: %u CPUs; there may be 1 to %d", machine->cpus,
                         ACPI_CPUS_MAX);
    if (machine->device_count > ACPI_DEVICES_MAX)
        return error_set(error, "ACPI: %u devices; there may be %d", machine->device_count,
                         ACPI_DEVICES_MAX);
    return 0;
}

int acpi_write_tables(struct acpi_writer *writer, const struct acpi_machine *machine,
                      struct acpi_places *at, struct error *error)
{
    struct root_pointer pointer = {0};
    gpa_t madt, mcfg, wdat;

    if (check(machine, error) < 0)
        return -1;
    acpi_put(writer, &pointer, sizeof pointer); /* reserves its place; filled in below */
    at->facs = write_facs(writer);
    at->dsdt = acpi_write_dsdt(writer, machine);
    at->fadt = write_fadt(writer, machine, at->facs, at->dsdt);
    madt = write_madt(writer, machine);
    mcfg = machine->pci != NULL ? write_mcfg(writer) : 0;
    wdat = machine->watchdog ? write_wdat(writer) : 0;
    at->xsdt = write_xsdt(writer, at->fadt, madt, mcfg, wdat);
    at->end = writer->base + writer->used;
    if (writer->full)
        return error_set(error, "ACPI: the tables are larger than %lu bytes", ACPI_AREA_SIZE);
    pointer = make_root_pointer(at->xsdt);
    memcpy(writer->host, &pointer, sizeof pointer);
    return 0;
}

int acpi_write(const struct memory *memory, const struct acpi_machine *machine, gpa_t *root,
               struct error *error)
{
    struct acpi_writer writer = {.host = memory_at(memory, ACPI_AREA, ACPI_AREA_SIZE),
                                 .base = ACPI_AREA,
                                 .room = ACPI_AREA_SIZE};
    struct acpi_places at;

    if (writer.host == NULL)
        return error_set(error, "ACPI: there is no RAM at %#lx for its tables", ACPI_AREA);
    *root = ACPI_AREA;
    return acpi_write_tables(&writer, machine, &at, error);
}
