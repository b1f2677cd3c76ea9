/* Unit tests of the stub: each packet, against a machine of a few variables. */
#include <stdio.h>

#include "cmocka_all.h"
#include "fake_target.h"

static struct gdb_stub stub;
static struct fake_target target;

/* Sends one packet and returns the payload of the last answer, without its frame. */
static const char *ask(const char *payload)
{
    static char packet[GDB_PACKET_MAX + 8];
    uint8_t sum = 0;
    char *begin, *end;

    for (const char *c = payload; *c != '\0'; c++)
        sum += (uint8_t)*c;
    snprintf(packet, sizeof packet, "$%s#%02x", payload, sum);
    target.sent_length = 0;
    target.sent[0] = '\0';
    fake_feed(&stub, packet, strlen(packet));
    begin = strrchr(target.sent, '$');
    end = strrchr(target.sent, '#');
    if (begin == NULL || end == NULL)
        return NULL;
    *end = '\0';
    return begin + 1;
}

static int begin64(void **state)
{
    (void)state;
    fake_begin(&stub, &target, 64);
    return 0;
}

static void test_greeting(void **state)
{
    (void)state;
    assert_non_null(strstr(ask("qSupported:swbreak+;hwbreak+"), "PacketSize=4000;"));
    assert_string_equal(ask("?"), "T02thread:1;");
    assert_string_equal(ask("qAttached"), "1");
    assert_string_equal(ask("qfThreadInfo"), "m1,2");
    assert_string_equal(ask("qsThreadInfo"), "l");
    assert_string_equal(ask("qC"), "QC1");
    assert_string_equal(ask("qThreadExtraInfo,2"), "76435055"
                                                   "2031");
    assert_string_equal(ask("T2"), "OK");
    assert_string_equal(ask("T3"), "E03");
    assert_string_equal(ask("vMustReplyEmpty"), "");
    assert_string_equal(ask("nonsense"), "");
}

static void test_acknowledgement(void **state)
{
    (void)state;
    (void)ask("?");
    assert_int_equal(target.sent[0], '+');
    fake_feed(&stub, "$?#00", 5);
    assert_int_equal(target.sent[target.sent_length - 1], '-');
    assert_string_equal(ask("QStartNoAckMode"), "OK");
    assert_int_equal(target.sent[0], '+'); /* this packet is still acknowledged */
    (void)ask("?");
    assert_int_equal(target.sent[0], '$');
}

/* One answer at a time: if the client does not read, the caller asks for no more. */
static void test_one_answer_at_a_time(void **state)
{
    static const char packets[] = "+$?#3f$qC#b4\x03$?#3f";

    (void)state;
    target.sent_length = 0;
    assert_int_equal(gdb_stub_feed(&stub, (const uint8_t *)packets, sizeof packets - 1), 6);
    assert_string_equal(target.sent, "+$T02thread:1;#d4");
    assert_int_equal(gdb_stub_feed(&stub, (const uint8_t *)packets + 6, sizeof packets - 7), 6);
    assert_int_equal(gdb_stub_feed(&stub, (const uint8_t *)"abc", 3), 3);
}

static void test_registers(void **state)
{
    (void)state;
    target.registers[0].state.regs.rax = 0x1122334455667788;
    target.registers[1].state.regs.rip = 0xfff0;
    assert_int_equal(strncmp(ask("g"), "8877665544332211", 16), 0);
    assert_string_equal(ask("p0"), "8877665544332211");
    assert_string_equal(ask("P1=0100000000000080"), "OK");
    assert_int_equal(target.registers[0].state.regs.rbx, 0x8000000000000001);
    assert_string_equal(ask("P1=01"), "E16");
    assert_string_equal(ask("p400"), "E16");
    assert_string_equal(ask("Hg2"), "OK");
    assert_string_equal(ask("p10"), "f0ff000000000000");
    assert_string_equal(ask("Hg3"), "E16");
    assert_string_equal(ask("G00"), "E16");
}

/* Writing back the registers changes nothing, not even state that gdb does not see. */
static void test_all_registers_return(void **state)
{
    static char packet[GDB_PACKET_MAX];
    struct gdb_registers before;

    (void)state;
    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        fake_begin(&stub, &target, bits);
        memset(&target.registers[0].fpu, 0x5a, sizeof target.registers[0].fpu);
        memset(&target.registers[0].state.regs, 0xa5, sizeof target.registers[0].state.regs);
        target.registers[0].state.sregs.ds.selector = 0x1234;
        target.registers[0].state.sregs.ds.base = 0x777000;
        before = target.registers[0];
        snprintf(packet, sizeof packet, "G%s", ask("g"));
        assert_string_equal(ask(packet), "OK");
        assert_memory_equal(&before, &target.registers[0], sizeof before);
    }
}

/* Number of a register by its name. */
static unsigned number_of(enum gdb_arch arch, const char *name)
{
    const struct gdb_register *reg;
    unsigned i = 0;

    while ((reg = gdb_register(arch, i)) != NULL && strcmp(reg->name, name) != 0)
        i++;
    assert_non_null(reg);
    return i;
}

static void test_register_numbers(void **state)
{
    (void)state;
    /* Numbers fixed by gdb's own tables. */
    assert_int_equal(number_of(GDB_X86_64, "rip"), 16);
    assert_int_equal(number_of(GDB_X86_64, "eflags"), 17);
    assert_int_equal(number_of(GDB_X86_64, "st0"), 24);
    assert_int_equal(number_of(GDB_X86_64, "xmm0"), 40);
    assert_int_equal(number_of(GDB_X86_64, "mxcsr"), 56);
    assert_int_equal(number_of(GDB_I386, "eip"), 8);
    assert_int_equal(number_of(GDB_I386, "gs"), 15);
    assert_int_equal(number_of(GDB_I386, "fctrl"), 24);
    assert_int_equal(number_of(GDB_I386, "xmm7"), 39);
    assert_int_equal(number_of(GDB_I386, "mxcsr"), 40);
}

static void test_tag_word(void **state)
{
    const struct gdb_register *ftag = gdb_register(GDB_I386, number_of(GDB_I386, "ftag"));
    struct gdb_registers r = {0};
    uint8_t bytes[GDB_REGISTER_MAX];

    (void)state;
    gdb_register_get(GDB_I386, ftag, &r, bytes);
    assert_int_equal(bytes[0] | bytes[1] << 8, 0xffff); /* all empty */
    r.fpu.ftwx = 0xc0;                                  /* physical 6 and 7, ST(0) and ST(1) */
    r.fpu.fsw = 6 << 11;
    r.fpu.fpr[0][7] = 0x80; /* ST(0): 1.0 */
    r.fpu.fpr[0][8] = 0xff;
    r.fpu.fpr[0][9] = 0x3f;
    gdb_register_get(GDB_I386, ftag, &r, bytes);
    assert_int_equal(bytes[0] | bytes[1] << 8, 0x4fff); /* 7: zero, 6: valid */
    bytes[1] = 0xff;
    gdb_register_set(GDB_I386, ftag, &r, bytes);
    assert_int_equal(r.fpu.ftwx, 0);
}

static void test_real_mode_segments(void **state)
{
    char packet[32];

    (void)state;
    fake_begin(&stub, &target, 16);
    snprintf(packet, sizeof packet, "P%x=00f00000", number_of(GDB_I8086, "ds"));
    assert_string_equal(ask(packet), "OK");
    assert_int_equal(target.registers[0].state.sregs.ds.base, 0xf0000);
    fake_begin(&stub, &target, 32);
    assert_string_equal(ask(packet), "OK");
    assert_int_equal(target.registers[0].state.sregs.ds.selector, 0xf000);
    assert_int_equal(target.registers[0].state.sregs.ds.base, 0);
}

static void test_memory(void **state)
{
    (void)state;
    memcpy(target.ram + 0x10, "\x01\x02\x03", 3);
    assert_string_equal(ask("m10,3"), "010203");
    assert_string_equal(ask("m3ffe,10"), "0000"); /* the part that exists */
    assert_string_equal(ask("m4000,1"), "E0e");
    assert_string_equal(ask("m10"), "E16");
    assert_int_equal(strlen(ask("m0,ffffffffffffffff")), GDB_PACKET_MAX);
    assert_string_equal(ask("M20,2:beef"), "OK");
    assert_int_equal(target.ram[0x21], 0xef);
    assert_string_equal(ask("M20,3:beef"), "E16");
    assert_string_equal(ask("X30,2:a}\x03"), "OK"); /* an escaped '#' */
    assert_int_equal(target.ram[0x31], '#');
    assert_string_equal(ask("X3fff,2:ab"), "E0e");
    assert_string_equal(ask("X0,0:"), "OK");
}

static void test_running(void **state)
{
    (void)state;
    assert_string_equal(ask("vCont?"), "vCont;c;C;s;S");
    assert_null(ask("vCont;s:1;c"));
    assert_int_equal(target.actions[0], GDB_STEP);
    assert_int_equal(target.actions[1], GDB_RUN);
    assert_null(ask("g")); /* not while it runs */
    fake_feed(&stub, "\x03", 1);
    assert_int_equal(target.interrupted, 1);
    target.sent_length = 0;
    gdb_stub_stopped(&stub, &(struct gdb_stop){.reason = GDB_STOPPED, .cpu = 1});
    assert_non_null(strstr(target.sent, "$T02thread:2;#"));
    assert_null(ask("vCont;s:2"));
    assert_int_equal(target.actions[0], GDB_STAY);
    assert_int_equal(target.actions[1], GDB_STEP);
    gdb_stub_stopped(&stub, &(struct gdb_stop){.reason = GDB_STEPPED, .cpu = 1});
    assert_string_equal(ask("vCont;x"), "E16");
    assert_string_equal(ask("vCont;c:7"), "E16");
    assert_string_equal(ask("vCont"), "E16");
    assert_null(ask("c1000"));
    assert_int_equal(target.registers[1].state.regs.rip, 0x1000);
    assert_int_equal(target.actions[0], GDB_RUN);
}

static void test_stops(void **state)
{
    static const struct {
        struct gdb_stop stop;
        const char *answer;
    } list[] = {
        {{.reason = GDB_BREAK, .type = GDB_SOFTWARE}, "$T05thread:1;swbreak:;#"},
        {{.reason = GDB_BREAK, .type = GDB_HARDWARE}, "$T05thread:1;hwbreak:;#"},
        {{.reason = GDB_WATCH, .type = GDB_WATCH_WRITE, .address = 0xabc0}, "watch:abc0;#"},
        {{.reason = GDB_WATCH, .type = GDB_WATCH_ACCESS, .address = 1}, "awatch:1;#"},
        {{.reason = GDB_CRASHED, .cpu = 1}, "$T0bthread:2;#"},
        {{.reason = GDB_ENDED, .status = 126}, "$W7e#"},
        {{.reason = GDB_ENDED_KILLED, .status = 9}, "$X09#"},
    };

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        begin64(state);
        (void)ask("qSupported:swbreak+;hwbreak+");
        assert_null(ask("c"));
        gdb_stub_stopped(&stub, &list[i].stop);
        assert_non_null(strstr(target.sent, list[i].answer));
    }
    assert_true(stub.over);
}

static void test_breakpoints(void **state)
{
    (void)state;
    assert_string_equal(ask("Z0,1000,1"), "OK");
    assert_string_equal(ask("Z0,1000,1"), "OK"); /* twice is once */
    assert_string_equal(ask("Z1,2000,1"), "OK");
    assert_string_equal(ask("Z2,3000,4"), "OK");
    assert_int_equal(target.breakpoints.count, 3);
    assert_string_equal(ask("Z3,3000,4"), ""); /* x86 cannot watch reads alone */
    assert_string_equal(ask("Z9,3000,4"), "E16");
    assert_string_equal(ask("Z2,3000,0"), "E16");
    assert_string_equal(ask("z0,1000,1"), "OK");
    assert_string_equal(ask("z0,1000,1"), "OK");
    assert_int_equal(target.breakpoints.count, 2);
}

static void test_ends(void **state)
{
    (void)state;
    assert_string_equal(ask("D"), "OK");
    assert_true(stub.over && target.detached == 1);
    fake_begin(&stub, &target, 32);
    assert_string_equal(ask("k"), "OK");
    assert_true(stub.over && target.killed == 1);
    assert_null(ask("g")); /* the session is over */
}

/* The whole description, as gdb fetches it, in pieces. */
static void test_description(void **state)
{
    static const struct {
        unsigned bits;
        const char *name;
    } list[] = {{16, "i8086"}, {32, "i386"}, {64, "i386:x86-64"}};
    char packet[64], expected[64];

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        char whole[GDB_DESCRIPTION_MAX] = "";
        const char *part;

        fake_begin(&stub, &target, list[i].bits);
        do {
            snprintf(packet, sizeof packet, "qXfer:features:read:target.xml:%zx,3f0",
                     strlen(whole));
            part = ask(packet);
            assert_true(part[0] == 'm' || part[0] == 'l');
            strcat(whole, part + 1); /* the XML has no bytes that are escaped */
        } while (part[0] == 'm');
        snprintf(expected, sizeof expected, "<architecture>%s</architecture>", list[i].name);
        assert_non_null(strstr(whole, expected));
        assert_string_equal(whole + strlen(whole) - 10, "</target>\n");
    }
    assert_string_equal(ask("qXfer:features:read:target.xml:ffffffff,10"), "l");
    assert_string_equal(ask("qXfer:features:read:target.xml:"), "E16");
    assert_string_equal(ask("qXfer:features:read:other.xml:0,10"), "");
}

/* `monitor` with a command in hex; returns its decoded output. */
static const char *monitor(const char *line)
{
    static char text[4096];
    char packet[256] = "qRcmd,";
    const char *output;
    size_t n = 0;

    for (const char *c = line; *c != '\0'; c++)
        sprintf(packet + strlen(packet), "%02x", *c);
    assert_string_equal(ask(packet), "OK");
    output = strstr(target.sent, "$O");
    assert_non_null(output);
    for (output += 2; *output != '#'; output += 2) {
        unsigned byte;

        assert_int_equal(sscanf(output, "%2x", &byte), 1);
        text[n++] = (char)byte;
    }
    text[n] = '\0';
    return text;
}

static void test_monitor(void **state)
{
    static const char *const no_vectors[] = {
        "idt e", "idt 256", "idt 0x", "idt 0x100", "idt -1", "idt 1 4", "idt 99999999999999999999"};

    (void)state;
    assert_non_null(strstr(monitor("help"), "monitor walk"));
    assert_non_null(strstr(monitor(""), "monitor walk"));
    assert_non_null(strstr(monitor("regs"), "long mode, 64-bit code"));
    assert_non_null(strstr(monitor("walk 0x1234"), "paging off"));
    assert_non_null(strstr(monitor("walk"), "expected a linear address"));
    assert_non_null(strstr(monitor("walk 12 34"), "expected a linear address"));
    assert_non_null(strstr(monitor("walk $pc"), "paging off"));
    assert_non_null(strstr(monitor("walk $ip"), "expected a linear address"));
    assert_non_null(strstr(monitor("idt"), "interrupt table"));
    assert_non_null(strstr(monitor("idt 14"), "[14]"));
    assert_non_null(strstr(monitor("idt 0xe"), "[14]"));
    assert_non_null(strstr(monitor("idt 255"), "[255]"));
    for (size_t i = 0; i < sizeof no_vectors / sizeof no_vectors[0]; i++)
        assert_non_null(strstr(monitor(no_vectors[i]), "expected a vector"));
    assert_non_null(strstr(monitor("exits"), "as it is"));
    assert_non_null(strstr(monitor("info"), "i386:x86-64"));
    assert_non_null(strstr(monitor("fly"), "no such command: fly"));
    assert_string_equal(ask("qRcmd,7"), "OK"); /* half a byte is not a byte: an empty line */
}

/* The chosen architecture lasts until another is chosen; it applies from the next session on. */
static void test_monitor_arch(void **state)
{
    struct gdb_stop stop = {.reason = GDB_STOPPED};

    (void)state;
    fake_begin(&stub, &target, 16);
    assert_non_null(strstr(monitor("arch i386:x86-64"), "described to gdb as i8086"));
    assert_int_equal(stub.arch, GDB_I8086);
    gdb_stub_begin(&stub, &stop);
    assert_int_equal(stub.arch, GDB_X86_64);
    assert_non_null(strstr(monitor("arch auto"), "fits the mode"));
    gdb_stub_begin(&stub, &stop);
    assert_int_equal(stub.arch, GDB_I8086);
}

/* Running backwards is offered if it is possible, and refused with the reason otherwise. */
static void test_backwards(void **state)
{
    static const struct gdb_stop begin = {.reason = GDB_BEGIN},
                                 told = {.reason = GDB_STOPPED, .text = "it was\n"};

    begin64(state);
    assert_non_null(strstr(ask("qSupported:"), "ReverseStep+;ReverseContinue+"));
    assert_null(ask("bs"));
    assert_int_equal(target.way, TRAVEL_STEP);
    gdb_stub_stopped(&stub, &begin);
    assert_non_null(strstr(target.sent, "T05replaylog:begin;thread:1;"));
    assert_null(ask("bc"));
    assert_int_equal(target.way, TRAVEL_CONTINUE);
    gdb_stub_stopped(&stub, &begin);
    assert_string_equal(ask("bx"), "");

    /* monitor who-wrote 2000 4: its text, then OK and no stop. */
    assert_null(ask("qRcmd,77686f2d77726f746520323030302034"));
    assert_int_equal(target.way, TRAVEL_WHO);
    assert_int_equal(target.asked.address, 0x2000);
    assert_int_equal(target.asked.length, 4);
    gdb_stub_stopped(&stub, &told);
    assert_non_null(strstr(target.sent, "$O6974207761730a#"));
    assert_non_null(strstr(target.sent, "$OK#"));
    assert_null(strstr(target.sent, "$T02"));

    target.gone_back = 0;
    assert_non_null(ask("qRcmd,77686f2d77726f74652078")); /* who-wrote x */
    assert_int_equal(target.gone_back, 0);
    target.no_way = "two vCPUs";
    assert_null(strstr(ask("qSupported:"), "Reverse"));
    assert_string_equal(ask("bs"), "E.two vCPUs");
    assert_non_null(ask("g"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backwards),
        cmocka_unit_test_setup(test_greeting, begin64),
        cmocka_unit_test_setup(test_acknowledgement, begin64),
        cmocka_unit_test_setup(test_one_answer_at_a_time, begin64),
        cmocka_unit_test_setup(test_registers, begin64),
        cmocka_unit_test_setup(test_all_registers_return, begin64),
        cmocka_unit_test(test_register_numbers),
        cmocka_unit_test(test_tag_word),
        cmocka_unit_test(test_real_mode_segments),
        cmocka_unit_test_setup(test_memory, begin64),
        cmocka_unit_test_setup(test_running, begin64),
        cmocka_unit_test_setup(test_stops, begin64),
        cmocka_unit_test_setup(test_breakpoints, begin64),
        cmocka_unit_test_setup(test_ends, begin64),
        cmocka_unit_test_setup(test_description, begin64),
        cmocka_unit_test_setup(test_monitor, begin64),
        cmocka_unit_test(test_monitor_arch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
