/* Records of exits; see exit_record.h. Section 5 of Documentation/virt/kvm/api.rst. */
#include "vm/exit_record.h"

#include <string.h>

/* Keeps the low `size` bytes (1 to 8) of a value. */
static uint64_t cut(uint64_t value, uint32_t size)
{
    return value & UINT64_MAX >> (64 - 8 * size);
}

struct exit_record exit_record_of(const struct past_exit *e)
{
    struct exit_record record = {.rip = e->rip,
                                 .count = 1,
                                 .reason =
                                     (uint8_t)(e->reason < UINT8_MAX ? e->reason : UINT8_MAX)};

    if (e->reason == KVM_EXIT_IO) {
        record.space = EXIT_PORT;
        record.address = e->io.port;
        record.count = e->io.count;
        record.size = e->io.size;
        record.write = e->io.direction == KVM_EXIT_IO_OUT;
        record.value = cut(e->data, e->io.size);
    } else if (e->reason == KVM_EXIT_MMIO) {
        record.space = EXIT_MEMORY;
        record.address = e->mmio.phys_addr;
        record.size = (uint8_t)e->mmio.len;
        record.write = e->mmio.is_write;
        memcpy(&record.value, e->mmio.data, sizeof record.value);
        record.value = cut(record.value, e->mmio.len);
    }
    return record;
}
