/* Unit tests of vm/state.c, which saves a vCPU's unfinished exit, and of vm/exits.c, which
 * continues it. KVM's part is tested by tests/vmm/wrapped/move.c. */
#include <errno.h>
#include <string.h>

#include "cmocka_all.h"
#include "no_ticks.h"
#include "vm/exits.c" /* among the sources that need KVM: no unit test links them */
#include "vm/state.c"

enum { PORT = 0x2f8, ROOM = 64 * 1024 };

void vm_drop_exit(struct vcpu *vcpu)
{
    vcpu->again = false;
    vcpu->items_done = vcpu->part_count = 0;
}

bool vm_is_asleep(struct vm *vm)
{
    (void)vm;
    return false;
}

int kvm_open(struct kvm *kvm, const char *path, struct error *error)
{
    (void)path;
    (void)error;
    *kvm = (struct kvm){.fd = -1};
    return 0;
}

void kvm_close(struct kvm *kvm)
{
    (void)kvm;
}

int kvm_save_vcpu(const struct kvm *kvm, const struct kvm_cpu *cpu, unsigned id,
                  struct chunk_writer *writer, struct error *error)
{
    (void)kvm;
    (void)cpu;
    (void)id;
    (void)writer;
    (void)error;
    return 0;
}

int kvm_load_vcpu(const struct kvm_cpu *cpu, const char *part, const struct chunk *chunk,
                  struct error *error)
{
    (void)cpu;
    (void)part;
    return error_set(error, "%s", chunk->name);
}

int kvm_save_vm(int vm, bool irqchip, uint64_t moment, struct chunk_writer *writer,
                struct error *error)
{
    (void)moment;
    (void)vm;
    (void)irqchip;
    (void)writer;
    (void)error;
    return 0;
}

int kvm_load_vm(int vm, uint64_t moment, const char *part, const struct chunk *chunk,
                struct error *error)
{
    (void)moment;
    (void)vm;
    return kvm_load_vcpu(NULL, part, chunk, error);
}

int kvm_get_cpuid(const struct kvm_cpu *cpu, struct kvm_cpuid_entry2 entries[KVM_CPUID_MAX],
                  struct error *error)
{
    (void)cpu;
    (void)entries;
    return error_set(error, "no KVM here");
}

int kvm_get_sregs(const struct kvm_cpu *cpu, struct kvm_sregs *sregs, struct error *error)
{
    (void)cpu;
    (void)sregs;
    return error_set(error, "no KVM here");
}

static int answer_of_finish, finished;
static unsigned parts_to_come; /* further parts of an MMIO write */

int kvm_finish_exit(const struct kvm_cpu *cpu)
{
    finished++;
    cpu->run->exit_reason = KVM_EXIT_UNKNOWN; /* as newer kernels do */
    memset(cpu->run->padding, 0xee, sizeof cpu->run->padding);
    if (parts_to_come > 0) {
        cpu->run->exit_reason = KVM_EXIT_MMIO;
        cpu->run->mmio.phys_addr = 0xd0001000 + parts_to_come--;
        cpu->run->mmio.len = 8;
        cpu->run->mmio.is_write = 1;
        return 0;
    }
    return answer_of_finish;
}

void pause_keep_exit(struct vcpu *vcpu)
{
    vcpu->again = true;
    vcpu->woken = UINT64_MAX;
}

bool kvm_was_reset(const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    return regs == NULL || sregs == NULL;
}

bool kvm_error_is_guests(const struct kvm_run *run)
{
    return run == NULL;
}

int kvm_write_general(const struct kvm_cpu *cpu, const struct kvm_regs *regs)
{
    cpu->run->s.regs.regs = *regs;
    return 0;
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
    fail_msg("stopped: %s", format);
}

void vm_lose_memory(struct vm *vm, gpa_t at)
{
    (void)vm;
    fail_msg("lost: %llx", (unsigned long long)at);
}

/* A device whose input is the numbers from 1 to `last`. */
struct source {
    uint8_t next, last;
    uint8_t written[8];
    unsigned count, room; /* writes taken, and the most that it takes */
};

static struct source source;

static enum verdict source_access(void *device, struct bus_access *access)
{
    struct source *s = device;

    if (access->write && s->count == s->room)
        return VERDICT_AGAIN;
    if (access->write) {
        s->written[s->count++] = access->data[0];
        return VERDICT_RESUME;
    }
    if (s->next > s->last)
        return VERDICT_AGAIN;
    access->data[0] = s->next++;
    return VERDICT_RESUME;
}

static const struct bus_ops source_ops = {.name = "source", .width = 1, .access = source_access};

/* A vCPU with its kvm_run page, and the page of the items after it. */
struct test_vcpu {
    struct vm vm;
    struct vcpu vcpu;
    _Alignas(4096) uint8_t pages[2 * 4096];
};

static struct test_vcpu from, to;
static const struct guest_config config;
static const unsigned never_full;

static struct kvm_run *run_of(struct test_vcpu *t)
{
    return (struct kvm_run *)t->pages;
}

static const uint8_t *items_of(const struct test_vcpu *t)
{
    return t->pages + 4096;
}

static void make_vcpu(struct test_vcpu *t)
{
    struct error error;

    memset(t, 0, sizeof *t);
    t->vm = (struct vm){.vcpus = &t->vcpu, .vcpu_count = 1, .config = &config, .full = &never_full};
    assert_int_equal(bus_claim(&t->vm.machine.bus, BUS_PIO, PORT, 1, &source_ops, &source, &error),
                     0);
    t->vcpu = (struct vcpu){.vm = &t->vm, .string_rip = UINT64_MAX};
    t->vcpu.cpu = (struct kvm_cpu){.run = (void *)t->pages, .run_size = sizeof t->pages};
    t->vcpu.for_bus.regs = &t->vcpu.cpu.run->s.regs.regs;
    t->vcpu.unfinished.rip = UINT64_MAX;
}

static int make(void **state)
{
    (void)state;
    make_vcpu(&from);
    make_vcpu(&to);
    source = (struct source){.next = 1};
    answer_of_finish = -EINTR;
    finished = 0;
    return 0;
}

/* KVM reports a batch of a string instruction, which is handled as in vcpu.c. */
static enum verdict comes_back(struct test_vcpu *t, uint64_t rip, uint8_t direction, uint32_t count)
{
    struct kvm_run *run = run_of(t);
    enum verdict verdict;

    run->exit_reason = KVM_EXIT_IO;
    run->io.direction = direction;
    run->io.size = 1;
    run->io.port = PORT;
    run->io.count = count;
    run->io.data_offset = 4096;
    run->s.regs.regs.rip = rip;
    verdict = exits_handle(&t->vcpu);
    t->vcpu.again = verdict == VERDICT_AGAIN;
    return verdict;
}

static uint8_t bytes[ROOM];

static size_t save(struct test_vcpu *t)
{
    struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};
    struct error error;

    assert_int_equal(save_vcpu(&t->vcpu, NULL, &writer, &error), 0);
    assert_false(writer.full);
    return writer.used;
}

static int load(struct test_vcpu *t, size_t size)
{
    struct chunk_reader reader = {.bytes = bytes, .size = size};
    struct error error;

    return vm_load(&t->vm, &reader, &error);
}

/* Items taken before the move come first, whatever batches KVM makes after it; meanwhile a handler
 * may read the same port. */
static void test_input_that_was_taken(void **state)
{
    static const uint8_t all[] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t seen[8];

    (void)state;
    source.last = 5;
    assert_int_equal(comes_back(&from, 100, KVM_EXIT_IO_IN, 8), VERDICT_AGAIN);
    assert_int_equal(load(&to, save(&from)), 0);
    source.last = 6;
    assert_int_equal(comes_back(&to, 500, KVM_EXIT_IO_IN, 1), VERDICT_RESUME);
    assert_int_equal(items_of(&to)[0], 6);
    source.next = 6;
    source.last = 8;
    assert_int_equal(comes_back(&to, 100, KVM_EXIT_IO_IN, 3), VERDICT_RESUME);
    memcpy(seen, items_of(&to), 3);
    assert_int_equal(comes_back(&to, 100, KVM_EXIT_IO_IN, 5), VERDICT_RESUME);
    memcpy(seen + 3, items_of(&to), 5);
    assert_memory_equal(seen, all, sizeof all);
}

/* Moved again before it continues, and again in the middle. */
static void test_moved_again(void **state)
{
    static const uint8_t all[] = {1, 2, 3, 4};

    (void)state;
    source.last = 2;
    assert_int_equal(comes_back(&from, 100, KVM_EXIT_IO_IN, 4), VERDICT_AGAIN);
    assert_int_equal(load(&to, save(&from)), 0);
    make_vcpu(&from);
    assert_int_equal(load(&from, save(&to)), 0);
    source.last = 3;
    assert_int_equal(comes_back(&from, 100, KVM_EXIT_IO_IN, 4), VERDICT_AGAIN);
    make_vcpu(&to);
    assert_int_equal(load(&to, save(&from)), 0);
    source.last = 4;
    assert_int_equal(comes_back(&to, 100, KVM_EXIT_IO_IN, 4), VERDICT_RESUME);
    assert_memory_equal(items_of(&to), all, sizeof all);
}

/* A handler waits for its own byte and is moved before the interrupted instruction has continued:
 * the items of that instruction are kept. */
static void test_moved_in_a_handler(void **state)
{
    (void)state;
    source.last = 2;
    assert_int_equal(comes_back(&from, 100, KVM_EXIT_IO_IN, 3), VERDICT_AGAIN);
    assert_int_equal(load(&to, save(&from)), 0);
    assert_int_equal(comes_back(&to, 500, KVM_EXIT_IO_IN, 1), VERDICT_AGAIN);
    make_vcpu(&from);
    assert_int_equal(load(&from, save(&to)), 0);
    source.last = 4;
    assert_int_equal(comes_back(&from, 500, KVM_EXIT_IO_IN, 1), VERDICT_RESUME);
    assert_int_equal(items_of(&from)[0], 3);
    assert_int_equal(comes_back(&from, 100, KVM_EXIT_IO_IN, 3), VERDICT_RESUME);
    assert_memory_equal(items_of(&from), ((const uint8_t[]){1, 2, 4}), 3);
}

/* A waiting write: KVM may have finished its instruction already, as for `outs`, and not execute it
 * again. So the save finishes it in any case, and the restored vCPU handles the exit. */
static void test_a_write_that_waits(void **state)
{
    struct kvm_run *run = run_of(&from);

    (void)state;
    run->io.data_offset = 4096;
    memcpy(from.pages + 4096, "abc", 3);
    source.room = 1;
    assert_int_equal(comes_back(&from, 100, KVM_EXIT_IO_OUT, 3), VERDICT_AGAIN);
    assert_int_equal(load(&to, save(&from)), 0);
    assert_int_equal(finished, 1);
    assert_int_equal(run->exit_reason, KVM_EXIT_IO); /* the VM can also continue here */
    assert_int_equal(run->io.count, 3);
    assert_true(to.vcpu.again);
    assert_int_equal(to.vcpu.woken, UINT64_MAX);
    make_vcpu(&from);
    assert_int_equal(load(&from, save(&to)), 0); /* moved again before it was tried */
    source.room = 8;
    assert_int_equal(exits_handle(&from.vcpu), VERDICT_RESUME);
    assert_int_equal(source.count, 3);
    assert_memory_equal(source.written, "abc", 3);
}

static void test_a_write_to_memory_that_waits(void **state)
{
    struct kvm_run *run = run_of(&from);

    (void)state;
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = 0xd0000070;
    run->mmio.len = 4;
    run->mmio.is_write = 1;
    memcpy(run->mmio.data, "\x01\x02\x03\x04", 4);
    from.vcpu.again = true;
    assert_int_equal(load(&to, save(&from)), 0);
    assert_true(to.vcpu.again);
    assert_int_equal(run_of(&to)->exit_reason, KVM_EXIT_MMIO);
    assert_int_equal(run_of(&to)->mmio.phys_addr, 0xd0000070);
    assert_memory_equal(run_of(&to)->mmio.data, run->mmio.data, 4);
    run->mmio.is_write = 0; /* a read is executed again */
    make_vcpu(&to);
    assert_int_equal(load(&to, save(&from)), 0);
    assert_false(to.vcpu.again);
}

/* KVM reports the parts of an instruction's write one by one, each only once. */
static void test_a_write_in_parts(void **state)
{
    struct kvm_run *run = run_of(&from);

    (void)state;
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = 0xd0000ffc;
    run->mmio.len = 4;
    run->mmio.is_write = 1;
    from.vcpu.again = true;
    parts_to_come = 2;
    assert_int_equal(load(&to, save(&from)), 0);
    for (unsigned i = 0; i < 2; i++) { /* in the saved VM, and in the restored one */
        const struct vcpu *v = i == 0 ? &from.vcpu : &to.vcpu;

        assert_int_equal(v->cpu.run->mmio.phys_addr, 0xd0000ffc);
        assert_int_equal(v->part_count, 2);
        assert_int_equal(v->parts[0].address, 0xd0001002);
        assert_int_equal(v->parts[1].address, 0xd0001001);
        assert_int_equal(v->parts[1].size, 8);
    }
    make_vcpu(&from);
    assert_int_equal(load(&from, save(&to)), 0); /* moved again before it was tried */
    assert_int_equal(from.vcpu.part_count, 2);
    parts_to_come = WRITE_PARTS_MAX + 1;
    make_vcpu(&from);
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.is_write = 1;
    from.vcpu.again = true;
    {
        struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};
        struct error error;

        assert_int_equal(save_vcpu(&from.vcpu, NULL, &writer, &error), -1);
        assert_non_null(strstr(error.text, "several parts"));
    }
    parts_to_come = 0;
}

/* KVM makes too many parts of the access: it cannot be saved, and the VM continues where it is. */
static void test_an_access_that_goes_on(void **state)
{
    struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};
    struct error error;

    (void)state;
    assert_int_equal(comes_back(&from, 100, KVM_EXIT_IO_OUT, 1), VERDICT_AGAIN);
    answer_of_finish = 0;
    assert_int_equal(save_vcpu(&from.vcpu, NULL, &writer, &error), -1);
    assert_non_null(strstr(error.text, "several parts"));
}

/* Without an unfinished exit nothing is restored. */
static void test_nothing_unfinished(void **state)
{
    (void)state;
    source.last = 2;
    assert_int_equal(comes_back(&from, 100, KVM_EXIT_IO_IN, 2), VERDICT_RESUME);
    assert_int_equal(load(&to, save(&from)), 0);
    source.last = 3;
    assert_int_equal(comes_back(&to, 100, KVM_EXIT_IO_IN, 1), VERDICT_RESUME);
    assert_int_equal(items_of(&to)[0], 3);
}

static int load_made_up(uint32_t items, uint32_t size)
{
    struct vcpu_unfinished u = {.items = items, .size = size};
    struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};

    chunk_write(&writer, "vcpu 0 unfinished", VERSION, &u, sizeof u);
    return load(&to, writer.used);
}

static int load_write_of(struct waiting_write w)
{
    struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};

    chunk_write(&writer, "vcpu 0 write", VERSION, &w, sizeof w);
    return load(&to, writer.used);
}

static int write_of(uint32_t reason, uint32_t size, uint32_t count, uint32_t done)
{
    return load_write_of((struct waiting_write){
        .reason = reason, .address = PORT, .size = size, .count = count, .done = done});
}

static void test_states_that_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(load_made_up(4096, 1), 0);
    assert_int_equal(load_made_up(4097, 1), -1);
    assert_int_equal(load_made_up(1025, 4), -1);
    assert_int_equal(load_made_up(1, 8), -1);
    assert_int_equal(load_made_up(1, 0), -1);
    assert_int_equal(write_of(KVM_EXIT_IO, 1, 4096, 4095), 0);
    assert_int_equal(write_of(KVM_EXIT_MMIO, 8, 1, 0), 0);
    assert_int_equal(write_of(KVM_EXIT_IO, 1, 1, 1), -1);
    assert_int_equal(write_of(KVM_EXIT_IO, 1, 4097, 0), -1);
    assert_int_equal(write_of(KVM_EXIT_IO, 4, UINT32_MAX, 0), -1);
    assert_int_equal(write_of(KVM_EXIT_IO, 0, 1, 0), -1);
    assert_int_equal(write_of(KVM_EXIT_IO, 8, 1, 0), -1);
    assert_int_equal(write_of(KVM_EXIT_MMIO, 9, 1, 0), -1);
    assert_int_equal(write_of(KVM_EXIT_MMIO, 4, 2, 0), -1);
    assert_int_equal(write_of(KVM_EXIT_HLT, 1, 1, 0), -1);
    assert_int_equal(load_write_of((struct waiting_write){
                         .reason = KVM_EXIT_IO, .address = 0x10000, .size = 1, .count = 1}),
                     -1);
    assert_int_equal(
        load_write_of((struct waiting_write){
            .reason = KVM_EXIT_IO, .size = 1, .count = 1, .access_done = UINT64_C(1) << 32}),
        -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_input_that_was_taken, make),
        cmocka_unit_test_setup(test_moved_again, make),
        cmocka_unit_test_setup(test_moved_in_a_handler, make),
        cmocka_unit_test_setup(test_a_write_that_waits, make),
        cmocka_unit_test_setup(test_a_write_to_memory_that_waits, make),
        cmocka_unit_test_setup(test_a_write_in_parts, make),
        cmocka_unit_test_setup(test_an_access_that_goes_on, make),
        cmocka_unit_test_setup(test_nothing_unfinished, make),
        cmocka_unit_test_setup(test_states_that_cannot_be, make),
    };

    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
