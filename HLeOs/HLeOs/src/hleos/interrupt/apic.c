/*
 * Local APIC: Intel SDM volume 3, chapter 10 (memory-mapped registers; 10.12: x2APIC's MSRs). I/O
 * APIC: Intel 82093AA datasheet. The list of APICs, and the inputs of ISA lines: ACPI 6.4, 5.2.12
 * (MADT).
 */
#include "interrupt/apic.h"

#include "asm.h"
#include "common/string.h"
#include "cpu.h"
#include "cpu/lock.h"
#include "interrupt/acpi.h"
#include "interrupt/controller.h"
#include "memory/layout.h"
#include "memory/paging.h"

enum lapic_register {
    LAPIC_ID = 0x20,
    LAPIC_TPR = 0x80,
    LAPIC_EOI = 0xb0,
    LAPIC_SPURIOUS = 0xf0,
    LAPIC_ESR = 0x280,
    LAPIC_ICR = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0,
};

enum {
    LAPIC_SPURIOUS_ENABLE = 1 << 8,
    LVT_MASKED = 1 << 16,
    LVT_PERIODIC = 1 << 17,
    LVT_NMI = 4 << 8,
    ICR_NMI = 4 << 8,
    ICR_INIT = 5 << 8,
    ICR_STARTUP = 6 << 8,
    ICR_PENDING = 1 << 12,
    ICR_ASSERT = 1 << 14,
    ICR_LOOKS = 1000000,
    DIVIDE_BY_16 = 3,
    APIC_BASE_X2APIC = 1 << 10,
    APIC_BASE_ENABLE = 1 << 11,
    X2APIC_MSRS = 0x800,
    LAPIC_SIZE = 0x400,
};

enum { IOAPIC_SELECT = 0, IOAPIC_WINDOW = 4 /* in words */, IOAPIC_SIZE = 0x20, IOAPICS_MAX = 4 };
enum { IOAPIC_VERSION = 1, IOAPIC_REDIRECTION = 0x10 };
enum { REDIRECT_LOW_ACTIVE = 1 << 13, REDIRECT_LEVEL = 1 << 15, REDIRECT_MASKED = 1 << 16 };

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9, ISA_LINES = 16 };
enum { MADT_ENABLED = 1, XAPIC_ID_MAX = 254 };
enum { MADT_POLARITY = 3, MADT_POLARITY_LOW = 3, MADT_TRIGGER = 0xc, MADT_TRIGGER_LEVEL = 0xc };

struct madt {
    struct acpi_header header;
    uint32_t lapic, flags;
} __attribute__((packed));

struct madt_lapic {
    uint8_t type, length, processor, id;
    uint32_t flags;
} __attribute__((packed));

struct madt_x2apic {
    uint8_t type, length;
    uint16_t reserved;
    uint32_t id, flags;
} __attribute__((packed));

struct madt_ioapic {
    uint8_t type, length, id, reserved;
    uint32_t address, base;
} __attribute__((packed));

struct madt_override {
    uint8_t type, length, bus, source;
    uint32_t global;
    uint16_t flags;
} __attribute__((packed));

static volatile uint32_t *lapic;
static bool x2apic; /* left on by the firmware: the registers are MSRs, the page is not used */

struct ioapic {
    volatile uint32_t *registers;
    uint32_t base, lines; /* it has the global lines [base, base + lines) */
};

static struct lock lock = LOCK_INIT("ioapic", LOCK_REGISTER); /* guards their two registers */
static struct ioapic ioapics[IOAPICS_MAX];
static unsigned ioapic_count;

static uint32_t ids[CPU_MAX]; /* of local APICs whose processors may run */
static unsigned id_count;
static uint32_t boot_id; /* of the processor that gets all device interrupts */

/* The global line of each ISA line, and its polarity and trigger mode. */
struct isa_line {
    uint32_t global;
    uint32_t shape; /* REDIRECT_LOW_ACTIVE, REDIRECT_LEVEL */
};

static struct isa_line isa_lines[ISA_LINES];

static uint32_t lapic_read(enum lapic_register reg)
{
    return x2apic ? (uint32_t)x86_rdmsr(X2APIC_MSRS + reg / 16) : lapic[reg / 4];
}

static void lapic_write(enum lapic_register reg, uint32_t value)
{
    if (x2apic)
        x86_wrmsr(X2APIC_MSRS + reg / 16, value);
    else
        lapic[reg / 4] = value;
}

uint32_t apic_id(void)
{
    uint32_t id = lapic_read(LAPIC_ID);

    return x2apic ? id : id >> 24;
}

static uint32_t ioapic_read(const struct ioapic *io, uint32_t index)
{
    io->registers[IOAPIC_SELECT] = index;
    return io->registers[IOAPIC_WINDOW];
}

static void ioapic_write(const struct ioapic *io, uint32_t index, uint32_t value)
{
    io->registers[IOAPIC_SELECT] = index;
    io->registers[IOAPIC_WINDOW] = value;
}

static void add_ioapic(const struct madt_ioapic *entry)
{
    struct ioapic *io = &ioapics[ioapic_count];

    if (ioapic_count == IOAPICS_MAX)
        return;
    io->registers =
        paging_map_device(PHYS(entry->address), IOAPIC_SIZE, PAGING_WRITE | PAGING_UNCACHED);
    if (io->registers == NULL)
        return;
    io->base = entry->base;
    io->lines = (ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff) + 1;
    for (uint32_t i = 0; i < io->lines; i++) {
        ioapic_write(io, IOAPIC_REDIRECTION + 2 * i, REDIRECT_MASKED);
        ioapic_write(io, IOAPIC_REDIRECTION + 2 * i + 1, 0);
    }
    ioapic_count++;
}

static void add_processor(uint32_t id, uint32_t flags)
{
    if ((flags & MADT_ENABLED) && id_count < CPU_MAX && (x2apic || id <= XAPIC_ID_MAX))
        ids[id_count++] = id;
}

unsigned apic_processors(uint32_t *out, unsigned room)
{
    unsigned count = id_count < room ? id_count : room;

    memcpy(out, ids, count * sizeof *out);
    return count;
}

static void add_override(const struct madt_override *entry)
{
    struct isa_line *line;

    if (entry->bus != 0 || entry->source >= ISA_LINES)
        return;
    line = &isa_lines[entry->source];
    line->global = entry->global;
    if ((entry->flags & MADT_POLARITY) == MADT_POLARITY_LOW)
        line->shape |= REDIRECT_LOW_ACTIVE;
    if ((entry->flags & MADT_TRIGGER) == MADT_TRIGGER_LEVEL)
        line->shape |= REDIRECT_LEVEL;
}

static void read_madt(const struct madt *madt)
{
    const uint8_t *at = (const uint8_t *)(madt + 1);
    const uint8_t *end = (const uint8_t *)madt + madt->header.length;

    for (uint32_t i = 0; i < ISA_LINES; i++)
        isa_lines[i] = (struct isa_line){.global = i};
    while (end - at >= 2 && at[1] >= 2 && at[1] <= end - at) {
        if (at[0] == MADT_IOAPIC && at[1] >= sizeof(struct madt_ioapic))
            add_ioapic((const struct madt_ioapic *)at);
        if (at[0] == MADT_LAPIC && at[1] >= sizeof(struct madt_lapic))
            add_processor(((const struct madt_lapic *)at)->id,
                          ((const struct madt_lapic *)at)->flags);
        if (at[0] == MADT_X2APIC && at[1] >= sizeof(struct madt_x2apic))
            add_processor(((const struct madt_x2apic *)at)->id,
                          ((const struct madt_x2apic *)at)->flags);
        if (at[0] == MADT_OVERRIDE && at[1] >= sizeof(struct madt_override))
            add_override((const struct madt_override *)at);
        at += at[1];
    }
}

static void enable_lapic(void)
{
    uint64_t base = x86_rdmsr(X86_MSR_APIC_BASE) | APIC_BASE_ENABLE;

    x86_wrmsr(X86_MSR_APIC_BASE, base); /* x2APIC mode can be set only from this mode: 10.12.5 */
    if (x2apic)
        x86_wrmsr(X86_MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED); /* the PIC's interrupts come in here */
    lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
    lapic_write(LAPIC_ESR, 0);
    lapic_write(LAPIC_SPURIOUS, LAPIC_SPURIOUS_ENABLE | INTERRUPT_SPURIOUS);
    lapic_write(LAPIC_EOI, 0);
}

static void enable(unsigned line)
{
    struct isa_line isa = line < ISA_LINES ? isa_lines[line] : (struct isa_line){.global = line};
    uint32_t vector = INTERRUPT_IRQ_BASE + line;
    uint64_t flags;

    for (unsigned i = 0; i < ioapic_count; i++) {
        const struct ioapic *io = &ioapics[i];
        uint32_t pin = isa.global - io->base;

        if (isa.global < io->base || pin >= io->lines)
            continue;
        flags = lock_take(&lock);
        ioapic_write(io, IOAPIC_REDIRECTION + 2 * pin + 1, boot_id << 24);
        ioapic_write(io, IOAPIC_REDIRECTION + 2 * pin, vector | isa.shape);
        lock_give(&lock, flags);
    }
}

/* Sends the EOI. A vector that an `int` instruction raised is not in service, nor is the spurious
 * one (SDM volume 3, 10.9): they get no EOI. */
static void end(unsigned vector)
{
    if (vector != INTERRUPT_TEST && vector != INTERRUPT_SPURIOUS)
        lapic_write(LAPIC_EOI, 0);
}

/* Sends an interrupt (SDM volume 3, 10.6.1). Earlier stores must be visible before it arrives: an
 * MSR write does not wait for them. */
static void send(uint32_t id, uint32_t command)
{
    uint64_t flags = asm_interrupts_off(); /* a handler may send too, between the two writes */

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (x2apic) {
        x86_wrmsr(X2APIC_MSRS + LAPIC_ICR / 16, (uint64_t)id << 32 | command);
    } else {
        for (int look = 0; look < ICR_LOOKS && (lapic_read(LAPIC_ICR) & ICR_PENDING); look++)
            x86_pause();
        lapic_write(LAPIC_ICR_HIGH, id << 24);
        lapic_write(LAPIC_ICR, command);
    }
    asm_interrupts_restore(flags);
}

void apic_send(uint32_t id, unsigned vector)
{
    send(id, ICR_ASSERT | vector);
}

void apic_send_init(uint32_t id)
{
    send(id, ICR_ASSERT | ICR_INIT);
}

void apic_send_startup(uint32_t id, uint64_t page)
{
    send(id, ICR_ASSERT | ICR_STARTUP | (uint32_t)(page / PAGE_SIZE));
}

static void flush(const struct cpu *cpu)
{
    apic_send(cpu->apic_id, INTERRUPT_FLUSH);
}

/* Stops each processor by its id, not all by one command: in QEMU a processor that was never
 * started would take the interrupt, and continue where its firmware left it. */
static void stop(void)
{
    for (unsigned i = 0; i < cpu_count(); i++)
        if (cpu_at(i) != cpu_this())
            send(cpu_at(i)->apic_id, ICR_ASSERT | ICR_NMI);
}

void apic_init_other(void)
{
    enable_lapic();
}

const struct interrupt_controller *apic_init(void)
{
    static const struct cpu_signals signals = {.flush = flush, .stop = stop};
    static const struct interrupt_controller apic = {
        .name = "APIC (local and I/O)", .enable = enable, .end = end};
    static const struct interrupt_controller apic_by_msr = {
        .name = "APIC (x2APIC and I/O)", .enable = enable, .end = end};
    const struct madt *madt = (const struct madt *)acpi_find("APIC");

    if (madt == NULL || madt->header.length < sizeof *madt || !(x86_cpuid(1, 0).d >> 9 & 1))
        return NULL;
    lapic = paging_map_device(PHYS(madt->lapic), LAPIC_SIZE, PAGING_WRITE | PAGING_UNCACHED);
    if (lapic == NULL)
        return NULL;
    x2apic = x86_rdmsr(X86_MSR_APIC_BASE) & APIC_BASE_X2APIC;
    read_madt(madt);
    if (ioapic_count == 0)
        return NULL;
    enable_lapic();
    boot_id = apic_id();
    cpu_attach_signals(&signals);
    return x2apic ? &apic_by_msr : &apic;
}

void apic_timer_count(uint32_t count)
{
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    lapic_write(LAPIC_TIMER_INITIAL, count);
}

uint32_t apic_timer_left(void)
{
    return lapic_read(LAPIC_TIMER_CURRENT);
}

void apic_timer_periodic(uint32_t count)
{
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_LVT_TIMER, LVT_PERIODIC | INTERRUPT_TIMER);
    lapic_write(LAPIC_TIMER_INITIAL, count);
}
