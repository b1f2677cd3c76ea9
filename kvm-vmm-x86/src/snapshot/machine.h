/*
 * machine.json of a snapshot: the guest's configuration, and the other files with their checksums.
 * docs/snapshots.md describes the folder. Pure; the input is untrusted.
 */
#ifndef SNAPSHOT_MACHINE_H
#define SNAPSHOT_MACHINE_H

#include "base/address.h"
#include "base/config.h"
#include "base/json.h"

enum { SNAPSHOT_FORMAT = 6, SNAPSHOT_JSON_MAX = 64 * 1024, SNAPSHOT_STATE_MAX = 16 * 1024 * 1024 };
#define SNAPSHOT_FIRMWARE_MAX (UINT64_C(1) << 30)
#define SNAPSHOT_SHARE_MAX    (UINT64_C(1) << 29)

/* A file of the folder. */
struct snapshot_file {
    uint64_t size;
    uint32_t sum; /* host/files/folder.h */
};

struct snapshot_disk {
    uint64_t size, changed; /* of its base: bytes; nanoseconds since 1970, 0: not known */
    uint32_t sample;        /* disk_sample */
    struct snapshot_file overlay, map; /* if it has one: diskN and diskN.map */
};

/* The base of a snapshot that has only the pages written since. */
struct snapshot_base {
    const char *folder; /* absolute path; NULL: no base */
    uint32_t sum;       /* of that one's machine.json */
};

/* Strings of `config` point into the parsed text, or belong to the caller that fills it. */
struct snapshot_machine {
    const char *vmm; /* the version that wrote it */
    uint64_t taken;  /* nanoseconds since 1970 */
    struct guest_config config;
    enum guest_mode mode;
    bool paging;
    gpa_t base;
    uint64_t rom; /* bytes of firmware, behind the RAM in `ram` */
    struct snapshot_file state, ram, firmware;
    bool packed; /* `ram` is packed, as `ram.zst`: its sum is of what that holds */
    struct snapshot_base below;
    struct snapshot_file ram_map; /* with a base: a bit for each page that `ram` has */
    struct snapshot_disk disks[DISKS_MAX];
    struct snapshot_file shares[SHARES_MAX]; /* shareN: what the guest has open there */
};

/* Of ram.map: a bit for each page of RAM and firmware, in words of 64 bits. */
static inline uint64_t snapshot_map_size(uint64_t ram)
{
    return (ram / PAGE_SIZE + 63) / 64 * 8;
}

void snapshot_machine_write(const struct snapshot_machine *machine, struct json_out *out);

/* `text` is changed, and must outlive `machine`. */
int snapshot_machine_read(struct snapshot_machine *machine, char *text, size_t length,
                          struct error *error) MUST_CHECK;

#endif
