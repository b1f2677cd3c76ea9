/* See guest.h. Kernel interface: Linux, Documentation/virt/kvm/api.rst. Descriptors, control
 * registers and page tables: Intel SDM volume 3, chapters 2 to 4. */
#include "lab/probe/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define CR0_PE   0x1u
#define CR0_ET   0x10u
#define CR0_NE   0x20u
#define CR0_PG   0x80000000u
#define CR4_PSE  0x10u
#define CR4_PAE  0x20u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define PRESENT  0x1u
#define WRITE    0x2u
#define LARGE    0x80u
#define PAGE     0x1000u

int guest_fail(struct guest *guest, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(guest->reason, sizeof(guest->reason), format, arguments);
    va_end(arguments);
    return -EIO;
}

int guest_open(struct guest *guest)
{
    struct kvm_userspace_memory_region region = {.memory_size = MEMORY_SIZE};

    memset(guest, 0, sizeof(*guest));
    guest->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (guest->kvm < 0)
        return guest_fail(guest, "/dev/kvm: %m");
    guest->vm = ioctl(guest->kvm, KVM_CREATE_VM, 0);
    if (guest->vm < 0)
        return guest_fail(guest, "KVM_CREATE_VM: %m");
    guest->memory =
        mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guest->memory == MAP_FAILED)
        return guest_fail(guest, "no memory");
    region.userspace_addr = (uintptr_t)guest->memory;
    if (ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, &region) != 0)
        return guest_fail(guest, "KVM_SET_USER_MEMORY_REGION: %m");
    if (ioctl(guest->vm, KVM_SET_TSS_ADDR, 0xfffbd000ul) != 0)
        return guest_fail(guest, "KVM_SET_TSS_ADDR: %m");
    return 0;
}

/* Sets all CPUID bits that this KVM offers. Linux 6.12 and later refuses a mode that the vCPU's
 * CPUID does not list. */
static int set_cpuid(struct guest *guest, int cpu)
{
    enum { ENTRIES = 256 };
    static union {
        struct kvm_cpuid2 list;
        uint8_t room[sizeof(struct kvm_cpuid2) + ENTRIES * sizeof(struct kvm_cpuid_entry2)];
    } cpuid;

    cpuid.list.nent = ENTRIES;
    if (ioctl(guest->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) != 0)
        return guest_fail(guest, "KVM_GET_SUPPORTED_CPUID: %m");
    if (ioctl(cpu, KVM_SET_CPUID2, &cpuid) != 0)
        return guest_fail(guest, "KVM_SET_CPUID2: %m");
    return 0;
}

int guest_add_cpu(struct guest *guest, int number)
{
    int size = ioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

    guest->cpus[number] = ioctl(guest->vm, KVM_CREATE_VCPU, number);
    if (size < 0 || guest->cpus[number] < 0)
        return guest_fail(guest, "KVM_CREATE_VCPU: %m");
    guest->runs[number] =
        mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, guest->cpus[number], 0);
    if (guest->runs[number] == MAP_FAILED)
        return guest_fail(guest, "mmap of kvm_run: %m");
    return set_cpuid(guest, guest->cpus[number]);
}

static void put32(struct guest *guest, uint32_t at, uint32_t value)
{
    memcpy(guest->memory + at, &value, sizeof(value));
}

static void put64(struct guest *guest, uint32_t at, uint64_t value)
{
    memcpy(guest->memory + at, &value, sizeof(value));
}

/* One table of small pages for the first 4 MB, mapped at 0 and at ALIAS_BASE. */
static void build_paged(struct guest *guest)
{
    uint32_t table = TABLES_BASE + PAGE;

    for (uint32_t page = 0; page < 1024; page++)
        put32(guest, table + 4 * page, page * PAGE | PRESENT | WRITE);
    put32(guest, TABLES_BASE, table | PRESENT | WRITE);
    put32(guest, TABLES_BASE + 4 * (ALIAS_BASE >> 22), table | PRESENT | WRITE);
}

/* A directory of one large page, in the pointer table's slots for 0 and for ALIAS_BASE. */
static void build_pae(struct guest *guest, uint32_t pointers, uint64_t flags)
{
    uint32_t directory = TABLES_BASE + 2 * PAGE;

    put64(guest, directory, PRESENT | WRITE | LARGE);
    put64(guest, pointers, directory | flags);
    put64(guest, pointers + 8 * (ALIAS_BASE >> 30), directory | flags);
}

static void build_long(struct guest *guest)
{
    uint32_t pointers = TABLES_BASE + PAGE;

    build_pae(guest, pointers, PRESENT | WRITE);
    put64(guest, TABLES_BASE, pointers | PRESENT | WRITE);
}

/* Selector 8 is code, 16 data. The descriptors are also in memory, since the delivery of an
 * interrupt reads them. */
static void build_descriptors(struct guest *guest, bool is_long)
{
    put64(guest, GDT_BASE + 8, is_long ? 0x00af9b000000ffffull : 0x00cf9b000000ffffull);
    put64(guest, GDT_BASE + 16, 0x00cf93000000ffffull);
}

int guest_load(struct guest *guest, struct guest_code code, enum guest_mode mode)
{
    memcpy(guest->memory + CODE_BASE, code.start, (size_t)(code.end - code.start));
    guest->memory[DATA_BASE] = 0x44;
    build_descriptors(guest, mode == GUEST_LONG);
    if (mode == GUEST_PAGED)
        build_paged(guest);
    else if (mode == GUEST_PAE)
        build_pae(guest, TABLES_BASE, PRESENT);
    else if (mode == GUEST_LONG)
        build_long(guest);
    return 0;
}

static struct kvm_segment flat(uint16_t selector, bool is_code, bool is_long)
{
    return (struct kvm_segment){
        .limit = 0xffffffff,
        .selector = selector,
        .type = is_code ? 11 : 3,
        .present = 1,
        .db = !(is_code && is_long),
        .s = 1,
        .l = is_code && is_long,
        .g = 1,
    };
}

static void set_protected(struct kvm_sregs *sregs, bool is_long)
{
    struct kvm_segment data = flat(16, false, is_long);

    sregs->cs = flat(8, true, is_long);
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->gdt = (struct kvm_dtable){.base = GDT_BASE, .limit = 23};
    sregs->idt = (struct kvm_dtable){.base = IDT_BASE, .limit = 0xfff};
    sregs->cr0 = CR0_PE | CR0_ET | CR0_NE;
}

int guest_set_mode(struct guest *guest, int cpu, enum guest_mode mode)
{
    struct kvm_regs regs = {.rip = CODE_BASE, .rsp = CODE_BASE, .rflags = 2, .rdi = (uint64_t)cpu};
    struct kvm_sregs sregs;

    if (ioctl(guest->cpus[cpu], KVM_GET_SREGS, &sregs) != 0)
        return guest_fail(guest, "KVM_GET_SREGS: %m");
    if (mode == GUEST_REAL) {
        sregs.cs.base = sregs.cs.selector = 0;
    } else {
        set_protected(&sregs, mode == GUEST_LONG);
        sregs.cr3 = TABLES_BASE;
    }
    if (mode == GUEST_PAGED || mode == GUEST_PAE || mode == GUEST_LONG)
        sregs.cr0 |= CR0_PG;
    if (mode == GUEST_PAE || mode == GUEST_LONG)
        sregs.cr4 |= CR4_PAE;
    if (mode == GUEST_LONG)
        sregs.efer |= EFER_LME | EFER_LMA;
    if (ioctl(guest->cpus[cpu], KVM_SET_SREGS, &sregs) != 0)
        return guest_fail(guest, "KVM_SET_SREGS: %m");
    if (ioctl(guest->cpus[cpu], KVM_SET_REGS, &regs) != 0)
        return guest_fail(guest, "KVM_SET_REGS: %m");
    return 0;
}

int guest_make(struct guest *guest, struct guest_code code, enum guest_mode mode)
{
    int result = guest_open(guest);

    if (result == 0)
        result = guest_add_cpu(guest, 0);
    if (result == 0)
        result = guest_load(guest, code, mode);
    return result < 0 ? result : guest_set_mode(guest, 0, mode);
}

int guest_run(struct guest *guest, int cpu)
{
    while (ioctl(guest->cpus[cpu], KVM_RUN, 0) != 0)
        if (errno != EINTR && errno != EAGAIN)
            return guest_fail(guest, "KVM_RUN: %m");
    return (int)guest->runs[cpu]->exit_reason;
}

static const char *exit_name(int reason)
{
    static const char *const names[] = {
        [KVM_EXIT_UNKNOWN] = "UNKNOWN",
        [KVM_EXIT_EXCEPTION] = "EXCEPTION",
        [KVM_EXIT_IO] = "IO",
        [KVM_EXIT_DEBUG] = "DEBUG",
        [KVM_EXIT_HLT] = "HLT",
        [KVM_EXIT_MMIO] = "MMIO",
        [KVM_EXIT_SHUTDOWN] = "SHUTDOWN",
        [KVM_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
        [KVM_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
    };

    if (reason < 0 || (size_t)reason >= sizeof(names) / sizeof(names[0]) || !names[reason])
        return "another reason";
    return names[reason];
}

int guest_expect(struct guest *guest, int cpu, uint32_t exit)
{
    int reason = guest_run(guest, cpu);

    if (reason < 0)
        return reason;
    if (reason != (int)exit)
        return guest_fail(guest, "exit %s instead of %s", exit_name(reason), exit_name((int)exit));
    return 0;
}

int guest_expect_say(struct guest *guest, int cpu, uint8_t value)
{
    int code = guest_expect(guest, cpu, KVM_EXIT_IO);
    struct kvm_run *run = guest->runs[cpu];
    uint8_t said;

    if (code < 0)
        return code;
    said = *((uint8_t *)run + run->io.data_offset);
    if (run->io.port != PORT_SAY || said != value)
        return guest_fail(guest, "port 0x%x got 0x%x instead of 0x%x", run->io.port, said, value);
    return 0;
}
