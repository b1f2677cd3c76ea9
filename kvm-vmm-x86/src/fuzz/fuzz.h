/* `kvm-vmm fuzz`: looks for inputs that crash a guest. docs/fuzzing.md. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

/* The command's words behind `kvm-vmm`. Returns the exit status. */
int fuzz_main(int argc, char **argv);

#endif
