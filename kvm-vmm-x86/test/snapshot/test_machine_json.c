/* Unit tests of snapshot/machine.c, and of the comparison of processors in cpu/cpuid.c. */
#include <string.h>

#include "base/address.h"
#include "cmocka_all.h"
#include "cpu/cpuid.h"
#include "snapshot/machine.h"

static char text[SNAPSHOT_JSON_MAX];
static struct error error;

static size_t write(const struct snapshot_machine *m)
{
    struct json_out out = json_out(text, sizeof text);

    snapshot_machine_write(m, &out);
    assert_false(out.full);
    return out.used;
}

static struct snapshot_machine example(void)
{
    struct snapshot_machine m = {
        .vmm = "0.1",
        .mode = MODE_LINUX,
        .config = {.image = "/boot/a \"b\"",
                   .memory = MIB,
                   .cpus = 2,
                   .append = "quiet",
                   .no_paging = true,
                   .kernel_entry = KERNEL_ENTRY_PVH,
                   .has_entry = true,
                   .entry = UINT64_MAX - 1,
                   .initrds = {"/i"},
                   .initrd_count = 1,
                   .rng = true,
                   .balloon = true,
                   .pvpanic = true,
                   .watchdog = WATCHDOG_OFF,
                   .vsock = {.cid = 7, .path = "/tmp/v"},
                   .disk_count = 1},
        .ram.size = MIB,
        .state = {.size = 5, .sum = 0xffffffff},
        .disks[0] = {.size = 512, .changed = 7, .sample = 9, .map.size = 1}};

    m.config.disks[0] = (struct disk_config){.path = "/d", .path_length = 2, .overlay = true};
    m.config.ports[m.config.port_count++] = (struct port_config){.kind = SERIAL_PTY};
    m.config.ports[m.config.port_count++] =
        (struct port_config){.name = "log", .name_length = 3, .kind = SERIAL_FILE, .path = "/l"};
    m.config.nets[m.config.net_count++] =
        (struct net_config){.kind = NET_USER,
                            .mac = {0x52, 0x54, 0, 1, 2, 0xff},
                            .mtu = 1500,
                            .forwards = {{true, 0x7f000001, 65535, 53}, {false, 0, 80, 8080}},
                            .forward_count = 2};
    m.config.nets[m.config.net_count++] =
        (struct net_config){.kind = NET_PASST, .name = "/p", .name_length = 2};
    return m;
}

static void test_read_what_was_written(void **state)
{
    struct snapshot_machine m = example(), again;
    size_t size = write(&m);

    (void)state;
    assert_int_equal(snapshot_machine_read(&again, text, size, &error), 0);
    assert_string_equal(again.config.image, m.config.image);
    assert_string_equal(again.config.append, "quiet");
    assert_int_equal(again.mode, MODE_LINUX);
    assert_int_equal(again.config.mode, MODE_BY_CONTENT);
    assert_int_equal(again.config.cpus, 2);
    assert_int_equal(again.state.sum, 0xffffffff);
    assert_true(again.config.rng && again.config.balloon && again.config.pvpanic &&
                again.config.watchdog == WATCHDOG_OFF && again.config.vsock.cid == 7 &&
                strcmp(again.config.vsock.path, "/tmp/v") == 0 && again.config.disks[0].overlay);
    assert_int_equal(again.disks[0].changed, 7);
    assert_int_equal(again.config.port_count, 2);
    assert_int_equal(again.config.ports[0].kind, SERIAL_PTY);
    assert_string_equal(again.config.ports[1].name, "log");
    assert_string_equal(again.config.ports[1].path, "/l");
    assert_int_equal(again.config.net_count, 2);
    assert_memory_equal(again.config.nets[0].mac, m.config.nets[0].mac, 6);
    assert_int_equal(again.config.nets[0].forward_count, 2);
    assert_int_equal(again.config.nets[0].forwards[0].guest_port, 8080); /* TCP first */
    assert_true(again.config.nets[0].forwards[1].udp);
    assert_true(again.config.nets[0].forwards[1].address == 0x7f000001);
    assert_int_equal(again.config.nets[0].forwards[1].host_port, 65535);
    assert_string_equal(again.config.nets[1].name, "/p");
    assert_true(again.config.no_paging && again.config.has_entry && !again.config.has_load);
    assert_int_equal(again.config.kernel_entry, KERNEL_ENTRY_PVH);
    assert_true(again.config.entry == UINT64_MAX - 1);
}

static void refused(struct snapshot_machine m, const char *word)
{
    struct snapshot_machine again;
    size_t size = write(&m);

    assert_int_equal(snapshot_machine_read(&again, text, size, &error), -1);
    if (strstr(error.text, word) == NULL)
        fail_msg("%s: %s", word, error.text);
}

static void test_what_no_machine_is(void **state)
{
    struct snapshot_machine m = example();

    (void)state;
    m.config.memory = MIB - 1;
    refused(m, "memory");
    m = example();
    m.ram.size = 0;
    refused(m, "memory");
    m = example();
    m.config.cpus = 0;
    refused(m, "vcpus");
    m = example();
    m.config.cpus = CPUS_MAX + 1;
    refused(m, "vcpus");
    m = example();
    m.mode = MODE_REAL;
    refused(m, "vcpus");
    m = example();
    m.base = 4096;
    refused(m, "base");
    m = example();
    m.config.disks[0].block_size = 700;
    refused(m, "block_size");
    m = example();
    m.config.nets[0].forwards[0].guest_port = 0;
    refused(m, "udp");
    m = example();
    m.config.ports[1].path = NULL;
    refused(m, "path");
    m = example();
    m.mode = MODE_FIRMWARE;
    refused(m, "rom");
    m = example();
    m.config.fw_files[m.config.fw_file_count++] = "no mark";
    refused(m, "fw_files");
}

/* The other bits follow the guest's own registers. */
static void test_processors(void **state)
{
    struct kvm_cpuid_entry2 saved[] = {{.function = 1, .ecx = 1u << 27 | 1, .edx = 5},
                                       {.function = 0x80000008, .eax = 0x3028}},
                            here[] = {{.function = 1, .ecx = 1, .edx = 7},
                                      {.function = 0x80000008, .eax = 0x3030}};

    (void)state;
    assert_int_equal(cpuid_check(saved, 2, here, 2, &error), 0);
    saved[1].eax = 0x3034;
    assert_int_equal(cpuid_check(saved, 2, here, 2, &error), -1);
    assert_non_null(strstr(error.text, "addresses of 52 bits"));
    saved[0].edx = 8;
    assert_int_equal(cpuid_check(saved, 2, here, 2, &error), -1);
    assert_non_null(strstr(error.text, "CPUID 0x1.0, bits 0x8 of EDX"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_what_was_written),
        cmocka_unit_test(test_what_no_machine_is),
        cmocka_unit_test(test_processors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
