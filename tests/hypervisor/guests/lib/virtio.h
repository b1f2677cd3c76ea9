/*
 * A virtio device over MMIO (virtio 1.2: 2.7, 4.2) as its driver sees it, with one queue of 128:
 * for guests that ask more of it than is good.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include "tests/hypervisor/guests/lib/guest.h"

enum { VIRTIO_QUEUE = 128, VIRTIO_NEXT = 1, VIRTIO_WRITE = 2 };
enum { VIRTIO_CONSOLE = 3, VIRTIO_BLK = 2 };

struct virtio_descriptor {
    uint64_t at;
    uint32_t size;
    uint16_t flags, next;
};

static struct virtio_descriptor virtio_table[VIRTIO_QUEUE] __attribute__((aligned(4096)));
static volatile struct {
    uint16_t flags, index, ring[VIRTIO_QUEUE];
} virtio_available __attribute__((aligned(4096)));
static volatile struct {
    uint16_t flags, index;
    struct {
        uint32_t head, size;
    } ring[VIRTIO_QUEUE];
} virtio_used __attribute__((aligned(4096)));

static uint64_t virtio_base;

static inline volatile uint32_t *virtio_reg(uint64_t offset)
{
    return (volatile uint32_t *)(virtio_base + offset);
}

static inline void virtio_set_address(uint64_t offset, volatile void *at)
{
    *virtio_reg(offset) = (uint32_t)(uintptr_t)at;
    *virtio_reg(offset + 4) = (uint32_t)((uintptr_t)at >> 32);
}

/* Finds a device of that kind and brings it up with its queue `queue`. */
static inline void virtio_start(uint32_t kind, uint32_t queue)
{
    for (virtio_base = 0x10001000; virtio_base < 0x10004000; virtio_base += 0x1000)
        if (*virtio_reg(0) == 0x74726976 && *virtio_reg(8) == kind)
            break;
    expect(virtio_base < 0x10004000);
    *virtio_reg(0x70) = 0;
    *virtio_reg(0x70) = 3;
    *virtio_reg(0x24) = 1;
    *virtio_reg(0x20) = 1;
    *virtio_reg(0x70) = 11;
    *virtio_reg(0x30) = queue;
    *virtio_reg(0x38) = VIRTIO_QUEUE;
    virtio_set_address(0x80, virtio_table);
    virtio_set_address(0x90, &virtio_available);
    virtio_set_address(0xa0, &virtio_used);
    *virtio_reg(0x44) = 1;
    *virtio_reg(0x70) = 15;
}

/* The three parts of a disk's request, of which one is under way at a time. */
static struct {
    uint32_t type, reserved;
    uint64_t sector;
} virtio_disk_header;
static volatile uint8_t virtio_disk_status;

static inline void virtio_disk_describe(bool write, uint64_t sector, void *data, uint32_t size)
{
    virtio_disk_header.type = write;
    virtio_disk_header.sector = sector;
    virtio_disk_status = 0xff;
    virtio_table[0] =
        (struct virtio_descriptor){(uintptr_t)&virtio_disk_header, 16, VIRTIO_NEXT, 1};
    virtio_table[1] = (struct virtio_descriptor){
        (uintptr_t)data, size, (uint16_t)(VIRTIO_NEXT | (write ? 0 : VIRTIO_WRITE)), 2};
    virtio_table[2] =
        (struct virtio_descriptor){(uintptr_t)&virtio_disk_status, 1, VIRTIO_WRITE, 0};
}

#endif
