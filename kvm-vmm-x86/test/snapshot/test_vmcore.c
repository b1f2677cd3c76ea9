/* Unit tests of snapshot/vmcore.c: whether the file has 32 or 64 bits, and which vCPU's page tables
 * give the addresses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/elf.h"
#include "cmocka_all.h"
#include "snapshot/vmcore.h"

enum { RAM = 64 * 1024, ROM = 8 * 1024, CPUS = 2 };

static uint8_t ram[RAM], rom[ROM];
static struct snapshot_cpu cpus[CPUS];
static struct snapshot_still still;
static uint8_t core[256 * 1024];

static int set_up(void **state)
{
    (void)state;
    memset(ram, 0, sizeof ram);
    memset(cpus, 0, sizeof cpus);
    still = (struct snapshot_still){.cpus = cpus, .cpu_count = CPUS};
    memory_init(&still.memory, 0, RAM, ram);
    still.folder.machine.config.memory = RAM;
    for (unsigned i = 0; i < CPUS; i++)
        cpus[i].registers.state.memory = &still.memory;
    return 0;
}

/* Writes the core file, and reads it. */
static void write_core(void)
{
    char path[] = "/tmp/test_vmcore_XXXXXX";
    struct error error;
    FILE *file;

    close(mkstemp(path)); /* a unique name */
    assert_int_equal(remove(path), 0);
    assert_int_equal(snapshot_vmcore_write(&still, path, &error), 0);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(core, 1, sizeof core, file) > RAM);
    (void)fclose(file);
    assert_int_equal(remove(path), 0);
}

static void test_bits(void **state)
{
    const struct elf_ident *ident = (const void *)core;

    (void)state;
    write_core();
    assert_int_equal(ident->class_, ELF_CLASS_32);
    still.memory.slots[still.memory.count++] = (struct memory_slot){
        .base = MEMORY_HOLE_END - ROM, .size = ROM, .host = rom, .read_only = true};
    write_core();
    assert_int_equal(ident->class_, ELF_CLASS_32);
    still.folder.machine.config.memory = 2 * GIB + 1;
    write_core();
    assert_int_equal(ident->class_, ELF_CLASS_64);
    still.folder.machine.config.memory = RAM;
    cpus[1].registers.state.sregs.efer = EFER_LME | EFER_LMA;
    write_core();
    assert_int_equal(ident->class_, ELF_CLASS_64);
}

enum { USER_TABLES = 0x1000, KERNEL_TABLES = 0x2000, KERNEL_PAGE = 0x6000 };

static void in_long_mode(struct snapshot *s, gpa_t tables, unsigned level)
{
    s->sregs.cr0 = CR0_PE | CR0_PG;
    s->sregs.cr4 = CR4_PAE;
    s->sregs.efer = EFER_LME | EFER_LMA;
    s->sregs.cr3 = tables;
    s->sregs.cs = (struct kvm_segment){.l = 1, .present = 1, .dpl = (uint8_t)level};
    s->sregs.ss.dpl = (uint8_t)level;
}

static void set_entry(gpa_t table, unsigned index, gpa_t to)
{
    uint64_t entry = to | 3; /* present, writable */

    assert_true(memory_write(&still.memory, table + index * sizeof entry, &entry, sizeof entry));
}

static bool has_load(gva_t at, gpa_t gpa)
{
    const struct elf64_header *head = (const void *)core;
    const struct elf64_program_header *p = (const void *)(core + head->phoff);
    bool has = false;

    for (unsigned i = 0; i < head->phnum; i++)
        has |= p[i].type == ELF_PT_LOAD && p[i].vaddr == at && p[i].paddr == gpa;
    return has;
}

/* With page table isolation: the first vCPU runs a process, whose tables lack the kernel. */
static void test_whose_tables(void **state)
{
    const gva_t kernel = UINT64_C(0xffffffff80000000);

    (void)state;
    in_long_mode(&cpus[0].registers.state, USER_TABLES, 3);
    in_long_mode(&cpus[1].registers.state, KERNEL_TABLES, 0);
    set_entry(KERNEL_TABLES, 511, 0x3000);
    set_entry(0x3000, 510, 0x4000);
    set_entry(0x4000, 0, 0x5000);
    set_entry(0x5000, 0, KERNEL_PAGE);
    write_core();
    assert_false(has_load(kernel, KERNEL_PAGE)); /* it is not Linux */
    still.folder.machine.mode = MODE_LINUX;
    write_core();
    assert_true(has_load(kernel, KERNEL_PAGE));
    in_long_mode(&cpus[1].registers.state, KERNEL_TABLES, 3);
    write_core();
    assert_false(has_load(kernel, KERNEL_PAGE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_bits, set_up),
        cmocka_unit_test_setup(test_whose_tables, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
