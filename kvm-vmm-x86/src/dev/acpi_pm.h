/*
 * The registers of ACPI that we have (6.3, 4.8): PM1 event and control, a reset register, and a
 * block of general-purpose events. Two events: the power button, by which a guest is asked to
 * switch itself off, and the clock's alarm; either ends S3, in which the machine keeps only its
 * memory. There is no PM timer: KVM's clocks are better, and each read of a PM timer would be an
 * exit.
 */
#ifndef DEV_ACPI_PM_H
#define DEV_ACPI_PM_H

#include "dev/backend.h"
#include "dev/bus.h"
#include "dev/irq.h"
#include "host/threads.h"

#define ACPI_PM_PORT UINT16_C(0x600)

/* Offsets and lengths of the registers, as the FADT announces them. */
enum {
    ACPI_PM_EVENT = 0, /* two words: status, enable */
    ACPI_PM_EVENT_LENGTH = 4,
    ACPI_PM_CONTROL = 4,
    ACPI_PM_CONTROL_LENGTH = 2,
    ACPI_PM_RESET = 6,
    ACPI_PM_GENERAL = 8, /* a byte of status, one of enables */
    ACPI_PM_GENERAL_LENGTH = 2,
    ACPI_PM_PORTS = 10,
};

enum {
    ACPI_PM_IRQ = 9,         /* the system control interrupt, by which events are told */
    ACPI_PM_SLEEP_RAM = 1,   /* the sleep type that stands for suspend to RAM: _S3 */
    ACPI_PM_SLEEP_OFF = 5,   /* and for off: _S5 */
    ACPI_PM_RESET_VALUE = 1, /* what the reset register wants */
};

struct acpi_pm_state {
    uint8_t status[2], enable[2], control[2];
    uint8_t general[2]; /* events: status, enable */
};

struct acpi_pm {
    const struct backend *backend;
    struct lock lock;
    struct acpi_pm_state state; /* under the lock */
    bool pressed; /* the power button, since the guest ordered sleep; under the lock */
    struct irq_line irq;
};

extern const struct bus_ops acpi_pm_ops;

/* General-purpose events, whose methods the DSDT has. */
enum { ACPI_PM_GENERATION = 0 /* the machine has a new generation ID: vmgenid.h */ };

/* From any thread: a general-purpose event. It wakes no machine. */
void acpi_pm_general(struct acpi_pm *pm, unsigned event);

/* From any thread: the power button is pressed; the clock's alarm went off. */
void acpi_pm_happen(struct acpi_pm *pm, enum acpi_pm_event event);

/* The machine was reset to leave S3; `cause` is the event that woke it. */
void acpi_pm_woken(struct acpi_pm *pm, enum acpi_pm_event cause);

void acpi_pm_init(struct acpi_pm *pm, const struct backend *backend);

#endif
