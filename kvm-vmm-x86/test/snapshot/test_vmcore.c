/* Unit tests of snapshot/vmcore.c: of how many bits the file is, and by whose tables memory has its
 * addresses. */
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

/* Writes it, and reads the file. */
static void write_core(void)
{
    char path[] = "/tmp/test_vmcore_XXXXXX";
    struct error error;
    FILE *file;

    close(mkstemp(path)); /* a name of its own */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_bits, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
