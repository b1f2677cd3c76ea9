/*
 * Unit tests of the explainer: one machine for each mode, laid out by hand, and a single
 * instruction that faults in it. The expected text follows the SDM, not the program.
 */
#include <string.h>

#include "cmocka_all.h"
#include "watch/explain/page.h"

enum { RAM = 64 * 1024, CODE = 0x8000, STACK = 0x9000, GDT = 0x6000, IDT = 0x7000 };
#define PAGE_ENTRY(address) ((uint64_t)(address) | 7)

static _Alignas(8) uint8_t ram[RAM];
static struct memory memory;
static struct snapshot s;
static struct diagnosis d;

static void put64(gpa_t at, uint64_t value)
{
    memcpy(ram + at, &value, sizeof value);
}

static struct kvm_segment flat(bool code, bool wide)
{
    return (struct kvm_segment){.limit = UINT32_MAX,
                                .selector = code ? 8 : 16,
                                .type = code ? 11 : 3,
                                .present = 1,
                                .s = 1,
                                .g = 1,
                                .db = !code || !wide,
                                .l = code && wide};
}

static void reset(bool wide)
{
    memset(ram, 0, sizeof ram);
    memory_init(&memory, 0, RAM, ram);
    s = (struct snapshot){.memory = &memory, .address_bits = 40};
    s.sregs.cs = flat(true, wide);
    s.sregs.ds = s.sregs.es = s.sregs.fs = s.sregs.gs = s.sregs.ss = flat(false, wide);
    s.sregs.gdt = (struct kvm_dtable){.base = GDT, .limit = 23};
    put64(GDT + 8, wide ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
    put64(GDT + 16, 0x00cf93000000ffff);
    s.sregs.cr0 = CR0_PE;
    s.regs.rip = CODE;
    s.regs.rsp = STACK;
}

static int protected_mode(void **state)
{
    (void)state;
    reset(false);
    return 0;
}

/* The first 64 KB are identity-mapped, except for the pages from 0 to 0x5000. */
static int long_mode(void **state)
{
    (void)state;
    reset(true);
    s.sregs.cr0 |= CR0_PG | CR0_WP;
    s.sregs.cr4 = CR4_PAE | CR4_OSFXSR;
    s.sregs.efer = EFER_LME | EFER_LMA | EFER_NX;
    s.sregs.cr3 = 0x1000;
    for (unsigned i = 1; i < 4; i++)
        put64(i * 0x1000, PAGE_ENTRY((i + 1) * 0x1000));
    for (unsigned i = 5; i < 16; i++)
        put64(0x4000 + 8 * i, PAGE_ENTRY(i * 0x1000));
    return 0;
}

static int real_mode(void **state)
{
    (void)state;
    reset(false);
    s.sregs.cr0 = 0;
    s.sregs.cs.db = s.sregs.ss.db = 0;
    s.sregs.cs.limit = s.sregs.ds.limit = s.sregs.ss.limit = s.sregs.es.limit = 0xffff;
    s.sregs.idt.limit = 0x3ff;
    return 0;
}

static void run(const char *code, size_t size)
{
    memcpy(ram + CODE, code, size);
    d = diagnose_fault(&s, (struct diagnose_hint){-1, -1});
}
#define RUN(code) run(code, sizeof(code) - 1)

static void expect(const char *line)
{
    assert_string_equal(d.line, line);
}

static void expect_raised(int vector, uint32_t error, const char *why)
{
    assert_int_equal(d.raise.exception.vector, vector);
    assert_int_equal(d.raise.exception.error, error);
    assert_string_equal(d.raise.exception.why, why);
}

static void test_no_idt(void **state)
{
    (void)state;
    RUN("\x89\x04\x25\x00\x00\x00\x00"); /* mov %eax, 0 */
    expect("page fault at 0x0 (write; not present: PT[0] bit 0 (P) is clear); IDT limit 0, so it "
           "could not be delivered");
    assert_true(d.shutdown);
    assert_int_equal(d.count, 2); /* with the double fault, for the same reason */
    assert_int_equal(d.chain[0].error, PF_WRITE);
    assert_int_equal(d.chain[1].vector, EXCEPTION_DF);
}

static void gate(unsigned vector, uint64_t low)
{
    s.sregs.idt = (struct kvm_dtable){.base = IDT, .limit = 0xfff};
    put64(IDT + vector * 16, low);
}

static void test_gates(void **state)
{
    (void)state;
    gate(14, 0x00008e0000089000); /* an interrupt gate to 8:0x9000 */
    RUN("\x89\x04\x25\x00\x00\x00\x00");
    assert_true(d.deliveries[0].possible && !d.shutdown);
    assert_int_equal(d.deliveries[0].handler, 0x9000);
    gate(14, 0x00000e0000089000);
    RUN("\x89\x04\x25\x00\x00\x00\x00");
    expect("page fault at 0x0 (write; not present: PT[0] bit 0 (P) is clear); gate 14 is not "
           "present (bit 47 is clear), so it could not be delivered; nor the double fault: gate 8 "
           "is not a gate (type 0x0)");
    gate(14, 0x00008e0000109000);
    RUN("\x89\x04\x25\x00\x00\x00\x00");
    assert_string_equal(d.deliveries[0].failed.why,
                        "gate 14's code selector 0x10 is not a code segment");
    gate(14, 0x00008e0100089000); /* IST1, and no TSS */
    RUN("\x89\x04\x25\x00\x00\x00\x00");
    assert_int_equal(d.deliveries[0].failed.vector, EXCEPTION_TS);
}

static void test_stack(void **state)
{
    (void)state;
    gate(14, 0x00008e0000089000);
    s.regs.rsp = 0x3000;
    RUN("\x50"); /* push %rax */
    expect("page fault at 0x2ff8 (write; not present: PT[2] bit 0 (P) is clear); the stack at "
           "0x3000 cannot take the frame, not present: PT[2] bit 0 (P) is clear, so it could not "
           "be delivered; nor the double fault: gate 8 is not a gate (type 0x0)");
    s.regs.rsp = 0x800000000000;
    RUN("\x58"); /* pop %rax */
    expect_raised(EXCEPTION_SS, 0, "read of 0x800000000000, which is not canonical");
}

static void test_long_faults(void **state)
{
    (void)state;
    RUN("\x0f\x0b");
    expect_raised(EXCEPTION_UD, 0, "an instruction that always raises #UD");
    RUN("\x06\x00"); /* push %es: not in 64-bit code */
    expect_raised(EXCEPTION_UD, 0, "the bytes 06 00 00 are not an instruction");
    s.regs.rbx = 0x1234567890abcdef;
    RUN("\x8b\x03"); /* mov (%rbx), %eax */
    expect_raised(EXCEPTION_GP, 0, "read of 0x1234567890abcdef, which is not canonical");
    s.regs.rbx = 0x9008;
    RUN("\x0f\x28\x03"); /* movaps (%rbx), %xmm0 */
    expect_raised(EXCEPTION_GP, 0, "read of 16 bytes at 0x9008, not aligned to 16");
    RUN("\x0f\x10\x03"); /* movups */
    expect_raised(EXCEPTION_NONE, 0, "");
    put64(0x4000 + 8 * 9, PAGE_ENTRY(0x9000) & ~UINT64_C(2));
    RUN("\xc6\x03\x00"); /* movb $0, (%rbx) */
    expect_raised(EXCEPTION_PF, 3, "write; not writable: PT[9] bit 1 (W) is clear");
    s.regs.rip = 0x9000;
    put64(0x4000 + 8 * 9, PAGE_ENTRY(0x9000) | UINT64_C(1) << 63);
    RUN("");
    expect_raised(EXCEPTION_PF, 17, "fetch; not executable: PT[9] bit 63 (NX) is set");
}

static void test_divide(void **state)
{
    (void)state;
    s.regs.rbx = 0;
    RUN("\x48\xf7\xf3"); /* div %rbx */
    expect_raised(EXCEPTION_DE, 0, "division by zero");
    s.regs.rbx = 3;
    s.regs.rdx = 2;
    RUN("\x48\xf7\xf3");
    expect_raised(EXCEPTION_NONE, 0, "");
    s.regs.rdx = 3;
    RUN("\x48\xf7\xf3");
    expect_raised(EXCEPTION_DE, 0, "the quotient does not fit into 64 bits");
    s.regs.rdx = s.regs.rbx = UINT32_MAX;
    s.regs.rax = 0x80000000;
    RUN("\xf7\xfb"); /* idiv %ebx: -2^31 / -1 */
    expect_raised(EXCEPTION_DE, 0, "the quotient does not fit into 32 bits");
    s.regs.rdx = UINT64_C(1) << 63;
    s.regs.rax = 0;
    s.regs.rbx = UINT64_MAX;
    RUN("\x48\xf7\xfb");
    expect_raised(EXCEPTION_DE, 0, "the quotient does not fit into 64 bits");
}

static void test_protected_faults(void **state)
{
    (void)state;
    RUN("\xea\x00\x80\x00\x00\x00\x00"); /* ljmp $0, $0x8000 */
    expect(
        "general protection fault (CS loaded with selector 0x0, which is null); IDT limit 0, so it "
        "could not be delivered");
    RUN("\xea\x00\x80\x00\x00\x10\x00");
    expect_raised(EXCEPTION_GP, 0x10, "CS loaded with selector 0x10, which is a data segment");
    s.regs.rax = 0x40;
    RUN("\x8e\xd8"); /* mov %ax, %ds */
    expect_raised(EXCEPTION_GP, 0x40,
                  "DS loaded with selector 0x40, which lies beyond the GDT (limit 0x17)");
    RUN("\x0f\x00\xd8"); /* ltr %ax */
    expect_raised(EXCEPTION_GP, 0x40,
                  "LTR with selector 0x40, which lies beyond the GDT (limit 0x17)");
    s.sregs.ds.limit = 0x3000;
    RUN("\xa1\xfe\x2f\x00\x00"); /* mov 0x2ffe, %eax */
    expect_raised(EXCEPTION_GP, 0, "4 bytes at DS:0x2ffe, limit 0x3000");
    s.regs.rax = CR0_PG;
    RUN("\x0f\x22\xc0"); /* mov %eax, %cr0 */
    expect_raised(EXCEPTION_GP, 0, "CR0.PG (bit 31) without CR0.PE (bit 0)");
    s.sregs.ss.dpl = 3;
    RUN("\xf4");
    expect_raised(EXCEPTION_GP, 0, "a privileged instruction at level 3");
    RUN("\xe6\xf4");
    expect_raised(EXCEPTION_GP, 0, "an I/O instruction at level 3, IOPL is 0");
}

static void test_real_mode(void **state)
{
    (void)state;
    RUN("\xcd\x21");
    assert_true(d.chain[0].software && d.chain[0].vector == 0x21);
    assert_true(d.deliveries[0].possible); /* to 0:0, as the table has zeroes */
    s.sregs.idt.limit = 0x7f;
    RUN("\xcd\x21");
    expect("interrupt 0x21 (int $0x21); IDT limit 0x7f ends before gate 33, so it could not be "
           "delivered; general protection fault goes to its handler at 0x0");
}

static void test_real_mode_stack(void **state)
{
    (void)state;
    s.regs.rsp = 4; /* wraps */
    RUN("\xcd\x21");
    assert_true(d.deliveries[0].possible);
    s.regs.rsp = 3;
    RUN("\xcd\x21");
    assert_string_equal(d.deliveries[0].failed.why, "SP 3 is too low for the frame");
}

static void test_interrupt(void **state)
{
    (void)state;
    ram[CODE] = 0x90;
    d = diagnose_fault(&s, (struct diagnose_hint){8, -1});
    assert_string_equal(d.chain[0].why, "from a device");
    d = diagnose_fault(&s, (struct diagnose_hint){-1, -1});
    assert_int_equal(d.count, 0);
}

/* The second 8259A is connected to line 2 of the first; if that line is in service, it is not the
 * cause. */
static void test_missing_eoi(void **state)
{
    struct interrupts i = {.known = true};
    char bytes[200];
    struct text text = text_in(bytes, sizeof bytes);

    (void)state;
    i.pic[0].irq_base = 0x20;
    i.pic[1].irq_base = 0x28;
    assert_false(interrupts_describe_stuck(&text, &i));
    assert_int_equal(interrupts_in_service(&i), -1);
    i.pic[0].isr = 1 << 1;
    i.pic[0].irr = 1 << 4;
    assert_true(interrupts_describe_stuck(&text, &i));
    assert_string_equal(bytes, "IRQ 1 (vector 0x21) is in service at the master PIC and was never "
                               "ended (no EOI), so IRQ 4 waits");
    i.pic[0].isr = 1 << 2;
    i.pic[1].isr = 1 << 6;
    assert_int_equal(interrupts_in_service(&i), 0x2e);
    text = text_in(bytes, sizeof bytes);
    assert_true(interrupts_describe_stuck(&text, &i));
    assert_non_null(strstr(bytes, "IRQ 14 (vector 0x2e) is in service at the slave PIC"));
    i.pic[0].isr = i.pic[1].isr = 0;
    i.in_service[7] = 1u << 31;
    assert_int_equal(interrupts_in_service(&i), 0xff);
}

static void test_loop(void **state)
{
    gva_t addresses[1000];
    struct loop loop;

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        addresses[i] = i < 10 ? i : 0x100 + i % 3;
    loop = loop_find(addresses, 1000);
    assert_true(loop.found);
    assert_int_equal(loop.hot, 0x100);
    assert_int_equal(loop.high, 0x102);
    assert_int_equal(loop.instructions, 3);
    for (unsigned i = 0; i < 1000; i++)
        addresses[i] = i;
    assert_false(loop_find(addresses, 1000).found);
}

static void test_page(void **state)
{
    static char bytes[PAGE_TEXT];
    struct text text = text_in(bytes, sizeof bytes);
    struct page page = {.snapshot = &s, .diagnosis = &d};

    (void)state;
    RUN("\x89\x04\x25\x00\x00\x00\x00");
    page_print(&text, &page);
    assert_non_null(strstr(bytes, "long mode, 64-bit code, level 0, 4-level paging\n"));
    assert_non_null(strstr(bytes, "-> 00008000  89 04 25 00 00 00 00"));
    assert_non_null(strstr(bytes, "PT[0]     at 0x4000: 0x0 ---   <--\n"));
    assert_non_null(strstr(bytes, "cr0    0x80010001 PE WP PG\n"));
    assert_non_null(strstr(bytes, "1. page fault at 0x0 (write; not present: PT[0] bit 0 (P) is "
                                  "clear), vector 14, error code 0x2\n"));
    assert_non_null(strstr(bytes, "3. the CPU shuts down\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_no_idt, long_mode),
        cmocka_unit_test_setup(test_gates, long_mode),
        cmocka_unit_test_setup(test_stack, long_mode),
        cmocka_unit_test_setup(test_long_faults, long_mode),
        cmocka_unit_test_setup(test_divide, long_mode),
        cmocka_unit_test_setup(test_protected_faults, protected_mode),
        cmocka_unit_test_setup(test_real_mode, real_mode),
        cmocka_unit_test_setup(test_real_mode_stack, real_mode),
        cmocka_unit_test_setup(test_interrupt, protected_mode),
        cmocka_unit_test(test_missing_eoi),
        cmocka_unit_test(test_loop),
        cmocka_unit_test_setup(test_page, long_mode),
    };

    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
