/* Text and numbers for programs; see text.h. */
#include "user/lib/text.h"

#include "user/lib/call.h"

struct buffer {
    struct fmt_sink sink; /* the first member: a sink pointer is cast to a buffer */
    size_t used;
    char bytes[512];
};

static void flush(struct buffer *b)
{
    if (b->used > 0)
        call_write(b->bytes, b->used);
    b->used = 0;
}

static void buffer_write(struct fmt_sink *sink, const char *text, size_t length)
{
    struct buffer *b = (struct buffer *)sink;

    for (size_t i = 0; i < length; i++) {
        if (b->used == sizeof b->bytes)
            flush(b);
        b->bytes[b->used++] = text[i];
    }
}

void text_print(const char *format, ...)
{
    struct buffer b;
    va_list args;

    b.sink.write = buffer_write;
    b.used = 0;
    va_start(args, format);
    fmt_vprint(&b.sink, format, args);
    va_end(args);
    flush(&b);
}

bool text_to_int(const char *text, int *value)
{
    bool negative = *text == '-';
    int result = 0;

    if (*text == '-' || *text == '+')
        text++;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        int digit = *text - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(result, 10, &result) ||
            __builtin_sub_overflow(result, digit, &result)) /* downwards: INT_MIN has no positive */
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, result, &result))
        return false;
    *value = result;
    return true;
}

int text_argument(int argc, char **argv, int index, int low, int high, int otherwise)
{
    int value;

    if (index >= argc)
        return otherwise;
    if (text_to_int(argv[index], &value) && value >= low && value <= high)
        return value;
    text_print("%s: not a number from %d to %d\n", argv[index], low, high);
    call_exit(1);
}

const char *text_store(uint32_t features)
{
    if (features & SYSTEM_LOCKED)
        return "memory and a disk that is only read: nothing can be written";
    return features & SYSTEM_DISK ? "memory, and on the disk" : "memory, until power off";
}

const char *text_error(int error)
{
    static const char *const texts[] = {
        [-ERROR_END_OF_INPUT] = "end of input",
        [-ERROR_BAD_ADDRESS] = "bad address",
        [-ERROR_BAD_ARGUMENT] = "bad argument",
        [-ERROR_NO_FILE] = "no such file",
        [-ERROR_NO_PROCESS] = "no such process",
        [-ERROR_NO_MEMORY] = "out of memory",
        [-ERROR_TABLE_FULL] = "too many",
        [-ERROR_NOT_PROGRAM] = "not a program",
        [-ERROR_DISK] = "no room on the disk, or it cannot be written to",
        [-ERROR_BAD_CALL] = "no such system call",
    };
    unsigned index = (unsigned)-error;

    return index < sizeof texts / sizeof texts[0] && texts[index] ? texts[index] : "unknown error";
}
