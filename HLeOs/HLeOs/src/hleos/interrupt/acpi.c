/* ACPI 6.4, 5.2.5 to 5.2.8: root pointer, RSDT and XSDT. Tables are mapped when they are read, and
 * stay mapped. The firmware is not trusted: lengths are bounded and checksums tested. */
#include "interrupt/acpi.h"

#include "common/string.h"
#include "memory/paging.h"

enum { TABLE_MAX = 1 << 20, TABLES_MAX = 128 };
enum { EBDA_SEGMENT = 0x40e, BIOS_AREA = 0xe0000, BIOS_AREA_SIZE = 0x20000, EBDA_SIZE = 1024 };

/* ACPI 6.4, table 5.3. */
struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} __attribute__((packed));

enum { RSDP_V1 = 20 };

static const struct acpi_header *tables[TABLES_MAX];
static unsigned table_count, revision;

static bool sum_is_zero(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    uint8_t sum = 0;

    while (size-- > 0)
        sum = (uint8_t)(sum + *p++);
    return sum == 0;
}

static const struct acpi_header *map_table(uint64_t at)
{
    const struct acpi_header *header = paging_map_device(PHYS(at), sizeof *header, 0);
    uint32_t length;

    if (at == 0 || header == NULL)
        return NULL;
    length = header->length;
    if (length < sizeof *header || length > TABLE_MAX)
        return NULL;
    header = paging_map_device(PHYS(at), length, 0);
    return header != NULL && sum_is_zero(header, length) ? header : NULL;
}

static const struct rsdp *scan(uint64_t from, size_t size)
{
    const char *area = paging_map_device(PHYS(from), size, 0);

    for (size_t at = 0; area != NULL && at + sizeof(struct rsdp) <= size; at += 16)
        if (memcmp(area + at, "RSD PTR ", 8) == 0 && sum_is_zero(area + at, RSDP_V1))
            return (const struct rsdp *)(area + at);
    return NULL;
}

static const struct rsdp *find_rsdp(uint64_t told)
{
    const uint16_t *ebda;
    const struct rsdp *rsdp = NULL;

    if (told != 0)
        return scan(told, sizeof(struct rsdp));
    ebda = paging_map_device(PHYS(EBDA_SEGMENT), sizeof *ebda, 0);
    if (ebda != NULL && *ebda != 0)
        rsdp = scan((uint64_t)*ebda << 4, EBDA_SIZE);
    return rsdp != NULL ? rsdp : scan(BIOS_AREA, BIOS_AREA_SIZE);
}

unsigned acpi_init(uint64_t told)
{
    const struct rsdp *rsdp = find_rsdp(told);
    bool wide = rsdp != NULL && rsdp->revision >= 2 && rsdp->xsdt != 0;
    const struct acpi_header *root = NULL;
    size_t width = wide ? sizeof(uint64_t) : sizeof(uint32_t);

    if (rsdp != NULL)
        root = map_table(wide ? rsdp->xsdt : rsdp->rsdt);
    if (root == NULL)
        return 0;
    for (size_t at = sizeof *root; at + width <= root->length && table_count < TABLES_MAX;
         at += width) {
        uint64_t address = 0;

        memcpy(&address, (const char *)root + at, width);
        tables[table_count] = map_table(address);
        if (tables[table_count] != NULL)
            table_count++;
    }
    revision = rsdp->revision;
    return table_count;
}

unsigned acpi_revision(void)
{
    return revision;
}

const struct acpi_header *acpi_find(const char *signature)
{
    for (unsigned i = 0; i < table_count; i++)
        if (memcmp(tables[i]->signature, signature, sizeof tables[i]->signature) == 0)
            return tables[i];
    return NULL;
}

/* The address of the DSDT is in the FADT, not in the RSDT or XSDT (ACPI 6.4, 5.2.9). */
const struct acpi_header *acpi_devices(void)
{
    enum { DSDT = 40, DSDT_WIDE = 140 };
    const struct acpi_header *fixed = acpi_find("FACP");
    uint32_t narrow = 0;
    uint64_t wide = 0;

    if (fixed == NULL)
        return NULL;
    if (fixed->length >= DSDT + sizeof narrow)
        memcpy(&narrow, (const char *)fixed + DSDT, sizeof narrow);
    if (fixed->length >= DSDT_WIDE + sizeof wide)
        memcpy(&wide, (const char *)fixed + DSDT_WIDE, sizeof wide);
    return map_table(wide != 0 ? wide : narrow);
}
