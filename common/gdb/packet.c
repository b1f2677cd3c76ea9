/* Framing, escapes and hex; see packet.h. */
#include "common/gdb/packet.h"

#include "common/string.h"

enum { ESCAPE = '}', ESCAPE_BIT = 0x20, CTRL_C = 0x03 };

static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char digit(unsigned value)
{
    return "0123456789abcdef"[value & 15];
}

static void begin_packet(struct gdb_parser *p)
{
    p->state = GDB_PAYLOAD;
    p->sum = 0;
    p->length = 0;
    p->too_long = false;
}

static enum gdb_input between(struct gdb_parser *p, uint8_t byte)
{
    switch (byte) {
    case '$':
        begin_packet(p);
        return GDB_INPUT_NOTHING;
    case '-':
        return GDB_INPUT_REFUSED;
    case CTRL_C:
        return GDB_INPUT_INTERRUPT;
    default: /* '+', and noise on the line */
        return GDB_INPUT_NOTHING;
    }
}

static void append(struct gdb_parser *p, uint8_t byte)
{
    if (p->length < GDB_PACKET_MAX)
        p->bytes[p->length++] = (char)byte;
    else
        p->too_long = true;
}

static enum gdb_input finish_packet(struct gdb_parser *p)
{
    p->state = GDB_BETWEEN;
    if (p->sum != p->told)
        return GDB_INPUT_BROKEN;
    if (p->too_long)
        p->length = 0; /* handled as an empty packet, which gets the answer for unknown packets */
    p->bytes[p->length] = '\0';
    return GDB_INPUT_PACKET;
}

static enum gdb_input sum_digit(struct gdb_parser *p, uint8_t byte)
{
    int value = digit_value(byte);

    if (value < 0) {
        p->state = GDB_BETWEEN;
        return byte == '$' ? between(p, byte) : GDB_INPUT_BROKEN;
    }
    p->told = (uint8_t)(p->told << 4 | value);
    if (p->state == GDB_SUM_LOW)
        return finish_packet(p);
    p->state = GDB_SUM_LOW;
    return GDB_INPUT_NOTHING;
}

enum gdb_input gdb_parse(struct gdb_parser *p, uint8_t byte)
{
    switch (p->state) {
    case GDB_BETWEEN:
        return between(p, byte);
    case GDB_SUM_HIGH:
    case GDB_SUM_LOW:
        return sum_digit(p, byte);
    default:
        break;
    }
    if (byte == '#') {
        p->state = GDB_SUM_HIGH;
        return GDB_INPUT_NOTHING;
    }
    if (byte == '$') { /* never part of a payload: the end of the last packet was lost */
        begin_packet(p);
        return GDB_INPUT_NOTHING;
    }
    p->sum += byte;
    if (p->state == GDB_ESCAPE) {
        p->state = GDB_PAYLOAD;
        append(p, byte ^ ESCAPE_BIT);
    } else if (byte == ESCAPE) {
        p->state = GDB_ESCAPE;
    } else {
        append(p, byte);
    }
    return GDB_INPUT_NOTHING;
}

/* Room for `count` characters, the '$' before them, and '#' and two digits after them. */
static bool has_room(struct gdb_writer *w, size_t count)
{
    bool room = count <= GDB_PACKET_MAX + 1 - w->length;

    w->overflow |= !room;
    return room;
}

void gdb_begin(struct gdb_writer *w)
{
    w->bytes[0] = '$';
    w->length = 1;
    w->overflow = false;
}

void gdb_finish(struct gdb_writer *w)
{
    uint8_t sum = 0;

    for (size_t i = 1; i < w->length; i++)
        sum += (uint8_t)w->bytes[i];
    w->bytes[w->length++] = '#';
    w->bytes[w->length++] = digit(sum >> 4);
    w->bytes[w->length++] = digit(sum);
}

void gdb_put_text(struct gdb_writer *w, const char *text)
{
    size_t length = strlen(text);

    if (!has_room(w, length))
        return;
    memcpy(w->bytes + w->length, text, length);
    w->length += length;
}

void gdb_put_hex(struct gdb_writer *w, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;

    if (!has_room(w, 2 * count))
        return;
    for (size_t i = 0; i < count; i++) {
        w->bytes[w->length++] = digit(from[i] >> 4);
        w->bytes[w->length++] = digit(from[i]);
    }
}

void gdb_put_number(struct gdb_writer *w, uint64_t number)
{
    char digits[17];
    unsigned i = sizeof digits - 1;

    digits[i] = '\0';
    do
        digits[--i] = digit((unsigned)number);
    while ((number >>= 4) != 0);
    gdb_put_text(w, digits + i);
}

void gdb_put_binary(struct gdb_writer *w, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;

    for (size_t i = 0; i < count; i++) {
        bool special = strchr("#$}*", from[i]) != NULL && from[i] != '\0';

        if (!has_room(w, special ? 2 : 1))
            return;
        if (special)
            w->bytes[w->length++] = ESCAPE;
        w->bytes[w->length++] = (char)(special ? from[i] ^ ESCAPE_BIT : from[i]);
    }
}

void gdb_put_result(struct gdb_writer *w, int result)
{
    uint8_t number = (uint8_t)-result;

    gdb_put_text(w, result < 0 ? "E" : "OK");
    if (result < 0)
        gdb_put_hex(w, &number, sizeof number);
}

size_t gdb_scan_left(const struct gdb_scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

bool gdb_scan_word(struct gdb_scan *scan, const char *word)
{
    size_t length = strlen(word);

    if (gdb_scan_left(scan) < length || memcmp(scan->at, word, length) != 0)
        return false;
    scan->at += length;
    return true;
}

bool gdb_scan_number(struct gdb_scan *scan, uint64_t *number)
{
    const char *at = scan->at;
    uint64_t value = 0;

    while (at < scan->end && digit_value((uint8_t)*at) >= 0) {
        if (value >> 60 != 0)
            return false;
        value = value << 4 | (uint64_t)digit_value((uint8_t)*at++);
    }
    if (at == scan->at)
        return false;
    scan->at = at;
    *number = value;
    return true;
}

bool gdb_scan_range(struct gdb_scan *scan, uint64_t *address, uint64_t *length)
{
    struct gdb_scan begin = *scan;

    if (gdb_scan_number(scan, address) && gdb_scan_word(scan, ",") && gdb_scan_number(scan, length))
        return true;
    *scan = begin;
    return false;
}

bool gdb_scan_hex(struct gdb_scan *scan, void *bytes, size_t count)
{
    uint8_t *to = bytes;

    if (gdb_scan_left(scan) / 2 < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int high = digit_value((uint8_t)scan->at[2 * i]);
        int low = digit_value((uint8_t)scan->at[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    scan->at += 2 * count;
    return true;
}
