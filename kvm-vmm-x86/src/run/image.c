/* File systems by their superblocks; see image.h. */
#include "run/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BOOT_SIGNATURE_AT = 510, FIRST_BYTES = 512 };

struct kind {
    struct run_image image;
    unsigned at;
    const char *magic;
};

static const struct kind kinds[] = {
    {{"ext4", true}, 0x438, "\x53\xef"}, /* and ext2, ext3: one driver mounts them all */
    {{"xfs", true}, 0, "XFSB"},          {{"btrfs", true}, 0x10040, "_BHRfS_M"},
    {{"squashfs", false}, 0, "hsqs"},    {{"erofs", false}, 1024, "\xe2\xe1\xf5\xe0"},
};

bool run_image_is_one(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

int run_image_look(struct run_image *image, const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    unsigned char bytes[FIRST_BYTES];
    bool partitions;

    if (fd < 0)
        return error_set(error, "--root %s: %s", path, strerror(errno));
    image->type = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && image->type == NULL; i++) {
        size_t size = strlen(kinds[i].magic);

        if (pread(fd, bytes, size, kinds[i].at) == (ssize_t)size &&
            memcmp(bytes, kinds[i].magic, size) == 0)
            *image = kinds[i].image;
    }
    partitions = pread(fd, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes &&
                 bytes[BOOT_SIGNATURE_AT] == 0x55 && bytes[BOOT_SIGNATURE_AT + 1] == 0xaa;
    close(fd);
    if (image->type != NULL)
        return 0;
    return error_set(error,
                     partitions ? "--root %s: it has a partition table; name one partition "
                                  "(losetup -P makes their devices)"
                                : "--root %s: no known file system "
                                  "(ext2 to ext4, xfs, btrfs, squashfs, erofs)",
                     path);
}
