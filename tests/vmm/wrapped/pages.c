/*
 * kvm-vmm, but the guest can ask which pages were written: port 0xd1 takes its orders. Linked with
 * every object of the VMM, and with ram_map, exits_handle and cpuid_address_bits in between
 * (--wrap). BACKING says what guest memory is backed by (shared, or the path of a file),
 * READ_ONLY=1 that the guest cannot write to it, ADDRESS_BITS how wide its physical addresses are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/cpuid.h"
#include "host/kvm/memory.h"
#include "host/ram.h"
#include "vm/exits.h"
#include "vm/vm.h"

int __real_ram_map(struct memory *memory, enum memory_backing backing, const char *path,
                   struct error *error);
int __wrap_ram_map(struct memory *memory, enum memory_backing backing, const char *path,
                   struct error *error);
enum verdict __real_exits_handle(struct vcpu *vcpu);
enum verdict __wrap_exits_handle(struct vcpu *vcpu);

unsigned __real_cpuid_address_bits(const struct kvm_cpuid2 *cpuid);
unsigned __wrap_cpuid_address_bits(const struct kvm_cpuid2 *cpuid);

enum { PORT = 0xd1 };
enum order { BEGIN, TAKE, WRITE_AND_TAKE, SHOW_SHARED, END };

/* What this process writes: the end of one page and the beginning of the next. */
#define OWN_WRITE UINT64_C(0x13fff)

static void check(int result, const struct error *error)
{
    if (result >= 0)
        return;
    fprintf(stderr, "pages: %s\n", error->text);
    _exit(99);
}

int __wrap_ram_map(struct memory *memory, enum memory_backing backing, const char *path,
                   struct error *error)
{
    const char *name = getenv("BACKING");
    int result;

    if (name != NULL) {
        backing = strcmp(name, "shared") == 0 ? MEMORY_SHARED : MEMORY_FILE;
        path = name;
    }
    result = __real_ram_map(memory, backing, path, error);
    for (unsigned i = 0; i < memory->count; i++)
        memory->slots[i].read_only = getenv("READ_ONLY") != NULL;
    return result;
}

unsigned __wrap_cpuid_address_bits(const struct kvm_cpuid2 *cpuid)
{
    const char *bits = getenv("ADDRESS_BITS");

    return bits != NULL ? (unsigned)atoi(bits) : __real_cpuid_address_bits(cpuid);
}

static void take(struct vm *vm)
{
    struct error error;

    for (unsigned i = 0; i < vm->memory.count; i++) {
        const struct memory_slot *slot = &vm->memory.slots[i];
        uint64_t *log = malloc(memory_log_words(slot) * sizeof *log), page = 0;
        struct memory_run run;

        check(log == NULL ? error_set(&error, "no memory")
                          : kvm_take_log(vm->fd, &vm->memory, i, log, &error),
              &error);
        fprintf(stderr, "slot %u:", i);
        while (memory_next_run(slot, log, &page, &run))
            fprintf(stderr, " %#llx+%llu", (unsigned long long)run.gpa,
                    (unsigned long long)run.size / PAGE_SIZE);
        fprintf(stderr, "\n");
        free(log);
    }
}

static void set_logged(struct vm *vm, bool logged)
{
    struct error error;

    for (unsigned i = 0; i < vm->memory.count; i++)
        check(kvm_log_memory(vm->fd, &vm->memory, i, logged, &error), &error);
}

static void show_shared(const struct vm *vm)
{
    unsigned char byte = 0;

    if (pread(vm->memory.slots[0].fd, &byte, 1, 0x8000) == 1)
        fprintf(stderr, "another process sees %#x\n", byte);
}

enum verdict __wrap_exits_handle(struct vcpu *vcpu)
{
    const struct kvm_run *run = vcpu->cpu.run;
    struct vm *vm = vcpu->vm;

    if (run->exit_reason == KVM_EXIT_IO && run->io.port == PORT) {
        enum order order = ((const uint8_t *)run)[run->io.data_offset];

        if (order == BEGIN || order == END)
            set_logged(vm, order == BEGIN);
        if (order == WRITE_AND_TAKE && !memory_write(&vm->memory, OWN_WRITE, "ab", 2))
            fprintf(stderr, "pages: not written\n");
        if (order == TAKE || order == WRITE_AND_TAKE)
            take(vm);
        if (order == SHOW_SHARED)
            show_shared(vm);
    }
    return __real_exits_handle(vcpu);
}
