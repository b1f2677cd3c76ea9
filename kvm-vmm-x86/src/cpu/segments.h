/* Segment descriptors, in KVM's form and in the form the CPU reads (Intel SDM volume 3, 3.4.5). */
#ifndef CPU_SEGMENTS_H
#define CPU_SEGMENTS_H

#include <stdint.h>

#include "base/memory.h"
#include "base/regs.h"

/* Selectors of the table that segments_load_gdt writes. */
enum { SELECTOR_CODE = 0x08, SELECTOR_DATA = 0x10, GDT_ENTRIES = 3 };

/* Type field of code and data segments: accessed, so that the CPU need not write the descriptor. */
enum { SEGMENT_CODE = 0x0b, SEGMENT_DATA = 0x03 };

/* The GDT entry that stands for `segment`. */
uint64_t segments_descriptor(const struct kvm_segment *segment);

/* Sets CS to `code` and the data segments to `data`, and writes a GDT that says the same at `gdt`.
 */
void segments_load_gdt(const struct memory *memory, gpa_t gdt, const struct kvm_segment *code,
                       const struct kvm_segment *data, struct kvm_sregs *sregs);

#endif
