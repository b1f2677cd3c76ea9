/* The first process of the guest of `kvm-vmm run` (initramfs/run), embedded in the program, so that
 * it is installed with kvm-vmm. The Makefile defines RUN_INIT. It is in its own section, behind the
 * constants that each start reads. */
    .section .embedded, "a"
    .global run_init, run_init_end
    .balign 16
run_init:
    .incbin RUN_INIT
run_init_end:
    .section .note.GNU-stack, "", @progbits
