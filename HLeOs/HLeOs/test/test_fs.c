/* Unit tests of the file system, on a disk in memory: results of calls; full, failing and damaged
 * disks. test_crash.c tests crashes. */
#include "unit.h"

#include <stdio.h>

#include "HLeOs/HLeOs/mkimage/check.h"
#include "HLeOs/HLeOs/mkimage/mkfs.h"
#include "HLeOs/HLeOs/mkimage/ram.h"
#include "fs/format.h"
#include "fs/fs.h"

enum { IMAGE = 4 << 20, BLOCKS = IMAGE / HLEOS_FS_BLOCK };

/* A disk on which the `left`th request from now on and all later ones fail; none if `left` is
 * negative. */
struct failing {
    struct ram ram;
    struct disk_ops good;
    long left;
};

static bool fails(struct failing *f)
{
    return f->left == 0 || (f->left > 0 && --f->left == 0);
}

static int failing_read(struct disk *disk, uint64_t sector, unsigned count, void *bytes)
{
    struct failing *f = (struct failing *)disk;

    return fails(f) ? DISK_FAILED : f->good.read(disk, sector, count, bytes);
}

static int failing_write(struct disk *disk, uint64_t sector, unsigned count, const void *bytes)
{
    struct failing *f = (struct failing *)disk;

    return fails(f) ? DISK_FAILED : f->good.write(disk, sector, count, bytes);
}

static int failing_flush(struct disk *disk)
{
    return fails((struct failing *)disk) ? DISK_FAILED : 0;
}

struct machine {
    uint8_t *image;
    struct failing disk;
    struct fs *fs;
    struct inode *root;
    const char *why;
};

static int mount(struct machine *m)
{
    static const struct disk_ops ops = {failing_read, failing_write, failing_flush};
    int error;

    ram_init(&m->disk.ram, m->image, IMAGE);
    m->disk.good = *m->disk.ram.disk.ops;
    m->disk.ram.disk.ops = &ops;
    error = fs_mount(&m->disk.ram.disk, 0, m->disk.ram.disk.sectors, &m->fs, &m->why);
    m->root = error == 0 ? fs_root(m->fs) : NULL;
    return error;
}

static void unmount(struct machine *m)
{
    fs_release(m->root);
    fs_unmount(m->fs);
}

static void start(struct machine *m)
{
    *m = (struct machine){.image = calloc(1, IMAGE), .disk.left = -1};
    assert_null(mkfs_format(m->image, IMAGE));
    assert_int_equal(mount(m), 0);
}

static void report(const char *line)
{
    print_error("%s\n", line);
}

static void end(struct machine *m)
{
    struct check_result result;

    unmount(m);
    result = check_image(m->image, IMAGE, report);
    assert_int_equal(result.errors, 0);
    assert_int_equal(result.orphans, 0);
    free(m->image);
}

static struct inode *make(struct machine *m, const char *path)
{
    struct inode *inode;

    assert_int_equal(fs_create(m->root, path, HLEOS_FS_FILE, 0, &inode), 0);
    return inode;
}

static void test_answers(void **state)
{
    struct machine m;
    struct inode *file, *found;
    struct hleos_fs_entry entry;
    char name[HLEOS_FS_NAME_MAX + 3] = "/", byte;
    uint64_t offset = 0;

    (void)state;
    start(&m);
    file = make(&m, "/file");
    memset(name + 1, 'n', HLEOS_FS_NAME_MAX);
    assert_int_equal(fs_create(m.root, name, HLEOS_FS_DIRECTORY, 0, NULL), 0);
    name[HLEOS_FS_NAME_MAX + 1] = 'n';
    assert_int_equal(fs_create(m.root, name, HLEOS_FS_FILE, 0, NULL), FS_NAME);
    assert_int_equal(fs_lookup(m.root, name, &found), FS_NAME);
    assert_int_equal(fs_lookup(m.root, "", &found), FS_NAME);
    assert_int_equal(fs_create(m.root, "/", HLEOS_FS_FILE, 0, NULL), FS_NAME);
    assert_int_equal(fs_create(m.root, "/x/..", HLEOS_FS_FILE, 0, NULL), FS_NOT_FOUND);
    assert_int_equal(fs_create(m.root, "/.", HLEOS_FS_FILE, 0, NULL), FS_NAME);
    assert_int_equal(fs_unlink(m.root, "/.."), FS_NAME);
    assert_int_equal(fs_create(m.root, "/file", HLEOS_FS_FILE, 0, NULL), FS_EXISTS);
    assert_int_equal(fs_create(m.root, "/file/x", HLEOS_FS_FILE, 0, NULL), FS_NOT_DIRECTORY);
    assert_int_equal(fs_lookup(m.root, "/file/", &found), FS_NOT_DIRECTORY);
    assert_int_equal(fs_lookup(m.root, "/none", &found), FS_NOT_FOUND);
    assert_int_equal(fs_create(m.root, "new/", HLEOS_FS_FILE, 0, NULL), FS_NAME);
    assert_int_equal(fs_link(file, m.root, "new//"), FS_NAME);
    assert_int_equal(fs_lookup(m.root, "new", &found), FS_NOT_FOUND);
    assert_int_equal(fs_unlink(m.root, "/file/"), FS_NOT_DIRECTORY);
    assert_int_equal(fs_lookup(m.root, "/file", &found), 0);
    fs_release(found);
    assert_int_equal(fs_create(m.root, "//d///", HLEOS_FS_DIRECTORY, 0, NULL), 0);
    assert_int_equal(fs_create(m.root, "d/../d/./e", HLEOS_FS_DIRECTORY, 0, NULL), 0);
    assert_int_equal(fs_unlink(m.root, "d"), FS_NOT_EMPTY);
    assert_int_equal(fs_lookup(m.root, "d", &found), 0);
    assert_int_equal(fs_link(found, m.root, "d2"), FS_IS_DIRECTORY);
    assert_int_equal(fs_write(found, 0, "x", 1), FS_IS_DIRECTORY);
    assert_int_equal(fs_truncate(found, 0), FS_INVALID);
    assert_int_equal(fs_unlink(found, "e"), 0);
    assert_int_equal(fs_unlink(m.root, "d"), 0);
    /* An open directory without a name is empty. */
    assert_int_equal(fs_create(found, "x", HLEOS_FS_FILE, 0, NULL), FS_NOT_FOUND);
    assert_int_equal(fs_entry(found, &offset, &entry), 0);
    fs_release(found);
    assert_int_equal(fs_entry(file, &offset, &entry), FS_NOT_DIRECTORY);
    assert_int_equal(fs_create(m.root, "console", HLEOS_FS_DEVICE, 7, &found), 0);
    assert_int_equal(fs_write(found, 0, "x", 1), FS_INVALID);
    assert_int_equal(fs_read(found, 0, &byte, 1), 0);
    fs_release(found);
    assert_int_equal(fs_write(file, HLEOS_FS_FILE_MAX, "x", 1), FS_TOO_LARGE);
    assert_int_equal(fs_write(file, UINT64_MAX, "xy", 2), FS_TOO_LARGE);
    assert_int_equal(fs_truncate(file, HLEOS_FS_FILE_MAX + 1), FS_TOO_LARGE);
    fs_release(file);
    offset = 3;
    assert_int_equal(fs_entry(m.root, &offset, &entry), FS_INVALID);
    end(&m);
}

static void test_large_files(void **state)
{
    static const uint64_t places[] = {
        0, HLEOS_FS_DIRECT * HLEOS_FS_BLOCK - 3,
        (HLEOS_FS_DIRECT + HLEOS_FS_POINTERS) * HLEOS_FS_BLOCK - 5,
        (HLEOS_FS_DIRECT + 5 * HLEOS_FS_POINTERS) * HLEOS_FS_BLOCK - 9, HLEOS_FS_FILE_MAX - 10};
    struct machine m;
    uint32_t before;
    struct inode *file;
    struct fs_stat stat;
    char text[11];

    (void)state;
    start(&m);
    before = fs_stats(m.fs).free_blocks;
    file = make(&m, "f");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 5; i++) {
            snprintf(text, sizeof text, "here is %zu.", i);
            assert_int_equal(fs_write(file, places[i], text, 10), 10);
        }
        assert_int_equal(fs_stat(file, &stat), 0);
        assert_true(stat.size == HLEOS_FS_FILE_MAX);
        for (size_t i = 0; i < 5; i++) {
            char expected[11];

            snprintf(expected, sizeof expected, "here is %zu.", i);
            assert_int_equal(fs_read(file, places[i], text, 10), 10);
            assert_memory_equal(text, expected, 10);
        }
        assert_int_equal(fs_read(file, places[3] + 20, text, 1), 1);
        assert_int_equal(text[0], 0); /* a hole */
        for (size_t i = 5; i-- > 0;) {
            assert_int_equal(fs_truncate(file, places[i] + 2), 0);
            assert_int_equal(fs_read(file, places[i], text, 10), 2);
            assert_int_equal(fs_sync(m.fs), 0);
            assert_int_equal(check_image(m.image, IMAGE, report).errors, 0);
        }
        assert_int_equal(fs_truncate(file, HLEOS_FS_BLOCK), 0);
        assert_int_equal(fs_read(file, 1, text, 10), 10);
        assert_int_equal(text[0], 'e');
        assert_int_equal(text[1], 0); /* and not the old bytes behind the end */
    }
    assert_int_equal(fs_unlink(m.root, "f"), 0);
    assert_true(fs_stats(m.fs).free_blocks < before);
    fs_release(file);
    assert_int_equal(fs_stats(m.fs).free_blocks, before);
    end(&m);
}

/* Uses all blocks and all inodes, then frees them. */
static void test_full(void **state)
{
    static uint8_t bytes[300000];
    struct machine m;
    uint32_t before;
    struct inode *file;
    struct inode *other;
    int64_t total = 0, some, rest = 0;
    char name[20];
    int made = 0, error;

    (void)state;
    start(&m);
    before = fs_stats(m.fs).free_blocks;
    file = make(&m, "f");
    while ((some = fs_write(file, (uint64_t)total, bytes, sizeof bytes)) > 0)
        total += some;
    assert_int_equal(some, FS_NO_SPACE);
    assert_true(total > (int64_t)(before - 8) * HLEOS_FS_BLOCK && total % HLEOS_FS_BLOCK == 0);
    assert_int_equal(fs_write(file, 0, bytes, sizeof bytes), sizeof bytes); /* needs no room */
    other = make(&m, "g"); /* the next block of the first file needs blocks of pointers */
    while (fs_write(other, (uint64_t)rest, bytes, 1) == 1)
        rest += HLEOS_FS_BLOCK;
    assert_int_equal(fs_stats(m.fs).free_blocks, 0);
    fs_release(other);
    assert_int_equal(fs_create(m.root, "d", HLEOS_FS_DIRECTORY, 0, NULL), FS_NO_SPACE);
    assert_int_equal(fs_sync(m.fs), 0);
    assert_int_equal(check_image(m.image, IMAGE, report).errors, 0);
    assert_int_equal(fs_stats(m.fs).error, 0);
    assert_int_equal(fs_truncate(file, 0), 0);
    fs_release(file);
    do {
        snprintf(name, sizeof name, "n%d", made);
        error = fs_create(m.root, name, HLEOS_FS_FILE, 0, NULL);
    } while (error == 0 && ++made < 5000);
    assert_int_equal(error, FS_NO_INODES);
    assert_int_equal(made, fs_stats(m.fs).inodes - 4);
    while (made-- > 0) {
        snprintf(name, sizeof name, "n%d", made);
        assert_int_equal(fs_unlink(m.root, name), 0);
    }
    end(&m);
}

/* Lets each request fail in turn: the call returns an error, nothing is written any more, and the
 * disk passes the checks. */
static void test_failing_disk(void **state)
{
    static uint8_t bytes[100000];
    unsigned readonly = 0;

    (void)state;
    for (long at = 1; at < 400; at += 3) {
        struct machine m;
        int error = 0;

        start(&m);
        m.disk.left = at;
        for (int i = 0; i < 12 && error == 0; i++) {
            char name[20];
            struct inode *file = NULL;

            snprintf(name, sizeof name, "n%d", i);
            error = fs_create(m.root, name, HLEOS_FS_FILE, 0, &file);
            if (error == 0) {
                int64_t written = fs_write(file, 1000, bytes, sizeof bytes);

                error = written < 0 ? (int)written : 0;
            }
            if (error == 0 && i % 3 == 2)
                error = fs_sync(m.fs);
            fs_release(file);
        }
        if (error < 0) {
            assert_true(error == FS_DISK || error == FS_READ_ONLY);
            assert_int_equal(fs_create(m.root, "more", HLEOS_FS_FILE, 0, NULL), FS_READ_ONLY);
            assert_true(fs_sync(m.fs) < 0);
            readonly++;
        }
        fs_release(m.root);
        fs_unmount(m.fs);
        assert_int_equal(check_image(m.image, IMAGE, report).errors, 0);
        m.disk.left = -1;
        assert_int_equal(mount(&m), 0); /* and works again with another disk */
        unmount(&m);
        free(m.image);
    }
    assert_true(readonly > 50);
}

/* A file without a name is open when the machine stops. */
static void test_orphans(void **state)
{
    struct machine m, after = {.image = malloc(IMAGE), .disk.left = -1};
    struct inode *file;
    uint32_t before;

    (void)state;
    start(&m);
    file = make(&m, "f");
    before = fs_stats(m.fs).free_blocks;
    assert_int_equal(fs_write(file, 5000, "text", 4), 4);
    assert_int_equal(fs_unlink(m.root, "f"), 0);
    assert_int_equal(fs_sync(m.fs), 0);
    memcpy(after.image, m.image, IMAGE);
    assert_int_equal(check_image(after.image, IMAGE, report).errors, 0);
    assert_int_equal(check_image(after.image, IMAGE, report).orphans, 1);
    assert_int_equal(mount(&after), 0);
    assert_int_equal(fs_stats(after.fs).free_blocks, before);
    end(&after);
    fs_release(file);
    end(&m);
}

struct damage {
    const char *name;
    uint32_t block, offset, value; /* a word of a block; the block counts from that area's start */
    char area;                     /* s: superblock, i: inodes, b: bitmap, d: data */
    int mount;                     /* result of the mount */
};

static int complaints;
static void count(const char *line)
{
    (void)line;
    complaints++;
}

static void test_damage(void **state)
{
    static const struct damage damages[] = {
        {"another magic", 0, 0, 1, 's', FS_NONE},
        {"a number of blocks", 0, 8, 1, 's', FS_CORRUPT},
        {"a bit of the metadata", 0, 0, 0, 'b', FS_CORRUPT},
        {"a bit of a block in use", 0, 12, 0x7ff, 'b', 0},
        {"a bit of a block that is free", 0, 100, 1, 'b', 0},
        {"the root's type", 0, 128, 1, 'i', FS_CORRUPT},
        {"a file's type", 0, 256, 9 | 1 << 16, 'i', 0},
        {"a file's links", 0, 256, 1 | 7 << 16, 'i', 0},
        {"a pointer that leads into the log", 0, 256 + 32, 5, 'i', 0},
        {"two pointers to one block", 0, 256 + 36, 107, 'i', 0},
        {"the inode of an entry", 0, 128, 77, 'd', 0},
        {"a directory's own entry", 0, 0, 2, 'd', 0},
    };
    struct hleos_fs_super super;

    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        const struct damage *d = &damages[i];
        struct machine m;
        struct inode *file;
        uint32_t base;

        start(&m);
        file = make(&m, "file");
        assert_int_equal(fs_write(file, 0, "text", 4), 4);
        fs_release(file);
        unmount(&m);
        memcpy(&super, m.image, sizeof super);
        base = d->area == 's'   ? 0
               : d->area == 'i' ? super.inode_start
               : d->area == 'b' ? super.bitmap_start
                                : super.data_start;
        /* Invalidates the log, which would overwrite the damage. */
        for (uint32_t area = 0; area < 2; area++) {
            struct hleos_fs_log log = {.magic = HLEOS_FS_LOG_MAGIC, .sequence = 2 - area};

            log.crc32 = format_log_crc(&log);
            memcpy(m.image + (1 + area * super.log_blocks) * (size_t)HLEOS_FS_BLOCK, &log, 24);
        }
        assert_int_equal(check_image(m.image, IMAGE, report).errors, 0);
        memcpy(m.image + (size_t)(base + d->block) * HLEOS_FS_BLOCK + d->offset, &d->value, 4);
        complaints = 0;
        if (check_image(m.image, IMAGE, count).errors == 0 || complaints == 0)
            fail_msg("%s: not seen", d->name);
        if (mount(&m) != d->mount)
            fail_msg("%s: mounting it says: %s", d->name, m.why);
        assert_non_null(m.why);
        if (d->mount == 0)
            unmount(&m);
        free(m.image);
    }
}

static void test_made_with_files(void **state)
{
    static const struct mkfs_file files[] = {{"/bin/sh", "shell", 5}, {"/bin/ls", "list", 4}},
                                  bad = {"/bin", "x", 1};
    uint8_t *image = calloc(1, IMAGE);
    size_t which = 9;

    (void)state;
    assert_non_null(mkfs_format(image, 50 * HLEOS_FS_BLOCK));
    assert_null(mkfs_format(image, IMAGE));
    assert_int_equal(mkfs_add(image, IMAGE, files, 2, &which), 0);
    assert_int_equal(check_image(image, IMAGE, report).errors, 0);
    assert_int_equal(check_image(image, IMAGE, report).files, 2);
    assert_int_equal(mkfs_add(image, IMAGE, &bad, 1, &which), FS_EXISTS);
    assert_int_equal(which, 0);
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_large_files),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_failing_disk),
        cmocka_unit_test(test_orphans),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_made_with_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
