/*
 * The bytes of gdb's remote serial protocol: packets in, packets out (GDB manual, appendix E.1
 * "Overview"). Whatever comes in, the parser stays within its buffer and finds the next packet.
 * Freestanding, no state of its own. The stub in each product interprets the packets.
 */
#ifndef COMMON_GDB_PACKET_H
#define COMMON_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a packet's payload, in either direction: what we announce as PacketSize. */
enum { GDB_PACKET_MAX = 0x4000 };

/* What a byte completed. */
enum gdb_input {
    GDB_INPUT_NOTHING,
    GDB_INPUT_PACKET,    /* its payload is in `bytes` and `length`; empty if it was too long */
    GDB_INPUT_BROKEN,    /* a packet whose checksum does not fit */
    GDB_INPUT_REFUSED,   /* a '-': what we sent last did not arrive well */
    GDB_INPUT_INTERRUPT, /* Ctrl-C, outside of a packet */
};

struct gdb_parser {
    enum { GDB_BETWEEN, GDB_PAYLOAD, GDB_ESCAPE, GDB_SUM_HIGH, GDB_SUM_LOW } state;
    uint8_t sum, told; /* of the bytes so far; what the packet says */
    bool too_long;
    size_t length;
    char bytes[GDB_PACKET_MAX + 1]; /* terminated, but may hold any byte */
};

enum gdb_input gdb_parse(struct gdb_parser *parser, uint8_t byte);

/* A packet being written: gdb_begin, then payload, then gdb_finish, after which `bytes` may be
 * sent. What does not fit is left out, and `overflow` set. */
struct gdb_writer {
    size_t length;
    bool overflow;
    char bytes[GDB_PACKET_MAX + 8];
};

void gdb_begin(struct gdb_writer *writer);
void gdb_finish(struct gdb_writer *writer);

void gdb_put_text(struct gdb_writer *writer, const char *text);
/* Two digits a byte, in memory order. */
void gdb_put_hex(struct gdb_writer *writer, const void *bytes, size_t count);
/* A number, most significant digit first, no leading zeros. */
void gdb_put_number(struct gdb_writer *writer, uint64_t number);
/* Raw bytes, escaped where the protocol needs it. */
void gdb_put_binary(struct gdb_writer *writer, const void *bytes, size_t count);
/* "OK", or the error packet for a negative errno. gdb only looks whether it is an error. */
void gdb_put_result(struct gdb_writer *writer, int result);

/* A payload being read. Each function takes what it names from the front and says whether it was
 * there; nothing is taken if it was not. */
struct gdb_scan {
    const char *at, *end;
};

bool gdb_scan_word(struct gdb_scan *scan, const char *word);
bool gdb_scan_number(struct gdb_scan *scan, uint64_t *number);
/* ADDRESS,LENGTH */
bool gdb_scan_range(struct gdb_scan *scan, uint64_t *address, uint64_t *length);
/* Exactly `count` bytes in hex. */
bool gdb_scan_hex(struct gdb_scan *scan, void *bytes, size_t count);
size_t gdb_scan_left(const struct gdb_scan *scan);

#endif
