/* The guest's device tree: only the devices of build.c and the extensions of feature.c. Bindings:
 * the Linux kernel's documentation for riscv/cpus, sifive,plic-1.0.0, riscv,imsics, riscv,aplic,
 * serial/8250 and virtio/mmio. */
#include "common/fdt.h"
#include "common/fmt.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "host/machine.h"
#include "lib/random.h"
#include "vm/build.h"

enum { PHANDLE_IRQS = 1, PHANDLE_IMSIC = 2, PHANDLE_HART = 3 }; /* hart i's controller: HART + i */
/* Kinds of an APLIC's sources. Those of virtio devices are edges: the driver need not tell the
 * APLIC that it has served one. */
enum { EDGE_RISING = 1, LEVEL_HIGH = 4 };
enum { UART_CLOCK = 3686400, S_EXTERNAL = 9 };

static void write_chosen(struct fdt_writer *w, const struct vm *vm, gpa_t initrd, uint64_t size)
{
    uint8_t seed[RANDOM_SEED];

    fdt_begin_node(w, "chosen");
    fdt_put_text(w, "bootargs", vm->config.args);
    fdt_put_text(w, "stdout-path", "/soc/serial@10000000");
    if (random_ready()) { /* without a seed Linux waits to collect entropy */
        random_take(seed);
        fdt_put(w, "rng-seed", seed, sizeof seed);
    }
    if (size > 0) {
        fdt_put_u64(w, "linux,initrd-start", initrd);
        fdt_put_u64(w, "linux,initrd-end", initrd + size);
    }
    fdt_end_node(w);
}

static void write_hart(struct fdt_writer *w, const struct vm *vm, uint32_t index)
{
    char isa[sizeof features.isa + 8];

    fmt_snprint(isa, sizeof isa, "%s%s", features.isa, vm->has_files ? "_ssaia" : "");
    fdt_begin_node_at(w, "cpu", index);
    fdt_put_text(w, "device_type", "cpu");
    fdt_put_text(w, "compatible", "riscv");
    fdt_put_u32(w, "reg", index);
    fdt_put_text(w, "status", "okay");
    fdt_put_text(w, "riscv,isa", isa);
    fdt_put_text(w, "mmu-type", feature_mmu_type());
    if (isa_has(features.isa, "zicbom"))
        fdt_put_u32(w, "riscv,cbom-block-size", machine.cbom_size);
    if (isa_has(features.isa, "zicboz"))
        fdt_put_u32(w, "riscv,cboz-block-size", machine.cboz_size);
    fdt_begin_node(w, "interrupt-controller");
    fdt_put_u32(w, "#interrupt-cells", 1);
    fdt_put(w, "interrupt-controller", "", 0);
    fdt_put_text(w, "compatible", "riscv,cpu-intc");
    fdt_put_u32(w, "phandle", PHANDLE_HART + index);
    fdt_end_node(w);
    fdt_end_node(w);
}

static void write_harts(struct fdt_writer *w, const struct vm *vm)
{
    fdt_begin_node(w, "cpus");
    fdt_put_u32(w, "#address-cells", 1);
    fdt_put_u32(w, "#size-cells", 0);
    fdt_put_u32(w, "timebase-frequency", (uint32_t)machine.timebase);
    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        cpu_serve_interrupts();
        write_hart(w, vm, i);
    }
    cpu_serve_interrupts();
    fdt_end_node(w);
}

/* Lists each vCPU's external interrupt. */
static void write_contexts(struct fdt_writer *w, const struct vm *vm)
{
    uint32_t contexts[2 * VM_VCPUS_MAX];

    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        contexts[2 * i] = PHANDLE_HART + i;
        contexts[2 * i + 1] = S_EXTERNAL;
    }
    fdt_put_cells(w, "interrupts-extended", contexts, 2ul * vm->vcpu_count);
}

static void write_plic(struct fdt_writer *w, const struct vm *vm)
{
    fdt_begin_node_at(w, "interrupt-controller", GUEST_PLIC);
    fdt_put(w, "compatible", "sifive,plic-1.0.0\0riscv,plic0", 30);
    fdt_put_reg(w, GUEST_PLIC, PLIC_SIZE);
    fdt_put_u32(w, "#interrupt-cells", 1);
    fdt_put_u32(w, "#address-cells", 0);
    fdt_put(w, "interrupt-controller", "", 0);
    fdt_put_u32(w, "riscv,ndev", PLIC_SOURCES - 1);
    fdt_put_u32(w, "phandle", PHANDLE_IRQS);
    write_contexts(w, vm);
    fdt_end_node(w);
}

static void write_aia(struct fdt_writer *w, const struct vm *vm)
{
    fdt_begin_node_at(w, "interrupt-controller", GUEST_IMSIC);
    fdt_put_text(w, "compatible", "riscv,imsics");
    fdt_put_reg(w, GUEST_IMSIC, vm->vcpu_count * PAGE_4K);
    fdt_put_u32(w, "#interrupt-cells", 0);
    fdt_put_u32(w, "#msi-cells", 0);
    fdt_put(w, "interrupt-controller", "", 0);
    fdt_put(w, "msi-controller", "", 0);
    fdt_put_u32(w, "riscv,num-ids", machine.imsic_guest_ids);
    fdt_put_u32(w, "phandle", PHANDLE_IMSIC);
    write_contexts(w, vm);
    fdt_end_node(w);
    fdt_begin_node_at(w, "interrupt-controller", GUEST_APLIC);
    fdt_put_text(w, "compatible", "riscv,aplic");
    fdt_put_reg(w, GUEST_APLIC, APLIC_SIZE);
    fdt_put_u32(w, "#interrupt-cells", 2);
    fdt_put_u32(w, "#address-cells", 0);
    fdt_put(w, "interrupt-controller", "", 0);
    fdt_put_u32(w, "riscv,num-sources", vm->slots[vm->slot_count - 1].irq.source); /* the last */
    fdt_put_u32(w, "msi-parent", PHANDLE_IMSIC);
    fdt_put_u32(w, "phandle", PHANDLE_IRQS);
    fdt_end_node(w);
}

/* `kind`: the kind of an APLIC's source. */
static void write_device(struct fdt_writer *w, const struct vm *vm, const char *name,
                         const char *compatible, gpa_t base, uint64_t size,
                         const struct irq_line *irq, uint32_t kind)
{
    const uint32_t interrupt[2] = {irq->source, kind};

    fdt_begin_node_at(w, name, base);
    fdt_put_text(w, "compatible", compatible);
    fdt_put_reg(w, base, size);
    fdt_put_u32(w, "interrupt-parent", PHANDLE_IRQS);
    fdt_put_cells(w, "interrupts", interrupt, vm->has_files ? 2 : 1);
}

static void write_devices(struct fdt_writer *w, const struct vm *vm)
{
    fdt_begin_node(w, "soc");
    fdt_put_u32(w, "#address-cells", 2);
    fdt_put_u32(w, "#size-cells", 2);
    fdt_put_text(w, "compatible", "simple-bus");
    fdt_put(w, "ranges", "", 0);
    if (vm->has_files)
        write_aia(w, vm);
    else
        write_plic(w, vm);
    write_device(w, vm, "serial", "ns16550a", GUEST_UART, UART_SIZE, &vm->uart.irq, LEVEL_HIGH);
    fdt_put_u32(w, "clock-frequency", UART_CLOCK);
    fdt_end_node(w);
    for (uint32_t i = 0; i < vm->slot_count; i++) {
        write_device(w, vm, "virtio", "virtio,mmio", GUEST_VIRTIO + i * VIRTIO_MMIO_SIZE,
                     VIRTIO_MMIO_SIZE, &vm->slots[i].irq, EDGE_RISING);
        fdt_end_node(w);
        cpu_serve_interrupts();
    }
    if (vm_device_at(vm, GUEST_RTC) != NULL) {
        write_device(w, vm, "rtc", "google,goldfish-rtc", GUEST_RTC, RTC_SIZE, &vm->rtc.irq,
                     LEVEL_HIGH);
        fdt_end_node(w);
    }
    if (vm_device_at(vm, GUEST_GENID) != NULL) {
        write_device(w, vm, "vmgenid", "microsoft,vmgenid", GUEST_GENID, GENID_SIZE, &vm->genid.irq,
                     LEVEL_HIGH);
        fdt_end_node(w);
    }
    fdt_end_node(w);
}

int guest_fdt_write(const struct vm *vm, gpa_t initrd, uint64_t initrd_size, void *buffer,
                    size_t size)
{
    struct fdt_writer w;

    fdt_start(&w, buffer, size);
    fdt_begin_node(&w, "");
    fdt_put_u32(&w, "#address-cells", 2);
    fdt_put_u32(&w, "#size-cells", 2);
    fdt_put_text(&w, "compatible", "mini-kvm,guest");
    fdt_put_text(&w, "model", "mini-kvm guest");
    write_chosen(&w, vm, initrd, initrd_size);
    fdt_begin_node_at(&w, "memory", vm->ram_base);
    fdt_put_text(&w, "device_type", "memory");
    fdt_put_reg(&w, vm->ram_base, vm->ram_size);
    fdt_end_node(&w);
    write_harts(&w, vm);
    write_devices(&w, vm);
    fdt_end_node(&w);
    return fdt_finish(&w);
}
