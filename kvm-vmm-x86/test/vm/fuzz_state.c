/*
 * libFuzzer: the records of vCPUs and VM in a snapshot's `state`, which come from outside. The
 * input is the whole file, or the bytes of records with valid names. They are loaded as in a
 * restore, into a KVM that accepts all or refuses some calls, and reads every byte that it gets.
 * Then each vCPU continues with its unfinished exit, and is saved again.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "no_ticks.h"
#include "vm/exits.c" /* among the sources that need KVM: no fuzzer links them */
#include "vm/state.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KVM_FD = 1000, VM_FD, CPU_FD, CPUS = 2, PORT = 0x2f8, RAM = 64 * 1024, PAGES = 2 * 4096 };
enum { MSRS = 300, XSAVE = 16 * 1024, TRIES = 4, ROOM = 256 * 1024 };

/* ---- KVM ------------------------------------------------------------------------------------ */

static unsigned calls, refused_at; /* 0: none */
static volatile uint8_t seen;

static void look_at(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        seen ^= ((const uint8_t *)bytes)[i];
}

/* Documentation/virt/kvm/api.rst: sizes that the request number does not have. */
static size_t size_of(unsigned long request, const void *p)
{
    if (request == KVM_SET_CPUID2)
        return sizeof(struct kvm_cpuid2) +
               ((const struct kvm_cpuid2 *)p)->nent * sizeof(struct kvm_cpuid_entry2);
    if (request == KVM_SET_MSRS || request == KVM_GET_MSRS)
        return sizeof(struct kvm_msrs) +
               ((const struct kvm_msrs *)p)->nmsrs * sizeof(struct kvm_msr_entry);
    return request == KVM_SET_XSAVE ? XSAVE : _IOC_SIZE(request);
}

static int answer(unsigned long request, void *p)
{
    switch (request) {
    case KVM_GET_MSR_INDEX_LIST:
        ((struct kvm_msr_list *)p)->nmsrs = MSRS;
        for (uint32_t i = 0; i < MSRS; i++)
            ((struct kvm_msr_list *)p)->indices[i] = 0xc0000000 + i;
        return 0;
    case KVM_GET_CPUID2:
        ((struct kvm_cpuid2 *)p)->nent = 1;
        ((struct kvm_cpuid2 *)p)->entries[0] = (struct kvm_cpuid_entry2){.eax = 0x80000008};
        return 0;
    case KVM_GET_XSAVE2:
        memset(p, 1, XSAVE);
        return 0;
    case KVM_GET_MSRS:
    case KVM_SET_MSRS:
        return (int)((struct kvm_msrs *)p)->nmsrs - (calls % 3 == 0);
    case KVM_GET_TSC_KHZ:
        return 1000000;
    default:
        if (_IOC_DIR(request) == _IOC_READ)
            memset(p, 1, _IOC_SIZE(request));
        return 0;
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *p;

    va_start(args, request);
    p = va_arg(args, void *);
    va_end(args);
    if (fd == KVM_FD && request == KVM_CHECK_EXTENSION)
        return (long)p == KVM_CAP_XSAVE2 ? XSAVE : 1;
    if (++calls == refused_at) {
        errno = EINVAL;
        return -1;
    }
    if (_IOC_DIR(request) & _IOC_WRITE)
        look_at(p, size_of(request, p));
    return answer(request, p);
}

/* ---- Functions that state.c and exits.c call ------------------------------------------------- */

void vm_drop_exit(struct vcpu *vcpu)
{
    vcpu->again = false;
    vcpu->items_done = vcpu->part_count = 0;
}

bool vm_is_asleep(struct vm *vm)
{
    return vm == NULL;
}

void pause_keep_exit(struct vcpu *vcpu)
{
    vcpu->again = true;
    vcpu->woken = UINT64_MAX;
}

bool probe_paging32(const char *path)
{
    return path == NULL;
}

void vm_stop(struct vm *vm, enum end_kind kind, int code, const char *format, ...)
{
    (void)vm;
    (void)kind;
    (void)code;
    (void)format;
}

void vm_lose_memory(struct vm *vm, gpa_t at)
{
    (void)vm;
    (void)at;
}

/* ---- A VM ----------------------------------------------------------------------------------- */

/* A device that takes and gives some bytes, and then makes the vCPU wait. */
static unsigned left;

static enum verdict some_access(void *device, struct bus_access *access)
{
    (void)device;
    if (left == 0)
        return VERDICT_AGAIN;
    left--;
    look_at(access->data, access->size);
    if (!access->write)
        memset(access->data, 7, access->size);
    access->cpu->done = access->string ? access->cpu->done + 1 : 0;
    return VERDICT_RESUME;
}

static const struct bus_ops some_ops = {.name = "some", .width = 4, .access = some_access};
static const struct guest_config config;
static const unsigned never_full;
static uint8_t ram[RAM];
static struct vm vm;
static struct vcpu vcpus[CPUS];

/* Separate pages, so that ASan detects accesses beyond them. */
static void make(unsigned how)
{
    struct error error;

    vm = (struct vm){.fd = VM_FD,
                     .vcpus = vcpus,
                     .vcpu_count = CPUS,
                     .config = &config,
                     .full = &never_full,
                     .name = "guest",
                     .mmio = how & 1 ? MMIO_IGNORE : MMIO_STOP};
    memory_init(&vm.memory, 0, RAM, ram);
    if (bus_claim(&vm.machine.bus, BUS_PIO, PORT, 8, &some_ops, NULL, &error) < 0 ||
        bus_claim(&vm.machine.bus, BUS_MMIO, GIB, PAGE_SIZE, &some_ops, NULL, &error) < 0)
        abort();
    for (unsigned i = 0; i < CPUS; i++) {
        struct vcpu *v = &vcpus[i];

        *v = (struct vcpu){.vm = &vm, .id = i, .string_rip = UINT64_MAX};
        v->cpu =
            (struct kvm_cpu){.fd = CPU_FD, .run = aligned_alloc(4096, PAGES), .run_size = PAGES};
        memset(v->cpu.run, 0, PAGES);
        v->for_bus.regs = &v->cpu.run->s.regs.regs;
        v->unfinished.rip = UINT64_MAX;
    }
}

static void release(void)
{
    for (unsigned i = 0; i < CPUS; i++)
        free(vcpus[i].cpu.run);
}

/* Handles an exit as vcpu.c does. */
static void handle(struct vcpu *v)
{
    enum verdict verdict = exits_handle(v);

    v->again = verdict == VERDICT_AGAIN;
    for (unsigned i = 0; i < v->part_count && !v->again; i++)
        look_at(v->parts[i].bytes, v->parts[i].size);
}

/* An exit that KVM may report: of the saved instruction, or of another. */
static void comes_back(struct vcpu *v, unsigned how)
{
    struct kvm_run *run = v->cpu.run;

    run->exit_reason = KVM_EXIT_IO;
    run->io.direction = how & 1 ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
    run->io.size = (uint8_t)(1u << (how >> 1) % 3);
    run->io.port = PORT;
    run->io.count = how & 8 ? 4096u / run->io.size : 1;
    run->io.data_offset = 4096;
    if (how & 16)
        run->s.regs.regs.rip = v->unfinished.rip;
    handle(v);
}

static void go_on(struct vcpu *v, unsigned how)
{
    for (unsigned i = 0; i < TRIES; i++) {
        left = how % 7;
        if (v->again)
            handle(v);
        else
            comes_back(v, how + i * 5);
    }
}

/* ---- Records -------------------------------------------------------------------------------- */

struct record {
    const char *name;
    size_t size;
    uint32_t version;
};
static const struct record records[] = {{"vcpu 0 unfinished", sizeof(struct vcpu_unfinished), 1},
                                        {"vcpu 0 write", sizeof(struct waiting_write), 1},
                                        {"vcpu 0 cpuid", sizeof(struct kvm_cpuid_entry2), 1},
                                        {"vcpu 0 tsc", 24, 2},
                                        {"vcpu 0 xsave", 4096, 1},
                                        {"vcpu 0 msrs", 3 * sizeof(struct kvm_msr_entry), 1},
                                        {"vcpu 0 sregs", sizeof(struct kvm_sregs), 1},
                                        {"vcpu 1 sregs2", sizeof(struct kvm_sregs2), 1},
                                        {"vcpu 1 unfinished", sizeof(struct vcpu_unfinished), 1},
                                        {"vcpu 1 write", sizeof(struct waiting_write), 1},
                                        {"vcpu 1 regs", sizeof(struct kvm_regs), 1},
                                        {"vcpu 1 events", sizeof(struct kvm_vcpu_events), 1},
                                        {"vcpu 1 mp", sizeof(struct kvm_mp_state), 1},
                                        {"vcpu 1 lapic", sizeof(struct kvm_lapic_state), 1},
                                        {"vcpu 1 msrs", 300 * sizeof(struct kvm_msr_entry), 1},
                                        {"vm pic 0", sizeof(struct kvm_irqchip), 1},
                                        {"vm pit", sizeof(struct kvm_pit_state2), 1},
                                        {"vm clock", 8, 1}};
enum { RECORDS = sizeof records / sizeof records[0] };

/* Sets numbers that a fuzzer does not find soon: near to valid ones. */
static void shape(const char *name, uint8_t *bytes)
{
    struct vcpu_unfinished u;
    struct waiting_write w;

    if (strstr(name, "unfinished") != NULL) {
        memcpy(&u, bytes, sizeof u);
        u.size %= 8;
        u.items %= 2 * sizeof u.bytes;
        memcpy(bytes, &u, sizeof u);
    } else if (strstr(name, "write") != NULL) {
        memcpy(&w, bytes, sizeof w);
        w.reason = w.reason & 1 ? KVM_EXIT_IO : KVM_EXIT_MMIO;
        w.address = w.reason == KVM_EXIT_IO ? PORT : GIB + w.address % PAGE_SIZE;
        w.size %= 16;
        w.count %= 2 * sizeof w.bytes;
        w.done %= 2 * sizeof w.bytes;
        w.access_done >>= 8;
        memcpy(bytes, &w, sizeof w);
    }
}

/* For each record two bytes choose its name, whether its size is wrong, and how many bytes of the
 * input it gets, which are repeated up to its size. */
static size_t write_records(uint8_t *state, const uint8_t *data, size_t size, bool shaped)
{
    struct chunk_writer writer = {.bytes = state, .room = ROOM};

    while (size > 2 && !writer.full) {
        const struct record *record = &records[data[0] % RECORDS];
        size_t length = record->size + (data[0] > 250 ? data[0] * 8u : 0);
        size_t have = data[1] < size - 2 ? data[1] : size - 2;
        uint8_t bytes[XSAVE] = {0};

        for (size_t i = 0; i < length && have > 0; i++)
            bytes[i] = data[2 + i % have];
        if (shaped)
            shape(record->name, bytes);
        chunk_write(&writer, record->name, record->version, bytes, length);
        data += 2 + have;
        size -= 2 + have;
    }
    return writer.full ? 0 : writer.used;
}

/* Restores; then each vCPU continues, and is saved and loaded again. */
static void restore(const uint8_t *state, size_t size, unsigned how)
{
    static uint8_t again[ROOM];
    static const struct kvm kvm = {.fd = KVM_FD};
    struct chunk_reader reader = {.bytes = state, .size = size};
    struct chunk_writer writer = {.bytes = again, .room = sizeof again};
    struct error error;

    (void)!vm_check_cpu(&vm, reader, &error);
    if (vm_load(&vm, &reader, &error) < 0)
        return;
    for (unsigned i = 0; i < CPUS; i++)
        go_on(&vcpus[i], how >> i);
    for (unsigned i = 0; i < CPUS; i++)
        if (save_vcpu(&vcpus[i], &kvm, &writer, &error) < 0)
            return;
    reader = (struct chunk_reader){.bytes = again, .size = writer.used};
    release();
    make(how);
    refused_at = 0;
    if (!writer.full)
        (void)!vm_load(&vm, &reader, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t state[ROOM];

    if (size < 3)
        return 0;
    calls = 0;
    refused_at = data[1];
    make(data[0]);
    if (data[0] & 0x80) /* uses the input as the file, at the end of the buffer */
        memcpy(state + ROOM - (size - 3), data + 3, size - 3);
    if (data[0] & 0x80)
        restore(state + ROOM - (size - 3), size - 3, data[2]);
    else
        restore(state, write_records(state, data + 3, size - 3, data[0] & 2), data[2]);
    release();
    return 0;
}
