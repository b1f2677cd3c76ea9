/* Unit tests of manifests, archives and images: valid ones are read, wrong ones get one clear
 * reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cpio.h"
#include "lib/number.h"
#include "vm/config.h"
#include "vm/image.h"

static struct vm_config configs[VMS_MAX];
static struct config_error error;

static int parse(const char *text)
{
    return config_parse(text, strlen(text), configs, VMS_MAX, &error);
}

static void reads_guests(void **state)
{
    (void)state;
    assert_int_equal(parse("# two\nvm a cpus=2 mem=256M kernel=Image args=\"x y=1\"\n"
                           "vm b kernel=g.elf mem=0x100000 page=4K net=lan console=virtio\n"),
                     2);
    assert_string_equal(configs[0].args, "x y=1");
    assert_int_equal(configs[0].cpus, 2);
    assert_int_equal(configs[0].memory, 256 * MIB);
    assert_int_equal(configs[1].memory, MIB);
    assert_int_equal(configs[1].page_level, GSTAGE_4K);
    assert_int_equal(configs[1].console, CONSOLE_VIRTIO);
    assert_int_equal(parse("vm a kernel=x\nvm b kernel=x weight=300 harts=0,2-4,15"), 2);
    assert_true(configs[0].weight == 100 && configs[0].harts == ~0u);
    assert_true(configs[1].weight == 300 && configs[1].harts == 0x801d);
    assert_int_equal(parse("vm a kernel=x\nvm b kernel=x harts=0 interrupts=imsic\n"
                           "vm c kernel=x interrupts=plic page=2M console=uart"),
                     3);
    assert_int_equal(configs[0].interrupts, INTERRUPTS_PLIC);
    assert_int_equal(configs[1].interrupts, INTERRUPTS_IMSIC);
    assert_true(configs[2].interrupts == INTERRUPTS_PLIC && configs[2].page_level == GSTAGE_2M &&
                configs[2].console == CONSOLE_UART);
}

static void writes_what_it_reads(void **state)
{
    static struct vm_config again;
    char line[CONFIG_LINE_SIZE];

    (void)state;
    assert_int_equal(
        parse("vm \"a b\" cpus=32 mem=1G kernel=Image initrd=i args=\"x y=1 'z'\" base=1M"
              " load=0x400000 entry=7 page=1G net=lan disk=host:1 console=virtio"
              " weight=7 harts=0,31 clones=3 interrupts=imsic\nvm b kernel=x"),
        2);
    for (unsigned i = 0; i < 2; i++) {
        config_write(&configs[i], line);
        assert_int_equal(config_parse(line, strlen(line), &again, 1, &error), 1);
        assert_memory_equal(&again, &configs[i], sizeof again);
    }
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *reason;
        unsigned line;
    } cases[] = {
        {"vm a kernel=x\nvm a kernel=y", "two guests called 'a'", 2},
        {"vm a\n", "no kernel= for vm 'a'", 2},
        {"vm a kernel=x cpus=33", "bad value in 'cpus=33'", 1},
        {"vm a kernel=x weight=0", "bad value in 'weight=0'", 1},
        {"vm a kernel=x weight=10001", "bad value in 'weight=10001'", 1},
        {"vm a kernel=x harts=", "bad value in 'harts='", 1},
        {"vm a kernel=x harts=2-1", "bad value in 'harts=2-1'", 1},
        {"vm a kernel=x harts=32", "bad value in 'harts=32'", 1},
        {"vm a kernel=x harts=1,", "bad value in 'harts=1,'", 1},
        {"vm a kernel=x harts=1x", "bad value in 'harts=1x'", 1},
        {"vm a kernel=x interrupts=", "bad value in 'interrupts='", 1},
        {"vm a kernel=x interrupts=aplic", "bad value in 'interrupts=aplic'", 1},
        {"vm a kernel=x page=3M", "bad value in 'page=3M'", 1},
        {"vm a kernel=x console=", "bad value in 'console='", 1},
        {"vm a kernel=x\n colour=red", "unknown key 'colour'", 2},
        {"guest a", "expected 'vm', found 'guest'", 1},
        {"vm a kernel=x args=\"open", "no closing quote after 'args=open'", 1},
        {"vm a kernel=x mem=99999999999999999999", "bad value in 'mem=99999999999999999999'", 1},
        {"vm averylongnameindeed kernel=x", "a name has 1 to 15 characters: 'averylongnameindeed'",
         1},
        {"vm", "a name is missing after 'vm'", 1},
        {"vm a kernel=x mem=1K", "mem= must be 64K to 1024G and whole pages, vm 'a'", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(parse(cases[i].text), -1);
        assert_string_equal(error.text, cases[i].reason);
        assert_int_equal(error.line, cases[i].line);
    }
}

static void numbers(void **state)
{
    uint64_t n;

    (void)state;
    assert_true(number_parse("3G", &n) && n == 3 * GIB);
    assert_false(number_parse("", &n) || number_parse("0x", &n) || number_parse("12q", &n));
    assert_false(number_parse("20000000000000000000", &n) || number_parse("999999999999G", &n));
}

static void archives(void **state)
{
    char a[256];
    struct cpio_file file;
    size_t size;

    (void)state;
    memset(a, 0, sizeof a);
    memcpy(a, "070701", 6);
    memset(a + 6, '0', 104);
    memcpy(a + 6 + 6 * 8, "00000005", 8);
    memcpy(a + 6 + 11 * 8, "00000006", 8);
    memcpy(a + 110, "./abc", 6);
    memcpy(a + 116, "hello", 5);
    size = 124;
    assert_true(cpio_find(a, size, "abc", &file));
    assert_int_equal(file.size, 5);
    assert_memory_equal(file.data, "hello", 5);
    for (size_t cut = 0; cut < 121; cut++)
        assert_false(cpio_find(a, cut, "abc", &file));
    a[6 + 6 * 8] = 'f'; /* four gigabytes */
    assert_false(cpio_find(a, size, "abc", &file));
}

static void images(void **state)
{
    uint8_t bytes[64] = {0};
    struct image_plan plan;

    (void)state;
    assert_string_equal(image_plan(bytes, 0, ~0ul, ~0ul, &plan), "an empty file");
    assert_null(image_plan(bytes, 64, 0x1000, 0x1010, &plan));
    assert_true(plan.kind == IMAGE_FLAT && plan.entry == 0x1010 && plan.highest == 0x1040);
    memcpy(bytes + 0x38, "RSC\x05", 4);
    bytes[10] = 0x20; /* text_offset 0x200000 */
    bytes[18] = 0x40; /* image_size 0x400000 */
    assert_null(image_plan(bytes, 64, ~0ul, ~0ul, &plan));
    assert_true(plan.kind == IMAGE_LINUX && plan.entry == 0x200000 && plan.highest == 0x600000);
    bytes[23] = 0xff;
    assert_non_null(image_plan(bytes, 64, ~0ul, ~0ul, &plan));
    memcpy(bytes,
           "\x7f"
           "ELF",
           4);
    memset(bytes + 0x38, 0, 4);
    assert_non_null(image_plan(bytes, 64, ~0ul, ~0ul, &plan));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_guests),       cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(says_what_is_wrong), cmocka_unit_test(numbers),
        cmocka_unit_test(archives),           cmocka_unit_test(images)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
