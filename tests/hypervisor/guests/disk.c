/*
 * A driver of its own for the virtio disk (virtio 1.2: 2.7, 4.2, 5.2), first an honest one, then a
 * hostile one: what it breaks must break its own device and nothing else, and a reset must mend
 * that. The disk counts the guest's boots: it reboots, cold and warm, until there have been BOOTS.
 */
#include "tests/hypervisor/guests/lib/guest.h"

#include "common/string.h"

enum {
    QUEUE = 8,
    NEXT = 1,
    WRITE = 2,
    INDIRECT = 4,
    IN = 0,
    OUT = 1,
    FLUSH = 4,
    ID = 8,
    SECTOR = 512
};
enum { NEEDS_RESET = 0x40, GO = 15, OK = 0, ERROR = 1, UNSUPPORTED = 2 };
#define SLOTS   0x10001000ul
#define RAM_END 0x80800000ul /* of the 8 MiB that the manifest says */

struct shared {
    struct {
        uint64_t at;
        uint32_t size;
        uint16_t flags, next;
    } table[QUEUE];
    volatile uint16_t available[4 + QUEUE], used[4 + 4 * QUEUE];
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    uint8_t data[4 * SECTOR];
    volatile uint8_t status;
} __attribute__((aligned(16)));

static struct shared q;

static uint64_t device;
static uint32_t features; /* of the lower half, to accept */

static volatile uint32_t *reg(uint64_t offset)
{
    return (volatile uint32_t *)(device + offset);
}

static bool find_disk(void)
{
    for (device = SLOTS; device < SLOTS + 0x3000; device += 0x1000)
        if (*reg(0) == 0x74726976 && *reg(4) == 2 && *reg(8) == 2)
            return true;
    return false;
}

static void set_address(uint64_t offset, uint64_t at)
{
    *reg(offset) = (uint32_t)at;
    *reg(offset + 4) = (uint32_t)(at >> 32);
}

/* A device after a reset, its queue at these addresses. */
static void start(uint64_t table, uint64_t available, uint64_t used)
{
    memset(&q, 0, sizeof q);
    *reg(0x70) = 0;
    expect(*reg(0x70) == 0 && *reg(0x44) == 0);
    *reg(0x70) = 3;
    *reg(0x24) = 0;
    *reg(0x20) = features;
    *reg(0x24) = 1;
    *reg(0x20) = 1;
    *reg(0x70) = 11;
    expect((*reg(0x70) & 8) != 0);
    *reg(0x30) = 0;
    *reg(0x38) = QUEUE;
    set_address(0x80, table);
    set_address(0x90, available);
    set_address(0xa0, used);
    *reg(0x44) = 1;
    *reg(0x70) = GO;
}

static void start_well(void)
{
    start((uintptr_t)q.table, (uintptr_t)q.available, (uintptr_t)q.used);
}

/* The three parts of a request. */
static void describe(uint32_t type, uint64_t sector, uint64_t at, uint32_t size)
{
    q.header.type = type;
    q.header.sector = sector;
    q.status = 0xff;
    q.table[0].at = (uintptr_t)&q.header;
    q.table[0].size = 16;
    q.table[0].flags = NEXT;
    q.table[0].next = 1;
    q.table[1].at = at;
    q.table[1].size = size;
    q.table[1].flags = NEXT | (type == OUT ? 0 : WRITE);
    q.table[1].next = 2;
    q.table[2].at = (uintptr_t)&q.status;
    q.table[2].size = 1;
    q.table[2].flags = WRITE;
}

static void submit(uint16_t head)
{
    q.available[2 + q.available[1] % QUEUE] = head;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    q.available[1]++;
    *reg(0x50) = 0;
}

/* One request, from start to end: the hypervisor serves it before the notification returns. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t size)
{
    describe(type, sector, (uintptr_t)q.data, size);
    submit(0);
    return q.status;
}

static void honest(void)
{
    static const char text[] = "what was written is read";

    start_well();
    expect(*reg(0x100) == SECTORS);
    expect(request(IN, 1, SECTOR) == OK && memcmp(q.data, "second sector", 13) == 0);
    memcpy(q.data, text, sizeof text);
    expect(request(OUT, 2, SECTOR) == OK);
    expect(request(FLUSH, 0, 0) == OK);
    memset(q.data, 0, sizeof q.data);
    expect(request(IN, 0, 4 * SECTOR) == OK && memcmp(q.data + 2 * SECTOR, text, sizeof text) == 0);
    expect(request(ID, 0, 20) == OK && memcmp(q.data, "mini-kvm", 8) == 0);
    expect((*reg(0x60) & 1) != 0); /* the interrupt it raised */
    *reg(0x64) = *reg(0x60);
    expect(*reg(0x60) == 0);
    expect(q.used[1] == 5);
}

/* A request of four segments behind one descriptor, and one whose status lies in a segment with
 * data. */
static void segments(void)
{
    static struct {
        uint64_t at;
        uint32_t size;
        uint16_t flags, next;
    } table[6];
    uint8_t *data = q.data;

    expect(*reg(0x10c) >= 4); /* seg_max */
    features = 1u << 28;
    start_well();
    for (int i = 0; i < 4 * SECTOR; i++)
        data[i] = (uint8_t)(i / SECTOR + i);
    for (uint16_t i = 0; i < 6; i++) {
        table[i].at = i == 0 ? (uintptr_t)&q.header : (uintptr_t)(data + (4 - i) * SECTOR);
        table[i].size = i == 0 ? 16 : SECTOR;
        table[i].flags = NEXT;
        table[i].next = i + 1;
    }
    table[5].at = (uintptr_t)&q.status;
    table[5].size = 1;
    table[5].flags = WRITE;
    describe(OUT, 3, 0, 0);
    q.table[0].at = (uintptr_t)table;
    q.table[0].size = sizeof table;
    q.table[0].flags = INDIRECT;
    submit(0);
    expect(q.status == OK); /* the last segment was written first */
    features = 0;
    start_well();
    expect(request(IN, 3, SECTOR) == OK && q.data[0] == 3 && q.data[1] == 4);
    expect(request(IN, 6, SECTOR) == OK && q.data[0] == 0 && q.data[1] == 1);
    describe(IN, 3, (uintptr_t)q.data, SECTOR + 1); /* and the status at the end of it */
    q.table[1].flags = WRITE;
    submit(0);
    expect(q.data[0] == 3 && q.data[SECTOR] == OK);
}

/* Requests that are wrong but well-formed are answered with an error. */
static void wrong_requests(void)
{
    start_well();
    expect(request(IN, SECTORS, SECTOR) == ERROR);
    expect(request(IN, ~0ul, SECTOR) == ERROR);
    expect(request(OUT, SECTORS - 1, 2 * SECTOR) == ERROR);
    expect(request(IN, 0, SECTOR - 1) == ERROR);
    expect(request(99, 0, SECTOR) == UNSUPPORTED);
    expect((*reg(0x70) & NEEDS_RESET) == 0);
}

/* The device has given up on us, raised no data, and works again after a reset. */
static void expect_broken(const char *what)
{
    if ((*reg(0x70) & NEEDS_RESET) == 0)
        guest_say("defect: not refused: %s", what);
    expect((*reg(0x70) & NEEDS_RESET) != 0);
    start_well();
    expect(request(IN, 1, SECTOR) == OK);
}

static void foreign_memory(void)
{
    static const uint64_t foreign[] = {0,          0x10000000, 0x40000000,  RAM_END,  RAM_END - 8,
                                       0x7ffffff8, 1ul << 40,  ~0ul - 4096, ~0ul - 7, 0x0c000000};

    for (unsigned i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        start_well();
        describe(IN, 0, foreign[i], SECTOR);
        submit(0);
        expect_broken("data elsewhere");
        start_well();
        describe(OUT, 0, foreign[i], SECTOR);
        submit(0);
        expect_broken("data from elsewhere");
        start(foreign[i] & ~15ul, (uintptr_t)q.available, (uintptr_t)q.used);
        describe(IN, 0, (uintptr_t)q.data, SECTOR);
        submit(0);
        expect_broken("a table elsewhere");
        if (foreign[i] == RAM_END - 8)
            continue; /* its first words are ours, and say that there is nothing to do */
        start((uintptr_t)q.table, foreign[i] & ~1ul, (uintptr_t)q.used);
        submit(0);
        expect_broken("a ring elsewhere");
    }
}

static void broken_chains(void)
{
    start_well();
    describe(IN, 0, (uintptr_t)q.data, SECTOR);
    q.table[1].next = 1; /* itself */
    submit(0);
    expect_broken("a loop");
    describe(IN, 0, (uintptr_t)q.data, SECTOR);
    q.table[1].next = QUEUE;
    submit(0);
    expect_broken("a link out of the table");
    submit(0xffff);
    expect_broken("a head out of the table");
    describe(IN, 0, (uintptr_t)q.data, SECTOR);
    q.table[0].flags |= INDIRECT;
    submit(0);
    expect_broken("an indirect table, which was not agreed on");
    describe(IN, 0, (uintptr_t)q.data, SECTOR);
    q.table[2].flags = 0; /* read-only after writable, and no place for the status */
    submit(0);
    expect_broken("a status that cannot be written");
    describe(IN, 0, (uintptr_t)q.data, 0xffffffff);
    submit(0);
    expect_broken("four gigabytes");
    q.available[1] += 1000;
    submit(0);
    expect_broken("more requests than the ring holds");
    q.table[0].at = (uintptr_t)&q.header;
    q.table[0].size = 4;
    q.table[0].flags = 0;
    submit(0);
    expect_broken("half a header");
}

/* Registers out of order, with every width, all over the page: nothing may happen but nonsense. */
static void registers(void)
{
    for (uint64_t offset = 0; offset < 0x200; offset += 4)
        for (uint32_t value = 0; value < 70; value += 23)
            *reg(offset) = value * 0x01010101;
    for (uint64_t offset = 0; offset < 0x200; offset++) {
        (void)*(volatile uint8_t *)(device + offset);
        *(volatile uint8_t *)(device + offset) = 0xff;
    }
    *reg(0x70) = 0;
    *reg(0x50) = 0; /* before there is a queue */
    *reg(0x24) = 7;
    *reg(0x20) = ~0u;
    *reg(0x70) = 11;
    expect((*reg(0x70) & 8) == 0); /* features that were not offered, and not version 1 */
    start_well();
    *reg(0x38) = 4; /* frozen now */
    set_address(0x80, 0);
    expect(request(IN, 1, SECTOR) == OK);
}

int main(void);

int main(void)
{
    uint8_t boots;

    expect(find_disk());
    start_well();
    expect(request(IN, 0, SECTOR) == OK);
    boots = ++q.data[0];
    expect(request(OUT, 0, SECTOR) == OK);
    guest_say("boot %u", boots);
    if (boots < BOOTS)
        guest_sbi(SRST, 0, boots == 1 ? 1 : 2, 0, 0, 0);
    expect(boots == BOOTS);
    honest();
    segments();
    wrong_requests();
    foreign_memory();
    broken_chains();
    registers();
    return 0;
}
