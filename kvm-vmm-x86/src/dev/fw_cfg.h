/*
 * QEMU's firmware configuration device (QEMU, docs/specs/fw_cfg.rst): numbered items and named
 * files that a guest reads, by a selector at port 0x510, bytes at 0x511, or DMA through 0x514. Read
 * only, as newer QEMUs have it.
 */
#ifndef DEV_FW_CFG_H
#define DEV_FW_CFG_H

#include "base/config.h"
#include "dev/backend.h"
#include "dev/bus.h"
#include "host/threads.h"

#define FW_CFG_PORT     0x510
#define FW_CFG_DMA_PORT 0x514
enum { FW_CFG_PORTS = 2, FW_CFG_DMA_PORTS = 8 };

/* Files: ours and the user's. */
enum { FW_CFG_FILES_MAX = 5 + FW_FILES_MAX };

/* Items that have numbers: a Linux kernel to start. */
enum {
    FW_CFG_KERNEL_ADDRESS = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDRESS = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_LINE_ADDRESS = 0x13,
    FW_CFG_LINE_SIZE = 0x14,
    FW_CFG_LINE_DATA = 0x15,
    FW_CFG_SETUP_ADDRESS = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
};
enum { FW_CFG_OWN_ITEMS = 6, FW_CFG_ITEMS_MAX = FW_CFG_OWN_ITEMS + 12 };

struct fw_cfg_item {
    uint16_t key;
    const uint8_t *bytes; /* as those of a file */
    uint32_t size;
};

struct fw_cfg_file {
    char name[FW_NAME_MAX + 1];
    const uint8_t *bytes; /* owned by the caller of fw_cfg_fill; they must outlive the device */
    uint32_t size;
};

/* The contents of the device. */
struct fw_cfg_contents {
    unsigned cpus;
    struct fw_cfg_file files[FW_CFG_FILES_MAX];
    unsigned file_count;
    struct fw_cfg_item items[FW_CFG_ITEMS_MAX - FW_CFG_OWN_ITEMS];
    unsigned item_count;
};

struct fw_cfg_state {
    uint16_t selected;
    uint16_t control;      /* of the transfer that goes on */
    uint32_t offset;       /* in the selected item */
    uint32_t address_high; /* of the next transfer's descriptor */
    uint32_t left;         /* bytes of the transfer that goes on */
    uint64_t to;           /* where its next byte goes */
};

/* An entry of "etc/e820", which lists the RAM. */
struct fw_cfg_range {
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));

enum { FW_CFG_DIRECTORY_MAX = 4 + 64 * FW_CFG_FILES_MAX };

struct fw_cfg {
    const struct backend *backend;
    struct fw_cfg_contents contents;
    struct fw_cfg_item items[FW_CFG_ITEMS_MAX];
    uint8_t numbers[8 + 2 + 2 + 4]; /* the items' bytes */
    uint8_t directory[FW_CFG_DIRECTORY_MAX];
    struct fw_cfg_range ranges[MEMORY_SLOTS_MAX];
    struct lock lock;
    struct fw_cfg_state state; /* under the lock */
};

extern const struct bus_ops fw_cfg_ops, fw_cfg_dma_ops;

void fw_cfg_init(struct fw_cfg *fw_cfg, const struct backend *backend);

/* Sets the contents; call it after the guest has its memory and before it starts. The VMM's own
 * "etc/e820" is the first file. */
void fw_cfg_fill(struct fw_cfg *fw_cfg, const struct fw_cfg_contents *contents);

#endif
