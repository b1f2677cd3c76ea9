/* Panic and backtrace; see panic.h. */
#include "cpu/panic.h"

#include <stdbool.h>
#include <stddef.h>

#include "asm.h"
#include "common/symbols.h"
#include "cpu.h"
#include "cpu/console.h"
#include "cpu/machine.h"

enum { DEPTH_MAX = 24 };

/* A frame is two words: the caller's frame pointer and the return address. */
static bool frame_is_sound(const uintptr_t *frame)
{
    uintptr_t at = (uintptr_t)frame;

    return at % sizeof(uintptr_t) == 0 && cpu_owns_stack(at, 2 * sizeof(uintptr_t));
}

void panic_backtrace(const uintptr_t *frame)
{
    for (int depth = 0; depth < DEPTH_MAX && frame_is_sound(frame); depth++) {
        const uintptr_t *caller = (const uintptr_t *)frame[0];
        struct symbol symbol;

        if (frame[1] == 0)
            return;
        symbol = symbols_find(frame[1]);
        console_say("  #%-2d %016lx %s+0x%lx", depth, frame[1], symbol.name, symbol.offset);
        if (caller <= frame) /* stacks grow down: a chain that does not go up is broken */
            return;
        frame = caller;
    }
}

void panic_stop(const char *format, ...)
{
    static bool panicking;
    char reason[160];
    va_list args;

    x86_cli();
    machine_stop_others();
    if (!panicking) { /* a panic during a panic only ends the machine */
        panicking = true;
        console_begin();
        va_start(args, format);
        fmt_vsnprint(reason, sizeof reason, format, args);
        va_end(args);
        console_say("\n\033[1;31mKERNEL PANIC\033[0m: %s", reason);
        panic_backtrace(asm_frame());
    }
    machine_end(MACHINE_PANIC);
}
