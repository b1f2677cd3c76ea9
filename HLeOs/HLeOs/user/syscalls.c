/* Tests the system calls that need no other process, with valid and invalid arguments. The status
 * is the number of the failed check, or 0. `long` adds a check that prints a lot. */
#include "lib.h"

enum { PAGE = 4096 };

static int checks, failed;

static void check(int good)
{
    checks++;
    if (!good && failed == 0)
        failed = checks;
}

static void check_memory(void)
{
    char *end = sbrk(0), *block = sbrk(3 * PAGE);

    check(block == end);
    for (int i = 0; i < 3 * PAGE; i++) {
        if (block[i] != 0)
            check(0);
        block[i] = (char)i;
    }
    check(sbrk(-3 * PAGE) == end + 3 * PAGE && sbrk(0) == end);
    check(write(1, block, 1) == -1); /* the page is unmapped */
    block = sbrk(PAGE);
    check(block == end && block[5] == 0); /* and is zero when mapped again */
    check(sbrk(1L << 40) == (void *)-1 && sbrk(-(1L << 40)) == (void *)-1);
    check(sbrk(-2 * PAGE) == (void *)-1); /* not below the program's end */
    check(sbrk(INT64_MAX) == (void *)-1 && sbrk(INT64_MIN) == (void *)-1);
    check(sbrk(0) == end + PAGE);
}

static void check_write(void)
{
    char *end = sbrk(0);

    check(write(1, "", 0) == 0 && write(2, "", 0) == 0);
    check(write(3, "x", 1) == -1 && write(-1, "x", 1) == -1);
    check(write(1, NULL, 1) == -1);
    check(write(1, (void *)0xffffffff80000000, 1) == -1); /* the kernel's */
    check(write(1, (void *)0xffff800000100000, 1) == -1);
    check(write(1, (void *)0x0000800000000000, 1) == -1); /* not canonical */
    check(write(1, (void *)-1, 100) == -1);
    check(write(1, end - 1, 2) == -1); /* the second byte is beyond the end */
}

static void check_long_write(void)
{
    static char text[5000];

    memset(text, '.', sizeof text);
    text[4999] = '\n';
    check(write(1, text, sizeof text) == sizeof text);
}

static void check_rest(void)
{
    unsigned long before = uptime();
    int me = getpid();

    check(me > 0 && system_call_by_interrupt(HLEOS_GETPID, 0, 0, 0) == me);
    check(sleep(20) == 0 && uptime() >= before + 20);
    check(sleep(~0UL) == -1);
    for (long number = -3; number < 300; number++)
        if (number > HLEOS_SYSTEM || number < HLEOS_FORK)
            check(system_call(number, 1, 2, 3) == -1 &&
                  system_call_by_interrupt(number, 1, 2, 3) == -1);
    check(system_call(INT64_MIN, 0, 0, 0) == -1 && system_call(INT64_MAX, 0, 0, 0) == -1);
}

/* Both int $0x80 and SYSCALL must keep all registers, except those that SYSCALL changes by its
 * ABI. */
static void check_registers(void)
{
    long a = HLEOS_GETPID, b = 0x1111;
    register long r8 __asm__("r8") = 0x2222, r15 __asm__("r15") = 0x3333;

    __asm__ volatile("syscall" : "+a"(a), "+b"(b), "+r"(r8), "+r"(r15) : : "rcx", "r11", "memory");
    check(a == getpid() && b == 0x1111 && r8 == 0x2222 && r15 == 0x3333);
}

/* Sets all flags that a program can set: alignment check, nested task, direction and others. Both
 * entries into the kernel clear them, and restore them on return. */
static void check_flags(void)
{
    long first = HLEOS_GETPID, second;
    uint64_t after;

    __asm__ volatile("pushfq; orq $0x244cd5, (%%rsp); popfq; syscall; movq %%rax, %1;"
                     "movl %3, %%eax; int $0x80; pushfq; popq %2; pushq $2; popfq"
                     : "+a"(first), "=&b"(second), "=&S"(after)
                     : "i"(HLEOS_GETPID)
                     : "rcx", "r11", "memory", "cc");
    check(first == getpid() && second == first && (after & 0x44400) == 0x44400);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "long") == 0)
        check_long_write();
    check_memory();
    check_write();
    check_rest();
    check_registers();
    check_flags();
    return failed;
}
