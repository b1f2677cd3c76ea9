/* Rounds: each makes one of 16 files new, then notes its number in a file of its own; see load.h.
 * The file system keeps what is done in its order, so the number says what must be there. */
#include "selftest/load.h"

#include <stddef.h>
#include <stdint.h>

#include "common/fmt.h"
#include "common/string.h"
#include "cpu/machine.h"
#include "fs/fs.h"
#include "fs/system.h"
#include "iostream.h"
#include "kmalloc.h"

enum { FILES = 16, SYNC_EVERY = 3, WORDS_MAX = 10000 };

static struct inode *root;
static uint32_t *words; /* WORDS_MAX of them */

static void __attribute__((noreturn)) fail(const char *what, uint32_t round, int64_t error)
{
    println("load: round %u: %s: %s", round, what, fs_error_text((int)error));
    machine_end(MACHINE_FAILED);
}

static uint32_t length_of(uint32_t round)
{
    return 1 + round * 7919 % (WORDS_MAX - 1);
}

static void path_of(uint32_t round, char *path, size_t size)
{
    fmt_snprint(path, size, "/load/f%u", round % FILES);
}

/* The file that a round makes: its number, then words that follow from it. */
static void make_file(uint32_t round)
{
    size_t bytes = length_of(round) * sizeof *words;
    struct inode *file;
    char path[24];
    int64_t result;

    path_of(round, path, sizeof path);
    result = fs_unlink(root, path);
    if (result < 0 && result != FS_NOT_FOUND)
        fail("unlink", round, result);
    result = fs_create(root, path, HLEOS_FS_FILE, 0, &file);
    if (result < 0)
        fail("create", round, result);
    for (uint32_t i = 0; i < length_of(round); i++)
        words[i] = round + i * round;
    result = fs_write(file, 0, words, bytes);
    if (result != (int64_t)bytes)
        fail("write", round, result);
    fs_release(file);
}

/* The number of the whole round that a file holds; 0 if it is not there or empty. */
static uint32_t read_file(uint32_t round)
{
    struct inode *file;
    char path[24];
    int64_t bytes;
    uint32_t found;

    path_of(round, path, sizeof path);
    if (fs_lookup(root, path, &file) < 0)
        return 0;
    bytes = fs_read(file, 0, words, WORDS_MAX * sizeof *words);
    fs_release(file);
    if (bytes <= 0)
        return 0;
    found = words[0];
    for (uint32_t i = 0; i < length_of(found); i++)
        if (bytes != (int64_t)(length_of(found) * sizeof *words) || words[i] != found + i * found)
            fail("a file with other contents", round, FS_CORRUPT);
    return found;
}

/* What must be there after `last` rounds. The next one's file may be in any of its states. */
static void check(uint32_t last)
{
    for (uint32_t round = last >= FILES ? last - FILES + 1 : 1; round <= last; round++) {
        uint32_t found = read_file(round);
        bool next = round % FILES == (last + 1) % FILES;

        if (found != round && !(next && (found == 0 || found == last + 1)))
            fail("its file is not there", round, FS_NOT_FOUND);
    }
}

static struct inode *counter_file(void)
{
    struct inode *file = NULL;
    int error = fs_create(root, "/load", HLEOS_FS_DIRECTORY, 0, NULL);

    if (error == 0 || error == FS_EXISTS)
        error = fs_create(root, "/load/round", HLEOS_FS_FILE, 0, &file);
    if (error == FS_EXISTS)
        error = fs_lookup(root, "/load/round", &file);
    if (error < 0)
        fail("its counter", 0, error);
    return file;
}

void load_run(const char *option)
{
    bool forever = strcmp(option, "forever") == 0;
    struct inode *counter;
    uint32_t last = 0;
    int64_t result;

    root = system_fs() != NULL ? fs_root(system_fs()) : NULL;
    words = kmalloc(WORDS_MAX * sizeof *words);
    if (root == NULL || words == NULL)
        fail("file system or memory", 0, FS_NONE);
    counter = counter_file();
    result = fs_read(counter, 0, &last, sizeof last);
    if (result < 0)
        fail("its counter", 0, result);
    check(last);
    println("load: found round %u", last);
    while (forever) {
        make_file(++last);
        result = fs_write(counter, 0, &last, sizeof last);
        if (result != sizeof last)
            fail("its counter", last, result);
        if (last % SYNC_EVERY != 0)
            continue;
        result = fs_sync(system_fs());
        if (result < 0)
            fail("sync", last, result);
        println("load: synced %u", last);
    }
    system_sync();
    machine_end(MACHINE_GOOD);
}
