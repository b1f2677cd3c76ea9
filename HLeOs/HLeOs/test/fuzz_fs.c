/* Arbitrary bytes as a file system: fsck, mount and all calls must return. If fsck finds no error,
 * all calls must work, and fsck must find none afterwards. The input changes a valid file system,
 * since random bytes alone would be refused at once: five bytes of input give a position and a new
 * byte. The checksums are corrected afterwards. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "HLeOs/HLeOs/mkimage/check.h"
#include "HLeOs/HLeOs/mkimage/mkfs.h"
#include "HLeOs/HLeOs/mkimage/ram.h"
#include "common/crc32.h"
#include "fs/format.h"
#include "fs/fs.h"

enum { IMAGE = 160 * HLEOS_FS_BLOCK };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(const char *line)
{
    (void)line;
}

static uint8_t *new_image(void)
{
    static uint8_t text[HLEOS_FS_BLOCK * 30];
    static const struct mkfs_file files[] = {
        {"/d/e/deep", text, 5000}, {"/d/other", text, 10}, {"/large", text, sizeof text}};
    uint8_t *image = calloc(1, IMAGE);
    size_t which;

    if (image == NULL || mkfs_format(image, IMAGE) != NULL ||
        mkfs_add(image, IMAGE, files, 3, &which) < 0)
        abort();
    return image;
}

/* Corrects the CRCs, so that the damage is not detected at once. */
static void mend(uint8_t *image)
{
    struct hleos_fs_super super;
    struct hleos_fs_log log;

    memcpy(&super, image, sizeof super);
    super.crc32 = crc32_update(0, &super, offsetof(struct hleos_fs_super, crc32));
    memcpy(image, &super, sizeof super);
    if (format_check(&super, IMAGE / HLEOS_FS_BLOCK) != NULL)
        return;
    for (unsigned area = 0; area < 2; area++) {
        uint8_t *at = image + (size_t)(super.log_start + area * super.log_blocks) * HLEOS_FS_BLOCK;

        memcpy(&log, at, sizeof log);
        if (log.count >= super.log_blocks)
            continue;
        log.crc32 = crc32_update(format_log_crc(&log), at + HLEOS_FS_BLOCK,
                                 (size_t)log.count * HLEOS_FS_BLOCK);
        memcpy(at, &log, sizeof log);
    }
}

static int use(struct inode *root)
{
    static const char *const names[] = {"/d/e/deep", "/d/other", "/large",     "/d",
                                        "/d/e",      "/new",     "/d/../large"};
    static uint8_t bytes[3 * HLEOS_FS_BLOCK];
    struct hleos_fs_entry entry;
    uint64_t offset = 0;
    int errors = 0;

    while (fs_entry(root, &offset, &entry) > 0)
        ;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct inode *inode;

        errors += fs_create(root, names[i], HLEOS_FS_FILE, 0, NULL) < 0;
        if (fs_lookup(root, names[i], &inode) < 0)
            continue;
        errors += fs_read(inode, 100000, bytes, sizeof bytes) < 0;
        errors += fs_write(inode, 23 * HLEOS_FS_BLOCK - 7, bytes, sizeof bytes) < 0;
        errors += fs_link(inode, root, "/d/link") < 0;
        errors += fs_truncate(inode, 5 * HLEOS_FS_BLOCK + 1) < 0;
        offset = 0;
        while (fs_entry(inode, &offset, &entry) > 0)
            ;
        errors += fs_unlink(root, names[i]) < 0;
        errors += fs_create(root, "/d/e/more", HLEOS_FS_DIRECTORY, 0, NULL) < 0;
        fs_release(inode);
    }
    return errors;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *image = new_image();
    bool whole;
    struct ram ram;
    struct fs *fs;
    const char *why;

    for (size_t i = 0; i + 5 <= size; i += 5) {
        uint32_t at;

        memcpy(&at, data + i, sizeof at);
        image[at % IMAGE] = data[i + 4];
    }
    mend(image);
    whole = check_image(image, IMAGE, quiet).errors == 0;
    ram_init(&ram, image, IMAGE);
    if (fs_mount(&ram.disk, 0, ram.disk.sectors, &fs, &why) == 0) {
        struct inode *root = fs_root(fs);

        (void)use(root);
        fs_release(root);
        if (whole && (fs_sync(fs) < 0 || fs_stats(fs).error != 0))
            abort();
        fs_unmount(fs);
        if (whole && check_image(image, IMAGE, quiet).errors != 0)
            abort();
    } else if (whole || why == NULL) {
        abort();
    }
    free(image);
    return 0;
}
