/*
 * A Linux program that `kvm-vmm fuzz` runs (docs/fuzzing.md), in its guest:
 *
 *     static unsigned char input[4096];
 *
 *     fuzz_begin();
 *     parse(input, fuzz_input(input, sizeof input));
 *     fuzz_done();
 *
 * It is what AFL's persistent mode does with a loop: fuzz_input does not come back a second time in
 * one run; the whole machine is put back to there for the next input. For x86-64, as root (iopl),
 * and linked statically, or with what it needs loaded before fuzz_begin.
 */
#ifndef KVMVMM_FUZZ_H
#define KVMVMM_FUZZ_H

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <ucontext.h>

/* As in abi/hypercall.h. */
enum { FUZZ_PORT = 0x500, FUZZ_INPUT = 0x20, FUZZ_DONE = 0x21, FUZZ_FAILED = 0x23 };
enum { FUZZ_RIP = 16 }; /* REG_RIP, which needs _GNU_SOURCE */

/* The fuzzer looks for code from the call on, so it must be inlined into the caller. */
#define FUZZ_INLINE static inline __attribute__((always_inline))

FUZZ_INLINE size_t fuzz_call(unsigned char number, const void *bytes, size_t size)
{
    size_t answer = number;

    __asm__ volatile("outb %%al, %%dx"
                     : "+a"(answer)
                     : "b"(bytes), "c"(size), "d"(FUZZ_PORT)
                     : "memory");
    return answer;
}

/* Ends this run: the program has failed, for the reason in `text`. */
FUZZ_INLINE void fuzz_failed(const char *text)
{
    fuzz_call(FUZZ_FAILED, text, strlen(text));
}

/* Only what may be called in a handler: no stdio. */
static inline void fuzz_append_hex(char *text, unsigned long long value)
{
    char *at = text + strlen(text);

    for (int shift = 60; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[value >> shift & 15];
    *at = '\0';
}

static inline void fuzz_on_signal(int number, siginfo_t *info, void *context)
{
    const ucontext_t *c = (const ucontext_t *)context;
    char text[96] = "";

    strcat(text, number == SIGSEGV   ? "SIGSEGV"
                 : number == SIGBUS  ? "SIGBUS"
                 : number == SIGFPE  ? "SIGFPE"
                 : number == SIGILL  ? "SIGILL"
                 : number == SIGABRT ? "SIGABRT"
                                     : "a signal");
    strcat(text, " at 0x");
    fuzz_append_hex(text, (unsigned long long)c->uc_mcontext.gregs[FUZZ_RIP]);
    if (number == SIGSEGV || number == SIGBUS) {
        strcat(text, ", address 0x");
        fuzz_append_hex(text, (unsigned long long)(size_t)info->si_addr);
    }
    fuzz_failed(text);
}

/* Makes the program ready: it may make hypercalls, its pages are in memory and stay there (the
 * fuzzer puts breakpoints into its code), and a signal that would end it is reported. */
static inline void fuzz_begin(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static unsigned char stack[64 * 1024];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = fuzz_on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (iopl(3) < 0 || mlockall(MCL_CURRENT | MCL_FUTURE) < 0 || sigaltstack(&other, NULL) < 0) {
        fprintf(stderr, "kvm-vmm fuzz: this program cannot be fuzzed: %s\n", strerror(errno));
        exit(1);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
}

/* The next input; how many bytes it has. */
FUZZ_INLINE size_t fuzz_input(void *buffer, size_t size)
{
    return fuzz_call(FUZZ_INPUT, buffer, size);
}

/* It was dealt with. Does not return. */
FUZZ_INLINE void fuzz_done(void)
{
    fuzz_call(FUZZ_DONE, NULL, 0);
}

#endif
