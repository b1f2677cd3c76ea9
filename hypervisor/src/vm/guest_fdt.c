/* The device tree a guest gets: what build.c plugged in and feature.c offers, nothing else.
 * Bindings: the Linux kernel's documentation for riscv/cpus, sifive,plic-1.0.0, serial/8250 and
 * virtio/mmio. */
#include "common/fdt.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "host/machine.h"
#include "lib/random.h"
#include "vm/build.h"

enum { PHANDLE_PLIC = 1, PHANDLE_HART = 2 }; /* hart i's controller: HART + i */
enum { UART_CLOCK = 3686400, S_EXTERNAL = 9 };

static void write_chosen(struct fdt_writer *w, const struct vm *vm, gpa_t initrd, uint64_t size)
{
    uint8_t seed[RANDOM_SEED];

    fdt_begin_node(w, "chosen");
    fdt_put_text(w, "bootargs", vm->config.args);
    fdt_put_text(w, "stdout-path", "/soc/serial@10000000");
    if (random_ready()) { /* without it Linux stalls until it has seen enough jitter */
        random_take(seed);
        fdt_put(w, "rng-seed", seed, sizeof seed);
    }
    if (size > 0) {
        fdt_put_u64(w, "linux,initrd-start", initrd);
        fdt_put_u64(w, "linux,initrd-end", initrd + size);
    }
    fdt_end_node(w);
}

static void write_hart(struct fdt_writer *w, uint32_t index)
{
    fdt_begin_node_at(w, "cpu", index);
    fdt_put_text(w, "device_type", "cpu");
    fdt_put_text(w, "compatible", "riscv");
    fdt_put_u32(w, "reg", index);
    fdt_put_text(w, "status", "okay");
    fdt_put_text(w, "riscv,isa", features.isa);
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
        write_hart(w, i);
    }
    cpu_serve_interrupts();
    fdt_end_node(w);
}

static void write_plic(struct fdt_writer *w, const struct vm *vm)
{
    uint32_t contexts[2 * VM_VCPUS_MAX];

    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        contexts[2 * i] = PHANDLE_HART + i;
        contexts[2 * i + 1] = S_EXTERNAL;
    }
    fdt_begin_node_at(w, "interrupt-controller", GUEST_PLIC);
    fdt_put(w, "compatible", "sifive,plic-1.0.0\0riscv,plic0", 30);
    fdt_put_reg(w, GUEST_PLIC, PLIC_SIZE);
    fdt_put_u32(w, "#interrupt-cells", 1);
    fdt_put_u32(w, "#address-cells", 0);
    fdt_put(w, "interrupt-controller", "", 0);
    fdt_put_u32(w, "riscv,ndev", PLIC_SOURCES - 1);
    fdt_put_u32(w, "phandle", PHANDLE_PLIC);
    fdt_put_cells(w, "interrupts-extended", contexts, 2ul * vm->vcpu_count);
    fdt_end_node(w);
}

static void write_device(struct fdt_writer *w, const char *name, const char *compatible, gpa_t base,
                         uint64_t size, uint32_t source)
{
    fdt_begin_node_at(w, name, base);
    fdt_put_text(w, "compatible", compatible);
    fdt_put_reg(w, base, size);
    fdt_put_u32(w, "interrupt-parent", PHANDLE_PLIC);
    fdt_put_u32(w, "interrupts", source);
}

static void write_devices(struct fdt_writer *w, const struct vm *vm)
{
    fdt_begin_node(w, "soc");
    fdt_put_u32(w, "#address-cells", 2);
    fdt_put_u32(w, "#size-cells", 2);
    fdt_put_text(w, "compatible", "simple-bus");
    fdt_put(w, "ranges", "", 0);
    write_plic(w, vm);
    write_device(w, "serial", "ns16550a", GUEST_UART, UART_SIZE, SOURCE_UART);
    fdt_put_u32(w, "clock-frequency", UART_CLOCK);
    fdt_end_node(w);
    for (uint32_t i = 0; i < vm->slot_count; i++) {
        write_device(w, "virtio", "virtio,mmio", GUEST_VIRTIO + i * VIRTIO_MMIO_SIZE,
                     VIRTIO_MMIO_SIZE, SOURCE_VIRTIO + i);
        fdt_end_node(w);
        cpu_serve_interrupts();
    }
    if (vm_device_at(vm, GUEST_RTC) != NULL) {
        write_device(w, "rtc", "google,goldfish-rtc", GUEST_RTC, RTC_SIZE, SOURCE_RTC);
        fdt_end_node(w);
    }
    if (vm_device_at(vm, GUEST_GENID) != NULL) {
        write_device(w, "vmgenid", "microsoft,vmgenid", GUEST_GENID, GENID_SIZE, SOURCE_GENID);
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
