/* Runs rounds: each rewrites one of 16 files, then writes its number into another; see load.h. The
 * file system keeps the order of changes, so the number says what the files must contain. */
#include "selftest/load.h"

#include <stddef.h>
#include <stdint.h>

#include "common/string.h"
#include "cpu/machine.h"
#include "fs/fs.h"
#include "fs/system.h"
#include "iostream.h"
#include "kmalloc.h"
#include "selftest/load_files.h"

enum { SYNC_EVERY = 3 };

static struct inode *root;
static uint32_t *words; /* LOAD_WORDS of them */

static void __attribute__((noreturn)) fail(const char *what, uint32_t round, int64_t error)
{
    println("load: round %u: %s: %s", round, what, fs_error_text((int)error));
    machine_end(MACHINE_FAILED);
}

/* Makes a round's file: its number, then words computed from it. */
static void make_file(uint32_t round)
{
    size_t bytes = load_fill(round, words);
    char path[LOAD_PATH];
    struct inode *file;
    int64_t result;

    load_path(round, path);
    result = fs_unlink(root, path);
    if (result < 0 && result != FS_NOT_FOUND)
        fail("unlink", round, result);
    result = fs_create(root, path, HLEOS_FS_FILE, 0, &file);
    if (result < 0)
        fail("create", round, result);
    result = fs_write(file, 0, words, bytes);
    if (result != (int64_t)bytes)
        fail("write", round, result);
    fs_release(file);
}

static struct inode *counter_file(void)
{
    struct inode *file = NULL;
    int error = fs_create(root, "/load", HLEOS_FS_DIRECTORY, 0, NULL);

    if (error == 0 || error == FS_EXISTS)
        error = fs_create(root, LOAD_COUNTER, HLEOS_FS_FILE, 0, &file);
    if (error == FS_EXISTS)
        error = fs_lookup(root, LOAD_COUNTER, &file);
    if (error < 0)
        fail("its counter", 0, error);
    return file;
}

void load_run(const char *option)
{
    bool forever = strcmp(option, "forever") == 0;
    struct inode *counter;
    uint32_t last = 0, bad;
    int64_t result;

    root = system_fs() != NULL ? fs_root(system_fs()) : NULL;
    words = kmalloc(LOAD_WORDS * sizeof *words);
    if (root == NULL || words == NULL)
        fail("file system or memory", 0, FS_NONE);
    counter = counter_file();
    result = fs_read(counter, 0, &last, sizeof last);
    if (result < 0)
        fail("its counter", 0, result);
    bad = load_look(root, last, words);
    if (bad != 0)
        fail("its file is not what it should be", bad, FS_CORRUPT);
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
