/* Creates a guest: memory, devices, image, vCPUs; starts and destroys it. See create.h. */
#include "vm/create.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/multiboot.h"
#include "acpi/acpi.h"
#include "boot/boot_info.h"
#include "boot/linux/params.h"
#include "boot/loader.h"
#include "boot/multiboot.h"
#include "cpu/cpuid.h"
#include "cpu/probe.h"
#include "cpu/reset.h"
#include "host/files/files.h"
#include "host/guard.h"
#include "host/kvm/memory.h"
#include "host/kvm/state.h"
#include "host/ram.h"
#include "host/ram_saved.h"
#include "vm/backend.h"
#include "vm/guest_files.h"
#include "vm/state.h"
#include "vm/ticks.h"

/* The properties of each mode. */
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
    [MODE_LINUX] = {512 * MIB, true, cpu_reserved_linux, cpu_start_linux},
    [MODE_FIRMWARE] = {256 * MIB, true, cpu_reserved_linux, cpu_start_firmware},
};

/* Real mode: the distance of the documented windows, and the memory that a selector can reach. */
#define WINDOW_STRIDE   (256 * KIB)
#define REAL_WINDOW_MIN (64 * KIB)
#define REAL_WINDOW_MAX MIB

/* Protected mode maps RAM in the half below CPU_HIGH_BASE. */
#define PROTECTED_MAX (2 * GIB)

#define LINUX_MIN    (64 * MIB)
#define FIRMWARE_MIN (16 * MIB)

/* Whether the guest continues from a saved state. */
static bool is_restored(const struct vm *vm)
{
    return vm->config->saved != NULL && !vm->config->saved->used;
}

static gpa_t window_base(const struct vm *vm)
{
    uint64_t stride = vm->ram_size > WINDOW_STRIDE ? vm->ram_size : WINDOW_STRIDE;

    if (is_restored(vm))
        return vm->config->saved->base;
    return vm->mode == MODE_REAL ? vm->index * stride : 0;
}

static int check_size(const struct vm *vm, struct error *error)
{
    unsigned long long kib = vm->ram_size / KIB;

    if (vm->mode == MODE_REAL && (vm->ram_size < REAL_WINDOW_MIN || vm->ram_size > REAL_WINDOW_MAX))
        return error_set(error, "%s: a real-mode window has 64K to 1M, not %lluK (-m)", vm->name,
                         kib);
    if (vm->mode == MODE_REAL && window_base(vm) >= MIB)
        return error_set(error,
                         "%s: with windows of %lluK guest %u lies beyond the 1M of real mode (-m)",
                         vm->name, kib, vm->index);
    if (vm->mode == MODE_PROTECTED && vm->ram_size > PROTECTED_MAX)
        return error_set(error, "%s: protected mode has at most 2G, not %lluK (-m)", vm->name, kib);
    if (vm->mode == MODE_LINUX && vm->ram_size < LINUX_MIN)
        return error_set(error, "%s: Linux has at least 64M, not %lluK (-m)", vm->name, kib);
    if (vm->mode == MODE_FIRMWARE && vm->ram_size < FIRMWARE_MIN)
        return error_set(error, "%s: firmware has at least 16M, not %lluK (-m)", vm->name, kib);
    if (vm->mode == MODE_REAL && vm->config->cpus > 1)
        return error_set(error, "%s: a real-mode guest has one vCPU, not %u (-c)", vm->name,
                         vm->config->cpus);
    return 0;
}

/* RAM must be within the physical address width of the guest's processor. */
static int check_address_bits(const struct vm *vm, struct error *error)
{
    gpa_t end = window_base(vm) + vm->ram_size;

    if (end > MEMORY_HOLE_START)
        end += MEMORY_HOLE_END - MEMORY_HOLE_START;
    if (vm->address_bits >= 64 || end <= UINT64_C(1) << vm->address_bits)
        return 0;
    return error_set(error,
                     "%s: %lluM of memory do not fit in the %u bits of a guest's physical "
                     "addresses on this host (-m)",
                     vm->name, (unsigned long long)vm->ram_size / MIB, vm->address_bits);
}

/* RAM before anything else: adding a slot after the interrupt controllers waits for an RCU grace
 * period. */
static int add_ram(struct vm *vm, const struct image *image, struct error *error)
{
    const struct guest_config *config = vm->config;

    if (is_restored(vm) && config->saved->memory != NULL) {
        vm->memory = *config->saved->memory;
        for (unsigned i = 0; i < vm->memory.count; i++) /* the log belonged to the other VM */
            (void)!memory_set_logged(&vm->memory.slots[i], false);
        guard_add(&vm->memory);
        return kvm_add_memory(vm->fd, &vm->memory, error);
    }
    memory_init(&vm->memory, window_base(vm), vm->ram_size, NULL);
    if (is_restored(vm)) {
        if (ram_map_saved(&vm->memory, config->saved->layers, config->saved->rom, error) < 0)
            return -1;
    } else if (ram_map(&vm->memory, config->backing, config->memory_file, error) < 0 ||
               (vm->mode == MODE_FIRMWARE && ram_add_rom(&vm->memory, 4 * GIB - image->size,
                                                         image->bytes, image->size, error) < 0)) {
        return -1;
    }
    guard_add(&vm->memory);
    if (is_restored(vm) &&
        ram_read_saved(&vm->memory, config->saved->layers, config->saved->layer_count, error) < 0)
        return -1;
    return kvm_add_memory(vm->fd, &vm->memory, error);
}

static bool wants_boot_info(const struct vm *vm, const struct image *image)
{
    return vm->mode == MODE_LONG && boot_info_wanted(image->bytes, image->size);
}

/* Writes the boot information of the mode. A kernel in protected mode without a multiboot header
 * gets that of multiboot 1. */
static int inform(struct vm *vm, const struct boot_request *request, struct cpu_start *start,
                  struct error *error)
{
    const char *append = vm->config->append;
    gpa_t reserved = request->limit;
    struct multiboot_facts facts = {
        .memory = &vm->memory,
        .reserved = reserved,
        .name = vm->name,
        .virtio = config_has_virtio_pci(vm->config) ? 0 : config_virtio_count(vm->config),
        .append = append};

    if (wants_boot_info(vm, request->image)) {
        start->boot_info = BOOT_INFO_ADDRESS;
        boot_info_write(&vm->memory, reserved, request->rsdp, append != NULL ? append : "");
    }
    if (vm->mode != MODE_PROTECTED || start->boot_magic != 0)
        return 0;
    facts.at = start->boot_info = cpu_boot_info_address(reserved);
    start->boot_magic = MULTIBOOT_BOOT_MAGIC;
    return multiboot_write_info(&facts, error);
}

static int load(struct vm *vm, const struct loader *loader, const struct boot_files *files,
                struct cpu_start *start, struct error *error)
{
    gpa_t reserved = modes[vm->mode].reserved(&vm->memory);
    struct acpi_machine acpi = {.cpus = vm->vcpu_count,
                                .watchdog = vm->config->watchdog != WATCHDOG_NONE};
    struct boot_request request = {.config = vm->config,
                                   .image = &files->image,
                                   .memory = &vm->memory,
                                   .limit = reserved,
                                   .initrds = files->initrds,
                                   .initrd_count = files->initrd_count,
                                   .cache = vm->program->kernel_cache};

    if (reserved == 0)
        return error_set(error, "%s: %lluK of memory is too little for this mode", vm->name,
                         (unsigned long long)vm->ram_size / KIB);
    acpi.device_count = machine_describe(vm->config, acpi.devices);
    acpi.pci = config_has_pci(vm->config) ? &vm->machine.pci : NULL;
    if (vm->irqchip && vm->mode != MODE_FIRMWARE && memory_low_end(&vm->memory) >= MIB) {
        if (acpi_write(&vm->memory, &acpi, &request.rsdp, error) < 0 ||
            mp_table_write(&vm->memory, acpi.cpus, error) < 0)
            return -1;
        reset_write_entry(&vm->memory);
    }
    *start = (struct cpu_start){.paging = vm->mode == MODE_PROTECTED && !vm->config->no_paging};
    if (loader->load(&request, vm->mode, start, error) < 0)
        return -1;
    vm->paging = start->paging;
    vm->unpacked_itself = start->packed;
    return inform(vm, &request, start, error);
}

/* The first vCPU starts at the loader's entry; the others wait until the guest starts them. */
static int set_first_state(struct vm *vm, const struct cpu_start *start, struct error *error)
{
    const struct kvm_cpu *first = &vm->vcpus[0].cpu;
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    if (kvm_get_sregs(first, &sregs, error) < 0)
        return -1;
    modes[vm->mode].start(&vm->memory, start, &regs, &sregs);
    return kvm_set_state(first, &regs, &sregs, error);
}

static int add_vcpu(struct vm *vm, const struct kvm *kvm, unsigned id, struct error *error)
{
    struct cpuid_place place = {
        .id = id,
        .count = vm->vcpu_count,
        .deadline = vm->irqchip && kvm->tsc_deadline,
        .debugged = vm->config->debugged,
        .no_lapic =
            vm->own_irqchip || (vm->mode == MODE_LINUX && linux_has_no_lapic(vm->config->append))};
    struct kvm_cpuid2 *cpuid;
    int result;

    if (vcpu_create(&vm->vcpus[id], vm, id, kvm, error) < 0)
        return -1;
    vm->vcpus_made++;
    cpuid = cpuid_adapt(kvm->cpuid, &place);
    if (cpuid == NULL)
        return error_set(error, "out of memory");
    result = kvm_set_cpuid(&vm->vcpus[id].cpu, cpuid, error);
    if (result == 0 && vm->mode == MODE_LINUX)
        kvm_set_firmware_state(&vm->vcpus[id].cpu, cpuid);
    free(cpuid);
    return result;
}

static int add_vcpus(struct vm *vm, const struct kvm *kvm, const struct cpu_start *start,
                     struct error *error)
{
    vm->vcpus = calloc(vm->vcpu_count, sizeof *vm->vcpus);
    if (vm->vcpus == NULL)
        return error_set(error, "out of memory");
    for (unsigned id = 0; id < vm->vcpu_count; id++)
        if (add_vcpu(vm, kvm, id, error) < 0)
            return -1;
    return start == NULL ? 0 : set_first_state(vm, start, error);
}

/* An option without effect is reported as an error. */
static int check_kernel_options(const struct vm *vm, const struct loader *loader,
                                struct error *error)
{
    const struct guest_config *o = vm->config;

    if (!loader->takes_modules && o->initrd_count > 0)
        return error_set(error, "%s: --initrd needs a Linux or multiboot kernel", vm->name);
    if (o->bios && o->kernel == NULL && o->initrd_count > 0)
        return error_set(error, "--bios: --initrd needs a kernel as IMAGE");
    if (vm->mode != MODE_LINUX && o->kernel_entry != KERNEL_ENTRY_AUTO)
        return error_set(error, "%s: --kernel-entry needs a Linux kernel", vm->name);
    return 0;
}

static void choose_mmio(struct vm *vm)
{
    enum mmio_policy asked = vm->config->mmio;

    vm->mmio = asked != MMIO_DEFAULT    ? asked
               : vm->mode >= MODE_LINUX ? MMIO_IGNORE /* it probes for devices that may be absent */
                                        : MMIO_STOP;
}

/* Determines the VM from the options and the image, before anything is created. */
static int plan(struct vm *vm, const struct loader *loader, const struct image *image,
                struct error *error)
{
    const struct guest_config *o = vm->config;

    if (loader->mode(image, o->mode, &vm->mode, error) < 0)
        return -1;
    vm->ram_size = o->memory != 0 ? o->memory : modes[vm->mode].memory;
    vm->vcpu_count = o->cpus != 0 ? o->cpus : 1;
    vm->own_irqchip = o->own_irqchip;
    vm->irqchip = modes[vm->mode].irqchip && !vm->own_irqchip;
    if (vm->own_irqchip && (vm->mode > MODE_PROTECTED || vm->vcpu_count > 1))
        return error_set(error,
                         "%s: --irqchip vmm is for guests in real or protected mode with "
                         "one vCPU",
                         vm->name);
    choose_mmio(vm);
    return check_size(vm, error) < 0 ? -1 : check_kernel_options(vm, loader, error);
}

/* The order makes the start fast: see add_ram. */
static int build(struct vm *vm, const struct loader *loader, const struct kvm *kvm,
                 const struct boot_files *files, struct error *error)
{
    struct cpu_start start;

    if (add_ram(vm, &files->image, error) < 0 ||
        machine_init(&vm->machine, vm->config, &vm->backend, &vm->serial, vm->address_bits, error) <
            0 ||
        (vm->own_irqchip && machine_add_irqchip(&vm->machine, &vm->backend, error) < 0))
        return -1;
    vm->window = vm->own_irqchip && probe_window(kvm);
    if (firmware_fill(vm, files, error) < 0)
        return -1;
    observers_phase(vm, VM_MEMORY);
    if (load(vm, loader, files, &start, error) < 0)
        return -1;
    observers_phase(vm, VM_LOADED);
    if (vm->irqchip && kvm_create_irqchip(vm->fd, error) < 0)
        return -1;
    if (vm_io_open(vm, error) < 0)
        return -1;
    return add_vcpus(vm, kvm, &start, error);
}

/* Builds a restored guest, without its image. The saved CPUID is compared with this processor's
 * before the guest runs. The devices start on the requests in their queues only when all are
 * loaded. */
static int build_restored(struct vm *vm, const struct kvm *kvm, struct error *error)
{
    const struct saved_guest *saved = vm->config->saved;
    struct chunk_reader reader = {.bytes = saved->state, .size = saved->state_size};

    if (add_ram(vm, NULL, error) < 0 ||
        machine_init(&vm->machine, vm->config, &vm->backend, &vm->serial, vm->address_bits, error) <
            0 ||
        firmware_restore(vm, saved->firmware, saved->firmware_size, error) < 0)
        return -1;
    observers_phase(vm, VM_MEMORY);
    observers_phase(vm, VM_LOADED);
    if ((vm->irqchip && kvm_create_irqchip(vm->fd, error) < 0) || vm_io_open(vm, error) < 0 ||
        add_vcpus(vm, kvm, NULL, error) < 0 || vm_check_cpu(vm, reader, error) < 0)
        return -1;
    if (!machine_quiesce(&vm->machine))
        return error_set(error, "%s: a device is busy before its state is restored", vm->name);
    if (vm_load(vm, &reader, error) < 0)
        return -1;
    machine_renew(&vm->machine);
    machine_resume(&vm->machine);
    ticks_input(vm);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        kvm_mark_paused(&vm->vcpus[i].cpu);
    return 0;
}

static void plan_restored(struct vm *vm)
{
    vm->mode = vm->config->saved->mode;
    vm->paging = vm->config->saved->paging;
    vm->ram_size = vm->config->memory;
    vm->vcpu_count = vm->config->cpus;
    vm->irqchip = modes[vm->mode].irqchip;
    choose_mmio(vm);
}

static const unsigned never_full;

static int create_from(struct vm *vm, const struct kvm *kvm, struct guest_files *files,
                       struct error *error)
{
    const struct loader *loader = NULL;

    if (is_restored(vm)) {
        plan_restored(vm);
    } else {
        loader = vm->config->bios ? &loader_firmware : loader_find(&files->boot.image, vm->config);
        if (plan(vm, loader, &files->boot.image, error) < 0)
            return -1;
    }
    vm->address_bits = cpuid_address_bits(kvm->cpuid);
    if (check_address_bits(vm, error) < 0)
        return -1;
    vm->fd = kvm_create_vm(kvm, error);
    if (vm->fd < 0)
        return -1;
    vm->backend = vm->serial = vm_backend(vm);
    vm->full = &never_full;
    vm->program->connect(vm);
    if (loader == NULL ? build_restored(vm, kvm, error) < 0
                       : build(vm, loader, kvm, &files->boot, error) < 0)
        return -1;
    if (loader != NULL && guest_files_check(files, error) < 0) /* before an observer takes it */
        return -1;
    return observers_image(vm, &files->image, error);
}

int vm_create(struct vm *vm, unsigned index, const struct guest_config *config,
              const struct vm_program *program, const struct observers *observers,
              struct error *error)
{
    struct guest_files files = {0};
    struct kvm kvm;
    int result;

    if (vm->program != NULL) /* the struct was used before; otherwise its pages stay untouched */
        memset(vm, 0, offsetof(struct vm, machine.testdev));
    vm->index = index;
    vm->name = config->image;
    vm->config = config;
    vm->program = program;
    vm->observers = observers;
    vm->fd = -1;
    lock_init(&vm->lock);
    pause_init(vm);
    vm_sleep_init(vm);
    if (kvm_open(&kvm, config->kvm, error) < 0)
        return -1;
    result = is_restored(vm) ? 0 : guest_files_load(&files, config, error);
    observers_phase(vm, VM_FILES);
    if (result == 0)
        result = create_from(vm, &kvm, &files, error);
    if (!is_restored(vm) && guest_files_check(&files, error) < 0) /* may be why it failed */
        result = -1;
    if (config->saved != NULL)
        config->saved->used = true;
    if (result < 0)
        vm_destroy(vm);
    guest_files_release(&files);
    kvm_close(&kvm);
    return result;
}

int vm_start(struct vm *vm, void (*ended)(void), struct error *error)
{
    vm->ended = ended;
    if (vm_io_start(vm, error) < 0)
        return -1;
    observers_phase(vm, VM_ENTERED);
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

void vm_destroy(struct vm *vm)
{
    while (vm->vcpus_made > 0)
        vcpu_destroy(&vm->vcpus[--vm->vcpus_made]);
    free(vm->vcpus);
    guard_remove(&vm->memory);
    if (vm_io_close(vm))
        ram_unmap(&vm->memory);
    else
        vm->memory = (struct memory){0}; /* not freed: the host may still write to it */
    firmware_release(&vm->firmware);
    if (vm->fd >= 0)
        kvm_close_vm(vm->fd);
    vm->vcpus = NULL;
    vm->fd = -1;
}
