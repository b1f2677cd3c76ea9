/*
 * A guest with an IMSIC (RISC-V AIA 1.0, chapters 3 and 4): MSIs of its own and of the APLIC, what
 * a hostile driver may do to both, a hart that is off while its file is not empty, and two harts
 * that interrupt each other by MSI or SBI, waiting by wfi. Each boot begins with files that hold
 * nothing. Keys: `g` goes TIMES to and fro, `c` FEW times, `i` TIMES by SBI; `f` fills the files,
 * `r` reboots, `x` ends. FIRST is a key that it begins with, to hear no other: it calls nothing
 * afterwards.
 */
#include "tests/hypervisor/guests/lib/guest.h"

#define IMSIC 0x28000000ul
#define APLIC 0x0d000000ul

#ifndef FIRST
#define FIRST 0
#endif

enum { DELIVERY = 0x70, THRESHOLD = 0x72, PENDING = 0x80, ENABLE = 0xc0 };
enum { BALL = 1, FROM_LINE = 2, SENT = 63 };
enum { SOURCE = 7, EDGE_RISING = 4, LEVEL_HIGH = 6 };
enum { FETCH_ACCESS = 1, ILLEGAL = 2, LOAD_ACCESS = 5, STORE_ACCESS = 7, HSM_STOPPED = 1 };
#define NO_TRAP  (~0ul)
#define MSIS_MAX 2047u /* that a file can have */

static uint32_t heard[2];

static volatile uint32_t *aplic(uint64_t offset)
{
    return (volatile uint32_t *)(APLIC + offset);
}

static uint64_t get(uint64_t what)
{
    csr_write(0x150, what); /* siselect, sireg */
    return csr_read(0x151);
}

static void set(uint64_t what, uint64_t value)
{
    csr_write(0x150, what);
    csr_write(0x151, value);
}

/* Takes the first MSI that is pending; 0: none. */
static uint64_t claim(void)
{
    uint64_t top;

    __asm__ volatile("csrrw %0, 0x15c, x0" : "=r"(top)::"memory");
    return top >> 16;
}

static uint64_t await_msi(uint64_t hart)
{
    uint64_t msi;

    while ((msi = claim()) == 0)
        __asm__ volatile("wfi");
    __atomic_fetch_add(&heard[hart], 1, __ATOMIC_SEQ_CST);
    return msi;
}

static bool take_ipi(uint64_t hart)
{
    if ((csr_read(sip) & 1 << SOFTWARE) == 0)
        return false;
    csr_clear(sip, 1 << SOFTWARE);
    __atomic_fetch_add(&heard[hart], 1, __ATOMIC_SEQ_CST);
    return true;
}

static void send(uint64_t hart, uint32_t msi)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *(volatile uint32_t *)(IMSIC + hart * 0x1000) = msi;
}

static void open_file(void)
{
    expect(get(DELIVERY) == 0 && get(THRESHOLD) == 0);
    for (unsigned i = 0; i < 8; i += 2)
        expect(get(PENDING + i) == 0 && get(ENABLE + i) == 0);
    set(ENABLE, 1ul << BALL | 1ul << FROM_LINE | 1ul << SENT);
    set(DELIVERY, 1);
    csr_set(sie, 1 << EXTERNAL);
}

static void answer(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)sstatus;
    (void)stvec;
    (void)satp;
    csr_set(sie, 1 << EXTERNAL | 1 << SOFTWARE);
    expect(await_msi(hartid) == SENT && claim() == 0); /* it came while the hart was off */
    send(0, BALL);
    for (;;) {
        if (take_ipi(1)) {
            guest_sbi(IPI, 0, 1, 0, 0, 0);
        } else if (claim() == BALL) {
            __atomic_fetch_add(&heard[1], 1, __ATOMIC_SEQ_CST);
            send(0, BALL);
        } else {
            __asm__ volatile("wfi");
        }
    }
}

/* Opens its file, and switches itself off when it is told. */
static void begin(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)sstatus;
    (void)stvec;
    (void)satp;
    open_file();
    send(0, BALL);
    expect(await_msi(hartid) == BALL);
    guest_sbi(HSM, 1, 0, 0, 0, 0);
}

static void start_neighbour(void)
{
    expect(guest_hart_start(1, begin).error == SUCCESS);
    expect(await_msi(0) == BALL);
    send(1, BALL);
    wait_until(guest_sbi(HSM, 2, 1, 0, 0, 0).value == HSM_STOPPED);
    send(1, SENT);
    expect(guest_sbi(HSM, 2, 1, 0, 0, 0).value == HSM_STOPPED);
    expect(guest_hart_start(1, answer).error == SUCCESS);
    expect(await_msi(0) == BALL);
}

/* ---- What is no MSI ---- */

/* Runs an instruction that uses `at` and `value`; the cause of its trap. */
#define caused_by(instruction)                                                                     \
    ({                                                                                             \
        guest_expect_trap();                                                                       \
        __asm__ volatile(instruction : "+r"(value) : "r"(at) : "memory");                          \
        guest_trap_seen;                                                                           \
    })

/* NO_TRAP also means an access fault: whether a file takes a width is the machine's choice. */
static void expect_cause(uint64_t cause, uint64_t wanted)
{
    expect(cause == LOAD_ACCESS || cause == STORE_ACCESS ||
           (cause == NO_TRAP && wanted == NO_TRAP));
}

/* Accesses of each width: those that a file does not take do nothing, or are faults of our own. */
static void touch(uint64_t at, uint64_t wanted)
{
    uint64_t value = 0;

    expect_cause(caused_by("lb %0, (%1)"), wanted);
    expect_cause(caused_by("lh %0, (%1)"), wanted);
    expect_cause(caused_by("lw %0, (%1)"), wanted);
    expect_cause(caused_by("ld %0, (%1)"), wanted);
    expect_cause(caused_by("lr.w %0, (%1)"), wanted);
    expect_cause(caused_by("sb %0, (%1)"), wanted);
    expect_cause(caused_by("sh %0, (%1)"), wanted);
    expect_cause(caused_by("sw %0, (%1)"), wanted);
    expect_cause(caused_by("sd %0, (%1)"), wanted);
    expect_cause(caused_by("amoand.w %0, %0, (%1)"), wanted);
    expect_cause(caused_by("amoor.d %0, %0, (%1)"), wanted);
}

/* The cause of a jump to `at`. */
static uint64_t jump(uint64_t at)
{
    uint64_t old, cause;

    __asm__ volatile("la %1, 1f\n"
                     "csrrw %0, stvec, %1\n"
                     "jr %2\n"
                     ".balign 4\n"
                     "1: csrr %1, scause\n"
                     "csrw stvec, %0\n"
                     : "=&r"(old), "=&r"(cause)
                     : "r"(at)
                     : "memory");
    return cause;
}

static bool nothing_is_pending(void)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < 8; i += 2)
        bits |= get(PENDING + i);
    return bits == 0 && claim() == 0;
}

static void try_pages(void)
{
    static const uint64_t beside[] = {IMSIC - 8, IMSIC + 0x2000, IMSIC + 0x3000, IMSIC + 0x40000};

    for (uint64_t at = IMSIC; at < IMSIC + 0x2000; at += 0x1ff8 / 3 & ~7ul)
        touch(at, NO_TRAP);
    for (unsigned i = 0; i < sizeof beside / sizeof beside[0]; i++)
        touch(beside[i], STORE_ACCESS);
    expect(jump(IMSIC) == FETCH_ACCESS);
    expect(guest_sbi(DBCN, 0, 8, IMSIC, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(DBCN, 1, 8, IMSIC, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(STA, 0, IMSIC, 0, 0, 0).error == INVALID_ADDRESS);
    expect(guest_sbi(HSM, 0, 1, IMSIC, 0, 0).error == INVALID_ADDRESS);
    expect(nothing_is_pending());
}

/* Numbers that no file has, of MSIs, harts and registers. */
static void try_numbers(void)
{
    static const uint32_t msis[] = {0, 256, MSIS_MAX, MSIS_MAX + 1, 1u << 31, ~0u};
    uint64_t value = 0, at = 0;

    for (unsigned i = 0; i < 8; i += 2)
        set(ENABLE + i, ~0ul);
    for (unsigned i = 0; i < sizeof msis / sizeof msis[0]; i++) {
        send(0, msis[i]);
        *aplic(0x3000) = msis[i]; /* with a hart's number in its upper half */
    }
    for (uint32_t hart = 2; hart < 1u << 14; hart <<= 1)
        *aplic(0x3000) = hart << 18 | SENT;
    for (uint64_t what = 0; what < 0x200; what++) {
        uint64_t cause;

        csr_write(0x150, what);
        cause = caused_by("csrr %0, 0x151");
        expect(cause == NO_TRAP || cause == ILLEGAL);
    }
    csr_write(0x150, ~0ul);
    expect(caused_by("ebreak") == 3); /* what follows is not expected to trap */
    expect(nothing_is_pending());
    for (unsigned i = 0; i < 8; i += 2)
        set(ENABLE + i, 0);
    set(ENABLE, 1ul << BALL | 1ul << FROM_LINE | 1ul << SENT);
}

/* ---- The APLIC ---- */

static void try_aplic(void)
{
    expect(*aplic(0) == 0x80000004);
    *aplic(0) = 0x100;
    expect(*aplic(0) == 0x80000104);
    *aplic(4 * SOURCE) = EDGE_RISING;
    *aplic(0x3000 + 4 * SOURCE) = FROM_LINE;
    *aplic(0x1edc) = SOURCE;
    expect(claim() == 0);
    *aplic(0x2000) = SOURCE;
    expect(await_msi(0) == FROM_LINE && claim() == 0);
    *aplic(4 * SOURCE) = LEVEL_HIGH;
    *aplic(0x2000) = SOURCE; /* its line is low */
    expect(claim() == 0);
    *aplic(0x3000) = SENT;
    expect(await_msi(0) == SENT);
    *aplic(0x3000) = 5u << 18 | SENT; /* no such hart */
    *aplic(0x3000 + 4 * SOURCE) = 0;
    *aplic(4 * SOURCE) = 0;
    expect(claim() == 0);
}

static void play(unsigned times, bool by_sbi)
{
    heard[0] = heard[1] = 0;
    for (unsigned i = 0; i < times; i++) {
        if (by_sbi) {
            guest_sbi(IPI, 0, 2, 0, 0, 0);
            while (!take_ipi(0))
                __asm__ volatile("wfi");
        } else {
            send(1, BALL);
            expect(await_msi(0) == BALL);
        }
    }
    expect(heard[0] == times && heard[1] == times);
    guest_say("%u interrupts answered", times);
}

/* Hart 1 has enabled a few of these. */
static void fill_files(void)
{
    set(ENABLE, ~0ul);
    set(ENABLE + 2, ~0ul);
    for (uint32_t msi = 3; msi < 128; msi++) {
        send(0, msi);
        send(1, msi);
    }
}

static void obey(char key)
{
    if (key == 'g' || key == 'i')
        play(TIMES, key == 'i');
    else if (key == 'c')
        play(FEW, false);
    else if (key == 'f')
        fill_files();
    else if (key == 'r')
        guest_sbi(SRST, 0, 1, 0, 0, 0);
    else if (key == 'x')
        guest_finish();
}

int main(void);

int main(void)
{
    char key;

    open_file();
    try_pages();
    try_numbers();
    try_aplic();
    csr_set(sie, 1 << SOFTWARE);
    start_neighbour();
    guest_say("its files are empty");
    if (FIRST != 0) {
        obey(FIRST);
        for (;;)
            __asm__ volatile("wfi");
    }
    for (;;)
        if (guest_sbi(DBCN, 1, 1, (uintptr_t)&key, 0, 0).value == 1)
            obey(key);
}
