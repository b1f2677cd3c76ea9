/* Calls into the firmware; see firmware.h. */
#include "cpu/firmware.h"

static bool has_console, has_time, has_ipi, has_rfence, has_reset;

struct sbi_result firmware_call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1,
                                uint64_t a2, uint64_t a3)
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
    return (struct sbi_result){(int64_t)r0, r1};
}

bool firmware_has(uint64_t extension)
{
    struct sbi_result r = firmware_call(SBI_BASE, BASE_PROBE, extension, 0, 0, 0);

    return r.error == SBI_SUCCESS && r.value != 0;
}

void firmware_init(void)
{
    has_console = firmware_has(SBI_DBCN);
    has_time = firmware_has(SBI_TIME);
    has_ipi = firmware_has(SBI_IPI);
    has_rfence = firmware_has(SBI_RFENCE);
    has_reset = firmware_has(SBI_SRST);
}

void firmware_switch(uint64_t feature, bool on)
{
    (void)firmware_call(SBI_FWFT, FWFT_SET, feature, on, 0, 0);
}

static size_t put_bytes(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        firmware_call(SBI_LEGACY_PUTCHAR, 0, (uint8_t)text[i], 0, 0, 0);
    return length;
}

size_t firmware_send(const char *text, size_t length)
{
    struct sbi_result r = {.error = SBI_FAILED};

    if (has_console)
        r = firmware_call(SBI_DBCN, DBCN_WRITE, length, (uintptr_t)text, 0, 0);
    return r.error == SBI_SUCCESS && r.value <= length ? r.value : put_bytes(text, length);
}

size_t firmware_write(const char *text, size_t length)
{
    size_t sent = 1, done = 0;

    for (; sent > 0 && done < length; done += sent)
        sent = firmware_send(text + done, length - done);
    return done + put_bytes(text + done, length - done);
}

int firmware_read(void)
{
    uint8_t byte = 0;
    struct sbi_result r;

    if (!has_console)
        return (int)firmware_call(SBI_LEGACY_GETCHAR, 0, 0, 0, 0, 0).error;
    r = firmware_call(SBI_DBCN, DBCN_READ, 1, (uintptr_t)&byte, 0, 0);
    return r.error == SBI_SUCCESS && r.value == 1 ? *(volatile uint8_t *)&byte : -1;
}

void firmware_set_timer(uint64_t when)
{
    if (has_time)
        firmware_call(SBI_TIME, 0, when, 0, 0, 0);
    else
        firmware_call(SBI_LEGACY_SET_TIMER, 0, when, 0, 0, 0);
}

void firmware_send_ipi(uint64_t hartid)
{
    uint64_t mask = 1ul << (hartid & 63);

    if (has_ipi)
        firmware_call(SBI_IPI, 0, 1, hartid, 0, 0);
    else
        firmware_call(SBI_LEGACY_SEND_IPI, 0, (uintptr_t)&mask, 0, 0, 0);
}

int firmware_start_hart(uint64_t hartid, hpa_t entry, uint64_t argument)
{
    return (int)firmware_call(SBI_HSM, HSM_START, hartid, entry, argument, 0).error;
}

void firmware_remote_fence_i(uint64_t mask, uint64_t base)
{
    if (has_rfence)
        firmware_call(SBI_RFENCE, RFENCE_I, mask, base, 0, 0);
    else
        firmware_call(SBI_LEGACY_FENCE_I, 0, 0, 0, 0, 0);
}

void firmware_remote_fence_vvma(uint64_t mask, uint64_t base, uint64_t start, uint64_t size)
{
    firmware_call(SBI_RFENCE, RFENCE_VVMA, mask, base, start, size);
}

void firmware_remote_fence_gvma(uint64_t mask, uint64_t base)
{
    firmware_call(SBI_RFENCE, RFENCE_GVMA, mask, base, 0, 0);
}

void firmware_shutdown(bool failed)
{
    if (has_reset)
        firmware_call(SBI_SRST, 0, SRST_SHUTDOWN, failed ? SRST_FAILURE : SRST_NO_REASON, 0, 0);
    firmware_call(SBI_LEGACY_SHUTDOWN, 0, 0, 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}
