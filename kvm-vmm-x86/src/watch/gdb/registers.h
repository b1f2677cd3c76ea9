/*
 * The registers that gdb sees, by mode: names, widths, order, and where each is in the state of a
 * vCPU. The first features of each mode are gdb's own (GDB manual, appendix G.5.5 "i386 Features"),
 * the last is kvm-vmm's and has the system registers.
 *
 * gdb reads the description once, when it connects: a vCPU that changes its mode afterwards is
 * shown in the old form, with registers cut or extended by zeros.
 *
 */
#ifndef GDB_REGISTERS_H
#define GDB_REGISTERS_H

#include <stdint.h>

#include "watch/explain/snapshot.h"
#include "watch/explain/text.h"

enum gdb_arch { GDB_I8086, GDB_I386, GDB_X86_64, GDB_ARCHES };

struct gdb_registers {
    struct snapshot state;
    struct kvm_fpu fpu;
};

struct gdb_register {
    const char *name, *type;
    uint16_t bits;   /* 0: a word of the architecture */
    uint16_t stored; /* bytes in the state */
    uint32_t offset; /* in struct gdb_registers */
};

/* The name gdb knows it by; "i386:x86-64" and so on. */
const char *gdb_arch_name(enum gdb_arch arch);
/* The one that fits the code at CS. */
enum gdb_arch gdb_arch_of(const struct snapshot *state);

/* Register `number` as gdb counts them, or NULL. */
const struct gdb_register *gdb_register(enum gdb_arch arch, unsigned number);
/* Its width in bytes. */
unsigned gdb_register_size(enum gdb_arch arch, const struct gdb_register *reg);

/* To and from the form that gdb exchanges: little-endian, gdb_register_size bytes. */
enum { GDB_REGISTER_MAX = 16 };
void gdb_register_get(enum gdb_arch arch, const struct gdb_register *reg,
                      const struct gdb_registers *from, uint8_t bytes[GDB_REGISTER_MAX]);
void gdb_register_set(enum gdb_arch arch, const struct gdb_register *reg, struct gdb_registers *to,
                      const uint8_t bytes[GDB_REGISTER_MAX]);

/* target.xml: all of that in the form that gdb reads (GDB manual, appendix G). */
enum { GDB_DESCRIPTION_MAX = 16 * 1024 }; /* room for the longest */
void gdb_describe(struct text *text, enum gdb_arch arch);

#endif
