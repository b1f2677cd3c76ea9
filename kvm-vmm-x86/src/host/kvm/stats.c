/* KVM's binary statistics; see stats.h. A file of a header, descriptors, and the numbers. */
#include "host/kvm/stats.h"

#include <string.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 256, COUNTERS_MAX = 512 };

/* Whether it is a plain counter, not a time, size or histogram. */
static bool counts(const struct kvm_stats_desc *d)
{
    return (d->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_CUMULATIVE &&
           (d->flags & KVM_STATS_UNIT_MASK) == KVM_STATS_UNIT_NONE && d->size == 1;
}

void kvm_stats_read(const struct kvm_cpu *cpu,
                    void (*each)(void *context, const char *name, uint64_t value), void *context)
{
    struct {
        struct kvm_stats_desc desc;
        char name[NAME_MAX_BYTES + 1];
    } d = {0};
    struct kvm_stats_header header;
    size_t stride;
    uint64_t value;

    if (cpu->stats_fd < 0 || pread(cpu->stats_fd, &header, sizeof header, 0) != sizeof header)
        return;
    stride = sizeof d.desc + header.name_size;
    if (header.name_size > NAME_MAX_BYTES)
        return;
    for (uint32_t i = 0; i < header.num_desc && i < COUNTERS_MAX; i++) {
        off_t at = (off_t)(header.desc_offset + i * stride);

        if (pread(cpu->stats_fd, &d, stride, at) != (ssize_t)stride)
            return;
        at = (off_t)header.data_offset + d.desc.offset;
        if (counts(&d.desc) && pread(cpu->stats_fd, &value, sizeof value, at) == sizeof value)
            each(context, d.name, value);
    }
}
