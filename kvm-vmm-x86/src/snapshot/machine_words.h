/* The words of machine.json, for the code that writes it and the code that reads it. */
#ifndef SNAPSHOT_MACHINE_WORDS_H
#define SNAPSHOT_MACHINE_WORDS_H

#include "base/config.h"

static const char *const modes[] = {[MODE_REAL] = "real",
                                    [MODE_PROTECTED] = "protected",
                                    [MODE_LONG] = "long",
                                    [MODE_LINUX] = "linux",
                                    [MODE_FIRMWARE] = "firmware"};
static const char *const buses[] = {
    [VIRTIO_BY_DEFAULT] = "default", [VIRTIO_BY_MMIO] = "mmio", [VIRTIO_BY_PCI] = "pci"};
static const char *const policies[] = {
    [MMIO_DEFAULT] = "default", [MMIO_STOP] = "stop", [MMIO_IGNORE] = "ignore"};

static const char *const entries[] = {[KERNEL_ENTRY_AUTO] = "auto",
                                      [KERNEL_ENTRY_PVH] = "pvh",
                                      [KERNEL_ENTRY_64] = "64",
                                      [KERNEL_ENTRY_32] = "32"};

static const char *const nets[] = {[NET_USER] = "user", [NET_PASST] = "passt", [NET_TAP] = "tap"};
/* Ports of other kinds belong to the running program and are not saved. */
static const char *const links[] = {
    [SERIAL_STDIO] = "stdio", [SERIAL_PTY] = "pty", [SERIAL_FILE] = "file", [SERIAL_UNIX] = "unix"};

enum { NETS = sizeof nets / sizeof nets[0], LINKS = sizeof links / sizeof links[0] };
enum {
    MODES = sizeof modes / sizeof modes[0],
    BUSES = sizeof buses / sizeof buses[0],
    POLICIES = sizeof policies / sizeof policies[0],
    ENTRIES = sizeof entries / sizeof entries[0]
};

#endif
