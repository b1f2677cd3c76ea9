/* Unit tests of acpi/: they follow the tables from the root pointer as a kernel does, and iasl, if
 * installed, disassembles each of them without errors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acpi/acpi.h"
#include "acpi/files.h"
#include "acpi/writer.h"
#include "cmocka_all.h"
#include "dev/acpi_pm.h"

enum { RAM_SIZE = 0x100000, HEADER = 36 };

static uint8_t ram[RAM_SIZE];
static struct memory memory;

static uint64_t number(gpa_t at, unsigned width)
{
    uint64_t value = 0;

    assert_true(memory_read(&memory, at, &value, width));
    return value;
}

static void assert_sum_is_zero(gpa_t at, uint64_t count)
{
    uint8_t sum = 0;

    for (uint64_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + ram[at + i]);
    assert_int_equal(sum, 0);
}

/* A machine with a device of each kind. */
static const struct acpi_machine whole = {
    .cpus = 1,
    .devices = {{"KBD_", ACPI_IDENTITY_KEYBOARD, {{0x60, 1}, {0x64, 1}}, 2, 1},
                {"RTC_", "PNP0B00", {{0x70, 2}}, 1, 0},
                {"COM1", "PNP0501", {{0x3f8, 8}}, 1, 4},
                {"VGEN", "KVMM0001", {{0xd0080000, 16}}, 1, .memory = true, .generation = true}},
    .device_count = 4};

static gpa_t write_tables(const struct acpi_machine *machine)
{
    struct error error;
    gpa_t root = 0;

    memset(ram, 0xee, sizeof ram);
    memory_init(&memory, 0, sizeof ram, ram);
    assert_int_equal(acpi_write(&memory, machine, &root, &error), 0);
    return root;
}

/* Checks a table's signature, checksum and address, and returns its length. */
static uint32_t check_table(gpa_t at, const char *signature)
{
    uint32_t length = (uint32_t)number(at + 4, 4);

    assert_memory_equal(ram + at, signature, 4);
    assert_true(length >= HEADER && at >= ACPI_AREA && at + length <= ACPI_AREA + ACPI_AREA_SIZE);
    assert_sum_is_zero(at, length);
    return length;
}

/* The table's address, from root pointer and XSDT. */
static gpa_t find(gpa_t root, const char *signature)
{
    gpa_t xsdt = number(root + 24, 8);
    uint32_t length = check_table(xsdt, "XSDT");

    for (gpa_t at = xsdt + HEADER; at < xsdt + length; at += 8)
        if (memcmp(ram + number(at, 8), signature, 4) == 0)
            return number(at, 8);
    fail_msg("no %s", signature);
    return 0;
}

static void test_root_pointer(void **state)
{
    gpa_t root = write_tables(&(struct acpi_machine){.cpus = 1});

    (void)state;
    assert_true(root % 16 == 0 && root >= 0xe0000 && root < 0x100000);
    assert_memory_equal(ram + root, "RSD PTR ", 8);
    assert_int_equal(ram[root + 15], 2);
    assert_sum_is_zero(root, 20);
    assert_sum_is_zero(root, 36);
    assert_int_equal(ram[ACPI_AREA - 1], 0xee);
    assert_int_equal(ram[ACPI_AREA + ACPI_AREA_SIZE], 0xee);
}

static void test_fadt(void **state)
{
    gpa_t fadt = find(write_tables(&(struct acpi_machine){.cpus = 1}), "FACP");
    gpa_t facs = number(fadt + 36, 4), dsdt = number(fadt + 40, 4);

    (void)state;
    assert_int_equal(check_table(fadt, "FACP"), 276);
    assert_memory_equal(ram + facs, "FACS", 4);
    assert_int_equal(facs, ACPI_FACS);
    assert_int_equal(facs % 64, 0);
    check_table(dsdt, "DSDT");
    assert_int_equal(number(fadt + 140, 8), dsdt);
    assert_int_equal(number(fadt + 56, 4), ACPI_PM_PORT + ACPI_PM_EVENT);
    assert_int_equal(number(fadt + 64, 4), ACPI_PM_PORT + ACPI_PM_CONTROL);
    assert_int_equal(number(fadt + 120, 8), ACPI_PM_PORT + ACPI_PM_RESET);
    assert_int_equal(ram[fadt + 128], ACPI_PM_RESET_VALUE);
    assert_int_equal(number(fadt + 109, 2) & 2, 0);
    fadt = find(write_tables(&whole), "FACP");
    assert_int_equal(number(fadt + 109, 2) & 2, 2);
}

/* Entries by type; they must fill the table exactly. */
static void count_entries(gpa_t madt, unsigned counts[16])
{
    gpa_t end = madt + check_table(madt, "APIC"), at = madt + HEADER + 8;

    while (at < end) {
        assert_true(ram[at] < 16 && ram[at + 1] >= 2);
        if (ram[at] == 0) {
            assert_int_equal(ram[at + 2], counts[0]);
            assert_int_equal(ram[at + 3], counts[0]);
            assert_int_equal(number(at + 4, 4), 1);
        }
        counts[ram[at]]++;
        at += ram[at + 1];
    }
    assert_int_equal(at, end);
}

static void test_madt(void **state)
{
    static const unsigned cpus[] = {1, 2, 4, ACPI_CPUS_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof cpus / sizeof cpus[0]; i++) {
        gpa_t madt = find(write_tables(&(struct acpi_machine){.cpus = cpus[i]}), "APIC");
        unsigned counts[16] = {0};

        count_entries(madt, counts);
        assert_int_equal(counts[0], cpus[i]);
        assert_int_equal(counts[1], 1);
        assert_int_equal(counts[2], 1);
        assert_int_equal(counts[4], 1);
        assert_int_equal(number(madt + HEADER, 4), ACPI_LOCAL_APIC);
    }
}

static void test_pci(void **state)
{
    static struct pci pci;
    static struct pci_function function = {.gsi = 18};
    static const struct pci_identity identity = {.vendor = 1};
    const struct acpi_machine machine = {.cpus = 2, .pci = &pci};
    gpa_t mcfg;

    (void)state;
    pci_init(&pci, NULL, RAM_SIZE, 36);
    pci_add(&pci, 3, &function, &identity);
    mcfg = find(write_tables(&machine), "MCFG");
    assert_int_equal(check_table(mcfg, "MCFG"), HEADER + 8 + 16);
    assert_int_equal(number(mcfg + HEADER + 8, 8), PCI_MEMORY_BASE);
    assert_int_equal(number(mcfg + HEADER + 16, 4), 0); /* segment 0, bus 0 alone */
    assert_int_equal(pci.high.base, 4 * GIB);
    pci_init(&pci, NULL, 60 * GIB + 1, 36);
    assert_int_equal(pci.high.base, 61 * GIB);
    assert_int_equal(pci.high.base + pci.high.size, 64 * GIB);
    pci_init(&pci, NULL, 64 * GIB, 36); /* no room */
    assert_int_equal(pci.high.size, 0);
}

static void test_mp_table(void **state)
{
    struct error error;
    const uint8_t *table = ram + MP_TABLE_AREA + 16, *at;
    uint16_t length, entries;
    unsigned sizes[] = {20, 8, 8, 8, 8}, counts[5] = {0};

    (void)state;
    memory_init(&memory, 0, sizeof ram, ram);
    for (unsigned cpus = 1; cpus <= ACPI_CPUS_MAX; cpus += 63) {
        assert_int_equal(mp_table_write(&memory, cpus, &error), 0);
        assert_memory_equal(ram + MP_TABLE_AREA, "_MP_", 4);
        assert_sum_is_zero(MP_TABLE_AREA, 16);
        assert_memory_equal(table, "PCMP", 4);
        memcpy(&length, table + 4, 2);
        memcpy(&entries, table + 34, 2);
        assert_sum_is_zero(MP_TABLE_AREA + 16, length);
        memset(counts, 0, sizeof counts);
        at = table + 44;
        for (unsigned i = 0; i < entries; i++) {
            assert_true(at[0] < 5);
            counts[at[0]]++;
            at += sizes[at[0]];
        }
        assert_ptr_equal(at, table + length);
        assert_int_equal(counts[0], cpus);
        assert_int_equal(counts[3], 15);
        assert_int_equal(counts[4], 2);
    }
    assert_int_equal(mp_table_write(&memory, 0, &error), -1);
    assert_int_equal(mp_table_write(&memory, 65, &error), -1);
    memory_init(&memory, 0, MP_TABLE_AREA, ram);
    assert_int_equal(mp_table_write(&memory, 1, &error), -1);
}

static void test_refusals(void **state)
{
    struct error error;
    gpa_t root;

    (void)state;
    memory_init(&memory, 0, sizeof ram, ram);
    assert_int_equal(acpi_write(&memory, &(struct acpi_machine){.cpus = 0}, &root, &error), -1);
    assert_int_equal(acpi_write(&memory, &(struct acpi_machine){.cpus = 65}, &root, &error), -1);
    assert_int_equal(
        acpi_write(&memory, &(struct acpi_machine){.cpus = 1, .device_count = ACPI_DEVICES_MAX + 1},
                   &root, &error),
        -1);
    memory_init(&memory, 0, 640 * KIB, ram);
    assert_int_equal(acpi_write(&memory, &(struct acpi_machine){.cpus = 1}, &root, &error), -1);
    assert_non_null(strstr(error.text, "no RAM"));
}

/* ---- iasl -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/test-acpi-XXXXXX";

/* `iasl -d` writes NAME.dsl; its warnings and errors go to the log. */
static void disassemble(gpa_t table, const char *name)
{
    char command[512];
    FILE *file;

    snprintf(command, sizeof command, "%s/%s.aml", folder, name);
    file = fopen(command, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(ram + table, (size_t)number(table + 4, 4), 1, file), 1);
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof command,
             "cd %s && iasl -d %s.aml > %s.log 2>&1 && ! grep -iE 'error|warning|invalid' %s.log"
             " && ! grep -iE '\\*\\*\\*\\*|invalid' %s.dsl",
             folder, name, name, name, name);
    assert_int_equal(system(command), 0);
}

static void test_iasl(void **state)
{
    static struct pci pci;
    static struct pci_function function = {.gsi = 18};
    static const struct pci_identity identity = {.vendor = 1};
    struct acpi_machine machine = whole;
    gpa_t root;
    char command[512];

    (void)state;
    pci_init(&pci, NULL, RAM_SIZE, 40);
    pci_add(&pci, 3, &function, &identity);
    machine.pci = &pci;
    machine.cpus = ACPI_CPUS_MAX;
    root = write_tables(&machine);
    if (system("command -v iasl > /dev/null") != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    disassemble(find(root, "FACP"), "facp");
    disassemble(find(root, "APIC"), "apic");
    disassemble(find(root, "MCFG"), "mcfg");
    disassemble(number(find(root, "FACP") + 40, 4), "dsdt");
    /* Its output compiles again, and names every device. */
    snprintf(command, sizeof command,
             "cd %s && iasl -p again dsdt.dsl > again.log 2>&1 && grep -q ' 0 Errors, 0 Warnings'"
             " again.log && test $(grep -c ACPI0007 dsdt.dsl) = %d"
             " && grep -q PNP0501 dsdt.dsl && grep -q PNP0A08 dsdt.dsl && grep -q _PRT dsdt.dsl"
             " && grep -q PNP0B00 dsdt.dsl && grep -q PNP0303 dsdt.dsl && grep -q _S3 dsdt.dsl && "
             "grep -q _S5 dsdt.dsl"
             " && rm -r %s"
             "",
             folder, ACPI_CPUS_MAX, folder);
    assert_int_equal(system(command), 0);
}

/* Does what firmware does: places the files, adds their addresses to pointers, and computes the
 * checksums after that. */
static void test_script(void **state)
{
    static struct acpi_files f;
    static struct pci pci;
    const gpa_t tables = ACPI_AREA, root = 0x40000;
    struct error error;

    (void)state;
    memset(ram, 0, sizeof ram);
    memory_init(&memory, 0, sizeof ram, ram);
    pci_init(&pci, NULL, RAM_SIZE, 40);
    assert_int_equal(acpi_make_files(&(struct acpi_machine){.cpus = 2, .pci = &pci}, &f, &error),
                     0);
    for (size_t i = 0; i < ACPI_ROOT_SIZE; i++)
        assert_int_equal(f.tables[i], 0); /* no second root pointer to be found */
    memcpy(ram + tables, f.tables, f.tables_size);
    memcpy(ram + root, f.root, sizeof f.root);
    assert_int_equal(f.script_size % ACPI_COMMAND_SIZE, 0);
    for (size_t at = 0; at < f.script_size; at += ACPI_COMMAND_SIZE) {
        const uint8_t *c = f.script + at;
        gpa_t file = strcmp((const char *)c + 4, ACPI_FILE_ROOT) == 0 ? root : tables;
        uint32_t numbers[3];
        uint64_t value = 0;

        memcpy(numbers, c + (c[0] == 2 ? 116 : 60), sizeof numbers);
        if (c[0] == 2) {
            memcpy(&value, ram + file + numbers[0], c[120]);
            value += tables;
            memcpy(ram + file + numbers[0], &value, c[120]);
        } else if (c[0] == 3)
            ram[file + numbers[0]] = acpi_checksum(ram + file + numbers[1], numbers[2]);
    }
    assert_sum_is_zero(root, 20);
    assert_sum_is_zero(root, ACPI_ROOT_SIZE);
    check_table(find(root, "FACP"), "FACP");
    check_table(find(root, "APIC"), "APIC");
    check_table(number(find(root, "FACP") + 40, 4), "DSDT");
    assert_memory_equal(ram + number(find(root, "FACP") + 36, 4), "FACS", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_root_pointer), cmocka_unit_test(test_fadt),
        cmocka_unit_test(test_madt),         cmocka_unit_test(test_mp_table),
        cmocka_unit_test(test_pci),          cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_iasl),         cmocka_unit_test(test_script),
    };

    return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
