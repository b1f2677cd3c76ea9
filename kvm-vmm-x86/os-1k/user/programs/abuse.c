/* abuse: calls the kernel with bad arguments. It must refuse each, and never fault. */
#include "common/string.h"
#include "user/lib/call.h"
#include "user/lib/text.h"

enum { CALLS = 32 };

static const uint32_t bad[] = {0,          1,          0x003fffff, 0x00400000, 0x3ffffffe,
                               0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0x80002000,
                               0xbfffffff, 0xc0000000, 0xfffffff0, 0xffffffff};

/* Calls that would end this program, stop it for long, take the keyboard or kill others. */
static bool skipped(uint32_t number)
{
    return number == HC_EXIT || number == HC_GETCHAR || number == HC_SLEEP || number == HC_KILL;
}

static void call_with_all(uint32_t number)
{
    enum { COUNT = sizeof bad / sizeof bad[0] };

    for (unsigned i = 0; i < COUNT * COUNT * COUNT; i++)
        call_kernel(number, bad[i % COUNT], bad[i / COUNT % COUNT], bad[i / COUNT / COUNT],
                    bad[i % 7]);
}

/* Programs that are not programs: an ELF header with one field after another set to nonsense. */
static int spawn_broken(void)
{
    static uint8_t image[512];
    int refused = 0;

    for (unsigned at = 0; at < 128; at++) {
        for (unsigned value = 0; value < 256; value += 51) {
            int pid, status;

            call_readfile("bin/true", image, sizeof image, 0);
            image[at] = (uint8_t)value;
            call_writefile("broken", image, sizeof image, 0);
            pid = call_spawn("broken", SPAWN_BACKGROUND);
            refused += pid < 0;
            if (pid > 0 && call_kill(pid) == 0)
                call_wait(pid, WAIT_BLOCK, &status);
        }
    }
    call_remove("broken");
    return refused;
}

/* The number of calls with the kernel's memory, or to write to our own code, that do not return
 * ERROR_BAD_ADDRESS. */
static int served(void)
{
    void *const kernel = (void *)0x80002000, *const code = (void *)0x00400000;
    uint32_t word;
    int results[] = {
        call_peek(FIRST_PROCESS, kernel, &word),
        call_peek(FIRST_PROCESS, code, code),
        call_write(kernel, 1),
        call_writefile("stolen", kernel, 1, 0),
        call_readfile("bin/true", kernel, 4, 0),
        call_readfile("bin/true", code, 4, 0),
        call_systeminfo(code),
        call_spawn(kernel, SPAWN_BACKGROUND),
    };
    int count = 0;

    for (unsigned i = 0; i < sizeof results / sizeof results[0]; i++)
        count += results[i] != ERROR_BAD_ADDRESS;
    return count;
}

/* Prints what the system call GETCHAR leaves in AL and CF. */
static void print_getchar(void)
{
    uint32_t al;
    uint8_t carry;

    __asm__ volatile("int $0x80; setc %1"
                     : "=a"(al), "=q"(carry)
                     : "0"(HC_GETCHAR)
                     : "memory", "cc");
    text_print("abuse: GETCHAR: al %02x, carry %u\n", al & 0xff, carry);
}

/* A program in the background has no input. */
static void check_end_of_input(void)
{
    int status, pid = call_spawn("bin/abuse getchar", SPAWN_BACKGROUND);

    call_wait(pid, WAIT_BLOCK, &status);
}

/* Asks for 64 KB of output in one call. Carriage returns, so that nothing is visible. */
static void check_long_write(void)
{
    static char text[65536];

    memset(text, '\r', sizeof text);
    text_print("abuse: WRITE of %u bytes wrote %d\n", sizeof text, call_write(text, sizeof text));
}

int main(int argc, char **argv)
{
    int refused, status;

    (void)argv;
    if (argc > 1) {
        print_getchar();
        return 0;
    }
    for (uint32_t number = 0; number < CALLS; number++)
        if (!skipped(number))
            call_with_all(number);
    while (call_wait(0, WAIT_POLL, &status) > 0)
        ;
    refused = spawn_broken();
    text_print("\nabuse: the kernel stands, %d broken programs refused\n", refused);
    text_print("abuse: calls served that should not be: %d\n", served());
    check_end_of_input();
    check_long_write();
    return 0;
}
