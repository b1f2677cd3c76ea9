/*
 * Tests of crashes: a random load runs on a disk that records each write and flush. Then a stop
 * after each of these is simulated. All writes before the last flush are on the disk, and any
 * sectors of the later ones. Each such disk must pass the checks of fsck, mount, and have the tree
 * as it was after one of the load's calls, which is not older than the last fs_sync().
 *
 *   CRASH_SEED=N     another load
 *   CRASH_ROUNDS=N   that many random choices of sectors for each point (1)
 */
#include "unit.h"

#include <stdio.h>

#include "HLeOs/HLeOs/mkimage/check.h"
#include "HLeOs/HLeOs/mkimage/mkfs.h"
#include "common/crc32.h"
#include "disk/disk.h"
#include "fs/fs.h"

enum { IMAGE = 2 << 20, CALLS = 260, EVENTS_MAX = 20000, FILE_MAX = 200000, AGAIN = 16 };

/* --- a disk that records -------------------------------------------------------------------- */

struct event {
    bool flush;
    uint64_t sector;
    uint8_t bytes[HLEOS_FS_BLOCK];
};

struct recorder {
    struct disk disk;
    uint8_t *bytes;
    struct event *events; /* NULL: not recording */
    size_t count;
};

static int recorder_read(struct disk *disk, uint64_t sector, unsigned count, void *bytes)
{
    const struct recorder *r = (const struct recorder *)disk;

    assert_true(sector + count <= disk->sectors);
    memcpy(bytes, r->bytes + sector * DISK_SECTOR, count * DISK_SECTOR);
    return 0;
}

static int recorder_write(struct disk *disk, uint64_t sector, unsigned count, const void *bytes)
{
    struct recorder *r = (struct recorder *)disk;

    assert_true(sector + count <= disk->sectors && count * DISK_SECTOR == HLEOS_FS_BLOCK);
    memcpy(r->bytes + sector * DISK_SECTOR, bytes, HLEOS_FS_BLOCK);
    if (r->events != NULL) {
        struct event *event = &r->events[r->count++];

        assert_true(r->count < EVENTS_MAX);
        event->flush = false;
        event->sector = sector;
        memcpy(event->bytes, bytes, HLEOS_FS_BLOCK);
    }
    return 0;
}

static int recorder_flush(struct disk *disk)
{
    struct recorder *r = (struct recorder *)disk;

    if (r->events != NULL)
        r->events[r->count++].flush = true;
    return 0;
}

static struct recorder recorder(uint8_t *bytes, struct event *events)
{
    static const struct disk_ops ops = {recorder_read, recorder_write, recorder_flush};

    return (struct recorder){{.ops = &ops, .sectors = IMAGE / DISK_SECTOR}, bytes, events, 0};
}

/* --- the expected tree ---------------------------------------------------------------------- */

static const char *const paths[] = {
    "/d",   "/d/e",   "/f",     "/d/a",   "/d/b",
    "/d/c", "/d/e/a", "/d/e/b", "/d/e/c", "/f/a",
    "/f/b", "/a",     "/b",     "/c",     "/a-longer-name-than-the-others-have",
};
enum { PATHS = sizeof paths / sizeof paths[0], DIRECTORIES = 3 };

struct file {
    unsigned names;
    size_t size;
    uint8_t bytes[FILE_MAX];
};

struct tree {
    bool directory[DIRECTORIES];
    struct file *file[PATHS];
};

static int parent_of(int path)
{
    return path == 1 || (path >= 3 && path <= 5) ? 0
           : path >= 6 && path <= 8              ? 1
           : path == 9 || path == 10             ? 2
                                                 : -1;
}

static bool has_parent(const struct tree *tree, int path)
{
    return parent_of(path) < 0 || tree->directory[parent_of(path)];
}

/* A sum over names, so that their order does not matter. */
static uint64_t digest_of(const char *path, bool directory, const uint8_t *bytes, size_t size)
{
    uint64_t hash = crc32_update(0, path, strlen(path));

    return (hash << 32 | crc32_update((uint32_t)size, bytes, size)) * 0x9e3779b97f4a7c15 +
           directory;
}

static uint64_t tree_digest(const struct tree *tree)
{
    uint64_t sum = 0;

    for (int i = 0; i < PATHS; i++) {
        if (i < DIRECTORIES && tree->directory[i])
            sum += digest_of(paths[i], true, NULL, 0);
        if (tree->file[i] != NULL)
            sum += digest_of(paths[i], false, tree->file[i]->bytes, tree->file[i]->size);
    }
    return sum;
}

static uint64_t fs_digest(struct inode *directory, const char *prefix)
{
    static uint8_t bytes[FILE_MAX + 1];
    struct hleos_fs_entry entry;
    uint64_t offset = 0, sum = 0;
    int more;

    while ((more = fs_entry(directory, &offset, &entry)) > 0) {
        char path[128];
        struct inode *inode;
        struct fs_stat stat;

        if (strcmp(entry.name, ".") == 0 || strcmp(entry.name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", prefix, entry.name);
        assert_int_equal(fs_lookup(directory, entry.name, &inode), 0);
        assert_int_equal(fs_stat(inode, &stat), 0);
        if (stat.type == HLEOS_FS_DIRECTORY) {
            sum += digest_of(path, true, NULL, 0) + fs_digest(inode, path);
        } else {
            assert_int_equal(fs_read(inode, 0, bytes, sizeof bytes), stat.size);
            sum += digest_of(path, false, bytes, stat.size);
        }
        fs_release(inode);
    }
    assert_int_equal(more, 0);
    return sum;
}

/* --- the load ------------------------------------------------------------------------------- */

static int make(struct inode *root, struct tree *tree, int path)
{
    bool directory = path < DIRECTORIES;
    int error =
        fs_create(root, paths[path], directory ? HLEOS_FS_DIRECTORY : HLEOS_FS_FILE, 0, NULL);
    bool there = directory ? tree->directory[path] : tree->file[path] != NULL;

    assert_int_equal(error, !has_parent(tree, path) ? FS_NOT_FOUND : there ? FS_EXISTS : 0);
    if (error == 0 && directory) {
        tree->directory[path] = true;
    } else if (error == 0) {
        tree->file[path] = calloc(1, sizeof *tree->file[path]);
        tree->file[path]->names = 1;
    }
    return error;
}

static bool is_empty(const struct tree *tree, int directory)
{
    for (int i = 0; i < PATHS; i++)
        if (parent_of(i) == directory &&
            (tree->file[i] != NULL || (i < DIRECTORIES && tree->directory[i])))
            return false;
    return true;
}

static void drop(struct file *file)
{
    if (file != NULL && --file->names == 0)
        free(file);
}

static void take_away(struct inode *root, struct tree *tree, int path)
{
    bool directory = path < DIRECTORIES;
    bool there = directory ? tree->directory[path] : tree->file[path] != NULL;
    int error = fs_unlink(root, paths[path]);

    if (!there) {
        assert_int_equal(error, FS_NOT_FOUND);
    } else if (directory && !is_empty(tree, path)) {
        assert_int_equal(error, FS_NOT_EMPTY);
    } else {
        assert_int_equal(error, 0);
        if (directory)
            tree->directory[path] = false;
        else
            drop(tree->file[path]);
        tree->file[path] = NULL;
    }
}

static void add_name(struct inode *root, struct tree *tree, int from, int path)
{
    struct inode *inode;

    if (path < DIRECTORIES || tree->file[from] == NULL)
        return;
    assert_int_equal(fs_lookup(root, paths[from], &inode), 0);
    if (fs_link(inode, root, paths[path]) == 0) {
        assert_true(tree->file[path] == NULL && has_parent(tree, path));
        tree->file[path] = tree->file[from];
        tree->file[path]->names++;
    } else {
        assert_true(tree->file[path] != NULL || !has_parent(tree, path));
    }
    fs_release(inode);
}

static void change(struct inode *root, struct tree *tree, int path)
{
    struct file *file = tree->file[path];
    struct inode *inode;

    if (file == NULL)
        return;
    assert_int_equal(fs_lookup(root, paths[path], &inode), 0);
    if (rand() % 4 == 0) {
        size_t size = (size_t)rand() % (FILE_MAX / 2);

        assert_int_equal(fs_truncate(inode, size), 0);
        if (size < file->size)
            memset(file->bytes + size, 0, file->size - size);
        file->size = size;
    } else {
        size_t offset = (size_t)rand() % (FILE_MAX / 2), count = 1 + (size_t)rand() % 30000;

        if (rand() % 2)
            offset = offset % (file->size + 1);
        for (size_t i = 0; i < count; i++)
            file->bytes[offset + i] = (uint8_t)(rand() >> 8);
        assert_int_equal(fs_write(inode, offset, file->bytes + offset, count), count);
        if (offset + count > file->size)
            file->size = offset + count;
    }
    fs_release(inode);
}

/* One call that changes the tree; true after a sync. */
static bool step(struct fs *fs, struct inode *root, struct tree *tree)
{
    int path = rand() % PATHS, what = rand() % 16;

    if (what < 5)
        make(root, tree, path);
    else if (what < 7)
        take_away(root, tree, path);
    else if (what < 8)
        add_name(root, tree, DIRECTORIES + rand() % (PATHS - DIRECTORIES), path);
    else if (what < 14)
        change(root, tree, path);
    else if (fs_sync(fs) == 0)
        return true;
    return false;
}

static void free_tree(struct tree *tree)
{
    for (int i = 0; i < PATHS; i++)
        drop(tree->file[i]);
}

/* The number of events, and the tree, after a call. */
struct call {
    size_t events;
    uint64_t digest;
    bool synced;
};

static void record(struct recorder *r, struct call *calls)
{
    struct tree tree = {0};
    struct inode *root;
    const char *why;
    struct fs *fs;

    assert_int_equal(fs_mount(&r->disk, 0, r->disk.sectors, &fs, &why), 0);
    root = fs_root(fs);
    calls[0] = (struct call){0, 0, true};
    for (int i = 1; i < CALLS; i++) {
        bool synced = step(fs, root, &tree);

        calls[i] = (struct call){r->count, tree_digest(&tree), synced};
    }
    assert_int_equal(fs_digest(root, ""), calls[CALLS - 1].digest);
    fs_release(root);
    fs_unmount(fs);
    free_tree(&tree);
}

/* --- the crash ------------------------------------------------------------------------------ */

static void report(const char *line)
{
    print_error("%s\n", line);
}

/* Checks the image. Returns the number of inodes without a name, which mounting frees. */
static unsigned expect_whole(const uint8_t *image)
{
    struct check_result result = check_image(image, IMAGE, report);

    assert_int_equal(result.errors, 0);
    return result.orphans;
}

/*
 * The result of the call that was active is allowed too: it may have written its first part
 * already.
 */
static bool is_allowed(const struct call *calls, size_t at, uint64_t digest)
{
    for (int i = CALLS - 1; i >= 0; i--) {
        bool begun = i == 0 || calls[i - 1].events <= at, done = calls[i].events <= at;

        if (begun && calls[i].digest == digest)
            return true;
        if (done && calls[i].synced)
            return false;
    }
    return false;
}

/* Mounts the disk; sometimes the mount is stopped too, after a part of its writes. */
static void recover(uint8_t *image, const struct call *calls, size_t at, bool again)
{
    static struct event events[2048];
    struct recorder r = recorder(image, again ? events : NULL);
    struct inode *root;
    const char *why;
    struct fs *fs;
    uint8_t *before = again ? malloc(IMAGE) : NULL;

    (void)expect_whole(image);
    if (again)
        memcpy(before, image, IMAGE);
    if (fs_mount(&r.disk, 0, r.disk.sectors, &fs, &why) < 0)
        fail_msg("after %zu events: %s", at, why);
    root = fs_root(fs);
    if (!is_allowed(calls, at, fs_digest(root, "")))
        fail_msg("after %zu events: not the tree after any call since the last sync", at);
    fs_release(root);
    fs_unmount(fs);
    assert_int_equal(expect_whole(image), 0);
    if (!again)
        return;
    for (size_t i = 0; i < r.count; i++)
        if (!events[i].flush && rand() % 2)
            memcpy(before + events[i].sector * DISK_SECTOR, events[i].bytes,
                   (size_t)(rand() % 9) * DISK_SECTOR);
    recover(before, calls, at, false);
    free(before);
}

/* Writes some of the sectors since the last flush. */
static void apply_some(uint8_t *image, const struct event *events, size_t from, size_t to)
{
    int likely = rand() % 100;

    for (size_t i = from; i < to; i++)
        for (size_t s = 0; s < HLEOS_FS_BLOCK / DISK_SECTOR; s++)
            if (!events[i].flush && rand() % 100 < likely)
                memcpy(image + (events[i].sector + s) * DISK_SECTOR,
                       events[i].bytes + s * DISK_SECTOR, DISK_SECTOR);
}

static unsigned long number(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

static void test_every_write(void **state)
{
    struct event *events = calloc(EVENTS_MAX, sizeof *events);
    uint8_t *stable = calloc(1, IMAGE), *image = malloc(IMAGE), *run = malloc(IMAGE);
    static struct call calls[CALLS];
    struct recorder r = recorder(run, events);
    unsigned long rounds = number("CRASH_ROUNDS", 1), crashes = 0;
    size_t flushed = 0;

    (void)state;
    srand((unsigned)number("CRASH_SEED", 5));
    assert_null(mkfs_format(stable, IMAGE));
    memcpy(run, stable, IMAGE);
    record(&r, calls);
    for (size_t at = 0; at <= r.count; at++) {
        if (at > 0 && events[at - 1].flush) {
            for (size_t i = flushed; i < at; i++)
                if (!events[i].flush)
                    memcpy(stable + events[i].sector * DISK_SECTOR, events[i].bytes,
                           HLEOS_FS_BLOCK);
            flushed = at;
        }
        for (unsigned long round = 0; round <= rounds; round++, crashes++) {
            memcpy(image, stable, IMAGE);
            if (round > 0)
                apply_some(image, events, flushed, at);
            else
                for (size_t i = flushed; i < at; i++)
                    memcpy(image + events[i].sector * DISK_SECTOR, events[i].bytes, HLEOS_FS_BLOCK);
            recover(image, calls, at, crashes % AGAIN == 0);
        }
    }
    print_message("%zu writes and flushes, %lu crashes\n", r.count, crashes);
    assert_true(r.count > CALLS);
    free(events);
    free(stable);
    free(image);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_write)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
