/* Unit tests of how breakpoints are implemented: the plan for debug registers (breakpoints.c),
 * traps in code (traps.c), handlers with their saved flags and deadlines (handlers.c). */
#include <errno.h>
#include <string.h>

#include "cmocka_all.h"
#include "watch/gdb/breakpoints.h"
#include "watch/gdb/handlers.h"

static const struct probe_debug everything = {true, true, true, true};
static const struct probe_debug only_steps = {.step = true};

static void set(struct gdb_breakpoints *t, enum gdb_breakpoint_type type, gva_t at, uint32_t length)
{
    assert_int_equal(
        gdb_breakpoints_add(
            t, &(struct gdb_breakpoint){.type = type, .address = at, .length = length}),
        0);
}

static void test_registers_are_used(void **state)
{
    struct gdb_breakpoints t = {0};
    struct gdb_plan plan;

    (void)state;
    set(&t, GDB_HARDWARE, 0x1000, 1);
    set(&t, GDB_WATCH_WRITE, 0x2000, 4);
    set(&t, GDB_WATCH_ACCESS, 0x3008, 8);
    assert_int_equal(gdb_plan(&plan, &t, &everything), 0);
    assert_int_equal(plan.used, 3);
    assert_false(plan.steps);
    /* L0, L1, L2; R/W and LEN: 00 00, 01 11, 11 10 from bit 16 (SDM volume 3, figure 18-1). */
    assert_int_equal(plan.dr7, 0x15 | 0xd << 20 | 0xb << 24);
    assert_int_equal(plan.address[2], 0x3008);
    assert_ptr_equal(plan.owner[1], &t.list[1]);
}

/* 7 bytes from an odd address: 1 + 2 + 4. */
static void test_a_watchpoint_is_cut(void **state)
{
    struct gdb_breakpoints t = {0};
    struct gdb_plan plan;

    (void)state;
    set(&t, GDB_WATCH_WRITE, 0x1001, 7);
    assert_int_equal(gdb_plan(&plan, &t, &everything), 0);
    assert_int_equal(plan.used, 3);
    assert_int_equal(plan.address[0], 0x1001);
    assert_int_equal(plan.address[1], 0x1002);
    assert_int_equal(plan.address[2], 0x1004);
    assert_int_equal(plan.dr7 >> 16, 0x1 | 0x5 << 4 | 0xd << 8);
}

static void test_registers_run_out(void **state)
{
    struct gdb_breakpoints t = {0};
    struct gdb_plan plan;

    (void)state;
    for (unsigned i = 0; i < GDB_DEBUG_REGISTERS + 1; i++)
        set(&t, GDB_HARDWARE, 0x1000 + i, 1);
    assert_int_equal(gdb_plan(&plan, &t, &everything), -ENOSPC);
    /* Without debug registers, single steps have no limit. */
    assert_int_equal(gdb_plan(&plan, &t, &only_steps), 0);
    assert_true(plan.steps);
    assert_int_equal(plan.used, 0);
}

static void test_means_of_software_breakpoints(void **state)
{
    static const struct probe_debug registers = {.breakpoint = true, .step = true};
    struct gdb_breakpoints t = {0};
    struct gdb_plan plan;

    (void)state;
    set(&t, GDB_SOFTWARE, 0x1000, 1);
    set(&t, GDB_SOFTWARE, 0x2000, 1);
    t.list[1].fits_port = true;
    assert_int_equal(gdb_plan(&plan, &t, &everything), 0);
    assert_int_equal(t.list[0].means, GDB_BY_INT3);
    assert_int_equal(gdb_plan(&plan, &t, &only_steps), 0);
    assert_int_equal(t.list[0].means, GDB_BY_STEPS);
    assert_int_equal(t.list[1].means, GDB_BY_PORT);
    assert_int_equal(gdb_plan(&plan, &t, &registers), 0);
    assert_int_equal(t.list[0].means, GDB_BY_REGISTER);
    /* Hardware breakpoints go first, although they were set later. */
    for (unsigned i = 0; i < GDB_DEBUG_REGISTERS; i++)
        set(&t, GDB_HARDWARE, 0x5000 + i, 1);
    assert_int_equal(gdb_plan(&plan, &t, &registers), 0);
    assert_int_equal(t.list[0].means, GDB_BY_STEPS);
    assert_int_equal(t.list[5].means, GDB_BY_REGISTER);
}

/* Without debug registers a hardware breakpoint is done like a software one. */
static void test_means_of_hardware_breakpoints(void **state)
{
    struct gdb_breakpoints t = {0};
    struct gdb_plan plan;

    (void)state;
    set(&t, GDB_HARDWARE, 0x1000, 1);
    t.list[0].fits_port = true;
    assert_int_equal(gdb_plan(&plan, &t, &everything), 0);
    assert_int_equal(t.list[0].means, GDB_BY_REGISTER);
    assert_int_equal(gdb_plan(&plan, &t, &only_steps), 0);
    assert_int_equal(t.list[0].means, GDB_BY_PORT);
    assert_false(plan.steps);
    set(&t, GDB_HARDWARE, 0x1001, 1); /* leaves no room for two bytes */
    assert_int_equal(gdb_plan(&plan, &t, &only_steps), 0);
    assert_int_equal(t.list[0].means, GDB_BY_STEPS);
    assert_true(plan.steps);
}

static void test_table(void **state)
{
    struct gdb_breakpoints t = {0};
    struct gdb_breakpoint b = {.type = GDB_WATCH_WRITE, .length = GDB_WATCH_LENGTH_MAX + 1};

    (void)state;
    assert_int_equal(gdb_breakpoints_add(&t, &b), -EINVAL);
    for (unsigned i = 0; i < GDB_BREAKPOINTS_MAX; i++)
        set(&t, GDB_SOFTWARE, i, 1);
    b = (struct gdb_breakpoint){.address = 0x1000};
    assert_int_equal(gdb_breakpoints_add(&t, &b), -ENOSPC);
    assert_int_equal(gdb_breakpoints_remove(&t, &b), -1);
    b.address = 3;
    assert_int_equal(gdb_breakpoints_remove(&t, &b), 3);
    assert_null(gdb_breakpoints_at(&t, 3));
    assert_int_equal(t.list[3].address, GDB_BREAKPOINTS_MAX - 1);
}

static uint8_t ram[16 * PAGE_SIZE];
static struct memory memory;

static int fresh_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ram; i++)
        ram[i] = (uint8_t)(i * 7);
    memory_init(&memory, 0, sizeof ram, ram);
    return 0;
}

static void test_traps_leave_nothing(void **state)
{
    static uint8_t before[sizeof ram];
    const struct snapshot real = {.memory = &memory};
    static struct traps t;
    gpa_t place;

    (void)state;
    memcpy(before, ram, sizeof ram);
    t.count = 0;
    assert_true(traps_put(&t, &memory, 0x100, TRAP_INT3));
    assert_true(traps_put(&t, &memory, 0x101, TRAP_PORT));
    assert_int_equal(ram[0x100], 0xcc);
    assert_int_equal(ram[0x101], 0xe6);
    assert_int_equal(ram[0x102], TRAPS_PORT);
    assert_true(traps_put(&t, &memory, 0x101, TRAP_PORT));  /* is there already */
    assert_false(traps_put(&t, &memory, 0x102, TRAP_PORT)); /* overlaps */
    assert_false(traps_put(&t, &memory, 0xfff, TRAP_PORT)); /* ends beyond its page */
    assert_false(traps_put(&t, &memory, sizeof ram, TRAP_INT3));
    assert_true(traps_put(&t, &memory, 0x80, TRAP_PORT));  /* keeps the order */
    assert_false(traps_put(&t, &memory, 0xff, TRAP_PORT)); /* overlaps the next one */
    assert_int_equal(ram[0xff], before[0xff]);
    assert_non_null(traps_find(&t, &real, 0x101, &place));
    assert_int_equal(place, 0x101);
    assert_null(traps_find(&t, &real, 0x102, &place));
    assert_null(traps_find(&t, &real, sizeof ram, &place));
    assert_int_equal(t.count, 3);
    traps_clear(&t, &memory);
    assert_memory_equal(before, ram, sizeof ram);
}

static void test_what_the_guest_wrote_stays(void **state)
{
    static struct traps t;

    (void)state;
    t.count = 0;
    assert_true(traps_put(&t, &memory, 0x200, TRAP_PORT));
    ram[0x200] = 0x90;
    traps_clear(&t, &memory);
    assert_int_equal(ram[0x200], 0x90);
    assert_int_equal(ram[0x201], TRAPS_PORT); /* so does the other byte: the pair is the guest's */
}

/* The table takes no more traps than it has room for, and finds each. */
static void test_many_traps(void **state)
{
    const struct snapshot real = {.memory = &memory};
    static struct traps t;
    gpa_t place;

    (void)state;
    t.count = 0;
    for (unsigned i = 0; i < TRAPS_MAX; i++)
        assert_true(traps_put(&t, &memory, i * 37 % TRAPS_MAX * 8, TRAP_PORT));
    assert_false(traps_put(&t, &memory, 8 * TRAPS_MAX, TRAP_PORT));
    for (unsigned i = 0; i < TRAPS_MAX; i++) {
        assert_non_null(traps_find(&t, &real, i * 8, &place));
        assert_null(traps_find(&t, &real, i * 8 + 1, &place));
    }
    traps_clear(&t, &memory);
}

/* A real-mode table with two handlers, one of them twice. */
static void test_handlers_in_real_mode(void **state)
{
    struct snapshot s = {.memory = &memory, .sregs.idt = {.base = 0, .limit = 0x3ff}};
    static struct handlers h;

    (void)state;
    memset(ram, 0, 0x400);
    memcpy(ram + 4 * 8, "\x10\x00\x00\x01", 4); /* 0100:0010 */
    memcpy(ram + 4 * 9, "\x00\x00\x01\x01", 4); /* 0101:0000, the same place */
    memcpy(ram + 4 * 64, "\x00\x08\x00\x00", 4);
    h.count = 0;
    handlers_add(&h, &s);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.list[0].vector, 64);
    assert_int_equal(handlers_at(&h, 0x1010)->vector, 8);
    assert_int_equal(handlers_at(&h, 0x1010)->offset, 0x10);
    assert_null(handlers_at(&h, 0x1011));
    h.count = 0;
    handlers_add_vector(&h, &s, 9);
    handlers_add_vector(&h, &s, 10); /* 0000:0000: no handler */
    assert_int_equal(h.count, 1);
    assert_non_null(handlers_at(&h, 0x1010));
}

/* Protected mode without paging: a gate counts if it is present, an interrupt or trap gate, and its
 * selector is a code segment. */
static void test_handlers_of_gates(void **state)
{
    enum { IDT = 0x1000, GDT = 0x2000 };
    static const uint64_t code = 0x00cf9b000000ffff, data = 0x00cf93000000ffff;
    static const uint64_t gates[] = {[3] = 0x00008e0000083000,  /* good */
                                     [4] = 0x00000e0000084000,  /* not present */
                                     [5] = 0x0000850000085000,  /* a task gate */
                                     [6] = 0x00008e0000106000,  /* its selector: data */
                                     [7] = 0x00008e0000f87000,  /* beyond the GDT */
                                     [8] = 0x00008f0000082fff}; /* good, a trap gate */
    static const gva_t calls[HANDLERS_CALLS] = {
        [HANDLERS_LSTAR] = 0x5000, [HANDLERS_SYSENTER] = 0x6000};
    struct snapshot s = {.memory = &memory,
                         .sregs = {.cr0 = CR0_PE,
                                   .idt = {.base = IDT, .limit = sizeof gates - 1},
                                   .gdt = {.base = GDT, .limit = 23}}};
    static struct handlers h;

    (void)state;
    memcpy(ram + IDT, gates, sizeof gates);
    memcpy(ram + GDT + 8, &code, 8);
    memcpy(ram + GDT + 16, &data, 8);
    h.count = 0;
    handlers_add(&h, &s);
    assert_int_equal(h.count, 2);
    assert_int_equal(handlers_at(&h, 0x3000)->vector, 3);
    assert_int_equal(handlers_at(&h, 0x2fff)->vector, 8);
    handlers_add_calls(&h, &s, calls);
    assert_int_equal(h.count, 4);
    assert_true(handlers_at(&h, 0x5000)->syscall);
    assert_false(handlers_at(&h, 0x6000)->syscall);
    assert_int_equal(handlers_at(&h, 0x6000)->vector, -1);
}

static struct snapshot long_mode(void)
{
    return (struct snapshot){
        .memory = &memory,
        .sregs = {.cr0 = CR0_PE, /* paging is off: this does not test the walk */
                  .efer = EFER_LME | EFER_LMA,
                  .cs = {.l = 1, .present = 1}},
        .regs.rsp = 0x8000};
}

static void put64(gpa_t at, uint64_t value)
{
    memcpy(ram + at, &value, sizeof value);
}

static void test_saved_flags(void **state)
{
    struct snapshot s = long_mode();
    struct handler interrupt = {.at = 0x1000}, syscall = {.at = 0x1000, .syscall = true};

    (void)state;
    put64(0x8000, 0xffffffff81000000); /* RIP, CS, flags */
    put64(0x8008, 0x10);
    put64(0x8010, 0x302);
    handlers_hide_trap_flag(&interrupt, &s);
    assert_int_equal(ram[0x8011], 0x02);
    put64(0x8000, 2); /* an error code, then the same frame */
    put64(0x8008, 0xffffffff81000000);
    put64(0x8010, 0x10);
    put64(0x8018, 0x302);
    handlers_hide_trap_flag(&interrupt, &s);
    assert_int_equal(ram[0x8019], 0x02);
    s.regs.r11 = 0x302;
    handlers_hide_trap_flag(&interrupt, &s);
    assert_int_equal(s.regs.r11, 0x302); /* an interrupt does not save flags there */
    handlers_hide_trap_flag(&syscall, &s);
    assert_int_equal(s.regs.r11, 0x202);
}

static void test_pushed_flags(void **state)
{
    struct snapshot s = long_mode();

    (void)state;
    s.regs.rip = 0x1000;
    memcpy(ram + 0x1000, "\x9c\x66\x9c\x48\x9c\x66\x90", 7);
    assert_true(handlers_is_pushf(&s));
    s.regs.rip = 0x1001;
    assert_true(handlers_is_pushf(&s));
    s.regs.rip = 0x1003;
    assert_true(handlers_is_pushf(&s));
    s.regs.rip = 0x1005;
    assert_false(handlers_is_pushf(&s));
    put64(0x8000, 0x346);
    handlers_hide_pushed_flag(&s);
    assert_int_equal(ram[0x8001], 0x02);
    assert_int_equal(ram[0x8000], 0x46);
}

/* 64-bit code at 0x1000, with paging off, so that no tables are needed. */
static bool fits(const char *code, size_t length, gva_t at)
{
    struct snapshot s = long_mode();

    memset(ram, 0x90, sizeof ram);
    memcpy(ram + 0x1000, code, length);
    return traps_port_fits(&s, at, at);
}

static void test_what_a_port_write_may_cover(void **state)
{
    struct snapshot s = long_mode();

    (void)state;
    assert_true(fits("\x89\xc3", 2, 0x1000));         /* mov %eax,%ebx */
    assert_false(fits("\xc3\x89\xc3", 3, 0x1000));    /* ret */
    assert_true(fits("\x55\x48\x89\xe5", 4, 0x1000)); /* push %rbp; mov %rsp,%rbp */
    /* The same with a jump back to the mov, short and long. */
    assert_false(fits("\x55\x48\x89\xe5\xeb\xfb", 6, 0x1000));
    assert_false(fits("\x55\x48\x89\xe5\xe9\xf8\xff\xff\xff", 9, 0x1000));
    assert_false(fits("\x55\x48\x89\xe5\x0f\x84\xf7\xff\xff\xff", 10, 0x1000));
    assert_true(fits("\x55\x48\x89\xe5\x0f\x84\xf6\xff\xff\xff", 10, 0x1000)); /* to the push */
    assert_false(fits("\x89\xc3", 2, 0x1fff)); /* at the end of a page */
    assert_false(fits("\x06", 1, 0x1000));     /* not an instruction in 64-bit code */
    assert_true(fits("\0\0", 2, 0x1000));      /* add %al,(%rax) */
    memset(ram, 0, sizeof ram);
    assert_false(traps_port_fits(&s, 0x1000, 0x1000)); /* empty memory */
}

static void test_a_deadline_is_noticed(void **state)
{
    struct snapshot s = long_mode();

    (void)state;
    s.regs.rip = 0x1000;
    s.regs.rcx = UINT64_C(0xffffffff00000000) | TIMER_MSR_DEADLINE;
    memcpy(ram + 0x1000, "\x0f\x30\x0f\x32", 4); /* wrmsr; rdmsr */
    assert_true(handlers_sets_timer(&s));
    s.regs.rip = 0x1002;
    assert_false(handlers_sets_timer(&s));
    s.regs.rip = 0x1000;
    s.regs.rcx = TIMER_MSR_TSC;
    assert_false(handlers_sets_timer(&s));
    s.regs.rcx = TIMER_MSR_DEADLINE;
    s.regs.rip = sizeof ram - 1; /* half of it is beyond the end of memory */
    assert_false(handlers_sets_timer(&s));
}

/* The new deadline leaves time for thousands of steps; later deadlines, and no deadline, do not
 * change. */
static void test_a_deadline_comes_later(void **state)
{
    const uint64_t now = UINT64_C(1) << 40, much = UINT64_C(1) << 36;

    (void)state;
    assert_int_equal(handlers_later_deadline(now, 0), 0);
    assert_true(handlers_later_deadline(now, now + 1) >= now + (UINT64_C(1) << 32));
    assert_true(handlers_later_deadline(now, now - 1) >= now + (UINT64_C(1) << 32));
    assert_true(handlers_later_deadline(now, now + much) == now + much);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers_are_used),
        cmocka_unit_test(test_a_watchpoint_is_cut),
        cmocka_unit_test(test_registers_run_out),
        cmocka_unit_test(test_means_of_software_breakpoints),
        cmocka_unit_test(test_means_of_hardware_breakpoints),
        cmocka_unit_test(test_table),
        cmocka_unit_test_setup(test_traps_leave_nothing, fresh_memory),
        cmocka_unit_test_setup(test_what_the_guest_wrote_stays, fresh_memory),
        cmocka_unit_test_setup(test_many_traps, fresh_memory),
        cmocka_unit_test_setup(test_handlers_in_real_mode, fresh_memory),
        cmocka_unit_test_setup(test_handlers_of_gates, fresh_memory),
        cmocka_unit_test_setup(test_saved_flags, fresh_memory),
        cmocka_unit_test_setup(test_pushed_flags, fresh_memory),
        cmocka_unit_test_setup(test_what_a_port_write_may_cover, fresh_memory),
        cmocka_unit_test_setup(test_a_deadline_is_noticed, fresh_memory),
        cmocka_unit_test(test_a_deadline_comes_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
