/*
 * Replays a record of a machine that ran the load (src/selftest/load.h): its writes to the disk,
 * its flushes, and its messages on the serial line, in their order. It simulates a stop after each
 * write: the disk at this moment must pass the checks, mount, and have all files that were synced
 * before. At each flush it also simulates a power failure, which keeps any of the sectors written
 * since the last flush.
 *
 *   replay IMAGE RECORD    IMAGE: the disk before; status 0, or a line of what is wrong
 *
 * RECORD: pieces of a letter and numbers of 64 bits, little-endian: W offset length bytes...,
 * F (a flush has ended), S round ("load: synced N" has come).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mkimage/check.h"
#include "../mkimage/image.h"
#include "../mkimage/ram.h"
#include "fs/fs.h"
#include "selftest/load_files.h"

enum { WRITES_MAX = 1 << 16 };

struct write {
    uint64_t offset, length;
    unsigned char *bytes;
};

struct replay {
    struct image now;               /* all writes so far */
    struct image stable;            /* those before the last flush */
    unsigned char *room;            /* the file system that is checked */
    struct write cache[WRITES_MAX]; /* since the last flush */
    unsigned cached, writes, flushes, looks;
    uint64_t synced;
};

static void fail(const struct replay *r, const char *what, const char *more)
{
    printf("replay: after write %u: %s%s\n", r->writes, what, more);
    exit(1);
}

static void report(const char *line)
{
    printf("replay: %s\n", line);
}

/* The load's counter: the number of complete rounds. */
static uint32_t last_round(struct inode *root)
{
    struct inode *counter;
    uint32_t last = 0;

    if (fs_lookup(root, LOAD_COUNTER, &counter) < 0)
        return 0;
    if (fs_read(counter, 0, &last, sizeof last) < 0)
        last = 0;
    fs_release(counter);
    return last;
}

/* Checks the possible disk at r->room. Mounting changes it. */
static void look(struct replay *r)
{
    static uint32_t words[LOAD_WORDS];
    struct inode *root;
    const char *why;
    struct ram ram;
    uint32_t last;
    struct fs *fs;

    if (check_image(r->room, r->now.size, report).errors > 0)
        fail(r, "the file system is damaged", "");
    ram_init(&ram, r->room, r->now.size);
    if (fs_mount(&ram.disk, 0, ram.disk.sectors, &fs, &why) < 0)
        fail(r, "it cannot be mounted: ", why);
    root = fs_root(fs);
    last = last_round(root);
    if (last < r->synced)
        fail(r, "a round that was synced is not there", "");
    if (load_look(root, last, words) != 0)
        fail(r, "a file is not what it should be", "");
    fs_release(root);
    fs_unmount(fs);
    r->looks++;
}

/* The offset of a write is within the file system. */
static void apply(unsigned char *fs, const struct write *w, uint64_t from, uint64_t length)
{
    memcpy(fs + w->offset + from, w->bytes + from, length);
}

static void is_killed(struct replay *r)
{
    memcpy(r->room, r->now.bytes + r->now.at, r->now.size);
    look(r);
}

static void power_fails(struct replay *r)
{
    int likely = rand() % 101;

    memcpy(r->room, r->stable.bytes + r->stable.at, r->stable.size);
    for (unsigned i = 0; i < r->cached; i++)
        for (uint64_t at = 0; at < r->cache[i].length; at += DISK_SECTOR)
            if (rand() % 100 < likely)
                apply(r->room, &r->cache[i], at, DISK_SECTOR);
    look(r);
}

static uint64_t number(FILE *record)
{
    unsigned char bytes[8];
    uint64_t n = 0;

    if (fread(bytes, 1, sizeof bytes, record) != sizeof bytes) {
        fputs("replay: the record ends in the middle\n", stderr);
        exit(2);
    }
    for (int i = 7; i >= 0; i--)
        n = n << 8 | bytes[i];
    return n;
}

static void write_piece(struct replay *r, FILE *record)
{
    struct write *w = &r->cache[r->cached++];
    uint64_t offset = number(record), length = number(record);

    if (r->cached == WRITES_MAX || offset < r->now.at || length > r->now.size ||
        offset - r->now.at > r->now.size - length || length % DISK_SECTOR != 0) {
        fputs("replay: the record has too many writes, or an impossible one\n", stderr);
        exit(2);
    }
    *w = (struct write){offset - r->now.at, length, malloc(length)};
    if (w->bytes == NULL || fread(w->bytes, 1, length, record) != length) {
        fputs("replay: the record ends in the middle\n", stderr);
        exit(2);
    }
    r->writes++;
    apply(r->now.bytes + r->now.at, w, 0, length);
    is_killed(r);
    if (r->flushes > 0)
        power_fails(r);
}

static void flush(struct replay *r)
{
    for (unsigned i = 0; i < r->cached; i++) {
        apply(r->stable.bytes + r->stable.at, &r->cache[i], 0, r->cache[i].length);
        free(r->cache[i].bytes);
    }
    r->cached = 0;
    r->flushes++;
}

int main(int argc, char **argv)
{
    static struct replay r;
    FILE *record;
    int piece;

    if (argc != 3) {
        fputs("usage: replay IMAGE RECORD\n", stderr);
        return 2;
    }
    if (!image_open("replay", argv[1], &r.now) || !image_open("replay", argv[1], &r.stable))
        return 2;
    record = fopen(argv[2], "rb");
    r.room = malloc(r.now.size);
    if (record == NULL || r.room == NULL) {
        fprintf(stderr, "replay: %s: %s\n", argv[2], strerror(errno));
        return 2;
    }
    while ((piece = getc(record)) != EOF) {
        if (piece == 'W') {
            write_piece(&r, record);
        } else if (piece == 'F') {
            flush(&r);
        } else if (piece == 'S') {
            r.synced = number(record);
        } else {
            fprintf(stderr, "replay: a piece of the record begins with byte %d\n", piece);
            return 2;
        }
    }
    printf("replay: %u writes, %u flushes, %u looks, round %u was synced\n", r.writes, r.flushes,
           r.looks, (unsigned)r.synced);
    fclose(record);
    return 0;
}
