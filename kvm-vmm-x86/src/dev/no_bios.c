/* No BIOS; see no_bios.h. */
#include "dev/no_bios.h"

#include <stdio.h>
#include <string.h>

enum { VECTORS = 256, VECTOR_SIZE = 4, PARAGRAPH = 16, INT = 0xcd };

/* In the window's last paragraph. Each vector enters it through a different segment, so that IP
 * gives the vector: IP is 16 times its number plus the offset in the paragraph. */
static const uint8_t stub[] = {
    0x55,                     /* push %bp */
    0x89, 0xe5,               /* mov %sp, %bp */
    0x8b, 0x46,         0x02, /* mov 2(%bp), %ax: the IP to return to */
    0x8b, 0x56,         0x04, /* mov 4(%bp), %dx: its CS */
    0xe6, NO_BIOS_PORT,       /* out %al, $NO_BIOS_PORT */
};
_Static_assert(sizeof stub <= PARAGRAPH, "one paragraph");

static gpa_t place(const struct memory *memory)
{
    return memory_low_end(memory) - PARAGRAPH;
}

void no_bios_fill(const struct memory *memory, uint64_t image, uint64_t end)
{
    gpa_t base = memory->slots[0].base, at = place(memory);

    if (at - base <= UINT16_MAX || end > at - base || !memory_write(memory, at, stub, sizeof stub))
        return;
    for (unsigned n = 0; n < VECTORS && (n + 1) * VECTOR_SIZE <= image; n++) {
        unsigned segment = (unsigned)(at / PARAGRAPH) - n, offset = n * PARAGRAPH;
        uint8_t vector[VECTOR_SIZE] = {(uint8_t)offset, (uint8_t)(offset >> 8), (uint8_t)segment,
                                       (uint8_t)(segment >> 8)};

        if (!memory_write(memory, base + n * VECTOR_SIZE, vector, sizeof vector))
            return;
    }
}

static bool is_ours(const struct memory *memory, uint64_t rip)
{
    uint8_t there[sizeof stub];

    /* After the exit RIP is at the `out` or behind it. */
    return (rip % PARAGRAPH == sizeof stub - 2 || rip % PARAGRAPH == sizeof stub) &&
           memory_read(memory, place(memory), there, sizeof there) &&
           memcmp(there, stub, sizeof stub) == 0;
}

static enum verdict no_bios_access(void *device, struct bus_access *access)
{
    struct no_bios *d = device;
    const struct memory *memory = d->backend->memory;
    const struct kvm_regs *regs = access->cpu->regs;
    gpa_t at = (regs->rdx & UINT16_MAX) * PARAGRAPH + (regs->rax & UINT16_MAX);
    unsigned n = (unsigned)(regs->rip / PARAGRAPH) % VECTORS;
    uint8_t call[2];
    char message[128];

    if (!access->write)
        access->data[0] = 0xff;
    if (!access->write || !is_ours(memory, regs->rip))
        return VERDICT_RESUME;
    if (at >= sizeof call && memory_read(memory, at - sizeof call, call, sizeof call) &&
        call[0] == INT && call[1] == n)
        snprintf(message, sizeof message,
                 "int %#x at %#llx: this machine has no BIOS (--bios FILE)", n,
                 (unsigned long long)(at - sizeof call));
    else
        snprintf(message, sizeof message,
                 "interrupt or exception %#x at %#llx: the guest has set no handler", n,
                 (unsigned long long)at);
    d->backend->end(d->backend->context, END_CRASH, 0, message);
    return VERDICT_STOP;
}

static const char *const write_names[] = {"call"};
static const struct bus_registers registers = {.written = BUS_NAMES(write_names)};

const struct bus_ops no_bios_ops = {
    .name = "no-bios", .registers = &registers, .width = 1, .access = no_bios_access};

void no_bios_init(struct no_bios *device, const struct backend *backend)
{
    *device = (struct no_bios){.backend = backend};
}
