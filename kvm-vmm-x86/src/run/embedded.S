/* The first process of the guest of `kvm-vmm run` (initramfs/run), as bytes in the program: who
 * installs kvm-vmm has it. The Makefile says where it is. Of a section of its own, behind the
 * constants that each start reads. */
    .section .embedded, "a"
    .global run_init, run_init_end
    .balign 16
run_init:
    .incbin RUN_INIT
run_init_end:
    .section .note.GNU-stack, "", @progbits
