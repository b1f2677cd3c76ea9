/*
 * kvm-vmm, but each guest is moved to another VM of KVM, again and again while it runs: it is
 * paused, its state is taken, a new VM is made over the same memory, the state is put into that,
 * and the guest goes on there. Linked with every object of the VMM, and with vm_start and vm_join
 * in between (--wrap). MOVES says how often, EVERY_MS how long after the last time; at the end
 * standard error says how often it was. After ENOUGH moves it makes the file MARK, for which what
 * feeds the guest waits.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/kvm/memory.h"
#include "vm/create.h"
#include "vm/state.h"
#include "vm/ticks.h"

int __real_vm_start(struct vm *vm, void (*ended)(void), struct error *error);
int __wrap_vm_start(struct vm *vm, void (*ended)(void), struct error *error);
void __real_vm_join(struct vm *vm);
void __wrap_vm_join(struct vm *vm);

enum { MS = 1000 };

struct mover {
    struct vm *vm;
    struct thread thread;
    sem_t quiet;
    bool running, stop; /* `stop`: atomic */
    unsigned moves, wanted, every_ms;
};

static struct mover movers[GUESTS_MAX];

static void on_quiet(void *context)
{
    sem_post(&((struct mover *)context)->quiet);
}

static void fail(const struct error *error)
{
    fprintf(stderr, "move: %s\n", error->text);
    _exit(99);
}

/* The new vCPU's page block stands where the old one's was: its thread knows that address. */
static void replace_vcpu(const struct kvm *kvm, int fd, struct vcpu *vcpu, struct error *error)
{
    struct kvm_cpu old = vcpu->cpu, made;

    if (kvm_create_vcpu(kvm, fd, vcpu->id, &made, error) < 0)
        fail(error);
    munmap(made.run, made.run_size);
    kvm_destroy_vcpu(&old);
    made.run =
        mmap(old.run, old.run_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, made.fd, 0);
    if (made.run == MAP_FAILED)
        fail(error);
    made.run->kvm_valid_regs = KVM_SYNC_X86_REGS;
    vcpu->cpu = made;
}

static void replace_vm(struct vm *vm, struct error *error)
{
    struct kvm kvm;
    int fd;

    if (kvm_open(&kvm, vm->config->kvm, error) < 0 || (fd = kvm_create_vm(&kvm, error)) < 0)
        fail(error);
    if (kvm_add_memory(fd, &vm->memory, error) < 0)
        fail(error);
    if (vm->irqchip && kvm_create_irqchip(fd, error) < 0)
        fail(error);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        replace_vcpu(&kvm, fd, &vm->vcpus[i], error);
    kvm_close_vm(vm->fd);
    vm->fd = fd;
    kvm_close(&kvm);
}

static unsigned number(const char *name, unsigned otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

static void move(struct mover *m)
{
    size_t room = vm_state_size(m->vm->vcpu_count);
    struct chunk_writer writer = {.bytes = malloc(room), .room = room};
    struct chunk_reader reader;
    struct error error;

    if (writer.bytes == NULL || vm_save(m->vm, &writer, &error) < 0) {
        free(writer.bytes); /* in the middle of a string input: another time */
        return;
    }
    machine_reset(&m->vm->machine);
    replace_vm(m->vm, &error);
    reader = (struct chunk_reader){.bytes = writer.bytes, .size = writer.used};
    if (vm_load(m->vm, &reader, &error) < 0)
        fail(&error);
    ticks_input(m->vm);
    free(writer.bytes);
    m->moves++;
    if (m->moves == number("ENOUGH", 0))
        close(open(getenv("MARK"), O_WRONLY | O_CREAT, 0600));
}

static void *run(void *argument)
{
    struct mover *m = argument;
    struct pause_holder holder = {.quiet = on_quiet, .context = m};

    while (m->moves < m->wanted && !__atomic_load_n(&m->stop, __ATOMIC_ACQUIRE)) {
        bool quiet;

        usleep(m->every_ms * MS);
        quiet = vm_pause(m->vm, &holder);
        while (!quiet && !__atomic_load_n(&m->stop, __ATOMIC_ACQUIRE)) {
            quiet = sem_trywait(&m->quiet) == 0;
            usleep(MS);
        }
        if (quiet && vm_is_running(m->vm))
            move(m);
        vm_resume(m->vm, &holder);
    }
    return NULL;
}

int __wrap_vm_start(struct vm *vm, void (*ended)(void), struct error *error)
{
    struct mover *m = &movers[vm->index];

    *m =
        (struct mover){.vm = vm, .wanted = number("MOVES", 1), .every_ms = number("EVERY_MS", 100)};
    if (__real_vm_start(vm, ended, error) < 0)
        return -1;
    sem_init(&m->quiet, 0, 0);
    m->running = true;
    return thread_start(&m->thread, run, m, error);
}

void __wrap_vm_join(struct vm *vm)
{
    struct mover *m = &movers[vm->index];

    if (m->running) {
        __atomic_store_n(&m->stop, true, __ATOMIC_RELEASE);
        thread_join(&m->thread);
        m->running = false;
        fprintf(stderr, "move: guest %u was moved %u times\n", vm->index, m->moves);
    }
    __real_vm_join(vm);
}
