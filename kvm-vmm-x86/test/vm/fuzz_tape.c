/* libFuzzer: any recording is refused, or can be played to its end. The header's length and
 * checksum are corrected, so that more code is reached. */
#include <stdlib.h>
#include <string.h>

#include "watch/travel/tape_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void play(const struct tape *tape)
{
    struct tape_place place = {0};
    struct exit_record record;
    struct tape_end end;
    enum tape_kind kind = TAPE_EXIT;
    uint64_t exits = 0, value;
    size_t before;

    while (place.at < tape->used) {
        before = place.at;
        kind = tape_next(tape, &place, exits);
        if (kind == TAPE_END && tape_take_end(tape, &place, exits, &end) != TAPE_FOUND)
            abort();
        else if (kind == TAPE_EXIT && tape_take_exit(tape, &place, exits, &record) != TAPE_FOUND)
            abort();
        else if (kind != TAPE_END && kind != TAPE_EXIT && kind != TAPE_NOTHING &&
                 kind != TAPE_SKIP && tape_take(tape, &place, exits, kind, &value) != TAPE_FOUND)
            abort();
        if (place.exits > exits)
            exits = place.exits;
        else if (place.at == before) /* after exits that are only counted */
            exits = tape->end.exits > exits ? exits + 1 + (tape->end.exits - exits) / 2 : exits + 1;
        if (exits > tape->end.exits + 1)
            return; /* entries in between were skipped */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape_header header = {0}, read;
    struct tape raw = {.bytes = (uint8_t *)data, .used = size}, tape;
    uint8_t *file = malloc(sizeof header + size);
    struct error error;

    tape_file_seal(&header, &raw);
    memcpy(file, &header, sizeof header);
    memcpy(file + sizeof header, data, size);
    if (tape_file_read(file, sizeof header + size, &read, &tape, &error) == 0) {
        play(&tape);
        tape_release(&tape);
    }
    if (tape_file_read(data, size, &read, &tape, &error) == 0)
        tape_release(&tape);
    free(file);
    return 0;
}
