/* The machine a guest sees: its devices and where they are. */
#ifndef MACHINE_H
#define MACHINE_H

#include "acpi/acpi.h"
#include "base/config.h"
#include "dev/acpi_pm.h"
#include "dev/backend.h"
#include "dev/bus.h"
#include "dev/crtc.h"
#include "dev/debug_exit.h"
#include "dev/debugcon.h"
#include "dev/fw_cfg.h"
#include "dev/hypercall.h"
#include "dev/i8042.h"
#include "dev/no_bios.h"
#include "dev/pci.h"
#include "dev/pic.h"
#include "dev/pit.h"
#include "dev/pvpanic.h"
#include "dev/reset.h"
#include "dev/rtc.h"
#include "dev/serial.h"
#include "dev/testdev.h"
#include "dev/virtio/balloon.h"
#include "dev/virtio/blk.h"
#include "dev/virtio/console.h"
#include "dev/virtio/fs.h"
#include "dev/virtio/net.h"
#include "dev/virtio/pci.h"
#include "dev/virtio/rng.h"
#include "dev/virtio/vsock.h"
#include "dev/vmgenid.h"
#include "dev/watchdog.h"

struct machine {
    struct bus bus;
    struct hypercall hypercall;
    struct debug_exit debug_exit;
    struct debugcon debugcon;
    struct no_bios no_bios;
    struct serial serial;
    struct pic pic; /* this and the next: machine_add_irqchip */
    struct pit pit;
    struct rtc rtc;
    struct i8042 i8042;
    struct reset reset;
    struct acpi_pm acpi_pm;
    struct crtc crtc;
    struct fw_cfg fw_cfg;
    struct pci pci;
    struct pvpanic pvpanic;
    struct watchdog watchdog;
    struct vmgenid vmgenid;
    struct virtio_device *virtio[VIRTIO_DEVICES_MAX]; /* in the order of their addresses */
    struct virtio_pci virtio_pci[VIRTIO_DEVICES_MAX]; /* of the same, if they are PCI functions */
    unsigned virtio_count;
    struct blk disks[DISKS_MAX];
    struct virtio_console console;
    struct net nets[NETS_MAX];
    struct fs shares[SHARES_MAX];
    struct rng rng;
    struct vsock vsock;
    struct balloon balloon;
    struct testdev testdev; /* large, and initialised only if it is there */
};

/* Creates every device of the table and claims its range. `backend`, and `serial` for the serial
 * port, must live as long as the machine. Its physical addresses have `address_bits`. */
int machine_init(struct machine *machine, const struct guest_config *config,
                 const struct backend *backend, const struct backend *serial, unsigned address_bits,
                 struct error *error) MUST_CHECK;
/* Adds the VMM's interrupt controllers and timer, instead of KVM's. */
int machine_add_irqchip(struct machine *machine, const struct backend *backend,
                        struct error *error) MUST_CHECK;
/* Closes its devices, once no thread uses them. */
void machine_close(struct machine *machine);

/* Where the guest notifies a virtio device, if that is always at one place; or 0. */
gpa_t machine_notified_at(const struct machine *machine, unsigned index);

/* What ACPI tells of it; returns how many devices that are. */
unsigned machine_describe(const struct guest_config *config,
                          struct acpi_device devices[ACPI_DEVICES_MAX]);

/* Resets every device to its state after power-on. */
void machine_reset(struct machine *machine);
/* No device begins anything by itself until machine_resume. False: one has something under way, and
 * calls its backend's `wake` when it is worth asking again. */
bool machine_quiesce(struct machine *machine) MUST_CHECK;
void machine_resume(struct machine *machine);

/* The guest was restored or copied: sets a new generation ID and notifies the guest, which reseeds
 * its random numbers. */
void machine_renew(struct machine *machine);

/* Writes all device state that the guest can change: a chunk for each device, with the name of its
 * ops. No vCPU runs meanwhile. */
void machine_save(struct machine *machine, struct chunk_writer *writer);
/* Takes one of these chunks. An error leaves the device as it was. */
int machine_load(struct machine *machine, const struct chunk *chunk,
                 struct error *error) MUST_CHECK;

#endif
