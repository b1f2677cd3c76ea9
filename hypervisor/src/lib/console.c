/* The hypervisor's own output; see console.h. */
#include "lib/console.h"

#include "lib/lock.h"

enum { OWN_ROOM = 16384 };

static struct lock lock;
static console_output *output, *urgent;
static size_t (*room)(void);
static void (*end)(bool failed);

void console_init(console_output *urgent_output, void (*end_machine)(bool failed))
{
    output = urgent = urgent_output;
    end = end_machine;
}

void console_set_output(console_output *new_output, size_t (*new_room)(void))
{
    output = new_output;
    room = new_room;
}

size_t console_room(void)
{
    size_t all = room != NULL ? room() : ~0ul;

    return all > OWN_ROOM ? all - OWN_ROOM : 0;
}

size_t console_write(const char *text, size_t length)
{
    size_t taken;

    lock_take(&lock);
    taken = output(text, min64(length, console_room()));
    lock_drop(&lock);
    return taken;
}

void print(const char *format, ...)
{
    char line[512];
    va_list args;
    int length;

    va_start(args, format);
    length = fmt_vsnprint(line, sizeof line, format, args);
    va_end(args);
    lock_take(&lock);
    /* If the console has no room, as it has not been read for long, the text is lost. */
    (void)output(line, min64((uint64_t)length, sizeof line - 1));
    lock_drop(&lock);
}

void panic(const char *format, ...)
{
    static uint32_t once;
    char line[512];
    va_list args;

    va_start(args, format);
    fmt_vsnprint(line, sizeof line, format, args);
    va_end(args);
    if (__atomic_exchange_n(&once, 1, __ATOMIC_ACQ_REL) == 0) {
        /* Without the lock, since its holder may be the cause. */
        urgent("\nhv: defect: ", 13);
        for (const char *c = line; *c != '\0'; c++)
            urgent(c, 1);
        urgent("\n", 1);
        end(true);
    }
    for (;;)
        __asm__ volatile("wfi");
}
