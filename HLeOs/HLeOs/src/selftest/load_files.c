/* See load_files.h. The file system keeps the order of changes, so the number of the last round
 * says what the files must contain. */
#include "selftest/load_files.h"

#include <stdbool.h>

#include "common/fmt.h"
#include "fs/fs.h"

static uint32_t length_of(uint32_t round)
{
    return 1 + round * 7919 % (LOAD_WORDS - 1);
}

void load_path(uint32_t round, char path[LOAD_PATH])
{
    fmt_snprint(path, LOAD_PATH, "/load/f%u", round % LOAD_FILES);
}

size_t load_fill(uint32_t round, uint32_t words[LOAD_WORDS])
{
    for (uint32_t i = 0; i < length_of(round); i++)
        words[i] = round + i * round;
    return length_of(round) * sizeof *words;
}

/* The number of the complete round in a file; 0 if the file is missing or empty. Sets `damaged` if
 * it contains anything else. */
static uint32_t read_file(struct inode *root, uint32_t round, uint32_t *words, bool *damaged)
{
    char path[LOAD_PATH];
    struct inode *file;
    int64_t bytes;
    uint32_t found;

    load_path(round, path);
    if (fs_lookup(root, path, &file) < 0)
        return 0;
    bytes = fs_read(file, 0, words, LOAD_WORDS * sizeof *words);
    fs_release(file);
    if (bytes == 0)
        return 0;
    found = bytes > 0 ? words[0] : 0;
    *damaged = bytes != (int64_t)(length_of(found) * sizeof *words);
    for (uint32_t i = 0; i < length_of(found) && !*damaged; i++)
        *damaged = words[i] != found + i * found;
    return found;
}

uint32_t load_look(struct inode *root, uint32_t last, uint32_t words[LOAD_WORDS])
{
    for (uint32_t round = last >= LOAD_FILES ? last - LOAD_FILES + 1 : 1; round <= last; round++) {
        bool damaged = false, next = round % LOAD_FILES == (last + 1) % LOAD_FILES;
        uint32_t found = read_file(root, round, words, &damaged);

        if (damaged || (found != round && !(next && (found == 0 || found == last + 1))))
            return round;
    }
    return 0;
}
