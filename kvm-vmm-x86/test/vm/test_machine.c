/* Unit tests of vm/machine.c: every device's state is saved and restored in another machine; a
 * reset restores the initial state; ACPI's devices follow the table. Also of base/chunk.c, the
 * format of the state. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "fake_backend.h"
#include "vm/machine.h"

static struct fake fake, second_fake;
static struct machine machine, second;
static const struct guest_config config = {.debugcon = "every device that has a port",
                                           .bios = true,
                                           .pvpanic = true,
                                           .watchdog = WATCHDOG_STOP};
static uint8_t saved[8192], again[8192];

static int set_up(void **state)
{
    struct error error;

    (void)state;
    fake_init(&fake);
    fake_init(&second_fake);
    memory_init(&fake.memory, 0, 1 << 20, NULL);
    memory_init(&second_fake.memory, 0, 1 << 20, NULL);
    assert_int_equal(machine_init(&machine, &config, &fake.backend, &fake.backend, 40, &error), 0);
    assert_int_equal(
        machine_init(&second, &config, &second_fake.backend, &second_fake.backend, 40, &error), 0);
    return 0;
}

static uint8_t reach(struct machine *m, uint64_t port, bool write, uint8_t value)
{
    struct kvm_regs regs = {0};
    struct bus_cpu cpu = {.regs = &regs};
    struct bus_access access = {.data = &value, .size = 1, .write = write, .cpu = &cpu};

    assert_int_equal(bus_access(&m->bus, BUS_PIO, port, &access), VERDICT_RESUME);
    return value;
}

static void out(uint64_t port, uint8_t value)
{
    (void)reach(&machine, port, true, value);
}

static size_t save(struct machine *m, uint8_t *bytes, size_t room)
{
    struct chunk_writer writer = {.bytes = bytes, .room = room};

    machine_save(m, &writer);
    assert_false(writer.full);
    return writer.used;
}

static void load_all(struct machine *m, const uint8_t *bytes, size_t size)
{
    struct chunk_reader reader = {.bytes = bytes, .size = size};
    struct error error;
    struct chunk chunk;
    int more;

    while ((more = chunk_next(&reader, &chunk, &error)) > 0)
        if (machine_load(m, &chunk, &error) < 0)
            fail_msg("%s", error.text);
    assert_int_equal(more, 0);
}

/* Changes the state of each device. */
static void use_every_device(void)
{
    static const uint8_t key[] = {0x1e};

    out(0x3f8 + UART_MCR, UART_MCR_OUT2);
    out(0x3f8 + UART_SCR, 0x5a);
    out(0x3f8 + UART_IER, UART_IER_THRE); /* its line rises */
    out(0x70, 0x30);
    out(0x71, 0x77);
    out(0x602, 0x20);
    out(0x3d4, 0x0f);
    out(0x3d5, 0x50);
    out(0xcf9, 0x02);
    out(0x92, 0xc0);
    out(0x64, 0x60); /* configuration byte: interrupts on */
    out(0x60, 0x45);
    assert_true(i8042_press(&machine.i8042, key, sizeof key));
    fake.input_ends = true;
    assert_int_equal(reach(&machine, 0x500, false, 0), 0);
    out(0x500, 2); /* GETCHAR at the end of input */
    assert_int_equal(reach(&machine, 0x500, false, 0), 0xff);
}

static void test_state_moves(void **state)
{
    size_t size;

    (void)state;
    use_every_device();
    size = save(&machine, saved, sizeof saved);
    load_all(&second, saved, size);
    assert_int_equal(save(&second, again, sizeof again), size);
    assert_memory_equal(saved, again, size);
    assert_true(second_fake.line[SERIAL_IRQ] && second_fake.line[I8042_IRQ]);
    assert_true(second_fake.wanted == false);
    assert_int_equal(reach(&second, 0x3f8 + UART_SCR, false, 0), 0x5a);
    assert_int_equal(reach(&second, 0x71, false, 0), 0x77);
    assert_int_equal(reach(&second, 0x602, false, 0), 0x20);
    assert_int_equal(reach(&second, 0x3d5, false, 0), 0x50);
    assert_int_equal(reach(&second, 0xcf9, false, 0), 0x02);
    assert_int_equal(reach(&second, 0x92, false, 0), 0xc2);
    assert_int_equal(reach(&second, 0x60, false, 0), 0x1e); /* reads the key; the line falls */
    assert_false(second_fake.line[I8042_IRQ]);
    assert_int_equal(reach(&second, 0x500, false, 0), 0xff);
}

static void test_reset_leads_back(void **state)
{
    size_t size = save(&machine, saved, sizeof saved);

    (void)state;
    use_every_device();
    assert_true(machine_quiesce(&machine));
    machine_reset(&machine);
    assert_false(fake.line[SERIAL_IRQ] || fake.line[I8042_IRQ]);
    out(0x70, 0x30);
    assert_int_equal(reach(&machine, 0x71, false, 0), 0x77); /* the battery keeps it */
    out(0x71, 0);
    out(0x70, 0);
    assert_int_equal(save(&machine, again, sizeof again), size);
    assert_memory_equal(saved, again, size);
}

/* With one byte of room less, it reports that; nothing is written beyond. */
static void test_bounds(void **state)
{
    size_t size = save(&machine, saved, sizeof saved);
    struct chunk_writer writer = {.bytes = again, .room = size - 1};

    (void)state;
    memset(again, 0xee, sizeof again);
    machine_save(&machine, &writer);
    assert_true(writer.full);
    assert_int_equal(again[size - 1], 0xee);
}

static void test_what_cannot_be(void **state)
{
    struct chunk_reader reader = {.bytes = saved, .size = save(&machine, saved, sizeof saved)};
    struct i8042_state keyboard = machine.i8042.state;
    struct chunk chunk = {.name = "keyboard data", .version = 1, .size = sizeof keyboard};
    struct error error;
    size_t size = reader.size;

    (void)state;
    keyboard.replies.head = I8042_QUEUE_SIZE;
    chunk.bytes = (const uint8_t *)&keyboard;
    assert_int_equal(machine_load(&machine, &chunk, &error), -1);
    assert_non_null(strstr(error.text, "keyboard data"));
    chunk.version = 2;
    assert_int_equal(machine_load(&machine, &chunk, &error), -1);
    chunk.name = "floppy";
    assert_int_equal(machine_load(&machine, &chunk, &error), -1);
    assert_non_null(strstr(error.text, "does not have"));
    assert_int_equal(save(&machine, again, sizeof again), size);
    assert_memory_equal(saved, again, size);

    reader.size = 20;
    assert_int_equal(chunk_next(&reader, &chunk, &error), -1);
    reader.size = size;
    saved[CHUNK_NAME + 4 + 3] = 0xff; /* a size beyond all bytes */
    assert_int_equal(chunk_next(&reader, &chunk, &error), -1);
    saved[CHUNK_NAME + 4 + 3] = 0;
    memset(saved, 'x', CHUNK_NAME);
    assert_int_equal(chunk_next(&reader, &chunk, &error), -1);
}

static void test_what_acpi_is_told(void **state)
{
    static const struct guest_config plain, screen = {.text_screen = true};
    struct acpi_device devices[ACPI_DEVICES_MAX];

    (void)state;
    assert_int_equal(machine_describe(&plain, devices), 3);
    assert_int_equal(machine_describe(&config, devices), 5);
    assert_string_equal(devices[0].name, "RTC_");
    assert_int_equal(devices[0].irq, RTC_IRQ);
    assert_string_equal(devices[1].identity, "PNP0501");
    assert_int_equal(devices[1].ranges[0].base, 0x3f8);
    assert_int_equal(devices[1].ranges[0].length, 8);
    assert_int_equal(devices[1].irq, 4);
    assert_true(devices[2].generation && devices[2].memory);
    assert_string_equal(devices[3].identity, "QEMU0001");
    assert_int_equal(devices[4].ranges[0].base, PCI_MEMORY_BASE);
    assert_int_equal(machine_describe(&screen, devices), 4);
    assert_string_equal(devices[0].identity, ACPI_IDENTITY_KEYBOARD);
    assert_int_equal(devices[0].range_count, 2);
    assert_int_equal(devices[0].ranges[1].base, 0x64);
}

/* Ports that the documents list. */
enum { PORTS = 1 << 16 };
static bool documented[PORTS];

static FILE *open_document(const char *name)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof path, "%s", __FILE__);
    *strstr(path, "test/vm/") = '\0'; /* the part before it may be empty */
    snprintf(path + strlen(path), sizeof path - strlen(path), "../docs/%s", name);
    file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

/* "0x60, 0x64" and "0x3f8 - 0x3ff" */
static void note_ports(const char *text)
{
    unsigned long first = 0, last;
    char *end;

    for (const char *at = strstr(text, "0x"); at != NULL; at = strstr(end, "0x")) {
        last = strtoul(at, &end, 16);
        if (at - text < 3 || at[-2] != '-')
            first = last;
        for (; first <= last && first < PORTS; first++)
            documented[first] = true;
    }
}

/* The rows of docs/kvm-vmm.md's table of ports, up to the name of the device. */
static void read_table(void)
{
    FILE *file = open_document("kvm-vmm.md");
    char line[512];
    bool inside = false;

    memset(documented, 0, sizeof documented);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#')
            inside = strcmp(line, "## Ports\n") == 0;
        if (!inside || strncmp(line, "| 0x", 4) != 0)
            continue;
        *strchr(line + 1, '|') = '\0';
        note_ports(line);
    }
    fclose(file);
}

static void test_documented_ports(void **state)
{
    struct error error;

    (void)state;
    assert_int_equal(machine_add_irqchip(&machine, &fake.backend, &error), 0);
    read_table();
    for (uint64_t port = 0; port < PORTS; port++)
        if (documented[port] != (bus_find(&machine.bus, BUS_PIO, port) != NULL))
            fail_msg("port %#x is %s docs/kvm-vmm.md", (unsigned)port,
                     documented[port] ? "no device's, but in" : "not in");
}

/* The manual names the first port of each range. */
static void test_ports_of_the_manual(void **state)
{
    FILE *file = open_document("kvm-vmm.1");
    char line[512];
    struct error error;

    (void)state;
    assert_int_equal(machine_add_irqchip(&machine, &fake.backend, &error), 0);
    memset(documented, 0, sizeof documented);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, ".B port", 7) == 0)
            note_ports(line);
    fclose(file);
    for (unsigned i = 0; i < machine.bus.count; i++) {
        const struct bus_range *r = &machine.bus.ranges[i];

        if (r->space == BUS_PIO && !documented[r->base])
            fail_msg("port %#x is not in docs/kvm-vmm.1", (unsigned)r->base);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_state_moves, set_up),
        cmocka_unit_test_setup(test_reset_leads_back, set_up),
        cmocka_unit_test_setup(test_bounds, set_up),
        cmocka_unit_test_setup(test_what_cannot_be, set_up),
        cmocka_unit_test_setup(test_what_acpi_is_told, set_up),
        cmocka_unit_test_setup(test_documented_ports, set_up),
        cmocka_unit_test_setup(test_ports_of_the_manual, set_up),
    };

    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
