/* libFuzzer: whatever a client sends, the stub answers within its buffers and survives. A byte 0xff
 * starts a packet with the right checksum around what follows, so that more than the parser is
 * reached; 0xfe makes a running machine stop. */
#include <stdio.h>

#include "fake_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t feed_packet(struct gdb_stub *stub, const uint8_t *data, size_t size)
{
    uint8_t sum = 0;
    char end[4];
    size_t n = 0;

    while (n < size && data[n] < 0xfe && data[n] != '#' && data[n] != '$')
        sum += data[n++];
    snprintf(end, sizeof end, "#%02x", sum);
    fake_feed(stub, "$", 1);
    fake_feed(stub, data, n);
    fake_feed(stub, end, 3);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned modes[] = {16, 32, 64, 64};
    static struct fake_target target;
    static struct gdb_stub stub;
    size_t at = 1;

    if (size == 0)
        return 0;
    fake_begin(&stub, &target, modes[data[0] & 3]);
    while (at < size) {
        uint8_t byte = data[at++];

        if (byte == 0xff)
            at += feed_packet(&stub, data + at, size - at);
        else if (byte == 0xfe)
            gdb_stub_stopped(
                &stub, &(struct gdb_stop){.reason = (enum gdb_reason)(at % 7), .cpu = at & 1});
        else
            fake_feed(&stub, &byte, 1);
    }
    return 0;
}
