/* Builds VMs: layout, devices, images; see build.h. */
#include "vm/build.h"

#include "common/string.h"
#include "dev/virtio/rng.h"
#include "host/machine.h"
#include "lib/console.h"
#include "lib/number.h"
#include "lib/random.h"
#include "mem/page.h"
#include "vm/archive.h"
#include "vm/devices.h"
#include "vm/image.h"
#include "vm/memory.h"
#include "vm/network.h"
#include "vm/vcpu.h"

enum { FDT_ORDER = 3, FDT_ROOM = PAGE_4K << FDT_ORDER, COPY_STEP = 16384 };

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

static void send_msi(void *owner, unsigned hart, unsigned msi)
{
    const struct vm *vm = owner;

    if (hart < vm->vcpu_count)
        irq_file_send(&vm->vcpus[hart]->irq_file, msi);
}

/* The PLIC has the source numbers of QEMU's machine. Those of the APLIC follow each other: its
 * driver writes to each source in the range of the device tree, and each write is an exit. A slot's
 * source is SLOTS + slot. */
enum { PLIC_SLOTS = 1, PLIC_UART = 10, PLIC_RTC, PLIC_GENID };
enum { APLIC_UART = 1, APLIC_RTC, APLIC_GENID, APLIC_SLOTS };

_Static_assert(APLIC_SLOTS + SLOTS_MAX <= APLIC_SOURCES, "each slot has a source");

static struct irq_line line(struct vm *vm, unsigned plic_source, unsigned aplic_source)
{
    return vm->has_files ? (struct irq_line){aplic_set_source, &vm->aplic, aplic_source}
                         : (struct irq_line){plic_set_source, &vm->plic, plic_source};
}

static bool send_char(void *owner, char c)
{
    return vm_hooks.output(owner, &c, 1) == 1;
}

static size_t output(void *vm, const char *text, size_t length)
{
    return vm_hooks.output(vm, text, length);
}

static void plug(struct vm *vm, gpa_t base, uint64_t size, const struct device_ops *ops,
                 void *state)
{
    vm->devices[vm->device_count++] = (struct device){base, size, ops, state};
}

static struct slot *plug_slot(struct vm *vm, const struct slot_kind *kind, void *state)
{
    unsigned number = vm->slot_count++;
    struct slot *slot = &vm->slots[number];

    slot_init(slot, kind, &devices_world, vm, line(vm, PLIC_SLOTS + number, APLIC_SLOTS + number));
    slot->virtio.device = state;
    plug(vm, GUEST_VIRTIO + number * VIRTIO_MMIO_SIZE, VIRTIO_MMIO_SIZE, &slot_ops, slot);
    return slot;
}

/* The smallest order of pages that hold `size` bytes. */
static unsigned order_for(size_t size)
{
    unsigned order = 0;

    while (PAGE_4K << order < size)
        order++;
    return order;
}

static const char no_such_file[] = "no such file in the initrd or an archive";

static int plug_disk(struct vm *vm)
{
    const char *name = vm->config.disk;
    struct cpio_file file;
    uint64_t unit;

    vm->blk = page_alloc(&vm->account, order_for(sizeof *vm->blk));
    if (vm->blk == NULL)
        return complain(vm, name, "no memory for its device");
    vm->blk->disk = -1;
    if (memcmp(name, "host:", 5) == 0) {
        if (!number_parse(name + 5, &unit) || !blk_open_host(vm->blk, (unsigned)unit))
            return complain(vm, name, "this machine has no such virtio disk");
    } else if (!archive_find(name, &file)) {
        return complain(vm, name, no_such_file);
    } else if (!blk_open_image(vm->blk, file.data, file.size)) {
        return complain(vm, name, "no memory for a copy of the disk");
    }
    slot_set_config(plug_slot(vm, &blk_kind, vm->blk), &vm->blk->config, sizeof vm->blk->config);
    return 0;
}

static int plug_net(struct vm *vm)
{
    vm->net = page_alloc(&vm->account, order_for(sizeof *vm->net));
    if (vm->net == NULL)
        return complain(vm, "net=", "no memory for its device");
    if (!network_join(vm, vm->net->mac))
        return -1;
    slot_set_config(plug_slot(vm, &net_kind, vm->net), vm->net->mac, sizeof vm->net->mac);
    return 0;
}

static int plug_devices(struct vm *vm)
{
    vm->plic = (struct plic){.contexts = vm->vcpu_count, .notify = notify_vcpu, .owner = vm};
    vm->aplic = (struct aplic){.send = send_msi, .owner = vm};
    uart_init(&vm->uart, line(vm, PLIC_UART, APLIC_UART), send_char, vm);
    if (vm->has_files)
        plug(vm, GUEST_APLIC, APLIC_SIZE, &aplic_ops, &vm->aplic);
    else
        plug(vm, GUEST_PLIC, PLIC_SIZE, &plic_ops, &vm->plic);
    plug(vm, GUEST_UART, UART_SIZE, &uart_ops, &vm->uart);
    vm->console = (struct console){.output = output};
    (void)plug_slot(vm, &console_kind, &vm->console); /* slot 0: see console_receive() */
    if (vm->config.net[0] != '\0' && plug_net(vm) != 0)
        return -1;
    if (vm->config.disk[0] != '\0' && plug_disk(vm) != 0)
        return -1;
    if (machine.epoch != 0) {
        vm->rtc.irq = line(vm, PLIC_RTC, APLIC_RTC);
        plug(vm, GUEST_RTC, RTC_SIZE, &rtc_ops, &vm->rtc);
    }
    if (random_ready()) {
        vm->genid.irq = line(vm, PLIC_GENID, APLIC_GENID);
        plug(vm, GUEST_GENID, GENID_SIZE, &genid_ops, &vm->genid);
        genid_renew(&vm->genid, false);
        (void)plug_slot(vm, &rng_kind, NULL);
    }
    return 0;
}

void build_unplug(struct vm *vm)
{
    if (vm->blk != NULL) {
        blk_close(vm->blk);
        page_free(&vm->account, vm->blk, order_for(sizeof *vm->blk));
    }
    if (vm->net != NULL)
        page_free(&vm->account, vm->net, order_for(sizeof *vm->net));
}

static int plan_kernel(struct vm *vm, struct cpio_file *file, struct image_plan *plan)
{
    const char *wrong;

    if (!archive_find(vm->config.kernel, file))
        return complain(vm, vm->config.kernel, no_such_file);
    wrong = image_plan(file->data, file->size, vm->config.load, vm->config.entry, plan);
    return wrong == NULL ? 0 : complain(vm, vm->config.kernel, wrong);
}

/* The start of RAM: from the manifest, else from the image, else what Linux expects. */
static gpa_t choose_base(const struct vm *vm, const struct image_plan *plan)
{
    if (vm->config.base != ~0ul)
        return vm->config.base;
    if (!image_is_relative(plan, vm->config.load))
        return ALIGN_DOWN(plan->lowest, PAGE_2M);
    return GUEST_RAM;
}

static void add_piece(struct vm_plan *p, gpa_t to, const void *from, uint64_t size)
{
    p->pieces[p->count++] = (struct vm_piece){to, from, size};
}

static int place_kernel(struct vm *vm, const struct cpio_file *file, const struct image_plan *image,
                        gpa_t *end)
{
    gpa_t base = image_is_relative(image, vm->config.load) ? vm->ram_base : 0;

    for (unsigned i = 0; i < image->count; i++) {
        const struct image_segment *s = &image->segment[i];

        if (!vm_contains(vm, base + s->at, s->memory_size))
            return complain(vm, vm->config.kernel, "does not fit in the guest's memory");
        if (s->perm != PERM_RWX && s->perm != 0 && vm->range_count < VM_RANGES_MAX)
            vm->ranges[vm->range_count++] =
                (struct vm_range){base + s->at, base + s->at + s->memory_size, s->perm};
        add_piece(&vm->plan, base + s->at, file->data + s->offset, s->size);
    }
    vm->plan.entry = base + image->entry;
    *end = base + image->highest;
    return vm_contains(vm, vm->plan.entry, 2)
               ? 0
               : complain(vm, vm->config.kernel, "entry is not in RAM");
}

/* Puts the initrd below the device tree, which is at the end of RAM. */
static int place_initrd(struct vm *vm, gpa_t kernel_end)
{
    struct vm_plan *p = &vm->plan;
    struct cpio_file initrd = {0};

    if (vm->config.initrd[0] != '\0' && !archive_find(vm->config.initrd, &initrd))
        return complain(vm, vm->config.initrd, no_such_file);
    p->fdt = ALIGN_DOWN(vm->ram_base + vm->ram_size - FDT_ROOM, PAGE_4K);
    p->initrd = ALIGN_DOWN(p->fdt - min64(initrd.size, p->fdt), PAGE_4K);
    p->initrd_size = initrd.size;
    if (vm->ram_size < FDT_ROOM || p->initrd < kernel_end)
        return complain(vm, "mem=", "too small for kernel, initrd and device tree");
    add_piece(p, p->initrd, initrd.data, initrd.size);
    return 0;
}

int build_layout(struct vm *vm)
{
    struct cpio_file file;
    struct image_plan image;
    gpa_t end;

    if (vm->config.symbols[0] != '\0' && !archive_find(vm->config.symbols, &file))
        return complain(vm, vm->config.symbols, no_such_file);
    if (plan_kernel(vm, &file, &image) != 0)
        return -1;
    vm->ram_base = choose_base(vm, &image);
    vm->ram_size = vm->config.memory;
    if (plug_devices(vm) != 0)
        return -1;
    for (unsigned i = 0; i < vm->device_count; i++) {
        const struct device *d = &vm->devices[i];

        if (vm->ram_base < d->base + d->size && d->base < vm->ram_base + vm->ram_size)
            return complain(vm, "mem=", "RAM would cover the devices at 0x0c000000 to 0x10011fff");
    }
    if (vm->has_files && vm->ram_base < GUEST_IMSIC + vm->vcpu_count * PAGE_4K &&
        GUEST_IMSIC < vm->ram_base + vm->ram_size)
        return complain(vm, "mem=", "RAM would cover the interrupt files at 0x28000000");
    return place_kernel(vm, &file, &image, &end) != 0 ? -1 : place_initrd(vm, end);
}

/* ---- Contents ---- */

/* True if the disk has its contents: the image is copied at the first boot, and a clone copies its
 * source's disk. */
static bool disk_is_filled(struct vm *vm)
{
    return vm->blk == NULL || blk_fill(vm->blk);
}

/* Writes a device tree for each boot, since it contains a new random seed. */
static int load_tree(struct vm *vm)
{
    void *tree = page_alloc_raw(&vm->account, FDT_ORDER);
    int size, result = BUILD_DONE;

    if (tree == NULL)
        return complain(vm, "device tree", "no memory to write it");
    size = guest_fdt_write(vm, vm->plan.initrd, vm->plan.initrd_size, tree, FDT_ROOM);
    if (size < 0)
        result = complain(vm, "device tree", fdt_error_text(size));
    else if (!memory_load(vm, vm->plan.fdt, tree, (uint64_t)size, (uint64_t)size))
        result = complain(vm, "mem=", "no memory to load the device tree");
    page_free(&vm->account, tree, FDT_ORDER);
    return result;
}

int build_step(struct vm *vm)
{
    struct vm_plan *p = &vm->plan;
    const struct vm_piece *piece = &p->pieces[p->current];
    uint64_t left, n;

    if (!disk_is_filled(vm))
        return BUILD_MORE;
    if (p->current == p->count)
        return load_tree(vm);
    left = piece->size - p->done;
    n = min64(left, COPY_STEP);
    if (!memory_load(vm, piece->to + p->done, (const uint8_t *)piece->from + p->done, n, left))
        return complain(vm, "mem=", "no memory to load kernel and initrd");
    p->done += n;
    if (n == left) {
        p->current++;
        p->done = 0;
    }
    return BUILD_MORE;
}
