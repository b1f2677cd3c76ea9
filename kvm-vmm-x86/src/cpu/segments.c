/* Segment descriptors; see segments.h. */
#include "cpu/segments.h"

#include <string.h>

uint64_t segments_descriptor(const struct kvm_segment *s)
{
    uint64_t limit = s->g ? s->limit >> 12 : s->limit;

    return (limit & 0xffff) | (s->base & 0xffffff) << 16 | (uint64_t)(s->type & 0xf) << 40 |
           (uint64_t)(s->s & 1) << 44 | (uint64_t)(s->dpl & 3) << 45 |
           (uint64_t)(s->present & 1) << 47 | (limit >> 16 & 0xf) << 48 |
           (uint64_t)(s->avl & 1) << 52 | (uint64_t)(s->l & 1) << 53 | (uint64_t)(s->db & 1) << 54 |
           (uint64_t)(s->g & 1) << 55 | (s->base >> 24 & 0xff) << 56;
}

void segments_load_gdt(const struct memory *memory, gpa_t gdt, const struct kvm_segment *code,
                       const struct kvm_segment *data, struct kvm_sregs *sregs)
{
    uint64_t entries[GDT_ENTRIES] = {0, segments_descriptor(code), segments_descriptor(data)};
    uint8_t *at = memory_at(memory, gdt, sizeof entries);

    if (at != NULL) /* the reserved range is RAM: cpu_reserved_* has checked it */
        memcpy(at, entries, sizeof entries);
    sregs->cs = *code;
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = *data;
    sregs->gdt = (struct kvm_dtable){.base = gdt, .limit = sizeof entries - 1};
    sregs->idt = (struct kvm_dtable){.base = 0, .limit = 0};
}
