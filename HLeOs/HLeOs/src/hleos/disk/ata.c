/*
 * ATA disks: ATA/ATAPI-6 (T13/1410D), chapter 7 (registers), 8 (commands), 9.5 and 9.6 (the
 * protocols of PIO data in and out). The ports and lines are those of the PC/AT.
 *
 * One request at a time runs on a channel. The interrupt handler only wakes the requesting thread,
 * which moves the data with interrupts on. A failed request is retried once after a reset.
 */
#include "disk/ata.h"

#include "common/string.h"
#include "common/x86.h"
#include "disk/disk.h"
#include "disk/wait.h"
#include "interrupt.h"
#include "iostream.h"
#include "thread.h"
#include "timer.h"

enum ata_port { /* from the channel's base */
                ATA_DATA = 0,
                ATA_COUNT = 2,
                ATA_LBA_LOW = 3,
                ATA_LBA_MID = 4,
                ATA_LBA_HIGH = 5,
                ATA_DEVICE = 6,
                ATA_STATUS = 7,
                ATA_COMMAND = 7,
};

enum {
    STATUS_ERROR = 0x01,
    STATUS_DATA = 0x08, /* DRQ: ready to transfer data */
    STATUS_FAULT = 0x20,
    STATUS_BUSY = 0x80,
    STATUS_FLOATING = 0xff, /* no drive */
};

enum { DEVICE_LBA = 0xe0, DEVICE_SECOND = 0x10 };
enum { CONTROL_NO_INTERRUPT = 0x02, CONTROL_RESET = 0x04 };

enum ata_command {
    ATA_READ = 0x20,
    ATA_READ_EXT = 0x24,
    ATA_READ_MULTIPLE_EXT = 0x29,
    ATA_WRITE = 0x30,
    ATA_WRITE_EXT = 0x34,
    ATA_WRITE_MULTIPLE_EXT = 0x39,
    ATA_READ_MULTIPLE = 0xc4,
    ATA_WRITE_MULTIPLE = 0xc5,
    ATA_SET_MULTIPLE = 0xc6,
    ATA_FLUSH = 0xe7,
    ATA_FLUSH_EXT = 0xea,
    ATA_IDENTIFY = 0xec,
};

enum { /* words of the data of IDENTIFY DEVICE */
       IDENTITY_WORDS = 256,
       IDENTITY_MODEL = 27,
       IDENTITY_MULTIPLE = 47,
       IDENTITY_CAPABILITIES = 49,
       IDENTITY_SECTORS = 60,
       IDENTITY_COMMANDS = 83,
       IDENTITY_SECTORS_EXT = 100,
};
enum { CAPABILITY_LBA = 1 << 9, COMMAND_EXT = 1 << 10, COMMAND_FLUSH = 1 << 12 };

enum { READY_MS = 1000, IDENTIFY_MS = 3000, REQUEST_MS = 5000, FLUSH_MS = 30000, TRIES = 2 };
enum { CHANNELS = 2, UNITS = 2, LBA28_END = 1 << 28 };

struct channel {
    uint16_t base, control;
    unsigned line;
    struct wait wait;
    struct sync_mutex mutex; /* one request at a time */
};

struct drive {
    struct disk disk;
    struct channel *channel;
    unsigned unit;
    unsigned multiple; /* sectors that it moves for each interrupt; 1: no MULTIPLE commands */
    bool ext, flush;   /* 48-bit addresses; it has a cache to flush */
};

static struct channel channels[CHANNELS] = {
    {.base = 0x1f0, .control = 0x3f6, .line = 14, .wait = WAIT_INIT},
    {.base = 0x170, .control = 0x376, .line = 15, .wait = WAIT_INIT},
};
static struct drive drives[CHANNELS * UNITS];

static void put(const struct channel *channel, enum ata_port port, unsigned value)
{
    x86_out8((uint16_t)(channel->base + port), (uint8_t)value);
}

static uint8_t get(const struct channel *channel, enum ata_port port)
{
    return x86_in8((uint16_t)(channel->base + port));
}

/* The same status, but the read does not acknowledge an interrupt. Four reads take the 400 ns in
 * which a device must set it. */
static uint8_t alternate_status(const struct channel *channel)
{
    for (int i = 0; i < 3; i++)
        (void)x86_in8(channel->control);
    return x86_in8(channel->control);
}

/* Waits until (status & mask) == value, for `ms` at most. Most devices are fast, so it polls a few
 * times before it sleeps. */
static int poll(const struct channel *channel, unsigned mask, unsigned value, unsigned ms)
{
    uint64_t end = timer_now() + ms * (uint64_t)TIMER_NS_PER_MS;

    for (int looks = 0;; looks++) {
        if ((alternate_status(channel) & mask) == value)
            return 0;
        if (timer_now() > end)
            return DISK_TIMEOUT;
        if (looks > 100)
            thread_sleep_ms(1);
    }
}

static int check(unsigned status)
{
    return status & (STATUS_ERROR | STATUS_FAULT) ? DISK_FAILED : 0;
}

static void interrupt(void *context)
{
    struct channel *channel = context;

    (void)get(channel, ATA_STATUS); /* reading it is the acknowledgement */
    wait_finish(&channel->wait);
}

/* Resets both drives of the channel to their state after power-on; their commands are aborted. */
static void reset(const struct channel *channel)
{
    x86_out8(channel->control, CONTROL_RESET);
    timer_spin_us(10);
    x86_out8(channel->control, 0);
    thread_sleep_ms(3);
    (void)poll(channel, STATUS_BUSY, 0, REQUEST_MS);
    (void)get(channel, ATA_STATUS);
}

/* Selects the drive, after its previous command has ended. */
static int choose(const struct drive *drive, unsigned bits)
{
    int error = poll(drive->channel, STATUS_BUSY | STATUS_DATA, 0, READY_MS);

    if (error < 0)
        return error;
    put(drive->channel, ATA_DEVICE, bits | (drive->unit != 0 ? DEVICE_SECOND : 0));
    return poll(drive->channel, STATUS_BUSY | STATUS_DATA, 0, READY_MS);
}

static void put_address(const struct channel *channel, uint64_t sector, unsigned count)
{
    put(channel, ATA_COUNT, count);
    put(channel, ATA_LBA_LOW, sector & 0xff);
    put(channel, ATA_LBA_MID, sector >> 8 & 0xff);
    put(channel, ATA_LBA_HIGH, sector >> 16 & 0xff);
}

/* With 48-bit addresses each register takes two bytes, the high one first. */
static int begin(const struct drive *drive, uint64_t sector, unsigned count, enum ata_command plain,
                 enum ata_command ext)
{
    bool wide = sector + count > LBA28_END;
    int error = choose(drive, wide ? DEVICE_LBA : DEVICE_LBA | (unsigned)(sector >> 24 & 15));

    if (error < 0)
        return error;
    if (wide)
        put_address(drive->channel, sector >> 24, 0);
    put_address(drive->channel, sector, count);
    put(drive->channel, ATA_COMMAND, wide ? ext : plain);
    return 0;
}

static void move_in(const struct channel *channel, void *to, unsigned sectors)
{
    size_t words = sectors * DISK_SECTOR / 2;

    __asm__ volatile("rep insw" : "+D"(to), "+c"(words) : "d"(channel->base) : "memory");
}

static void move_out(const struct channel *channel, const void *from, unsigned sectors)
{
    size_t words = sectors * DISK_SECTOR / 2;

    __asm__ volatile("rep outsw" : "+S"(from), "+c"(words) : "d"(channel->base) : "memory");
}

/* Sleeps until the interrupt, then checks the status. */
static int await(struct channel *channel, unsigned wanted)
{
    int error = wait_sleep(&channel->wait);
    unsigned status = alternate_status(channel);

    if (error == 0)
        error = check(status);
    if (error == 0 && (status & (STATUS_BUSY | STATUS_DATA)) != wanted)
        error = DISK_FAILED;
    return error;
}

/* An interrupt says that the next piece can be read. The wait for the following interrupt is armed
 * before, since reading the piece's last word triggers it. */
static int read_once(struct drive *drive, uint64_t sector, unsigned count, uint8_t *bytes)
{
    struct channel *channel = drive->channel;
    int error;

    wait_arm(&channel->wait, REQUEST_MS);
    error = drive->multiple > 1
                ? begin(drive, sector, count, ATA_READ_MULTIPLE, ATA_READ_MULTIPLE_EXT)
                : begin(drive, sector, count, ATA_READ, ATA_READ_EXT);
    if (error < 0)
        wait_finish(&channel->wait);
    while (count > 0) {
        unsigned piece = count < drive->multiple ? count : drive->multiple;
        int arrived = await(channel, STATUS_DATA);

        if (error < 0 || arrived < 0)
            return error < 0 ? error : arrived;
        count -= piece;
        if (count > 0)
            wait_arm(&channel->wait, REQUEST_MS);
        move_in(channel, bytes, piece);
        bytes += piece * DISK_SECTOR;
    }
    return 0;
}

/* The drive requests the first piece without an interrupt, and raises one after each piece. */
static int write_once(struct drive *drive, uint64_t sector, unsigned count, const uint8_t *bytes)
{
    struct channel *channel = drive->channel;
    int error = drive->multiple > 1
                    ? begin(drive, sector, count, ATA_WRITE_MULTIPLE, ATA_WRITE_MULTIPLE_EXT)
                    : begin(drive, sector, count, ATA_WRITE, ATA_WRITE_EXT);

    if (error == 0)
        error = poll(channel, STATUS_BUSY, 0, REQUEST_MS);
    if (error == 0)
        error = check(alternate_status(channel));
    while (error == 0 && count > 0) {
        unsigned piece = count < drive->multiple ? count : drive->multiple;

        if (!(alternate_status(channel) & STATUS_DATA))
            return DISK_FAILED;
        wait_arm(&channel->wait, REQUEST_MS);
        move_out(channel, bytes, piece);
        bytes += piece * DISK_SECTOR;
        count -= piece;
        error = await(channel, count > 0 ? STATUS_DATA : 0);
    }
    return error;
}

static int flush_once(struct drive *drive)
{
    struct channel *channel = drive->channel;
    int error = choose(drive, DEVICE_LBA);

    if (error < 0)
        return error;
    wait_arm(&channel->wait, FLUSH_MS);
    put(channel, ATA_COMMAND, drive->ext ? ATA_FLUSH_EXT : ATA_FLUSH);
    return await(channel, 0);
}

/* Polls; called with the channel's mutex, or before interrupts are in use. A drive that refuses
 * transfers one sector for each interrupt. */
static void set_multiple(struct drive *drive)
{
    const struct channel *channel = drive->channel;

    if (drive->multiple == 1)
        return;
    x86_out8(channel->control, CONTROL_NO_INTERRUPT);
    if (choose(drive, DEVICE_LBA) < 0) {
        drive->multiple = 1;
    } else {
        put(channel, ATA_COUNT, drive->multiple);
        put(channel, ATA_COMMAND, ATA_SET_MULTIPLE);
        if (poll(channel, STATUS_BUSY, 0, READY_MS) < 0 || check(alternate_status(channel)) < 0)
            drive->multiple = 1;
    }
    (void)get(channel, ATA_STATUS);
    x86_out8(channel->control, 0);
}

/* After an error: a reset, and both drives set up as before. */
static void recover(const struct drive *drive, int error)
{
    const struct channel *channel = drive->channel;

    println("disk: %s: %s, reset", drive->disk.name,
            error == DISK_TIMEOUT ? "no answer" : "an error");
    reset(channel);
    for (unsigned i = 0; i < CHANNELS * UNITS; i++)
        if (drives[i].channel == channel && drives[i].disk.ops != NULL)
            set_multiple(&drives[i]);
}

static int ata_read(struct disk *disk, uint64_t sector, unsigned count, void *bytes)
{
    struct drive *drive = (struct drive *)disk;
    int error = DISK_FAILED;

    sync_mutex_take(&drive->channel->mutex);
    for (int try = 0; try < TRIES && error < 0; try++) {
        error = read_once(drive, sector, count, bytes);
        if (error < 0)
            recover(drive, error);
    }
    sync_mutex_give(&drive->channel->mutex);
    return error;
}

static int ata_write(struct disk *disk, uint64_t sector, unsigned count, const void *bytes)
{
    struct drive *drive = (struct drive *)disk;
    int error = DISK_FAILED;

    sync_mutex_take(&drive->channel->mutex);
    for (int try = 0; try < TRIES && error < 0; try++) {
        error = write_once(drive, sector, count, bytes);
        if (error < 0)
            recover(drive, error);
    }
    sync_mutex_give(&drive->channel->mutex);
    return error;
}

/* A flush is not retried. If one fails, earlier writes may be lost, and a second flush that
 * succeeds would hide this. */
static int ata_flush(struct disk *disk)
{
    struct drive *drive = (struct drive *)disk;
    int error = 0;

    if (!drive->flush)
        return 0;
    sync_mutex_take(&drive->channel->mutex);
    error = flush_once(drive);
    if (error < 0)
        recover(drive, error);
    sync_mutex_give(&drive->channel->mutex);
    return error;
}

/* In these strings the bytes of each word are swapped, and blanks fill the end. */
static void copy_model(char *to, const uint16_t *identity)
{
    unsigned length = 40;

    for (unsigned i = 0; i < length; i++) {
        uint16_t word = identity[IDENTITY_MODEL + i / 2];
        char c = (char)(i % 2 == 0 ? word >> 8 : word & 0xff);

        to[i] = c >= ' ' && c <= '~' ? c : ' ';
    }
    while (length > 0 && to[length - 1] == ' ')
        length--;
    to[length] = '\0';
}

/* Polls, since absent drives raise no interrupt. */
static bool identify(const struct drive *drive, uint16_t *identity)
{
    const struct channel *channel = drive->channel;

    if (x86_in8(channel->control) == STATUS_FLOATING)
        return false;
    x86_out8(channel->control, CONTROL_NO_INTERRUPT);
    put(channel, ATA_DEVICE, DEVICE_LBA | (drive->unit != 0 ? DEVICE_SECOND : 0));
    (void)alternate_status(channel);
    put_address(channel, 0, 0);
    put(channel, ATA_COMMAND, ATA_IDENTIFY);
    if (alternate_status(channel) == 0 || poll(channel, STATUS_BUSY, 0, IDENTIFY_MS) < 0)
        return false;
    if (get(channel, ATA_LBA_MID) != 0 || get(channel, ATA_LBA_HIGH) != 0)
        return false; /* a CD drive, which has another command */
    if ((alternate_status(channel) & (STATUS_ERROR | STATUS_DATA)) != STATUS_DATA)
        return false;
    move_in(channel, identity, 1);
    return identity[IDENTITY_CAPABILITIES] & CAPABILITY_LBA;
}

static void set_up(struct drive *drive, const uint16_t *identity)
{
    static const struct disk_ops ops = {ata_read, ata_write, ata_flush};
    const uint16_t *sectors =
        &identity[identity[IDENTITY_COMMANDS] & COMMAND_EXT ? IDENTITY_SECTORS_EXT
                                                            : IDENTITY_SECTORS];
    unsigned most = identity[IDENTITY_MULTIPLE] & 0xff;

    drive->ext = identity[IDENTITY_COMMANDS] & COMMAND_EXT;
    drive->flush = identity[IDENTITY_COMMANDS] & COMMAND_FLUSH;
    drive->disk.sectors = sectors[0] | (uint64_t)sectors[1] << 16;
    if (drive->ext)
        drive->disk.sectors |= (uint64_t)sectors[2] << 32;
    copy_model(drive->disk.model, identity);
    fmt_snprint(drive->disk.name, sizeof drive->disk.name, "ata%u", (unsigned)(drive - drives));
    drive->multiple = 1;
    while (drive->multiple * 2 <= most && drive->multiple < DISK_TRANSFER_MAX)
        drive->multiple *= 2;
    drive->disk.ops = &ops;
}

void ata_init(void (*add)(struct disk *disk))
{
    uint16_t identity[IDENTITY_WORDS];

    for (unsigned c = 0; c < CHANNELS; c++) {
        struct channel *channel = &channels[c];
        unsigned found = 0;

        for (unsigned unit = 0; unit < UNITS; unit++) {
            struct drive *drive = &drives[c * UNITS + unit];

            drive->channel = channel;
            drive->unit = unit;
            if (!identify(drive, identity))
                continue;
            set_up(drive, identity);
            found++;
        }
        if (found == 0 || !wait_add(&channel->wait))
            continue;
        (void)get(channel, ATA_STATUS);
        interrupt_attach_line(channel->line, "ata", interrupt, channel);
        x86_out8(channel->control, 0);
        for (unsigned unit = 0; unit < UNITS; unit++) {
            if (drives[c * UNITS + unit].disk.ops == NULL)
                continue;
            set_multiple(&drives[c * UNITS + unit]);
            add(&drives[c * UNITS + unit].disk);
        }
    }
}
