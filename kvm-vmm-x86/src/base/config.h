/*
 * What one guest is, before it is made: from the command line, a snapshot or the library. Strings
 * belong to the maker of the configuration and outlive the guest.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

enum {
    GUESTS_MAX = 4,
    CPUS_MAX = 64,
    INITRDS_MAX = 8,
    FW_FILES_MAX = 8,
    DISKS_MAX = 8,
    PORTS_MAX = 7,
    PORT_NAME_MAX = 31,
    NETS_MAX = 4,
    FORWARDS_MAX = 16,
    NET_MTU_MIN = 576,
    NET_MTU_MAX = 65520,
    FIRMWARE_MAX = 256 * 1024, /* larger ones reach where KVM on Intel has its own pages */
    SHARES_MAX = 8,
    FW_NAME_MAX = 55
};

/* No mode option selects the last two: a Linux kernel is recognised by its content, firmware comes
 * with --bios. */
enum guest_mode {
    MODE_BY_CONTENT,
    MODE_REAL,
    MODE_PROTECTED,
    MODE_LONG,
    MODE_LINUX,
    MODE_FIRMWARE
};

/* What becomes of a guest that does not feed its watchdog. */
enum watchdog_action {
    WATCHDOG_NONE, /* it has no watchdog */
    WATCHDOG_RESET,
    WATCHDOG_OFF,
    WATCHDOG_STOP /* it counts as crashed */
};

/* How a Linux kernel is entered; PVH is a 32-bit entry with a structure of its own. */
enum kernel_entry { KERNEL_ENTRY_AUTO, KERNEL_ENTRY_PVH, KERNEL_ENTRY_64, KERNEL_ENTRY_32 };

/* Accesses to memory that does not exist: the guest is stopped, or they read all ones. */
enum mmio_policy { MMIO_DEFAULT, MMIO_STOP, MMIO_IGNORE };

/* The transport of virtio devices. */
enum virtio_bus { VIRTIO_BY_DEFAULT, VIRTIO_BY_MMIO, VIRTIO_BY_PCI };

/* Where the serial port, or a port of a virtio console, leads. */
enum serial_kind {
    SERIAL_STDIO,
    SERIAL_PTY,
    SERIAL_FILE,
    SERIAL_UNIX,
    SERIAL_KEPT,       /* nowhere: the newest output is kept in memory (ports_kept) */
    SERIAL_DESCRIPTOR, /* of a port: one of the program's standard descriptors */
    SERIAL_CONTROL     /* of a port: its lines are the program's own to read */
};

struct disk;

struct disk_config {
    const char *path; /* its first `path_length` bytes */
    size_t path_length;
    char id[21];         /* what the guest reads as its serial number; empty: diskN */
    uint32_t block_size; /* 0: as the file has it */
    bool read_only;
    bool overlay;        /* what is written is kept in a temporary file, and gone at the end */
    struct disk *open;   /* opened and owned by the maker of the guest; NULL: not yet */
    struct disk *origin; /* the disk whose overlay is copied at first; NULL: none */
};

/* A port of the guest's virtio console. */
struct port_config {
    const char *name; /* its first `name_length` bytes; 0: it is the console, hvc0 */
    size_t name_length;
    enum serial_kind kind;
    const char *path;               /* as serial_path */
    int fd;                         /* of SERIAL_DESCRIPTOR */
    void (*take)(const char *line); /* of SERIAL_CONTROL; on the main thread */
};

/* How a network device reaches the host. */
enum net_kind {
    NET_USER, /* libslirp: the host's own sockets, no privileges */
    NET_PASST,
    NET_TAP
};

struct net_forward {
    bool udp;
    uint32_t address; /* of the host, in its byte order */
    uint16_t host_port, guest_port;
};

struct net_host;

struct net_config {
    enum net_kind kind;
    const char *name; /* of the socket or interface: its first `name_length` bytes */
    size_t name_length;
    uint8_t mac[6]; /* all 0: one of ours */
    uint16_t mtu;   /* 0: the kind's */
    uint32_t dns;   /* the DNS server for the guest, in the host's byte order; 0: the host's */
    struct net_forward forwards[FORWARDS_MAX];
    unsigned forward_count;
    unsigned descriptors;  /* of --net user: how many sockets it may hold */
    struct net_host *open; /* opened and owned by the maker of the guest */
};

struct vsock_host;

/* Sockets between the guest and the host (virtio-vsock). */
struct vsock_config {
    uint64_t cid;            /* the guest's address; 0: it has none */
    const char *path;        /* of the host's socket; guest N > 0 of a run has PATH.N */
    unsigned descriptors;    /* how many connections it may hold */
    struct vsock_host *open; /* opened and owned by the maker of the guest */
};

struct channels;

/* A file of a saved guest's RAM, without the hole, and its firmware behind it. */
struct saved_layer {
    const char *ram;
    bool packed;           /* by zstd, host/files/pack.h */
    const uint64_t *pages; /* a bit for each page of the layer; NULL: all */
};

/* A guest that goes on from where it was saved (snapshot/), instead of being made from its image.
 */
struct saved_guest {
    bool used;          /* the guest was made from it: after a reset it starts from its image */
    const char *folder; /* where it comes from */
    /* Layers of its RAM, used if `memory` is NULL: each page comes from the last layer that has
     * it. */
    const struct saved_layer *layers;
    unsigned layer_count;
    const struct memory *memory; /* where it is mapped; NULL: it is not */
    enum guest_mode mode;        /* as its image had it */
    bool paging;                 /* paging was on at its start */
    gpa_t base;                  /* where its RAM begins */
    const uint8_t *state;        /* chunks: vm/state.h */
    size_t state_size;
    uint64_t rom;            /* bytes of firmware, behind the RAM in its layers */
    const uint8_t *firmware; /* chunks: vm/firmware.h */
    size_t firmware_size;
};

struct fuse_server;

/* A folder of the host that the guest can mount (virtio-fs). */
struct share_config {
    const char *path; /* its first `path_length` bytes */
    size_t path_length;
    char tag[37]; /* by which the guest mounts it */
    bool read_only;
    bool lasting;              /* nothing changes there while the guest runs */
    const char *const *hidden; /* paths that do not exist for the guest */
    unsigned hidden_count;
    struct fuse_server *open; /* opened and owned by the maker of the guest; NULL: not yet */
};

struct guest_config {
    const char *image;          /* path of the kernel or program, or of the firmware */
    bool bios;                  /* it is firmware (--bios) */
    const char *kernel;         /* the kernel that firmware is to start; NULL: it finds its own */
    const uint8_t *image_bytes; /* its content, if it is not to be read from there; or NULL */
    size_t image_size;
    enum guest_mode mode;
    uint64_t memory; /* bytes of RAM; 0: the mode's default */
    enum memory_backing backing;
    const char *memory_file; /* of MEMORY_FILE: its RAM, without holes */
    unsigned cpus;           /* vCPUs; 0: the default, one */
    bool has_load, has_entry;
    gpa_t load;  /* where a flat image goes */
    gva_t entry; /* where it starts */
    bool no_paging;
    enum mmio_policy mmio;
    enum kernel_entry kernel_entry;
    const char *append; /* the kernel's command line, for images that take one; or NULL */
    const char *initrds[INITRDS_MAX];
    unsigned initrd_count;
    const char *fw_files[FW_FILES_MAX]; /* NAME=FILE: what the guest finds in fw_cfg */
    unsigned fw_file_count;
    enum virtio_bus virtio;
    bool testdev; /* the machine has the test device of kvm-unit-tests */
    struct disk_config disks[DISKS_MAX];
    unsigned disk_count;
    struct share_config shares[SHARES_MAX];
    unsigned share_count;
    struct port_config ports[PORTS_MAX];
    unsigned port_count;
    struct channels *channels; /* of those ports, made by the maker of the guest; NULL: no ports */
    struct net_config nets[NETS_MAX];
    unsigned net_count;
    struct vsock_config vsock;
    bool rng;     /* a virtio device gives it random bytes */
    bool balloon; /* a virtio device returns its free memory to the host */
    bool pvpanic; /* it has the device that reports a panic */
    enum watchdog_action watchdog;
    bool own_irqchip; /* its interrupt controllers and timer are the VMM's (real, protected mode) */
    bool no_ctrl_d;   /* the end of piped input is not turned into a Ctrl-D */
    enum serial_kind serial;
    const char *serial_path; /* of the file or socket; guest N > 0 of a run has PATH.N */
    const char *debugcon; /* the file that port 0xe9 is written to, likewise; NULL: no such port */
    bool text_screen;     /* the user sees its text page and types on its keyboard, not the UART */
    struct saved_guest *saved; /* NULL: it starts from its image */
    bool debugged;             /* a debugger may stop it: no clock that counts stolen time */
    bool reboot;               /* when it resets its machine it starts again instead of ending */
    uint64_t max_exits;        /* of one vCPU, over all reboots; 0: no limit */
    const char *kvm;           /* the device, normally /dev/kvm */
};

/* How many virtio devices it has. */
static inline unsigned config_virtio_count(const struct guest_config *config)
{
    return config->disk_count + config->share_count + config->net_count +
           (config->channels != NULL) + (config->vsock.cid != 0) + config->rng + config->balloon;
}

static inline bool config_has_virtio_pci(const struct guest_config *config)
{
    return config->virtio == VIRTIO_BY_PCI || (config->virtio == VIRTIO_BY_DEFAULT && config->bios);
}

/* A PCI host without devices would cost a kernel that looks for them hundreds of exits. Firmware
 * expects one. */
static inline bool config_has_pci(const struct guest_config *config)
{
    return config->bios || (config_has_virtio_pci(config) && config_virtio_count(config) > 0);
}

#endif
