/* Unit tests of options.c: both spellings of a value, options anywhere, and every refusal. */
#include <string.h>

#include "cmocka_all.h"
#include "options/options.h"

enum { ARGS_MAX = 24 };

/* Parses a command line given as one string of words. */
static int parse(struct options *o, struct error *error, const char *line)
{
    static char words[256];
    static char name[] = "kvm-vmm";
    char *argv[ARGS_MAX] = {name};
    int argc = 1;

    strncpy(words, line, sizeof words - 1);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return options_parse(o, argc, argv, error);
}

static void test_defaults(void **state)
{
    struct options o;
    struct error e;

    (void)state;
    assert_int_equal(parse(&o, &e, "a.bin"), 0);
    assert_int_equal(o.count, 1);
    assert_string_equal(o.guests[0].image, "a.bin");
    assert_int_equal(o.guests[0].mode, MODE_BY_CONTENT);
    assert_int_equal(o.guests[0].memory, 0);
    assert_false(o.guests[0].text_screen);
    assert_int_equal(parse(&o, &e, "--display=text a.bin"), 0);
    assert_true(o.guests[0].text_screen);
    assert_int_equal(parse(&o, &e, "a.bin"), 0);
    assert_string_equal(o.guests[0].kvm, "/dev/kvm");
}

static void test_disks(void **state)
{
    struct options o;
    struct error e;

    (void)state;
    assert_int_equal(
        parse(&o, &e, "--disk a --disk b,c.img,ro,id=root --disk=d,overlay,block=4096 k"), 0);
    assert_int_equal(o.guests[0].disk_count, 3);
    assert_int_equal(o.guests[0].disks[0].path_length, 1);
    assert_false(o.guests[0].disks[0].read_only);
    assert_int_equal(o.guests[0].disks[1].path_length, strlen("b,c.img"));
    assert_true(o.guests[0].disks[1].read_only);
    assert_string_equal(o.guests[0].disks[1].id, "root");
    assert_true(o.guests[0].disks[2].overlay);
    assert_int_equal(o.guests[0].disks[2].block_size, 4096);
    assert_int_equal(parse(&o, &e, "--disk ,ro k"), -1);
    assert_int_equal(parse(&o, &e, "--disk a,ro,overlay k"), -1);
    assert_int_equal(parse(&o, &e,
                           "--disk a --disk a --disk a --disk a --disk a --disk a --disk a "
                           "--disk a --disk a k"),
                     -1);
}

static void test_spellings(void **state)
{
    static const char *const same[] = {
        "-p -m 64M --timeout 2.5 a.bin b.bin",
        "a.bin --protected --memory=64M b.bin --timeout=2.5",
        "a.bin b.bin --paging -m64M --timeout 2500ms",
        "--timeout=2.5s a.bin --memory 65536K -p b.bin",
    };
    struct options o;
    struct error e;

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(parse(&o, &e, same[i]), 0);
        assert_int_equal(o.count, 2);
        assert_string_equal(o.guests[1].image, "b.bin");
        assert_int_equal(o.guests[0].mode, MODE_PROTECTED);
        assert_int_equal(o.guests[0].memory, 64 * MIB);
        assert_int_equal(o.timeout, 2500000000);
    }
    assert_int_equal(parse(&o, &e, "--long-mode x"), 0);
    assert_int_equal(o.guests[0].mode, MODE_LONG);
    assert_int_equal(parse(&o, &e, "-l x --load 0x200000 --entry=0x200010"), 0);
    assert_int_equal(o.guests[0].load, 0x200000);
    assert_int_equal(o.guests[0].entry, 0x200010);
    assert_int_equal(parse(&o, &e, "-- -x"), 0);
    assert_string_equal(o.guests[0].image, "-x");
}

static void test_linux(void **state)
{
    struct options o;
    struct error e;

    (void)state;
    assert_int_equal(parse(&o, &e, "vmlinuz --initrd a.gz --initrd=b.gz -c 4 --kernel-entry=pvh"),
                     0);
    assert_int_equal(o.guests[0].initrd_count, 2);
    assert_string_equal(o.guests[0].initrds[1], "b.gz");
    assert_int_equal(o.guests[0].cpus, 4);
    assert_int_equal(o.guests[0].kernel_entry, KERNEL_ENTRY_PVH);
    assert_false(o.guests[0].reboot);
    assert_int_equal(
        parse(&o, &e, "--cpus=64 --kernel-entry 32 --append quiet --reboot --boot-report k"), 0);
    assert_int_equal(o.guests[0].cpus, CPUS_MAX);
    assert_int_equal(o.guests[0].kernel_entry, KERNEL_ENTRY_32);
    assert_string_equal(o.guests[0].append, "quiet");
    assert_true(o.guests[0].reboot);
    assert_true(o.boot_report);
}

static void test_ports(void **state)
{
    static const char *const wrong[] = {
        "--console a",
        "--console tty a",
        "--console pty --console stdio a",
        "--port x a",
        "--port =pty a",
        "--port x=stdio a",
        "--port x=unix: a",
        "--port x=pty --port x=file:/f a",
        "--port aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=pty a",
        "--port a=pty --port b=pty --port c=pty --port d=pty --port e=pty --port f=pty "
        "--port g=pty --console pty a"};
    struct options o;
    struct error e;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(parse(&o, &e, wrong[i]), -1);
    assert_int_equal(parse(&o, &e, "a --port agent=unix:/s --console stdio --port o=file:/f"), 0);
    assert_int_equal(o.guests[0].port_count, 3);
    assert_int_equal(o.guests[0].ports[0].name_length, 5);
    assert_string_equal(o.guests[0].ports[0].path, "/s");
    assert_int_equal(o.guests[0].ports[1].name_length, 0);
    assert_int_equal(o.guests[0].ports[1].kind, SERIAL_STDIO);
    assert_int_equal(o.guests[0].ports[2].kind, SERIAL_FILE);
}

static void test_net(void **state)
{
    static const char *const wrong[] = {"--net bridge a",
                                        "--net users a",
                                        "--net passt: a",
                                        "--net tap= a",
                                        "--net user,mac=52:54:00:01:02 a",
                                        "--net user,mac=53:54:00:01:02:03 a",
                                        "--net user,mac=52:54:00:01:02:0g a",
                                        "--net user,mtu=575 a",
                                        "--net user,mtu=65521 a",
                                        "--net user,mtu=99999999999999999999 a",
                                        "--net user,dns=1.2.3 a",
                                        "--net user,dns=1.2.3.256 a",
                                        "--net user,dns=1.2.3.4.5 a",
                                        "--net tap=x,dns=1.2.3.4 a",
                                        "--net user,forward=tcp:80 a",
                                        "--net user,forward=tcp:0:80 a",
                                        "--net user,forward=tcp:80:65536 a",
                                        "--net user,forward=icmp:80:80 a",
                                        "--net user,forward=tcp:1.2.3:80:80 a",
                                        "--net user, a",
                                        "--net user --net user --net user --net user --net user a"};
    struct options o;
    struct error e;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(parse(&o, &e, wrong[i]), -1);
    assert_int_equal(
        parse(&o, &e,
              "a --net user,forward=tcp:2222:22,forward=udp:0.0.0.0:53:5353,"
              "dns=127.0.0.1 --net passt:/s,mtu=1400,mac=52:54:00:AB:cd:ef --net tap=t0"),
        0);
    assert_int_equal(o.guests[0].net_count, 3);
    assert_int_equal(o.guests[0].nets[0].forward_count, 2);
    assert_int_equal(o.guests[0].nets[0].forwards[0].address, 0x7f000001);
    assert_int_equal(o.guests[0].nets[0].forwards[0].host_port, 2222);
    assert_int_equal(o.guests[0].nets[0].forwards[1].address, 0);
    assert_true(o.guests[0].nets[0].forwards[1].udp);
    assert_int_equal(o.guests[0].nets[0].forwards[1].guest_port, 5353);
    assert_int_equal(o.guests[0].nets[0].dns, 0x7f000001);
    assert_int_equal(o.guests[0].nets[1].name_length, 2);
    assert_int_equal(o.guests[0].nets[1].mtu, 1400);
    assert_int_equal(o.guests[0].nets[1].mac[3], 0xab);
    assert_int_equal(o.guests[0].nets[2].kind, NET_TAP);
    assert_int_equal(parse(&o, &e, "a --net user --net none"), 0);
    assert_int_equal(o.guests[0].net_count, 0);
}

static void test_serial(void **state)
{
    static const char *const wrong[] = {"--serial a",        "--serial tty a",  "--serial pty:/x a",
                                        "--serial stdio: a", "--serial file a", "--serial file: a",
                                        "--serial unix: a"};
    char line[160] = "a b --serial unix:";
    struct options o;
    struct error e;

    (void)state;
    assert_int_equal(parse(&o, &e, "a"), 0);
    assert_int_equal(o.guests[0].serial, SERIAL_STDIO);
    assert_int_equal(parse(&o, &e, "a --serial pty --serial=stdio"), 0);
    assert_int_equal(o.guests[0].serial, SERIAL_STDIO);
    assert_int_equal(parse(&o, &e, "--serial=pty a --display text"), 0);
    assert_int_equal(o.guests[0].serial, SERIAL_PTY);
    assert_null(o.guests[0].serial_path);
    assert_int_equal(parse(&o, &e, "--serial file:unix:x a b"), 0);
    assert_int_equal(o.guests[1].serial, SERIAL_FILE);
    assert_string_equal(o.guests[1].serial_path, "unix:x");
    assert_int_equal(parse(&o, &e, "--serial unix:/s a"), 0);
    assert_int_equal(o.guests[0].serial, SERIAL_UNIX);
    assert_string_equal(o.guests[0].serial_path, "/s");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (parse(&o, &e, wrong[i]) != -1)
            fail_msg("accepted: %s", wrong[i]);
    memset(line + strlen(line), 'p', 107); /* for guest 1 it is two bytes longer, and too long */
    assert_int_equal(parse(&o, &e, line), -1);
    line[strlen(line) - 2] = '\0';
    assert_int_equal(parse(&o, &e, line), 0);
}

static void test_log(void **state)
{
    struct options o;
    struct error e;

    (void)state;
    assert_int_equal(parse(&o, &e, "--log l --log-size 4K --symbols s a"), 0);
    assert_string_equal(o.log, "l");
    assert_string_equal(o.symbols, "s");
    assert_int_equal(o.log_size, 4096);
}

static void test_refusals(void **state)
{
    static const char *const wrong[] = {
        "",
        "-p",
        "--display a",
        "--display png a",
        "--display text a b",
        "-p -l a",
        "-m 0 a",
        "-m 5 a",
        "-m 64Q a",
        "-m -4K a",
        "-m 65G a",
        "-m 0x a",
        "--timeout 0 a",
        "--timeout nan a",
        "--timeout 1e-10 a",
        "--timeout 0.5ns a",
        "--timeout 8x a",
        "--timeout ms a",
        "--timeout 1e9h a",
        "--timeout -1 a",
        "--max-exits 0 a",
        "--max-exits 1x a",
        "--input 1 a",
        "--input 4 a",
        "--color red a",
        "--mmio maybe a",
        "--eof never a",
        "--no-paging a",
        "--nonsense a",
        "-z a",
        "a b c d e",
        "a -m",
        "--load zero a",
        "-m 99999999999999999999 a",
        "--stats=3 a",
        "--log",
        "--log x --log-size 0 a",
        "--log x --log-size 16777217 a",
        "--report x a",
        "--log-size 5 a",
        "-c 0 a",
        "-c 65 a",
        "-c two a",
        "--kernel-entry=16 a",
        "--initrd",
        "--reboot=now a",
        "--initrd 1 --initrd 2 --initrd 3 --initrd 4 --initrd 5 --initrd 6 --initrd 7 --initrd 8 "
        "--initrd 9 a",
    };
    struct options o;
    struct error e;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        e.text[0] = '\0';
        if (parse(&o, &e, wrong[i]) != -1)
            fail_msg("accepted: %s", wrong[i]);
        assert_true(strlen(e.text) > 0);
    }
}

static void test_help_needs_no_image(void **state)
{
    struct options o;
    struct error e;

    (void)state;
    assert_int_equal(parse(&o, &e, "--help"), 0);
    assert_int_equal(o.action, OPTIONS_HELP);
    assert_int_equal(parse(&o, &e, "--version"), 0);
    assert_int_equal(o.action, OPTIONS_VERSION);
}

static void test_mistyped_names(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"--kernel 64 a.bin", "--kernel belongs to kvm-vmm run (kvm-vmm run --kernel ... COMMAND)"},
        {"--root=/x a.bin", "--root belongs to kvm-vmm run (kvm-vmm run --root ... COMMAND)"},
        {"--tiemout 8 a.bin", "no such option: --tiemout (did you mean --timeout?)"},
        {"--xyzzy", "no such option: --xyzzy"},
        {"--rng=1", "--rng takes no value: --rng=1"},
        {"--disk -- a.bin", "--disk needs a value (-- ends the options)"},
        {"-m -- a.bin", "-m needs a value (-- ends the options)"},
        {"-z", "no such option: -z"},
        {"--stats -zp a.bin", "no such option: -z"},
        {"--protected=1 a.bin", "--protected takes no value: --protected=1"},
        {"--log=x --rep a.bin", "--rep can be each of --report, --replay"},
    };
    struct options o;
    struct error e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(&o, &e, cases[i].line), -1);
        assert_string_equal(e.text, cases[i].says);
    }
    assert_int_equal(parse(&o, &e, "--kernel-e 64 --memo=2M --append=-- a.bin"), 0);
    assert_int_equal(o.guests[0].kernel_entry, KERNEL_ENTRY_64);
}

/* How `run` separates the VMM's options from the command. */
static void test_words(void **state)
{
    static const struct {
        const char *word;
        unsigned words;
    } cases[] = {{"-m", 2},        {"-m2G", 1},  {"-v", 1},       {"-vm", 2},   {"-vm2G", 1},
                 {"-z", 0},        {"-", 0},     {"--", 0},       {"x", 0},     {"--memory", 2},
                 {"--memory=", 1}, {"--mem", 0}, {"--memo=1", 0}, {"--rng", 1}, {"--=", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (options_words(cases[i].word) != cases[i].words)
            fail_msg("%s", cases[i].word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),  cmocka_unit_test(test_disks),
        cmocka_unit_test(test_spellings), cmocka_unit_test(test_linux),
        cmocka_unit_test(test_log),       cmocka_unit_test(test_serial),
        cmocka_unit_test(test_ports),     cmocka_unit_test(test_net),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_help_needs_no_image),
        cmocka_unit_test(test_words),     cmocka_unit_test(test_mistyped_names),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
