/* The format of recordings; see tape_file.h. */
#include "watch/travel/tape_file.h"

#include <stdlib.h>
#include <string.h>

static const char magic[8] = {'K', 'V', 'M', 'V', 'T', 'A', 'P', 'E'};

/* Eight bytes at a time, because it sums all of a guest's memory. It does not protect against
 * intended changes. */
uint64_t tape_file_sum(uint64_t sum, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;
    uint64_t word;

    for (; count >= sizeof word; count -= sizeof word, from += sizeof word) {
        memcpy(&word, from, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    for (; count > 0; count--)
        sum = (sum ^ *from++) * UINT64_C(0x100000001b3);
    return sum;
}

void tape_file_seal(struct tape_header *header, const struct tape *tape)
{
    memcpy(header->magic, magic, sizeof magic);
    header->version = TAPE_FILE_VERSION;
    header->length = tape->used;
    header->sum = tape_file_sum(0, tape->bytes, tape->used);
}

int tape_file_read(const uint8_t *bytes, size_t size, struct tape_header *header, struct tape *tape,
                   struct error *error)
{
    if (size < sizeof *header || memcmp(bytes, magic, sizeof magic) != 0)
        return error_set(error, "it is not a recording (--record makes them)");
    memcpy(header, bytes, sizeof *header);
    if (header->version != TAPE_FILE_VERSION)
        return error_set(error, "its format is version %u, this kvm-vmm reads version %d",
                         header->version, TAPE_FILE_VERSION);
    bytes += sizeof *header;
    size -= sizeof *header;
    if (header->length != size)
        return error_set(
            error, "it has %zu bytes after its header, which says %lu: it was cut short or changed",
            size, header->length);
    if (tape_file_sum(0, bytes, size) != header->sum)
        return error_set(error, "it is damaged: its checksum differs");
    *tape = (struct tape){.bytes = malloc(size + 1), .used = size, .size = size, .limit = size};
    if (tape->bytes == NULL)
        return error_set(error, "out of memory");
    memcpy(tape->bytes, bytes, size);
    if (tape_check(tape))
        return 0;
    error_set(error, "it is damaged %zu bytes after its header", tape->end.at);
    tape_release(tape);
    return -1;
}
