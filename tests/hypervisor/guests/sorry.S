/* A guest that says of itself that it failed (SBI 10.1: reason 1, system failure). */
    .globl  sorry_boot
sorry_boot:
    li      a0, 0
    li      a1, 1
    li      a6, 0
    li      a7, 0x53525354
    ecall
    j       .
