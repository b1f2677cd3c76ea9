/*
 * Calls the firmware (OpenSBI) by the Supervisor Binary Interface (RISC-V SBI 3.0). sbi/ is the
 * other side: the hypervisor's SBI for guests.
 */
#ifndef CPU_FIRMWARE_H
#define CPU_FIRMWARE_H

#include "abi/sbi.h"
#include "lib/types.h"

struct sbi_result firmware_call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1,
                                uint64_t a2, uint64_t a3);

/* Asks which extensions there are; called once. */
void firmware_init(void);
bool firmware_has(uint64_t extension);

/* Writes to the firmware's console, by one call of DBCN if it has that, else by the legacy call
 * byte by byte; returns how many bytes it took. The firmware may wait for the line. */
size_t firmware_send(const char *text, size_t length);
/* The same until all is written. Returns `length`. */
size_t firmware_write(const char *text, size_t length);
/* The next byte of its console, or -1. */
int firmware_read(void);
/* Switches a feature of FWFT on this hart; does nothing if the firmware lacks FWFT. */
void firmware_switch(uint64_t feature, bool on);
void firmware_set_timer(uint64_t when);
void firmware_send_ipi(uint64_t hartid);
int firmware_start_hart(uint64_t hartid, hpa_t entry, uint64_t argument) MUST_CHECK;
/* The harts are a mask over `base`; fences use this hart's hgatp.VMID. */
void firmware_remote_fence_i(uint64_t mask, uint64_t base);
void firmware_remote_fence_vvma(uint64_t mask, uint64_t base, uint64_t start, uint64_t size);
void firmware_remote_fence_gvma(uint64_t mask, uint64_t base);
/* Ends the machine. */
__attribute__((noreturn)) void firmware_shutdown(bool failed);

#endif
