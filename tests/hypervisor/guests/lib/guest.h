/*
 * What test guests written in C share: calls to SBI, printing, harts, traps, and expectations. A
 * guest says what it found; its test reads that. Everything is checked from inside the guest, so
 * that the same program may run on the bare machine.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fmt.h"

struct sbi {
    int64_t error;
    uint64_t value;
};

enum {
    SUCCESS = 0,
    NOT_SUPPORTED = -2,
    INVALID_PARAM = -3,
    DENIED = -4,
    INVALID_ADDRESS = -5,
    ALREADY_AVAILABLE = -6,
    ALREADY_STARTED = -7,
    ALREADY_STOPPED = -8
};
#define BASE 0x10
#define TIME 0x54494d45
#define IPI  0x735049
#define RFNC 0x52464e43
#define HSM  0x48534d
#define SRST 0x53525354
#define PMU  0x504d55
#define DBCN 0x4442434e
#define SUSP 0x53555350
#define STA  0x535441

struct sbi guest_sbi(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2,
                     uint64_t a3);

/* Prints a line with the guest's name before it. */
void guest_say(const char *format, ...) FMT_PRINTF(1, 2);
/* Says "defect: ..." where `good` is false, and lets the guest end with a failure. */
#define expect(good) guest_expect_that(good, #good, __LINE__)
void guest_expect_that(bool good, const char *text, int line);
/* Says that it is done, how many expectations were met, and switches off. */
_Noreturn void guest_finish(void);

/* The trap that is to come: its cause is noted and the instruction skipped. Anything else is a
 * defect. */
extern volatile uint64_t guest_trap_seen; /* ~0 none */
void guest_expect_trap(void);
/* Interrupts go here; the handler must take away their reason. */
extern void (*volatile guest_on_interrupt)(uint64_t number);

/* Runs `run` on another hart, on a stack of its own; arguments as boot.S has them. */
typedef void hart_main(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp);
enum { HARTS_MAX = 32 };
struct sbi guest_hart_start(uint64_t hartid, hart_main *run);
/* The stack's end of a hart with what it is to call: what SBI hands to hart_boot. */
uint64_t guest_hart_entry(uint64_t hartid, hart_main *run);
void hart_boot(void);
int64_t suspend_marked(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                       uint64_t function, uint64_t extension);

#define csr_read(csr)                                                                              \
    ({                                                                                             \
        uint64_t v_;                                                                               \
        __asm__ volatile("csrr %0, " #csr : "=r"(v_)::"memory");                                   \
        v_;                                                                                        \
    })
#define csr_write(csr, value)                                                                      \
    __asm__ volatile("csrw " #csr ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" ::"r"((uint64_t)(bits)) : "memory")
#define csr_clear(csr, bits)                                                                       \
    __asm__ volatile("csrc " #csr ", %0" ::"r"((uint64_t)(bits)) : "memory")

enum { SOFTWARE = 1, TIMER = 5, EXTERNAL = 9, SSTATUS_SIE = 2 };

static inline uint64_t now(void)
{
    return csr_read(time);
}

/* Computes for so many ticks of `time`, 10 million a second. */
static inline void wait_for(uint64_t ticks)
{
    uint64_t start = now();

    while (now() - start < ticks)
        ;
}

/* Waits until `condition` holds; the test's time limit ends one that never does. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
    } while (!(condition))

#endif
