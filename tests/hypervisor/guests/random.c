/*
 * Runs random instructions on hart 1, one in VS-mode or eight in VU-mode at a time, on registers
 * that point at what is worth pointing at. Hart 0 says how it goes, and reboots when hart 1 is
 * lost; the seed of each boot is another. It never ends by itself.
 */
#include "tests/hypervisor/guests/lib/guest.h"

enum { U_WORDS = 8, SPP = 1 << 8, SPIE = 1 << 5, FS = 1 << 13 };
#define EBREAK 0x00100073u

/* What random_run() finds and leaves: the registers to load, and what it went out with. */
struct random_context {
    uint64_t x[32], own[16];
    uint64_t pc, status, cause;
};

extern struct random_context random_context;
struct random_context random_context;
void random_run(void);
extern uint32_t random_tail[], random_tail_end[];

static uint32_t code[64] __attribute__((aligned(4096)));
static uint8_t scratch[16384] __attribute__((aligned(4096)));
static uint64_t state, causes[32], interrupts;
static volatile uint64_t tried;

__asm__(
    ".option push\n"
    ".option norvc\n"
    ".globl random_run\n"
    "random_run:\n"
    "  la t6, random_context\n"
    "  sd ra, 256(t6)\n"
    "  sd sp, 264(t6)\n"
    "  sd gp, 272(t6)\n"
    "  sd tp, 280(t6)\n"
    "  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11\n"
    "  sd s\\n, 288 + 8*\\n(t6)\n"
    "  .endr\n"
    "  la t0, random_back\n"
    "  csrw stvec, t0\n"
    "  ld t0, 384(t6)\n"
    "  csrw sepc, t0\n"
    "  ld t0, 392(t6)\n"
    "  csrw sstatus, t0\n"
    "  .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
    "  ld x\\n, 8*\\n(t6)\n"
    "  .endr\n"
    "  ld x31, 248(t6)\n"
    "  sret\n"
    /* Runs behind a random instruction in VS-mode, which may have changed stvec. */
    ".globl random_tail\n"
    "random_tail:\n"
    "  auipc t6, 0\n"
    "  ld t6, 16(t6)\n"
    "  csrw stvec, t6\n"
    "  ebreak\n"
    "  .dword random_back\n"
    ".globl random_tail_end\n"
    "random_tail_end:\n"
    "  .balign 4\n"
    "random_back:\n"
    "  la t6, random_context\n"
    "  ld ra, 256(t6)\n"
    "  ld sp, 264(t6)\n"
    "  ld gp, 272(t6)\n"
    "  ld tp, 280(t6)\n"
    "  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11\n"
    "  ld s\\n, 288 + 8*\\n(t6)\n"
    "  .endr\n"
    "  csrr t0, scause\n"
    "  sd t0, 400(t6)\n"
    "  csrw sie, zero\n"
    "  csrw satp, zero\n"
    "  ret\n"
    ".option pop\n");

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* A word of a kind that a hypervisor has to do with, or any. */
static uint32_t random_word(void)
{
    static const uint32_t opcodes[] = {0x73, 0x73, 0x2f, 0x03, 0x23, 0x07, 0x27, 0x0f, 0x73};
    uint64_t r = next();
    uint32_t word = (uint32_t)r;

    if ((r >> 32 & 3) != 0)
        word = (word & ~0x7fu) | opcodes[(r >> 40) % (sizeof opcodes / sizeof opcodes[0])];
    if ((r >> 36 & 7) == 0)
        word |= 3u << 16 | 3; /* two compressed ones become a long one now and then */
    return word;
}

static bool is_jump(uint32_t word)
{
    uint32_t opcode = word & 0x7f, kind = word >> 13 & 7;

    return opcode == 0x63 || opcode == 0x67 || opcode == 0x6f || ((word & 3) == 1 && kind >= 5) ||
           ((word & 3) == 2 && kind == 4);
}

/* Calls would be real ones. Another satp or stvec, a jump, or half an instruction before the tail
 * would take the ground from under hart 1's feet: evil.S and stray.S do that. */
static bool is_left_out(uint32_t word)
{
    bool is_csr = (word & 0x7f) == 0x73 && (word >> 12 & 3) != 0;
    bool is_long = (word & 3) == 3;

    return word == 0x73 || (is_csr && (word >> 20 == 0x180 || word >> 20 == 0x105)) ||
           is_jump(word) || (!is_long && ((word >> 16 & 3) == 3 || is_jump(word >> 16)));
}

static uint64_t random_value(void)
{
    static const uint64_t places[] = {0,          ~0ul,       0x10000000, 0x0c000004, 0x0c201004,
                                      0x0d003000, 0x10001000, 0x10001050, 0x28000000, 0x28001000,
                                      0x40000000, 0x80000000, 0x80ffffff, 1ul << 63,  0x7fffffff};
    uint64_t r = next();

    if (r & 1)
        return (uintptr_t)scratch + 4096 + (r >> 8 & 0xfff);
    if (r & 2)
        return places[(r >> 8) % (sizeof places / sizeof places[0])];
    return r & 4 ? next() : next() & 0xff;
}

static void try_one(void)
{
    bool user = (next() & 1) != 0;
    unsigned words = user ? U_WORDS : 1;

    for (unsigned i = 0; i < words; i++)
        do
            code[i] = random_word();
        while (is_left_out(code[i]) && !user);
    for (const uint32_t *tail = random_tail; tail < random_tail_end; tail++)
        code[words++] = *tail;
    for (; words < sizeof code / sizeof code[0]; words++)
        code[words] = EBREAK;
    for (unsigned i = 1; i < 32; i++)
        random_context.x[i] = random_value();
    random_context.pc = (uintptr_t)code;
    random_context.status = SPIE | FS | 1 << 9 | (user ? 0 : SPP);
    __asm__ volatile("fence.i" ::: "memory");
    guest_sbi(TIME, 0, now() + 20000, 0, 0, 0);
    csr_write(sie, 1 << TIMER);
    random_run();
    csr_write(sie, 0);
    if (random_context.cause >> 63 != 0)
        interrupts++;
    else
        causes[random_context.cause % 32]++;
    tried++;
}

static void fuzz(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)hartid;
    (void)sstatus;
    (void)stvec;
    (void)satp;
    for (;;)
        try_one();
}

/* The first 8 bytes of /chosen/rng-seed, found by its size: 32 bytes behind a property's head. */
static uint64_t find_seed(const uint32_t *tree)
{
    uint32_t words = __builtin_bswap32(tree[1]) / 4;

    for (uint32_t i = 10; i + 10 < words; i++)
        if (tree[i] == __builtin_bswap32(3) && tree[i + 1] == __builtin_bswap32(32))
            return (uint64_t)tree[i + 3] << 32 | tree[i + 4] | 1;
    return 1;
}

int main(uint64_t hartid, const uint32_t *tree);

int main(uint64_t hartid, const uint32_t *tree)
{
    uint64_t before = 0;

    (void)hartid;
    state = SEED != 0 ? SEED : find_seed(tree);
    guest_say("seed %#lx", state);
    expect(guest_hart_start(1, fuzz).error == SUCCESS);
    for (unsigned quiet = 0, round = 1; quiet < 5; round++) {
        wait_for(1000000);
        quiet = tried == before ? quiet + 1 : 0;
        before = tried;
        if (round % 10 == 0)
            guest_say("tried %lu: %lu illegal, %lu load faults, %lu store faults, %lu loops", tried,
                      causes[2], causes[5] + causes[13], causes[7] + causes[15], interrupts);
    }
    guest_say("hart 1 is lost after %lu", tried);
    guest_sbi(SRST, 0, 1, 0, 0, 0);
    return 1;
}
