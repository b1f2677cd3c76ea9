/* The list of disks; see disk.h. */
#include "disk/disk.h"

#include <stddef.h>

#include "disk/ata.h"
#include "disk/virtio.h"
#include "disk/wait.h"
#include "iostream.h"

enum { DISKS_MAX = 8 };

static struct disk *disks[DISKS_MAX];
static unsigned count;

static void add(struct disk *disk)
{
    if (count == DISKS_MAX)
        return;
    disks[count++] = disk;
    println("disk: %s, %lu MB, %s", disk->name, disk->sectors >> 11, disk->model);
}

void disk_init(void)
{
    if (wait_init() < 0) {
        println("disk: no memory for the thread that watches over time-outs");
        return;
    }
    ata_init(add);
    virtio_init(add);
    if (count == 0)
        println("disk: none");
}

struct disk *disk_get(unsigned index)
{
    return index < count ? disks[index] : NULL;
}
