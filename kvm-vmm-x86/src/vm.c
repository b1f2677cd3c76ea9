/* One guest, from creation to its end; see vm.h. */
#include "vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "boot/handover.h"
#include "boot/multiboot.h"
#include "console.h"
#include "host/clock.h"
#include "host/ram.h"
#include "input.h"

/* What differs from mode to mode. */
static const struct {
    uint64_t memory; /* RAM unless -m says otherwise */
    bool irqchip;
    gpa_t (*reserved)(const struct memory *);
    void (*start)(const struct memory *, const struct cpu_start *, struct kvm_regs *,
                  struct kvm_sregs *);
} modes[] = {
    [MODE_REAL] = {256 * KIB, false, cpu_reserved_real, cpu_start_real},
    [MODE_PROTECTED] = {64 * MIB, true, cpu_reserved_protected, cpu_start_protected},
    [MODE_LONG] = {64 * MIB, true, cpu_reserved_long, cpu_start_long},
};

/* Real mode: where the documented windows are, and what a selector can reach. */
#define WINDOW_STRIDE   (256 * KIB)
#define REAL_WINDOW_MIN (64 * KIB)
#define REAL_WINDOW_MAX MIB

/* Protected mode maps RAM in the half below CPU_HIGH_BASE. */
#define PROTECTED_MAX (2 * GIB)

static gpa_t window_base(const struct vm *vm)
{
    uint64_t stride = vm->ram_size > WINDOW_STRIDE ? vm->ram_size : WINDOW_STRIDE;

    return vm->mode == MODE_REAL ? vm->index * stride : 0;
}

static int check_size(const struct vm *vm, struct error *error)
{
    unsigned long long kib = vm->ram_size / KIB;

    if (vm->mode == MODE_REAL && (vm->ram_size < REAL_WINDOW_MIN || vm->ram_size > REAL_WINDOW_MAX))
        return error_set(error, "%s: a real-mode window has 64K to 1M, not %lluK", vm->name, kib);
    if (vm->mode == MODE_REAL && window_base(vm) >= MIB)
        return error_set(error, "%s: windows of %lluK put guest %u beyond real mode's first 1M",
                         vm->name, kib, vm->index);
    if (vm->mode == MODE_PROTECTED && vm->ram_size > PROTECTED_MAX)
        return error_set(error, "%s: protected mode has at most 2G, not %lluK", vm->name, kib);
    return 0;
}

/* The devices' way out: console, input queue, interrupt line and end. */
static void backend_output(void *context, const uint8_t *bytes, size_t count)
{
    struct vm *vm = context;

    if (vm->options->display_text)
        return; /* the terminal is its text page */
    if (count == 1)
        vcpu_putchar(vm->index, bytes[0]);
    else
        vcpu_write(vm->index, bytes, count);
}

static int backend_input(void *context, bool wait)
{
    struct vm *vm = context;

    if (vm->options->display_text)
        return INPUT_END;     /* what is typed goes to its keyboard */
    console_flush(vm->index); /* what it printed last may be a prompt */
    return input_take(vm->index, wait);
}

static int backend_pending(void *context)
{
    struct vm *vm = context;

    return vm->options->display_text ? INPUT_END : input_pending(vm->index);
}

static void backend_want_input(void *context)
{
    struct vm *vm = context;

    input_want(vm->index);
}

static void backend_interrupt(void *context, unsigned line, bool level)
{
    struct vm *vm = context;

    if (vm->irqchip)
        kvm_set_irq(vm->fd, line, level);
}

static void backend_end(void *context, enum end_kind kind, int code, const char *message)
{
    vm_stop(context, kind, code, "%s", message != NULL ? message : "");
}

static struct backend make_backend(struct vm *vm)
{
    return (struct backend){.context = vm,
                            .memory = &vm->memory,
                            .output = backend_output,
                            .input = backend_input,
                            .pending = backend_pending,
                            .want_input = backend_want_input,
                            .interrupt = backend_interrupt,
                            .seconds = clock_seconds,
                            .end = backend_end};
}

/* RAM before anything else: a slot added after the interrupt controllers waits for a grace period.
 */
static int add_ram(struct vm *vm, struct error *error)
{
    uint8_t *ram = vm->ram = ram_allocate(vm->ram_size, error);

    if (ram == NULL)
        return -1;
    memory_init(&vm->memory, window_base(vm), vm->ram_size, ram);
    for (unsigned i = 0; i < vm->memory.count; i++) {
        const struct memory_region *r = &vm->memory.regions[i];

        if (kvm_add_memory(vm->fd, i, r->base, r->size, r->host, error) < 0)
            return -1;
    }
    return 0;
}

/* By custom the command line begins with the image's name. */
static void write_multiboot_info(struct vm *vm, gpa_t at, gpa_t reserved)
{
    const char *append = vm->options->append;
    char line[1024];

    snprintf(line, sizeof line, "%s%s%s", vm->name, append != NULL ? " " : "",
             append != NULL ? append : "");
    multiboot_write_info(&vm->memory, at, reserved, line);
}

static int load(struct vm *vm, const struct loader *loader, const struct image *image,
                struct cpu_start *start, struct error *error)
{
    gpa_t reserved = modes[vm->mode].reserved(&vm->memory);
    struct boot_request request = {
        .options = vm->options, .image = image, .memory = &vm->memory, .limit = reserved};

    if (reserved == 0)
        return error_set(error, "%s: %lluK of memory are too little for this mode", vm->name,
                         (unsigned long long)vm->ram_size / KIB);
    *start = (struct cpu_start){.paging = vm->mode == MODE_PROTECTED && !vm->options->no_paging};
    if (loader->load(&request, vm->mode, start, error) < 0)
        return -1;
    if (vm->mode == MODE_LONG && handover_wanted(image->bytes, image->size)) {
        start->boot_info = HANDOVER_ADDRESS;
        handover_write(&vm->memory, reserved,
                       vm->options->append != NULL ? vm->options->append : "");
    }
    vm->paging = start->paging;
    if (vm->mode != MODE_PROTECTED)
        return 0;
    start->multiboot = true;
    start->boot_info = cpu_boot_info_address(reserved);
    write_multiboot_info(vm, start->boot_info, reserved);
    return 0;
}

static int add_vcpus(struct vm *vm, const struct kvm *kvm, const struct cpu_start *start,
                     struct error *error)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    if (vcpu_create(&vm->vcpus[0], vm, 0, kvm, error) < 0)
        return -1;
    vm->vcpu_count = 1;
    if (kvm_get_sregs(&vm->vcpus[0].cpu, &sregs, error) < 0)
        return -1;
    modes[vm->mode].start(&vm->memory, start, &regs, &sregs);
    return kvm_set_state(&vm->vcpus[0].cpu, &regs, &sregs, error);
}

int vm_create(struct vm *vm, unsigned index, const struct options *options, const struct kvm *kvm,
              const struct image *image, struct error *error)
{
    const struct loader *loader = loader_find(image);
    struct cpu_start start;

    *vm = (struct vm){.index = index, .name = image->path, .options = options, .fd = -1};
    lock_init(&vm->lock);
    if (loader->mode(image, options->mode, &vm->mode, error) < 0)
        return -1;
    vm->ram_size = options->memory != 0 ? options->memory : modes[vm->mode].memory;
    if (check_size(vm, error) < 0)
        return -1;
    vm->fd = kvm_create_vm(kvm, error);
    if (vm->fd < 0)
        return -1;
    vm->irqchip = modes[vm->mode].irqchip;
    vm->backend = make_backend(vm);
    if (add_ram(vm, error) < 0 || machine_init(&vm->machine, options, &vm->backend, error) < 0 ||
        load(vm, loader, image, &start, error) < 0 ||
        (vm->irqchip && kvm_create_irqchip(vm->fd, error) < 0) ||
        add_vcpus(vm, kvm, &start, error) < 0) {
        vm_destroy(vm);
        return -1;
    }
    return 0;
}

void vm_destroy(struct vm *vm)
{
    while (vm->vcpu_count > 0)
        vcpu_destroy(&vm->vcpus[--vm->vcpu_count]);
    if (vm->ram != NULL)
        ram_release(vm->ram, vm->ram_size);
    if (vm->fd >= 0)
        kvm_close_vm(vm->fd);
    vm->ram = NULL;
    vm->fd = -1;
}

int vm_start(struct vm *vm, void (*ended)(void), struct error *error)
{
    vm->ended = ended;
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        __atomic_fetch_add(&vm->running, 1, __ATOMIC_RELAXED);
        if (vcpu_start(&vm->vcpus[i], error) < 0) {
            __atomic_fetch_sub(&vm->running, 1, __ATOMIC_RELAXED);
            return -1;
        }
        vm->started++;
    }
    return 0;
}

void vm_join(struct vm *vm)
{
    while (vm->started > 0)
        thread_join(&vm->vcpus[--vm->started].thread);
}

/* Pairs with the release in vm_vcpu_ended: who sees the VM ended sees how. */
bool vm_is_running(const struct vm *vm)
{
    return __atomic_load_n(&vm->running, __ATOMIC_ACQUIRE) > 0;
}

void vm_vcpu_ended(struct vm *vm)
{
    if (__atomic_sub_fetch(&vm->running, 1, __ATOMIC_RELEASE) == 0)
        vm->ended();
}

void vm_stop(struct vm *vm, enum end_kind kind, int code, const char *format, ...)
{
    va_list args;
    bool first;

    lock_take(&vm->lock);
    first = vm->end.kind == END_NONE;
    if (first) {
        vm->end.kind = kind;
        vm->end.code = code;
        va_start(args, format);
        vsnprintf(vm->end.message, sizeof vm->end.message, format, args);
        va_end(args);
    }
    lock_release(&vm->lock);
    if (!first)
        return;
    input_stop(vm->index);
    for (unsigned i = 0; i < vm->started; i++)
        vcpu_kick(&vm->vcpus[i], VCPU_STOP);
}

struct vm_end vm_end_of(struct vm *vm)
{
    struct vm_end end;

    lock_take(&vm->lock);
    end = vm->end;
    lock_release(&vm->lock);
    return end;
}
