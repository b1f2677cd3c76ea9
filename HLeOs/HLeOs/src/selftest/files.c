/* Tests of the disk and of the file system on it, in a directory of their own. */
#include <stddef.h>
#include <stdint.h>

#include "common/fmt.h"
#include "common/string.h"
#include "disk/disk.h"
#include "fs/fs.h"
#include "fs/system.h"
#include "kmalloc.h"
#include "selftest/selftest.h"
#include "thread.h"

#define HOME "/selftest"

enum { WORKERS = 4, ROUNDS = 12, LARGE = 6 << 20, STEP = 32768, SMALL_FILES = 20 };

/* Returns the root, with an empty directory HOME; NULL if the test does not apply. */
static struct inode *begin(void)
{
    struct inode *root;

    if (system_fs() == NULL) {
        selftest_leave_out("no disk with a file system");
        return NULL;
    }
    root = fs_root(system_fs());
    expect_equal(fs_create(root, HOME, HLEOS_FS_DIRECTORY, 0, NULL), 0);
    return root;
}

static void end(struct inode *root)
{
    expect_equal(fs_unlink(root, HOME), 0);
    expect_equal(fs_stats(system_fs()).error, 0);
    expect_equal(fs_sync(system_fs()), 0);
    fs_release(root);
}

/* The first disk has a boot sector, or a superblock if the whole disk is a file system. */
static void disk_has_a_first_sector_and_an_end(void)
{
    static const uint32_t magic = HLEOS_FS_MAGIC;
    struct disk *disk = disk_get(0);
    uint8_t sector[DISK_SECTOR];

    if (disk == NULL) {
        selftest_leave_out("no disk");
        return;
    }
    expect_equal(disk_read(disk, 0, 1, sector), 0);
    expect((sector[510] == 0x55 && sector[511] == 0xaa) ||
           memcmp(sector, &magic, sizeof magic) == 0);
    expect_equal(disk_read(disk, disk->sectors, 1, sector), DISK_RANGE);
    expect_equal(disk_read(disk, UINT64_MAX, 1, sector), DISK_RANGE);
    expect_equal(disk_write(disk, disk->sectors - 1, 2, sector), DISK_RANGE);
    expect_equal(disk_read(disk, disk->sectors - 1, 1, sector), 0);
    expect_equal(disk_flush(disk), 0);
}

/* Each position in a file has a different word. */
static void fill(uint32_t *words, uint64_t offset, size_t bytes, uint32_t key)
{
    for (size_t i = 0; i < bytes / sizeof *words; i++)
        words[i] = ((uint32_t)(offset / sizeof *words) + (uint32_t)i) * 2654435761u + key;
}

/* A file larger than the cache, which also needs the double indirect block, is written, and read
 * from the disk. */
static void a_large_file_comes_back(void)
{
    struct inode *root = begin(), *file;
    uint32_t *wrote = kmalloc(STEP), *got = kmalloc(STEP);
    uint32_t before;

    if (root == NULL || !expect(wrote != NULL && got != NULL))
        goto out;
    before = fs_stats(system_fs()).free_blocks;
    if (!expect_equal(fs_create(root, HOME "/large", HLEOS_FS_FILE, 0, &file), 0))
        goto out;
    for (uint64_t at = 0; at < LARGE; at += STEP) {
        fill(wrote, at, STEP, 1);
        if (!expect_equal(fs_write(file, at, wrote, STEP), STEP))
            break;
    }
    expect_equal(fs_sync(system_fs()), 0);
    for (uint64_t at = 0; at < LARGE; at += STEP) {
        fill(wrote, at, STEP, 1);
        if (!expect_equal(fs_read(file, at, got, STEP), STEP) ||
            !expect(memcmp(wrote, got, STEP) == 0))
            break;
    }
    expect_equal(fs_unlink(root, HOME "/large"), 0);
    expect_equal(fs_read(file, LARGE - 4, got, STEP), 4); /* held, so it still exists */
    fs_release(file);
    expect_equal(fs_stats(system_fs()).free_blocks, before);
    end(root);
out:
    kfree(wrote);
    kfree(got);
}

struct worker {
    struct inode *root;
    unsigned number;
    const char *failed;
};

/* Makes, changes, checks and removes its own file in parallel with other threads, and syncs
 * sometimes. */
static const char *work(struct worker *w, uint32_t *wrote, uint32_t *got)
{
    char path[40];
    struct inode *file;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t at = round * 3000 / 4 * 4;

        fmt_snprint(path, sizeof path, HOME "/w%u-%u", w->number, round % 3);
        if (fs_create(w->root, path, HLEOS_FS_FILE, 0, &file) < 0)
            return "create";
        fill(wrote, at, STEP, w->number);
        if (fs_write(file, at, wrote, STEP) != STEP)
            return "write";
        if (round % 4 == w->number % 4 && fs_sync(system_fs()) < 0)
            return "sync";
        if (fs_read(file, at, got, STEP) != STEP || memcmp(wrote, got, STEP) != 0)
            return "read";
        if (fs_unlink(w->root, path) < 0)
            return "unlink";
        fs_release(file);
    }
    return NULL;
}

static intptr_t worker(void *argument)
{
    struct worker *w = argument;
    uint32_t *wrote = kmalloc(STEP), *got = kmalloc(STEP);

    w->failed = wrote != NULL && got != NULL ? work(w, wrote, got) : "memory";
    kfree(wrote);
    kfree(got);
    return 0;
}

static void threads_at_once(void)
{
    struct inode *root = begin();
    struct worker workers[WORKERS];
    struct thread *threads[WORKERS];

    if (root == NULL)
        return;
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.root = root, .number = i};
        threads[i] = thread_create("files", THREAD_PRIORITY_NORMAL, worker, &workers[i]);
        expect(threads[i] != NULL);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        if (threads[i] != NULL)
            (void)thread_join(threads[i]);
        expect(workers[i].failed == NULL);
    }
    end(root);
}

static void names_come_and_go(void)
{
    struct inode *root = begin(), *inode, *directory;
    struct hleos_fs_entry entry;
    unsigned seen = 0;
    uint64_t offset = 0;
    char path[40];

    if (root == NULL)
        return;
    for (int i = 0; i < SMALL_FILES; i++) {
        fmt_snprint(path, sizeof path, HOME "/n%d", i);
        expect_equal(fs_create(root, path, HLEOS_FS_FILE, 0, NULL), 0);
    }
    expect_equal(fs_create(root, path, HLEOS_FS_FILE, 0, NULL), FS_EXISTS);
    expect_equal(fs_unlink(root, HOME), FS_NOT_EMPTY);
    expect_equal(fs_lookup(root, HOME, &directory), 0);
    expect_equal(fs_lookup(directory, "../selftest/./n3", &inode), 0);
    expect_equal(fs_link(inode, directory, "second"), 0);
    fs_release(inode);
    while (fs_entry(directory, &offset, &entry) > 0)
        seen++;
    expect_equal(seen, SMALL_FILES + 3); /* ".", ".." and the second name */
    expect_equal(fs_unlink(directory, "second"), 0);
    for (int i = 0; i < SMALL_FILES; i++) {
        fmt_snprint(path, sizeof path, "n%d", i);
        expect_equal(fs_unlink(directory, path), 0);
    }
    fs_release(directory);
    end(root);
}

const struct selftest selftest_files[] = {
    {"disk_has_a_first_sector_and_an_end", disk_has_a_first_sector_and_an_end},
    {"a_large_file_comes_back", a_large_file_comes_back},
    {"threads_at_once", threads_at_once},
    {"names_come_and_go", names_come_and_go},
    {0},
};
