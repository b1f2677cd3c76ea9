/*
 * Answers each KVM_RUN with the same recorded exit. Preloaded into kvm-vmm, it leaves only the
 * VMM's own instructions to count, on any machine.
 *
 *   REPLAY=putchar|uart|port|mmio EXITS=N LD_PRELOAD=replay.so kvm-vmm --kvm /dev/null ... IMAGE
 *
 * After N exits the guest asks to be ended.
 *
 * The exits are those of real guests on KVM: what kvm_run held after exits of guest/hello.S (a
 * hypercall), guest/test/stream/uart_until_q.S (the transmit register), guest/test/stream/storm.S
 * (but at port 0xed, which no device claims), and of a Linux kernel that looks for an I/O APIC. The
 * output has lines of 64 characters.
 */
#include <err.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/hypercall.h"

enum { RUN_SIZE = 3 * 4096, DATA_OFFSET = 4096, LINE = 64, VCPUS = 64 };

static struct {
    int fd;
    struct kvm_run *run;
} replay_vcpus[VCPUS];
static unsigned vcpu_count, printed;
static void (*fill)(struct kvm_run *run);
static unsigned long left;

static uint8_t next_character(void)
{
    unsigned column = printed++ % LINE;

    return (uint8_t)(column == LINE - 1 ? '\n' : 'A' + column % 26);
}

static void port_write(struct kvm_run *run, uint16_t port, uint8_t value)
{
    run->exit_reason = KVM_EXIT_IO;
    run->io.direction = KVM_EXIT_IO_OUT;
    run->io.size = 1;
    run->io.port = port;
    run->io.count = 1;
    run->io.data_offset = DATA_OFFSET;
    ((uint8_t *)run)[DATA_OFFSET] = value;
}

static void replay_putchar(struct kvm_run *run)
{
    run->s.regs.regs.rip = 0xd;
    run->s.regs.regs.rbx = next_character();
    port_write(run, HC_PORT, HC_PUTCHAR);
}

static void replay_uart(struct kvm_run *run)
{
    run->s.regs.regs.rip = 0x21;
    port_write(run, 0x3f8, next_character());
}

static void replay_port(struct kvm_run *run)
{
    run->s.regs.regs.rip = 0x5;
    port_write(run, 0xed, 0);
}

static void replay_mmio(struct kvm_run *run)
{
    run->s.regs.regs.rip = 0xffffffff8105b0f4;
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = 0xfec00000;
    run->mmio.len = 4;
    run->mmio.is_write = 1;
    memset(run->mmio.data, 0, sizeof run->mmio.data);
}

static const struct {
    const char *name;
    void (*fill)(struct kvm_run *run);
} replay_exits[] = {
    {"putchar", replay_putchar},
    {"uart", replay_uart},
    {"port", replay_port},
    {"mmio", replay_mmio},
};

static void read_order(void)
{
    const char *name = getenv("REPLAY"), *count = getenv("EXITS");

    for (unsigned i = 0; i < sizeof replay_exits / sizeof replay_exits[0]; i++)
        if (name != NULL && strcmp(replay_exits[i].name, name) == 0)
            fill = replay_exits[i].fill;
    if (fill == NULL || count == NULL)
        errx(2, "replay: REPLAY=putchar|uart|port|mmio EXITS=N are not set");
    left = strtoul(count, NULL, 10);
}

static int enter(int fd)
{
    struct kvm_run *run = NULL;

    if (fill == NULL)
        read_order();
    for (unsigned i = 0; i < vcpu_count; i++)
        if (replay_vcpus[i].fd == fd)
            run = replay_vcpus[i].run;
    if (run == NULL || run->immediate_exit) {
        errno = run == NULL ? EBADF : EINTR;
        return -1;
    }
    run->kvm_dirty_regs = 0;
    if (left-- > 0)
        fill(run);
    else
        port_write(run, HC_PORT, HC_EXIT);
    return 0;
}

static int create_vcpu(void)
{
    int fd = memfd_create("vcpu", MFD_CLOEXEC);

    if (vcpu_count == VCPUS || fd < 0 || ftruncate(fd, RUN_SIZE) < 0)
        return -1;
    replay_vcpus[vcpu_count].fd = fd;
    replay_vcpus[vcpu_count++].run =
        mmap(NULL, RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return fd;
}

/* Answers ioctls of KVM, recognised by their type; all others go to the kernel. */
int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *argument;

    va_start(args, request);
    argument = va_arg(args, void *);
    va_end(args);
    if (_IOC_TYPE(request) != KVMIO)
        return (int)syscall(SYS_ioctl, fd, request, argument);
    switch (request) {
    case KVM_RUN:
        return enter(fd);
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION:
        return 1;
    case KVM_GET_VCPU_MMAP_SIZE:
        return RUN_SIZE;
    case KVM_GET_SUPPORTED_CPUID:
        ((struct kvm_cpuid2 *)argument)->nent = 1;
        return 0;
    case KVM_CREATE_VM:
        return memfd_create("vm", MFD_CLOEXEC);
    case KVM_CREATE_VCPU:
        return create_vcpu();
    case KVM_GET_STATS_FD:
        errno = ENOTTY;
        return -1;
    default:
        return 0;
    }
}
