/* Tests of programs in ring 3: allowed and forbidden operations, and that no resource is lost. The
 * reports of faults are expected. */
#include <stddef.h>
#include <stdint.h>

#include "abi/hleos.h"
#include "common/elf.h"
#include "common/exception.h"
#include "common/string.h"
#include "common/x86.h"
#include "cpu/boot.h"
#include "fs/system.h"
#include "kmalloc.h"
#include "memory/layout.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "memory/space.h"
#include "process.h"
#include "process/programs.h"
#include "selftest/selftest.h"
#include "thread.h"
#include "timer.h"

/* Runs a program to its end. Returns its status, or the error of its start. */
static int outcome(const char *name, const char *argument)
{
    const char *argv[] = {name, argument};
    struct process *process;
    int error = process_start(argument != NULL ? 2 : 1, argv, &process);

    return error < 0 ? error : process_wait(process);
}

static void a_program_runs_and_ends(void)
{
    expect_equal(outcome("hello", "world"), 2);
    expect_equal(outcome("hello", NULL), 1);
    expect_equal(outcome("no such", NULL), PROCESS_NO_SUCH);
}

static void system_calls_check_what_they_get(void)
{
    expect_equal(outcome("syscalls", "long"), 0);
}

/* Uses the numbers of user/abuse.c. */
static void a_fault_ends_the_program_alone(void)
{
    static const struct {
        const char *operation;
        int vector;
        bool needs_nx;
    } operations[] = {
        {"0", EXCEPTION_PF, false},  {"1", EXCEPTION_PF, false},  {"2", EXCEPTION_PF, false},
        {"3", EXCEPTION_PF, false},  {"4", EXCEPTION_PF, true},   {"5", EXCEPTION_PF, false},
        {"6", EXCEPTION_GP, false},  {"7", EXCEPTION_GP, false},  {"8", EXCEPTION_GP, false},
        {"9", EXCEPTION_DE, false},  {"10", EXCEPTION_UD, false}, {"11", EXCEPTION_PF, false},
        {"12", EXCEPTION_GP, false}, {"13", EXCEPTION_DB, false}, {"14", EXCEPTION_GP, false},
        {"15", EXCEPTION_PF, false}, {"16", EXCEPTION_GP, false},
    };

    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (!operations[i].needs_nx || (x86_rdmsr(X86_MSR_EFER) & X86_EFER_NXE))
            expect_equal(outcome("abuse", operations[i].operation),
                         HLEOS_STATUS_FAULT + operations[i].vector);
}

static void nothing_of_a_program_is_left(void)
{
    size_t pages, bytes;

    outcome("hello", NULL); /* allocates what the kernel keeps after a first program */
    pages = selftest_pages_left();
    bytes = kmalloc_stats().bytes_used;
    for (int i = 0; i < 5; i++) {
        outcome("hello", "again");
        outcome("syscalls", NULL);
        outcome("abuse", "0");
    }
    expect_equal(selftest_pages_left(), pages);
    expect_equal(kmalloc_stats().bytes_used, bytes);
}

static void programs_run_side_by_side(void)
{
    enum { MANY = 6 };
    const char *argv[] = {"syscalls"};
    struct process *processes[MANY];
    int started = 0;

    while (started < MANY && expect(process_start(1, argv, &processes[started]) == 0))
        started++;
    while (started > 0)
        expect_equal(process_wait(processes[--started]), 0);
}

/* exit(0) at the entry, ud2 everywhere else. */
static void make_it_end_at_once(uint8_t *file, size_t size, size_t head)
{
    static const uint8_t leave[] = {0x31, 0xff, 0xb8, HLEOS_EXIT, 0, 0, 0, 0x0f, 0x05};
    struct elf_file elf;
    struct elf_segment text;

    if (!expect(elf_open(&elf, file, size) == ELF_OK && elf_segment(&elf, 0, &text) == ELF_OK &&
                elf.entry - text.vaddr <= text.filesz - sizeof leave))
        return;
    for (size_t at = head; at < size; at++)
        file[at] = at % 2 == 0 ? 0x0f : 0x0b;
    memcpy(file + text.offset + (elf.entry - text.vaddr), leave, sizeof leave);
}

/* Changes each byte of the file's header, and cuts the file at each length: each gives an error or
 * a program, and the kernel stays intact. */
static void damaged_files_are_refused(void)
{
    enum { HEAD = 64 + 3 * 56, CUT = 16 };
    const struct program *hello = &programs[0];
    size_t size = (size_t)(hello->end - hello->file), pages;
    const char *argv[] = {"damaged"};
    uint8_t *file = kmalloc(size);
    struct process *process;

    if (!expect(file != NULL))
        return;
    memcpy(file, hello->file, size);
    make_it_end_at_once(file, size, HEAD);
    pages = selftest_pages_left();
    for (size_t at = 0; at < HEAD; at++) {
        file[at] ^= 0xff;
        if (process_start_file(file, size, 1, argv, &process) == 0)
            process_wait(process);
        file[at] ^= 0xff;
    }
    for (size_t cut = 0; cut < size; cut += size / CUT)
        if (process_start_file(file, cut, 1, argv, &process) == 0)
            process_wait(process);
    expect_equal(selftest_pages_left(), pages);
    kfree(file);
}

/* Tests the system calls from programs, and that no page and no block is lost: user/usertests.c,
 * filetests.c, disktests.c. */
static void system_calls_do_what_they_say(void)
{
    expect_equal(outcome("usertests", NULL), 0);
    expect_equal(outcome("filetests", NULL), 0);
    if (system_fs() != NULL)
        expect_equal(outcome("stressfs", "2"), 0);
    expect_equal(outcome("disktests", boot_option("disktests")), 0); /* disktests=quick */
}

/* For `grind=SECONDS` of the command line. */
static void random_operations_break_nothing(void)
{
    const char *option = boot_option("grind");
    char seconds[8];

    string_copy(seconds, option != NULL ? option : "1", sizeof seconds);
    expect_equal(outcome("grind", seconds), 0);
}

static void too_many_arguments_are_refused(void)
{
    static char text[2000];
    const char *many[40], *argv[] = {"hello", text};
    struct process *process;

    for (size_t i = 0; i < 40; i++)
        many[i] = "hello";
    memset(text, 'a', sizeof text - 1);
    expect_equal(process_start(40, many, &process), PROCESS_ARGUMENTS);
    expect_equal(process_start(2, argv, &process), PROCESS_ARGUMENTS);
    text[900] = '\0';
    expect_equal(outcome("hello", text), 2);
}

static void spaces_are_apart(void)
{
    struct space a, b;
    char byte = 'a';

    if (!expect(space_create(&a) && space_create(&b)))
        return;
    expect(space_map(&a, 0x400000, SPACE_WRITE) && space_map(&b, 0x400000, 0));
    expect(!space_map(&a, 0x400000, SPACE_WRITE));
    expect(!space_map(&a, 0, 0) && !space_map(&a, SPACE_HIGH, 0) && !space_map(&a, KERNEL_BASE, 0));
    expect(space_copy_out(&a, 0x400010, &byte, 1) && !space_copy_out(&b, 0x400010, &byte, 1));
    expect(space_copy_in(&b, &byte, 0x400010, 1) && byte == 0);
    expect(space_copy_in(&a, &byte, 0x400010, 1) && byte == 'a');
    expect(!space_copy_in(&a, &byte, KERNEL_BASE, 1) && !space_copy_in(&a, &byte, 0, 1));
    if (a.user_root.at != 0) { /* built with KPTI=1 */
        const uint64_t *table = page_virtual(a.user_root), *kernel = page_virtual(paging_root());

        expect(table[0] == *(uint64_t *)page_virtual(a.root) && table[511] != kernel[511]);
        expect(kernel[256] != 0 && table[256] == 0); /* the direct map; thread stacks */
        expect(kernel[416] != 0 && table[416] == 0);
    }
    space_destroy(&a);
    space_destroy(&b);
}

static intptr_t read_program(void *space)
{
    thread_enter_space(space, NULL);
    return *(volatile char *)0x400000;
}

static intptr_t run_program(void *space)
{
    thread_enter_space(space, NULL);
    ((void (*)(void))0x400000)();
    return 0;
}

static intptr_t end_of(thread_entry *entry, struct space *space)
{
    struct thread *thread = thread_create("kernel", THREAD_PRIORITY_NORMAL, entry, space);

    return expect(thread != NULL) ? thread_join(thread) : -1;
}

static void the_kernel_keeps_off_programs(void)
{
    static const uint8_t ret = 0xc3;
    uintptr_t cr4 = x86_read_cr4();
    struct space space;

    if (!(cr4 & X86_CR4_SMAP) || !(cr4 & X86_CR4_SMEP)) {
        selftest_leave_out("this processor has no SMEP and SMAP");
        return;
    }
    if (!expect(space_create(&space) && space_map(&space, 0x400000, SPACE_EXECUTE) &&
                space_fill(&space, 0x400000, &ret, 1)))
        return;
    expect_equal(end_of(read_program, &space), THREAD_FAULTED + EXCEPTION_PF);
    expect_equal(end_of(run_program, &space), THREAD_FAULTED + EXCEPTION_PF);
    space_destroy(&space);
}

const struct selftest selftest_user[] = {
    {"spaces_are_apart", spaces_are_apart},
    {"the_kernel_keeps_off_programs", the_kernel_keeps_off_programs},
    {"a_program_runs_and_ends", a_program_runs_and_ends},
    {"system_calls_check_what_they_get", system_calls_check_what_they_get},
    {"a_fault_ends_the_program_alone", a_fault_ends_the_program_alone},
    {"nothing_of_a_program_is_left", nothing_of_a_program_is_left},
    {"programs_run_side_by_side", programs_run_side_by_side},
    {"damaged_files_are_refused", damaged_files_are_refused},
    {"too_many_arguments_are_refused", too_many_arguments_are_refused},
    {"system_calls_do_what_they_say", system_calls_do_what_they_say},
    {"random_operations_break_nothing", random_operations_break_nothing},
    {0},
};
