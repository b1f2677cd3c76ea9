/* A guest that cannot go on: after three seconds it traps, and HANDLER is no place to fetch instructions from. */
    .text
    .globl  stray_boot
stray_boot:
    li      t0, HANDLER
    csrw    stvec, t0
    rdtime  t1
    li      t2, 30000000            /* the 10 MHz of QEMU's machine: its neighbour is at work by then */
    add     t1, t1, t2
1:  rdtime  t2
    bltu    t2, t1, 1b
    li      s1, 0x57a957a9          /* to be seen in the report */
    .word   0xffffffff
