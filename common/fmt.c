/* Formatted text without a libc; fmt.h says which conversions. No allocation, no state, no floating
 * point. */
#include "common/fmt.h"

#include <stdbool.h>
#include <stdint.h>

enum { DIGITS_MAX = 64 }; /* a 64-bit number in binary */

/* One conversion specification, as parsed. */
struct spec {
    bool left, zero, plus, space, alternate;
    int width;
    int precision; /* -1: none given */
    int length;    /* bytes of the integer argument */
    char conversion;
};

struct output {
    struct fmt_sink *sink;
    int count;
};

static void emit(struct output *out, const char *text, size_t length)
{
    if (length > 0)
        out->sink->write(out->sink, text, length);
    out->count += (int)length;
}

static void pad(struct output *out, char c, int count)
{
    for (; count > 0; count--)
        emit(out, &c, 1);
}

static void emit_padded(struct output *out, const struct spec *spec, const char *text, int length)
{
    if (!spec->left)
        pad(out, ' ', spec->width - length);
    emit(out, text, (size_t)length);
    if (spec->left)
        pad(out, ' ', spec->width - length);
}

static const char *parse_flags(const char *p, struct spec *spec)
{
    for (;; p++) {
        switch (*p) {
        case '-':
            spec->left = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        case '#':
            spec->alternate = true;
            break;
        default:
            return p;
        }
    }
}

static const char *parse_number(const char *p, int *value, va_list *args)
{
    if (*p == '*') {
        *value = va_arg(*args, int);
        return p + 1;
    }
    for (*value = 0; *p >= '0' && *p <= '9'; p++)
        if (*value < 10000)
            *value = *value * 10 + (*p - '0');
    return p;
}

static const char *parse_length(const char *p, struct spec *spec)
{
    switch (*p) {
    case 'h':
        spec->length = p[1] == 'h' ? sizeof(char) : sizeof(short);
        return p[1] == 'h' ? p + 2 : p + 1;
    case 'l':
        spec->length = p[1] == 'l' ? sizeof(long long) : sizeof(long);
        return p[1] == 'l' ? p + 2 : p + 1;
    case 'z':
        spec->length = sizeof(size_t);
        return p + 1;
    case 't':
        spec->length = sizeof(ptrdiff_t);
        return p + 1;
    case 'j':
        spec->length = sizeof(intmax_t);
        return p + 1;
    default:
        return p;
    }
}

static const char *parse_spec(const char *p, struct spec *spec, va_list *args)
{
    *spec = (struct spec){.precision = -1, .length = sizeof(int)};
    p = parse_flags(p, spec);
    p = parse_number(p, &spec->width, args);
    if (spec->width < 0) {
        spec->left = true;
        spec->width = -spec->width;
    }
    if (*p == '.')
        p = parse_number(p + 1, &spec->precision, args);
    p = parse_length(p, spec);
    spec->conversion = *p;
    return *p != '\0' ? p + 1 : p;
}

/* Takes the next integer argument in its promoted size and cuts it to the size of the length
 * modifier. */
static uint64_t next_unsigned(const struct spec *spec, va_list *args)
{
    uint64_t value = spec->length > (int)sizeof(int) ? va_arg(*args, unsigned long long)
                                                     : va_arg(*args, unsigned int);

    if (spec->length < 8)
        value &= (UINT64_C(1) << (spec->length * 8)) - 1;
    return value;
}

static int64_t sign_extend(uint64_t value, int bytes)
{
    int shift = 64 - bytes * 8;

    return (int64_t)(value << shift) >> shift;
}

/* Divides by a small base and returns the remainder. It takes 16 bits at a time: for a 64-bit
 * division on a 32-bit machine the compiler calls a library function, which does not exist here. */
static unsigned divide(uint64_t *value, unsigned base)
{
    uint64_t quotient = 0;
    uint32_t rest = 0;

    for (int shift = 48; shift >= 0; shift -= 16) {
        uint32_t part = rest << 16 | (uint16_t)(*value >> shift);

        quotient = quotient << 16 | part / base;
        rest = part % base;
    }
    *value = quotient;
    return rest;
}

static int to_digits(char digits[DIGITS_MAX], uint64_t value, unsigned base, bool upper)
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    int n = 0;

    while (value != 0)
        digits[n++] = set[divide(&value, base)];
    for (int i = 0; i < n / 2; i++) {
        char c = digits[i];

        digits[i] = digits[n - 1 - i];
        digits[n - 1 - i] = c;
    }
    return n;
}

static void print_number(struct output *out, const struct spec *spec, uint64_t value, unsigned base,
                         const char *prefix)
{
    char digits[DIGITS_MAX];
    int n = to_digits(digits, value, base, spec->conversion == 'X');
    int minimum = spec->precision >= 0 ? spec->precision : 1;
    int prefix_length = 0;
    int zeros;

    while (prefix[prefix_length] != '\0')
        prefix_length++;
    if (spec->zero && !spec->left && spec->precision < 0 && minimum < spec->width - prefix_length)
        minimum = spec->width - prefix_length;
    zeros = n < minimum ? minimum - n : 0;
    if (!spec->left)
        pad(out, ' ', spec->width - prefix_length - zeros - n);
    emit(out, prefix, (size_t)prefix_length);
    pad(out, '0', zeros);
    emit(out, digits, (size_t)n);
    if (spec->left)
        pad(out, ' ', spec->width - prefix_length - zeros - n);
}

static void print_signed(struct output *out, const struct spec *spec, va_list *args)
{
    int64_t value = sign_extend(next_unsigned(spec, args), spec->length);
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

    print_number(out, spec, magnitude, 10,
                 value < 0     ? "-"
                 : spec->plus  ? "+"
                 : spec->space ? " "
                               : "");
}

static void print_string(struct output *out, const struct spec *spec, const char *text)
{
    int length = 0;

    if (text == NULL)
        text = "(null)";
    while ((spec->precision < 0 || length < spec->precision) && text[length] != '\0')
        length++;
    emit_padded(out, spec, text, length);
}

static void print_pointer(struct output *out, const struct spec *spec, const void *pointer)
{
    print_number(out, spec, (uintptr_t)pointer, 16, "0x");
}

/* Prints one conversion; `start` is its '%', printed with what follows it when the conversion is
 * unknown. */
static void print_conversion(struct output *out, const struct spec *spec, const char *start,
                             const char *end, va_list *args)
{
    uint64_t value;
    char c;

    switch (spec->conversion) {
    case 'd':
    case 'i':
        print_signed(out, spec, args);
        break;
    case 'u':
        print_number(out, spec, next_unsigned(spec, args), 10, "");
        break;
    case 'x':
    case 'X':
        value = next_unsigned(spec, args);
        print_number(out, spec, value, 16,
                     !spec->alternate || value == 0 ? ""
                     : spec->conversion == 'x'      ? "0x"
                                                    : "0X");
        break;
    case 'o':
        print_number(out, spec, next_unsigned(spec, args), 8, spec->alternate ? "0" : "");
        break;
    case 'b':
        print_number(out, spec, next_unsigned(spec, args), 2, spec->alternate ? "0b" : "");
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        emit_padded(out, spec, &c, 1);
        break;
    case 's':
        print_string(out, spec, va_arg(*args, const char *));
        break;
    case 'p':
        print_pointer(out, spec, va_arg(*args, const void *));
        break;
    case '%':
        emit(out, "%", 1);
        break;
    default:
        emit(out, start, (size_t)(end - start));
        break;
    }
}

int fmt_vprint(struct fmt_sink *sink, const char *format, va_list args)
{
    struct output out = {.sink = sink};
    va_list copy; /* a va_list parameter may be an array: only a copy of our own has an address to
                     pass on */

    va_copy(copy, args);
    while (*format != '\0') {
        const char *start = format;
        struct spec spec;

        while (*format != '\0' && *format != '%')
            format++;
        emit(&out, start, (size_t)(format - start));
        if (*format == '\0')
            break;
        start = format;
        format = parse_spec(format + 1, &spec, &copy);
        print_conversion(&out, &spec, start, format, &copy);
    }
    va_end(copy);
    return out.count;
}

int fmt_print(struct fmt_sink *sink, const char *format, ...)
{
    va_list args;
    int count;

    va_start(args, format);
    count = fmt_vprint(sink, format, args);
    va_end(args);
    return count;
}

struct buffer_sink {
    struct fmt_sink sink;
    char *buffer;
    size_t size, used;
};

static void buffer_write(struct fmt_sink *sink, const char *text, size_t length)
{
    struct buffer_sink *b = (struct buffer_sink *)sink; /* sink is its first member */

    for (size_t i = 0; i < length && b->used + 1 < b->size; i++)
        b->buffer[b->used++] = text[i];
}

int fmt_vsnprint(char *buffer, size_t size, const char *format, va_list args)
{
    struct buffer_sink b = {.sink = {buffer_write}, .buffer = buffer, .size = size};
    int count = fmt_vprint(&b.sink, format, args);

    if (size > 0)
        buffer[b.used] = '\0';
    return count;
}

int fmt_snprint(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int count;

    va_start(args, format);
    count = fmt_vsnprint(buffer, size, format, args);
    va_end(args);
    return count;
}
