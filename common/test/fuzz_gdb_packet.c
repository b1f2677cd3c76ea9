/* libFuzzer: arbitrary bytes from a client. Packets must stay within the parser's buffer and scans
 * within their packet, and the parser must read back each payload that the writer writes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/gdb/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gdb_parser parser, again;
static struct gdb_writer writer;

static void scan_all(const char *bytes, size_t length)
{
    struct gdb_scan scan = {bytes, bytes + length};
    uint64_t a, b;
    uint8_t two[2];

    while (gdb_scan_left(&scan) > 0)
        if (!gdb_scan_range(&scan, &a, &b) && !gdb_scan_hex(&scan, two, sizeof two) &&
            !gdb_scan_number(&scan, &a) && !gdb_scan_word(&scan, "vCont"))
            scan.at++;
}

static void check_return(const char *bytes, size_t length)
{
    enum gdb_input last = GDB_INPUT_NOTHING;

    gdb_begin(&writer);
    gdb_put_binary(&writer, bytes, length);
    gdb_finish(&writer);
    if (writer.overflow) /* with its escapes it is longer than a packet */
        return;
    memset(&again, 0, sizeof again);
    for (size_t i = 0; i < writer.length; i++)
        last = gdb_parse(&again, (uint8_t)writer.bytes[i]);
    if (last != GDB_INPUT_PACKET || again.length != length ||
        memcmp(again.bytes, bytes, length) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&parser, 0, sizeof parser);
    for (size_t i = 0; i < size; i++) {
        if (gdb_parse(&parser, data[i]) != GDB_INPUT_PACKET)
            continue;
        if (parser.length > GDB_PACKET_MAX || parser.bytes[parser.length] != '\0')
            abort();
        scan_all(parser.bytes, parser.length);
        check_return(parser.bytes, parser.length);
    }
    return 0;
}
