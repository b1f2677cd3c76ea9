/* Builds VMs: layout, devices, images; see build.h. */
#include "vm/build.h"

#include "common/string.h"
#include "dev/virtio/console.h"
#include "host/disk.h"
#include "host/machine.h"
#include "lib/console.h"
#include "vm/image.h"
#include "vm/memory.h"

enum { FDT_ROOM = 32768 };

bool build_file(const char *name, struct cpio_file *file)
{
    return cpio_find((const void *)machine.initrd.start, machine.initrd.size, name, file);
}

static int complain(const struct vm *vm, const char *file, const char *what)
{
    print("hv: vm %s: %s: %s\n", vm->config.name, file, what);
    return -1;
}

/* ---- Layout ---- */

static void notify_vcpu(void *owner, unsigned context, bool level)
{
    struct vm *vm = owner;

    vcpu_set_external(vm->vcpus[context], level);
}

static void send_char(void *owner, char c)
{
    mux_output(owner, &c, 1);
}

static void plug(struct vm *vm, gpa_t base, uint64_t size, const struct device_ops *ops,
                 void *state)
{
    vm->devices[vm->device_count++] = (struct device){base, size, ops, state};
}

static void plug_virtio(struct vm *vm, const struct virtio_ops *ops, void *state)
{
    unsigned slot = vm->virtio_count++;
    struct virtio *dev = &vm->virtio[slot];

    dev->irq = (struct irq_line){plic_set_source, &vm->plic, SOURCE_VIRTIO + slot};
    virtio_init(dev, vm, ops, state);
    plug(vm, GUEST_VIRTIO + slot * VIRTIO_SIZE, VIRTIO_SIZE, &virtio_ops, dev);
}

static int plug_disk(struct vm *vm)
{
    const char *name = vm->config.disk;
    struct cpio_file file;
    uint64_t unit;

    if (memcmp(name, "host:", 5) == 0) {
        if (!config_number(name + 5, &unit) || !disk_open_host(&vm->disk, (unsigned)unit))
            return complain(vm, name, "this machine has no such virtio disk");
    } else if (!build_file(name, &file)) {
        return complain(vm, name, "no such file in the initrd");
    } else if (!disk_open_image(&vm->disk, file.data, file.size)) {
        return complain(vm, name, "no memory for a copy of the disk");
    }
    plug_virtio(vm, &virtio_blk_ops, &vm->disk);
    return 0;
}

static void plug_net(struct vm *vm)
{
    /* A locally administered address; the last byte tells the VMs of a switch apart. */
    vm->net = (struct net){.mac = {0x52, 0x56, 0, 0, 0, (uint8_t)(vm->id + 1)}};
    plug_virtio(vm, &virtio_net_ops, &vm->net);
}

static int plug_devices(struct vm *vm)
{
    vm->plic = (struct plic){.contexts = vm->vcpu_count, .notify = notify_vcpu, .owner = vm};
    uart_init(&vm->uart, (struct irq_line){plic_set_source, &vm->plic, SOURCE_UART}, send_char, vm);
    plug(vm, GUEST_PLIC, PLIC_SIZE, &plic_ops, &vm->plic);
    plug(vm, GUEST_UART, UART_SIZE, &uart_ops, &vm->uart);
    plug_virtio(vm, &virtio_console_ops, NULL); /* slot 0: see console_receive() */
    if (vm->config.net[0] != '\0')
        plug_net(vm);
    return vm->config.disk[0] != '\0' ? plug_disk(vm) : 0;
}

static int plan_kernel(struct vm *vm, struct cpio_file *file, struct image_plan *plan)
{
    const char *wrong;

    if (!build_file(vm->config.kernel, file))
        return complain(vm, vm->config.kernel, "no such file in the initrd");
    wrong = image_plan(file->data, file->size, vm->config.load, vm->config.entry, plan);
    return wrong == NULL ? 0 : complain(vm, vm->config.kernel, wrong);
}

/* RAM begins where the manifest says, else where the image wants to be, else where Linux expects.
 */
static gpa_t choose_base(const struct vm *vm, const struct image_plan *plan)
{
    if (vm->config.base != ~0ul)
        return vm->config.base;
    if (!image_is_relative(plan, vm->config.load))
        return ALIGN_DOWN(plan->lowest, PAGE_2M);
    return GUEST_RAM;
}

int build_layout(struct vm *vm)
{
    struct cpio_file file;
    struct image_plan plan;

    if (plan_kernel(vm, &file, &plan) != 0)
        return -1;
    vm->ram_base = choose_base(vm, &plan);
    vm->ram_size = vm->config.memory;
    if (plug_devices(vm) != 0)
        return -1;
    for (unsigned i = 0; i < vm->device_count; i++) {
        const struct device *d = &vm->devices[i];

        if (vm->ram_base < d->base + d->size && d->base < vm->ram_base + vm->ram_size)
            return complain(vm, "mem=", "RAM would cover the devices at 0x0c000000 to 0x10003fff");
    }
    return 0;
}

void build_reset_devices(struct vm *vm)
{
    plic_reset(&vm->plic);
    uart_reset(&vm->uart);
    for (unsigned i = 0; i < vm->virtio_count; i++)
        virtio_reset(&vm->virtio[i]);
}

/* ---- Contents ---- */

static int load_kernel(struct vm *vm, gpa_t *entry, gpa_t *end)
{
    struct cpio_file file;
    struct image_plan plan;
    gpa_t base;

    if (plan_kernel(vm, &file, &plan) != 0)
        return -1;
    base = image_is_relative(&plan, vm->config.load) ? vm->ram_base : 0;
    vm->range_count = 0;
    for (unsigned i = 0; i < plan.count; i++) {
        const struct image_segment *s = &plan.segment[i];

        if (!vm_contains(vm, base + s->at, s->memory_size))
            return complain(vm, vm->config.kernel, "does not fit in the guest's memory");
        if (s->perm != PERM_RWX && s->perm != 0 && vm->range_count < VM_RANGES_MAX)
            vm->ranges[vm->range_count++] =
                (struct vm_range){base + s->at, base + s->at + s->memory_size, s->perm};
    }
    for (unsigned i = 0; i < plan.count; i++)
        if (!memory_load(vm, base + plan.segment[i].at, file.data + plan.segment[i].offset,
                         plan.segment[i].size))
            return complain(vm, vm->config.kernel, "no memory to load it");
    *entry = base + plan.entry;
    *end = base + plan.highest;
    return vm_contains(vm, *entry, 2) ? 0 : complain(vm, vm->config.kernel, "entry is not in RAM");
}

int build_load(struct vm *vm, gpa_t *entry, gpa_t *fdt)
{
    static uint8_t buffer[FDT_ROOM]; /* one VM is built at a time: under build_lock */
    static struct lock build_lock;
    struct cpio_file initrd = {0};
    gpa_t kernel_end, initrd_at;
    int size, result = -1;

    if (load_kernel(vm, entry, &kernel_end) != 0)
        return -1;
    if (vm->config.initrd[0] != '\0' && !build_file(vm->config.initrd, &initrd))
        return complain(vm, vm->config.initrd, "no such file in the initrd");
    *fdt = ALIGN_DOWN(vm->ram_base + vm->ram_size - FDT_ROOM, PAGE_4K);
    initrd_at = ALIGN_DOWN(*fdt - min64(initrd.size, *fdt), PAGE_4K);
    if (vm->ram_size < FDT_ROOM || initrd_at < kernel_end)
        return complain(vm, "mem=", "too small for kernel, initrd and device tree");
    lock_take(&build_lock);
    size = guest_fdt_write(vm, initrd_at, initrd.size, buffer, sizeof buffer);
    if (size < 0)
        result = complain(vm, "device tree", fdt_error_text(size));
    else if (!memory_load(vm, initrd_at, initrd.data, initrd.size) ||
             !memory_load(vm, *fdt, buffer, (uint64_t)size))
        result = complain(vm, "mem=", "no memory to load initrd and device tree");
    else
        result = 0;
    lock_drop(&build_lock);
    return result;
}
