/*
 * The test device that kvm-unit-tests drive (QEMU, hw/misc/pc-testdev.c), with --machine testdev:
 * ports that hold a word, a port that makes the hypervisor map a page again, the ISA interrupt
 * lines, memory that is a device, and VMware's port (hw/i386/vmport.c) with its version and the
 * size of the RAM.
 */
#ifndef DEV_TESTDEV_H
#define DEV_TESTDEV_H

#include "dev/backend.h"
#include "dev/bus.h"
#include "host/threads.h"

#define TESTDEV_WORD_PORT    0xe0   /* any width */
#define TESTDEV_FLUSH_PORT   0xe4   /* takes the physical address of a page */
#define TESTDEV_BYTE_PORT    0xe8   /* the same word, byte by byte */
#define TESTDEV_IRQ_PORT     0x2000 /* port 0x2000 + n is the level of line n */
#define TESTDEV_MEMORY       UINT64_C(0xff000000)
#define TESTDEV_VMWARE_PORT  0x5658
#define TESTDEV_VMWARE_MAGIC 0x564d5868 /* in EAX when it is read */
enum { TESTDEV_PORTS = 4, TESTDEV_LINES = 24, TESTDEV_MEMORY_SIZE = 0x10000 };

struct testdev_state {
    uint32_t word;
    uint8_t lines[TESTDEV_LINES]; /* their levels */
    uint8_t memory[TESTDEV_MEMORY_SIZE];
};

struct testdev {
    const struct backend *backend;
    struct lock lock;
    struct testdev_state state; /* under the lock */
};

extern const struct bus_ops testdev_word_ops, testdev_byte_ops, testdev_flush_ops, testdev_irq_ops,
    testdev_memory_ops, testdev_vmware_ops;

void testdev_init(struct testdev *testdev, const struct backend *backend);

#endif
