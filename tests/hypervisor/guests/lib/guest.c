/* What test guests share; see guest.h. */
#include "tests/hypervisor/guests/lib/guest.h"

enum { STACK = 8192 };

static uint8_t stacks[HARTS_MAX][STACK] __attribute__((aligned(16)));
static unsigned met, missed;
static bool trap_expected;
volatile uint64_t guest_trap_seen = ~0ul;
void (*volatile guest_on_interrupt)(uint64_t number);

uint64_t guest_trap(uint64_t cause, uint64_t value, uint64_t pc);

struct sbi guest_sbi(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2,
                     uint64_t a3)
{
    register uint64_t r0 __asm__("a0") = a0;
    register uint64_t r1 __asm__("a1") = a1;
    register uint64_t r2 __asm__("a2") = a2;
    register uint64_t r3 __asm__("a3") = a3;
    register uint64_t r4 __asm__("a4") = 0;
    register uint64_t r6 __asm__("a6") = function;
    register uint64_t r7 __asm__("a7") = extension;

    __asm__ volatile("ecall"
                     : "+r"(r0), "+r"(r1)
                     : "r"(r2), "r"(r3), "r"(r4), "r"(r6), "r"(r7)
                     : "memory");
    return (struct sbi){(int64_t)r0, r1};
}

static void write(const char *text, size_t length)
{
    if (guest_sbi(DBCN, 0, length, (uintptr_t)text, 0, 0).error == SUCCESS)
        return;
    for (; length > 0; text++, length--)
        guest_sbi(1, 0, (uint8_t)*text, 0, 0, 0);
}

void guest_say(const char *format, ...)
{
    char text[256];
    size_t used = (size_t)fmt_snprint(text, sizeof text, "%s: ", NAME);
    va_list args;

    va_start(args, format);
    used += (size_t)fmt_vsnprint(text + used, sizeof text - used - 1, format, args);
    va_end(args);
    if (used > sizeof text - 2)
        used = sizeof text - 2;
    text[used++] = '\n';
    write(text, used);
}

void guest_expect_that(bool good, const char *text, int line)
{
    __atomic_fetch_add(good ? &met : &missed, 1, __ATOMIC_RELAXED);
    if (!good)
        guest_say("defect: line %d: %s", line, text);
}

_Noreturn void guest_finish(void)
{
    guest_say("done: %u met, %u missed", met, missed);
    guest_sbi(SRST, 0, 0, missed > 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}

void guest_expect_trap(void)
{
    guest_trap_seen = ~0ul;
    trap_expected = true;
}

uint64_t guest_trap(uint64_t cause, uint64_t value, uint64_t pc)
{
    if (cause >> 63 != 0 && guest_on_interrupt != NULL) {
        guest_on_interrupt(cause & 63);
        return pc;
    }
    if (cause >> 63 == 0 && trap_expected) {
        trap_expected = false;
        guest_trap_seen = cause;
        return pc + ((*(const uint16_t *)pc & 3) == 3 ? 4 : 2);
    }
    missed++;
    guest_say("defect: trap %#lx, value %#lx, pc %#lx", cause, value, pc);
    guest_finish();
}

uint64_t guest_hart_entry(uint64_t hartid, hart_main *run)
{
    uint64_t *end = (uint64_t *)(stacks[hartid] + STACK - 64);

    *end = (uintptr_t)run;
    return (uintptr_t)end;
}

struct sbi guest_hart_start(uint64_t hartid, hart_main *run)
{
    return guest_sbi(HSM, 0, hartid, (uintptr_t)hart_boot, guest_hart_entry(hartid, run), 0);
}
