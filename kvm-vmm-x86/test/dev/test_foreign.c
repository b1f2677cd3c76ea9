/* Unit tests of the devices that images made for QEMU expect: dev/fw_cfg.c and dev/testdev.c. */
#include <endian.h>

#include "cmocka_all.h"
#include "dev/fw_cfg.h"
#include "dev/testdev.h"
#include "fake_backend.h"

enum { RAM = 0x40000, DESCRIPTOR = 0x1000, TARGET = 0x2000, BIG = 150000 };

static struct fake fake;
static struct fw_cfg fw;
static struct testdev testdev;
static uint8_t ram[RAM], big[BIG];

static int set_up(void **state)
{
    struct fw_cfg_contents contents = {.cpus = 3, .file_count = 2};

    (void)state;
    fake_init(&fake);
    memset(ram, 0xee, sizeof ram);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 7 + i / 256);
    memory_init(&fake.memory, 0, sizeof ram, ram);
    strcpy(contents.files[1].name, "opt/big");
    contents.files[1].bytes = big;
    contents.files[1].size = sizeof big;
    fw_cfg_init(&fw, &fake.backend);
    fw_cfg_fill(&fw, &contents);
    testdev_init(&testdev, &fake.backend);
    return 0;
}

static void choose(uint16_t key)
{
    struct bus_access a = {.data = (uint8_t *)&key, .size = 2, .write = true};

    assert_int_equal(fw_cfg_ops.access(&fw, &a), VERDICT_RESUME);
}

static uint64_t get(unsigned count)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < count; i++) {
        struct bus_access a = {.offset = 1, .data = (uint8_t *)&value + i, .size = 1};

        assert_int_equal(fw_cfg_ops.access(&fw, &a), VERDICT_RESUME);
    }
    return value;
}

static void test_items(void **state)
{
    (void)state;
    choose(0);
    assert_memory_equal(&(uint32_t){(uint32_t)get(4)}, "QEMU", 4);
    assert_int_equal(get(1), 0); /* behind its end */
    choose(1);
    assert_int_equal(get(4), 3);
    choose(3);
    assert_int_equal(get(8), RAM);
    choose(5);
    assert_int_equal(get(2), 3);
    choose(0x0f);
    assert_int_equal(get(2), 3);
    choose(0x19);
    assert_int_equal(be32toh((uint32_t)get(4)), 2);
    assert_int_equal(be32toh((uint32_t)get(4)), sizeof(struct fw_cfg_range));
    assert_int_equal(be16toh((uint16_t)get(2)), 0x20);
    choose(0x20);
    assert_int_equal(get(8), 0);
    assert_int_equal(get(8), RAM);
    assert_int_equal(get(4), 1);
    choose(0x21);
    assert_int_equal(get(2), big[0] | big[1] << 8);
    choose(0x22); /* no such file */
    assert_int_equal(get(8), 0);
    choose(0xffff);
    assert_int_equal(get(8), 0);
}

static void out32(uint64_t offset, uint32_t value, struct bus_cpu *cpu, enum verdict *verdict)
{
    struct bus_access a = {
        .offset = offset, .data = (uint8_t *)&value, .size = 4, .write = true, .cpu = cpu};

    *verdict = fw_cfg_dma_ops.access(&fw, &a);
}

/* Makes a whole transfer; returns its control word afterwards. */
static uint32_t transfer(uint32_t control, uint32_t length, uint64_t address, unsigned *tries)
{
    struct {
        uint32_t control, length;
        uint64_t address;
    } d = {htobe32(control), htobe32(length), htobe64(address)};
    struct bus_cpu cpu = {0};
    enum verdict verdict;

    memcpy(ram + DESCRIPTOR, &d, sizeof d);
    out32(0, 0, &cpu, &verdict);
    for (*tries = 1;; ++*tries) {
        out32(4, htobe32(DESCRIPTOR), &cpu, &verdict);
        if (verdict != VERDICT_AGAIN)
            break;
    }
    assert_int_equal(verdict, VERDICT_RESUME);
    memcpy(&d, ram + DESCRIPTOR, sizeof d);
    return be32toh(d.control);
}

static void test_dma(void **state)
{
    uint64_t signature = 0;
    struct bus_access a = {.data = (uint8_t *)&signature, .size = 4};
    unsigned tries;

    (void)state;
    assert_int_equal(fw_cfg_dma_ops.access(&fw, &a), VERDICT_RESUME);
    assert_memory_equal(&signature, "QEMU", 4);
    assert_int_equal(transfer(0x21u << 16 | 8 | 2, BIG, TARGET, &tries), 0);
    assert_memory_equal(ram + TARGET, big, BIG);
    assert_int_equal(tries, 3); /* slices of 64 KiB */
    assert_int_equal(ram[TARGET + BIG], 0xee);
    assert_int_equal(transfer(2, 8, TARGET, &tries), 0); /* behind the item's end */
    assert_memory_equal(ram + TARGET, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(transfer(0x21u << 16 | 8 | 4, 100, 0, &tries), 0); /* skip */
    assert_int_equal(transfer(2, 4, TARGET, &tries), 0);
    assert_memory_equal(ram + TARGET, big + 100, 4);
    assert_int_equal(transfer(0x21u << 16 | 8 | 2, 8, RAM - 4, &tries), 1); /* not all RAM */
    assert_int_equal(transfer(0x21u << 16 | 8 | 2, 8, UINT64_MAX - 3, &tries), 1);
    assert_int_equal(transfer(0x21u << 16 | 8 | 16, 8, TARGET, &tries), 1); /* read-only */
    assert_int_equal(transfer(0x21u << 16 | 8 | 2, UINT32_MAX, TARGET, &tries), 1);
}

static void test_dma_without_a_descriptor(void **state)
{
    struct bus_cpu cpu = {0};
    enum verdict verdict;

    (void)state;
    out32(0, htobe32(0xffffffff), &cpu, &verdict);
    out32(4, htobe32(0xfffffff0), &cpu, &verdict);
    assert_int_equal(verdict, VERDICT_RESUME);
}

static uint32_t reach(const struct bus_ops *ops, uint64_t offset, uint8_t size, bool write,
                      uint32_t value)
{
    struct bus_access a = {
        .offset = offset, .data = (uint8_t *)&value, .size = size, .write = write};

    assert_int_equal(ops->access(&testdev, &a), VERDICT_RESUME);
    return value;
}

static void test_testdev(void **state)
{
    static uint8_t saved[TESTDEV_MEMORY_SIZE + 256];
    struct chunk_writer writer = {.bytes = saved, .room = sizeof saved};
    struct chunk_reader reader = {.bytes = saved};
    struct chunk chunk;
    struct error error;

    (void)state;
    reach(&testdev_word_ops, 0, 4, true, 0x11223344);
    reach(&testdev_word_ops, 1, 1, true, 0xaa);
    reach(&testdev_word_ops, 2, 2, true, 0xbbcc);
    assert_int_equal(reach(&testdev_word_ops, 0, 4, false, 0), 0xbbccaa44);
    assert_int_equal(reach(&testdev_byte_ops, 3, 1, false, 0), 0xbb);
    reach(&testdev_memory_ops, 0xfffc, 4, true, 77);
    assert_int_equal(reach(&testdev_memory_ops, 0xfffc, 4, false, 0), 77);
    reach(&testdev_flush_ops, 0, 4, true, 0xffffffff); /* no RAM */
    reach(&testdev_irq_ops, 5, 1, true, 1);
    reach(&testdev_irq_ops, 23, 1, true, 1); /* no such line on a PC */
    assert_true(fake.line[5]);
    assert_int_equal(fake.edges, 1);
    bus_save(&testdev_word_ops, &testdev, "testdev", &writer);
    assert_false(writer.full);
    bus_reset(&testdev_word_ops, &testdev);
    assert_false(fake.line[5]);
    assert_int_equal(reach(&testdev_word_ops, 0, 4, false, 0), 0);
    reader.size = writer.used;
    assert_int_equal(chunk_next(&reader, &chunk, &error), 1);
    assert_int_equal(bus_load(&testdev_word_ops, &testdev, &chunk, &error), 0);
    assert_true(fake.line[5]);
    assert_int_equal(reach(&testdev_word_ops, 0, 4, false, 0), 0xbbccaa44);
    assert_int_equal(bus_load(&testdev_byte_ops, &testdev, &chunk, &error), -1);
}

/* Reads VMware's port; EBX afterwards is in `regs`. */
static uint32_t call_vmware(struct kvm_regs *regs, uint8_t size, bool string, bool *changed)
{
    struct bus_cpu cpu = {.regs = regs};
    uint32_t value = 0;
    struct bus_access a = {.data = (uint8_t *)&value, .size = size, .string = string, .cpu = &cpu};

    assert_int_equal(testdev_vmware_ops.access(&testdev, &a), VERDICT_RESUME);
    *changed = cpu.regs_changed;
    return value;
}

static void test_vmwares_port(void **state)
{
    const struct kvm_regs call = {.rax = TESTDEV_VMWARE_MAGIC, .rbx = 7, .rcx = 10};
    struct kvm_regs regs = call;
    bool changed;

    (void)state;
    assert_int_equal(call_vmware(&regs, 4, false, &changed), 6);
    assert_true(changed && regs.rbx == TESTDEV_VMWARE_MAGIC);
    regs = (struct kvm_regs){.rax = TESTDEV_VMWARE_MAGIC, .rcx = 20};
    assert_int_equal(call_vmware(&regs, 4, false, &changed), 0x1177);
    assert_true(changed && regs.rbx == RAM);
    regs = call;
    assert_int_equal(call_vmware(&regs, 2, false, &changed), 0xffff);
    assert_false(changed);
    assert_int_equal(call_vmware(&regs, 4, true, &changed), UINT32_MAX);
    assert_false(changed);
    regs.rcx = 0xfff;
    assert_int_equal(call_vmware(&regs, 4, false, &changed), UINT32_MAX);
    regs.rcx = 10;
    regs.rax++;
    assert_int_equal(call_vmware(&regs, 4, false, &changed), UINT32_MAX);
    assert_true(!changed && regs.rbx == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_items, set_up),
        cmocka_unit_test_setup(test_dma, set_up),
        cmocka_unit_test_setup(test_dma_without_a_descriptor, set_up),
        cmocka_unit_test_setup(test_testdev, set_up),
        cmocka_unit_test_setup(test_vmwares_port, set_up),
    };

    return cmocka_run_group_tests_name("foreign devices", tests, NULL, NULL);
}
