/* The Linux KVM interface; see kvm.h. */
#include "host/kvm/kvm.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/sandbox/landlock.h"

enum { CPUID_ENTRIES_MAX = 256 };

/* Where KVM on Intel may keep its own pages (4.21, 4.22): below the BIOS area at the end of the
 * first 4 GB. */
#define TSS_ADDRESS          UINT64_C(0xfffbd000)
#define IDENTITY_MAP_ADDRESS UINT64_C(0xfffbc000)

/* The advice to join the group is given only if the group may open the device. */
static int explain_permission(const char *path, struct error *error)
{
    struct stat status;

    if (stat(path, &status) < 0 || (status.st_mode & 060) == 060)
        return error_set(error,
                         "no permission for %s: `ls -l %s` shows its group; join it with "
                         "`sudo usermod -aG kvm $USER`, then `newgrp kvm`; "
                         "`lab/lab run COMMAND` needs no permission",
                         path, path);
    return error_set(error,
                     "no permission for %s: its mode, %04o, lets no group open it; "
                     "`lab/lab run COMMAND` runs a command without it",
                     path, (unsigned)status.st_mode & 07777);
}

static int explain_open(const char *path, struct error *error)
{
    switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return error_set(error,
                         "there is no %s on this machine; `lab/lab run COMMAND` runs a command "
                         "where KVM is complete",
                         path);
    case EACCES:
    case EPERM:
        return explain_permission(path, error);
    default:
        return error_set(error, "cannot open %s: %s", path, strerror(errno));
    }
}

static int check_capabilities(const struct kvm *kvm, const char *path, struct error *error)
{
    static const struct {
        int capability;
        const char *name;
    } needed[] = {
        {KVM_CAP_USER_MEMORY, "user memory"},
        {KVM_CAP_SYNC_REGS, "register synchronisation"},
        {KVM_CAP_IMMEDIATE_EXIT, "immediate exit"},
        {KVM_CAP_EXT_CPUID, "CPUID"},
    };

    if (ioctl(kvm->fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return error_set(error, "%s is not KVM, or not of API version %d", path, KVM_API_VERSION);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (ioctl(kvm->fd, KVM_CHECK_EXTENSION, needed[i].capability) <= 0)
            return error_set(error, "%s lacks a feature this VMM needs: %s", path, needed[i].name);
    return 0;
}

static int read_cpuid(struct kvm *kvm, struct error *error)
{
    kvm->cpuid = malloc(sizeof *kvm->cpuid + CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2));
    if (kvm->cpuid == NULL)
        return error_set(error, "out of memory");
    *kvm->cpuid = (struct kvm_cpuid2){.nent = CPUID_ENTRIES_MAX};
    if (ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, kvm->cpuid) < 0)
        return error_set(error, "cannot get the CPUID that KVM supports: %s", strerror(errno));
    return 0;
}

int kvm_open(struct kvm *kvm, const char *path, struct error *error)
{
    int size;

    *kvm = (struct kvm){.fd = open(path, O_RDWR | O_CLOEXEC)};
    if (kvm->fd < 0)
        return explain_open(path, error);
    landlock_allow(kvm->fd, LANDLOCK_WRITE); /* for a VM that is created later */
    if (check_capabilities(kvm, path, error) < 0)
        goto close;
    size = ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run)) {
        error_set(error, "%s: a vCPU area of %d bytes is too small", path, size);
        goto close;
    }
    kvm->run_size = (size_t)size;
    if (read_cpuid(kvm, error) < 0)
        goto close;
    kvm->tsc_deadline = ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    return 0;

close:
    kvm_close(kvm);
    return -1;
}

void kvm_close(struct kvm *kvm)
{
    free(kvm->cpuid);
    close(kvm->fd);
}

/* Without these pages Intel processors that cannot run real mode do not enter a guest. (Linux
 * requires both before the first vCPU, with interrupt controllers or without.) On AMD they have no
 * effect. */
static int reserve_pages(const struct kvm *kvm, int vm)
{
    __u64 identity_map = IDENTITY_MAP_ADDRESS;

    if (ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 &&
        ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0)
        return -1;
    if (ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_TSS_ADDR) > 0 &&
        ioctl(vm, KVM_SET_TSS_ADDR, TSS_ADDRESS) < 0)
        return -1;
    return 0;
}

int kvm_create_vm(const struct kvm *kvm, struct error *error)
{
    int vm;

    do /* a signal during the creation is not a failure */
        vm = ioctl(kvm->fd, KVM_CREATE_VM, 0);
    while (vm < 0 && errno == EINTR);
    if (vm < 0)
        return error_set(error, "cannot create a VM: %s", strerror(errno));
    if (reserve_pages(kvm, vm) < 0) {
        error_set(error, "KVM refuses the addresses of its TSS and identity map: %s",
                  strerror(errno));
        close(vm);
        return -1;
    }
    return vm;
}

void kvm_close_vm(int vm)
{
    close(vm);
}

int kvm_create_irqchip(int vm, struct error *error)
{
    struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};

    if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0)
        return error_set(error, "cannot create KVM's interrupt controllers: %s", strerror(errno));
    if (ioctl(vm, KVM_CREATE_PIT2, &pit) < 0)
        return error_set(error, "cannot create KVM's timer: %s", strerror(errno));
    return 0;
}

void kvm_set_irq(int vm, unsigned line, bool level)
{
    struct kvm_irq_level irq = {.irq = line, .level = level};

    /* Fails only for a line that does not exist; ours are constants of the device table. */
    (void)ioctl(vm, KVM_IRQ_LINE, &irq);
}

void kvm_signal_msi(int vm, uint64_t address, uint32_t data)
{
    struct kvm_msi msi = {
        .address_lo = (uint32_t)address, .address_hi = (uint32_t)(address >> 32), .data = data};

    /* Fails only for bad values in the guest's MSI-X table: nothing to report. */
    (void)ioctl(vm, KVM_SIGNAL_MSI, &msi);
}

int kvm_connect_irqfd(int vm, unsigned line, int fd, struct error *error)
{
    struct kvm_irqfd irqfd = {.fd = (uint32_t)fd, .gsi = line};

    if (ioctl(vm, KVM_IRQFD, &irqfd) < 0)
        return error_set(error, "KVM has no irqfd for line %u: %s", line, strerror(errno));
    return 0;
}

int kvm_connect_ioeventfd(int vm, gpa_t gpa, int fd, struct error *error)
{
    struct kvm_ioeventfd ioeventfd = {.addr = gpa, .fd = fd};

    if (ioctl(vm, KVM_IOEVENTFD, &ioeventfd) < 0)
        return error_set(error, "KVM has no ioeventfd at %#llx: %s", (unsigned long long)gpa,
                         strerror(errno));
    return 0;
}

void kvm_disconnect_ioeventfd(int vm, gpa_t gpa, int fd)
{
    struct kvm_ioeventfd ioeventfd = {.addr = gpa, .fd = fd, .flags = KVM_IOEVENTFD_FLAG_DEASSIGN};

    (void)ioctl(vm, KVM_IOEVENTFD, &ioeventfd); /* fails if it was not connected */
}

/* Finds the descriptor `name` among the first `count` in `bytes`; NULL: not there. */
static const struct kvm_stats_desc *find_statistic(const char *bytes, size_t count, size_t stride,
                                                   const char *name)
{
    for (size_t i = 0; i < count; i++) {
        const struct kvm_stats_desc *desc = (const struct kvm_stats_desc *)(bytes + i * stride);

        if (strncmp(desc->name, name, stride - sizeof *desc) == 0)
            return desc;
    }
    return NULL;
}

/* Finds "halt_exits" among the vCPU's binary statistics. Absent statistics are not an error. */
static void open_statistics(struct kvm_cpu *cpu)
{
    _Alignas(struct kvm_stats_desc) char bytes[4096];
    const struct kvm_stats_desc *desc = NULL;
    struct kvm_stats_header header;
    size_t stride, most, count;
    int fd = ioctl(cpu->fd, KVM_GET_STATS_FD, NULL);

    cpu->stats_fd = -1;
    if (fd < 0)
        return;
    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header)
        goto close;
    stride = sizeof *desc + header.name_size;
    most = sizeof bytes / stride;
    for (size_t i = 0; i < header.num_desc && most > 0 && desc == NULL; i += count) {
        count = header.num_desc - i < most ? header.num_desc - i : most;
        if (pread(fd, bytes, count * stride, (off_t)(header.desc_offset + i * stride)) !=
            (ssize_t)(count * stride))
            goto close;
        desc = find_statistic(bytes, count, stride, "halt_exits");
    }
    if (desc != NULL) {
        cpu->stats_fd = fd;
        cpu->halt_offset = header.data_offset + desc->offset;
        return;
    }
close:
    close(fd);
}

int kvm_create_vcpu(const struct kvm *kvm, int vm, unsigned id, struct kvm_cpu *cpu,
                    struct error *error)
{
    *cpu = (struct kvm_cpu){.fd = ioctl(vm, KVM_CREATE_VCPU, (unsigned long)id),
                            .run_size = kvm->run_size,
                            .xcr0 = 1 /* SDM volume 1, 13.3: the x87 state */};
    if (cpu->fd < 0)
        return error_set(error, "cannot create vCPU %u: %s", id, strerror(errno));
    cpu->run = mmap(NULL, cpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
    if (cpu->run == MAP_FAILED) {
        error_set(error, "cannot map vCPU %u: %s", id, strerror(errno));
        close(cpu->fd);
        return -1;
    }
    cpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
    open_statistics(cpu);
    return 0;
}

int kvm_set_cpuid(const struct kvm_cpu *cpu, const struct kvm_cpuid2 *cpuid, struct error *error)
{
    if (ioctl(cpu->fd, KVM_SET_CPUID2, cpuid) < 0)
        return error_set(error, "KVM refuses the CPUID it offers: %s", strerror(errno));
    return 0;
}

void kvm_leave_vcpu(struct kvm_cpu *cpu)
{
    munmap(cpu->run, cpu->run_size);
}

void kvm_destroy_vcpu(struct kvm_cpu *cpu)
{
    if (cpu->stats_fd >= 0)
        close(cpu->stats_fd);
    munmap(cpu->run, cpu->run_size);
    close(cpu->fd);
}

int kvm_get_sregs(const struct kvm_cpu *cpu, struct kvm_sregs *sregs, struct error *error)
{
    if (ioctl(cpu->fd, KVM_GET_SREGS, sregs) < 0)
        return error_set(error, "cannot read the vCPU's registers: %s", strerror(errno));
    return 0;
}

int kvm_set_state(const struct kvm_cpu *cpu, const struct kvm_regs *regs,
                  const struct kvm_sregs *sregs, struct error *error)
{
    if (ioctl(cpu->fd, KVM_SET_SREGS, sregs) < 0)
        return error_set(error, "KVM refuses the vCPU's initial mode: %s", strerror(errno));
    if (ioctl(cpu->fd, KVM_SET_REGS, regs) < 0)
        return error_set(error, "KVM refuses the vCPU's initial registers: %s", strerror(errno));
    return 0;
}

/*
 * AMD's processors do not show the "busy" bit of the task register's type, and KVM adds it when it
 * returns the register. Real processors ignore the bit there. QEMU's emulated one (7.2) keeps what
 * the guest loaded, without the bit, and stops with "invalid tss type" at the next entry into ring
 * 0 if it finds the bit set.
 */
void kvm_mend_sregs(struct kvm_segment *task)
{
    enum { BUSY = 2 };
    unsigned max, b, c, d;

    /* __builtin_cpu_is would read all of the processor's features, at each start. */
    if (__get_cpuid(0, &max, &b, &c, &d) && b == signature_AMD_ebx && d == signature_AMD_edx &&
        c == signature_AMD_ecx)
        task->type &= (uint8_t)~BUSY;
}

enum kvm_halt kvm_halt_state(const struct kvm_cpu *cpu)
{
    struct kvm_mp_state mp;
    struct kvm_regs regs;
    struct kvm_vcpu_events events;

    if (ioctl(cpu->fd, KVM_GET_MP_STATE, &mp) < 0)
        return KVM_HALT_RUNNING;
    if (mp.mp_state == KVM_MP_STATE_UNINITIALIZED || mp.mp_state == KVM_MP_STATE_INIT_RECEIVED)
        return KVM_HALT_NEVER_STARTED;
    if (mp.mp_state != KVM_MP_STATE_HALTED)
        return KVM_HALT_RUNNING;
    if (ioctl(cpu->fd, KVM_GET_REGS, &regs) < 0 || (regs.rflags & RFLAGS_IF))
        return KVM_HALT_ASLEEP;
    if (ioctl(cpu->fd, KVM_GET_VCPU_EVENTS, &events) == 0 &&
        (events.nmi.pending || events.nmi.injected || events.smi.pending))
        return KVM_HALT_ASLEEP;
    return KVM_HALT_DEAD;
}

uint64_t kvm_halt_count(const struct kvm_cpu *cpu)
{
    uint64_t count = 0;

    if (cpu->stats_fd >= 0 &&
        pread(cpu->stats_fd, &count, sizeof count, (off_t)cpu->halt_offset) != sizeof count)
        return 0;
    return count;
}

bool kvm_counts_halts(const struct kvm_cpu *cpu)
{
    return cpu->stats_fd >= 0;
}

bool kvm_error_is_guests(const struct kvm_run *run)
{
    return run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION ||
           run->internal.suberror == KVM_INTERNAL_ERROR_DELIVERY_EV;
}

/* Intel SDM volume 3, table 9-1. */
bool kvm_resets_at_shutdown(void)
{
    unsigned leaf, vendor, unused;

    return !__get_cpuid(0, &leaf, &vendor, &unused, &unused) || vendor != signature_INTEL_ebx;
}

bool kvm_was_reset(const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    enum { RESET_IP = 0xfff0, RESET_CS = 0xf000, RESET_CS_BASE = 0xffff0000u };

    return regs->rip == RESET_IP && sregs->cs.selector == RESET_CS &&
           sregs->cs.base == RESET_CS_BASE && !(sregs->cr0 & CR0_PE);
}
