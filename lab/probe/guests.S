/* The probe's guests. Each is a few instructions, which are copied to CODE_BASE of an empty machine. It reports its
 * results through port PORT_SAY. It lies between the labels NAME and NAME_end (see GUEST_CODE in guest.h).
 *
 * In: flat segments or paging, set up by the check; a stack below CODE_BASE if needed. */

#include "lab/probe/layout.h"

.macro guest name
    .balign 16
    .global guest_\name
    guest_\name:
.endm
.macro end name
    .global guest_\name\()_end
    guest_\name\()_end:
.endm

    .section .rodata

    .code16
guest real
    mov $0x52, %al
    out %al, $PORT_SAY
    hlt
end real

/* A software interrupt through the real-mode vector table: the handler reports 1, its caller 2. */
guest real_int
    movw $(real_handler - guest_real_int + CODE_BASE), %cs:(4 * VECTOR)
    movw $0, %cs:(4 * VECTOR + 2)
    int $VECTOR
    mov $2, %al
    out %al, $PORT_SAY
    hlt
real_handler:
    mov $1, %al
    out %al, $PORT_SAY
    iret
end real_int

/* Makes exits as fast as possible. */
guest exits
1:  out %al, $PORT_SAY
    jmp 1b
end exits

    .code32
guest protected
    mov (DATA_BASE), %al
    out %al, $PORT_SAY
    hlt
end protected

/* Reads and writes the data page through the page table's second mapping. */
guest paged
    mov (ALIAS_BASE + DATA_BASE), %al
    out %al, $PORT_SAY
    movb $0x77, (ALIAS_BASE + DATA_BASE)
    mov (DATA_BASE), %al
    out %al, $PORT_SAY
    hlt
end paged

/* After a write of CR4 KVM reads the pointer table again. The processor must not have changed the table. */
guest pae_cr4
    mov (ALIAS_BASE + DATA_BASE), %al
    mov %cr4, %edx
    or $0x10, %edx                  /* PSE, which has no effect with PAE */
    mov %edx, %cr4
    out %al, $PORT_SAY
    hlt
end pae_cr4

    .code64
guest long
    mov $ALIAS_BASE + DATA_BASE, %eax /* zero-extended: a displacement would be sign-extended */
    mov (%rax), %al
    out %al, $PORT_SAY
    hlt
end long

guest mmio
    mov $MMIO_BASE, %eax
    movb $0x5a, (%rax)
    hlt
end mmio

guest breakpoint
    nop
    int3
    hlt
end breakpoint

/* The single steps and the hardware breakpoint stop at the second instruction, the watchpoint after the third. */
guest steps
    nop
    nop
    movb $1, (DATA_BASE)
    nop
    hlt
end steps

/* Sets up the first interrupt controller at VECTOR with only line 0 unmasked, reports 1, and waits. The handler reports
 * 2. */
guest interrupt
    mov $0x11, %al
    out %al, $0x20
    mov $VECTOR, %al
    out %al, $0x21
    mov $0x04, %al
    out %al, $0x21
    mov $0x01, %al
    out %al, $0x21
    mov $0xfe, %al
    out %al, $0x21
    mov $1, %al
    out %al, $PORT_SAY
    sti
1:  hlt
    jmp 1b
    .balign 16
interrupt_handler:
    mov $2, %al
    out %al, $PORT_SAY
1:  jmp 1b
end interrupt
    .global guest_interrupt_handler_offset
    .set guest_interrupt_handler_offset, interrupt_handler - guest_interrupt

/* Two processors take turns: this one (its number in RDI, 0 or 1) waits until the counter's last
 * bit is its number, adds one, and stops when TURNS is reached. */
guest turns
1:  mov (DATA_BASE), %eax
    cmp $TURNS, %eax
    jae 2f
    mov %eax, %ecx
    and $1, %ecx
    cmp %edi, %ecx
    jne 3f
    incl (DATA_BASE)
3:  pause
    jmp 1b
2:  mov $3, %al
    out %al, $PORT_SAY
    hlt
end turns

guest count
    mov $COUNT, %ecx
1:  dec %ecx
    jnz 1b
    out %al, $PORT_SAY
    hlt
end count

    .section .note.GNU-stack, "", @progbits
