/*
 * libFuzzer: a hostile driver of the virtio file system device, over guest memory of its own and a
 * small folder of the host. A step is four bytes: the action, and its operation, node, handle and
 * name. Requests are served on the device's threads, as usual. There must be no error of ASan, no
 * lost request, and no change outside the folder.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "dev/virtio/fs.h"
#include "fake_backend.h"
#include "fuse_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAM = 0x10000, QUEUE_SIZE = 8, QUEUES_AT = 0x1000, BUFFER = 0x4000, LARGEST_FILE = 1 << 20 };
enum { DESCRIPTORS = 4096 };

static struct fake fake;
static struct fs fs;
static char base[64], root[96];
static uint64_t nodes[8], handles[8];
static unsigned node_count, handle_count;
static uint16_t offered[FS_QUEUES];

static void reach(uint64_t offset, uint8_t size, bool write, uint64_t value)
{
    struct kvm_regs regs = {0};
    struct bus_cpu cpu = {.regs = &regs};
    struct bus_access access = {
        .offset = offset, .data = (uint8_t *)&value, .size = size, .write = write, .cpu = &cpu};

    (void)!virtio_device_ops.access(&fs.device, &access);
}

static void set(uint64_t offset, uint32_t value)
{
    reach(offset, 4, true, value);
}

/* Waits until all requests have completed. */
static void drain(void)
{
    struct pollfd done = {.fd = fs.device.fd, .events = POLLIN};

    while (virtio_device_run(&fs.device) || virtio_in_flight(&fs.device.virtio) > 0) {
        uint64_t count;

        if (virtio_in_flight(&fs.device.virtio) > 0 && poll(&done, 1, 50000) == 0)
            abort(); /* a request was lost */
        if (read(fs.device.fd, &count, sizeof count) < 0 && errno != EAGAIN)
            abort();
    }
}

static void put(uint64_t at, const void *bytes, size_t size)
{
    if (!memory_write(&fake.memory, at, bytes, size))
        abort();
}

static void start(void)
{
    set(VIRTIO_MMIO_STATUS, 0);
    drain();
    set(VIRTIO_MMIO_STATUS, 0);
    memset(offered, 0, sizeof offered);
    set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
    set(VIRTIO_MMIO_DRIVER_FEATURES, 1);
    set(VIRTIO_MMIO_STATUS, 0xb);
    for (uint32_t q = 0; q < FS_QUEUES; q++) {
        set(VIRTIO_MMIO_QUEUE_SEL, q);
        set(VIRTIO_MMIO_QUEUE_NUM, QUEUE_SIZE);
        set(VIRTIO_MMIO_QUEUE_DESC, QUEUES_AT + q * 0x400);
        set(VIRTIO_MMIO_QUEUE_DRIVER, QUEUES_AT + q * 0x400 + 0x100);
        set(VIRTIO_MMIO_QUEUE_DEVICE, QUEUES_AT + q * 0x400 + 0x200);
        set(VIRTIO_MMIO_QUEUE_READY, 1);
    }
    set(VIRTIO_MMIO_STATUS, 0xf);
}

/* Sets up the queues' memory as a driver would, in case the fuzzer has written there. */
static void offer(unsigned queue, uint32_t asked, uint32_t room)
{
    uint64_t at = QUEUES_AT + queue * 0x400;
    uint16_t index = ++offered[queue], head = 0;
    struct virtio_descriptor parts[2] = {
        {.address = BUFFER, .size = asked, .flags = room > 0 ? VIRTIO_DESC_NEXT : 0, .next = 1},
        {.address = BUFFER + 0x4000, .size = room, .flags = VIRTIO_DESC_WRITE}};

    put(at, parts, sizeof parts);
    put(at + 0x104 + 2u * ((index - 1u) % QUEUE_SIZE), &head, 2);
    put(at + 0x102, &index, 2);
}

/* Stores nodes and handles of a reply for later requests. */
static void learn(uint32_t opcode)
{
    struct {
        struct fuse_out_header header;
        struct fuse_entry_out entry;
        struct fuse_open_out open;
    } reply;
    struct fuse_open_out open;

    if (!memory_read(&fake.memory, BUFFER + 0x4000, &reply, sizeof reply) ||
        reply.header.error != 0)
        return;
    memcpy(&open, &reply.entry, sizeof open);
    if (opcode == FUSE_LOOKUP || opcode == FUSE_MKDIR || opcode == FUSE_CREATE)
        nodes[node_count++ % 7 + 1] = reply.entry.nodeid;
    if (opcode == FUSE_CREATE)
        handles[handle_count++ % 8] = reply.open.fh;
    if (opcode == FUSE_OPEN || opcode == FUSE_OPENDIR)
        handles[handle_count++ % 8] = open.fh;
}

/* Arguments of one form: as many 64-bit words as the operation has, the first a handle or a node,
 * then two names. */
static void request(uint8_t opcode, uint8_t which, uint8_t value)
{
    static const char *const names[] = {"a", "b", "dir", "file", "..", "", "x/y", "link"};
    static const uint8_t words[64] = {[FUSE_FORGET] = 1,       [FUSE_GETATTR] = 2,
                                      [FUSE_SETATTR] = 11,     [FUSE_MKNOD] = 2,
                                      [FUSE_MKDIR] = 1,        [FUSE_RENAME] = 1,
                                      [FUSE_LINK] = 1,         [FUSE_OPEN] = 1,
                                      [FUSE_READ] = 5,         [FUSE_WRITE] = 5,
                                      [FUSE_RELEASE] = 3,      [FUSE_FSYNC] = 2,
                                      [FUSE_SETXATTR] = 1,     [FUSE_GETXATTR] = 1,
                                      [FUSE_FLUSH] = 3,        [FUSE_INIT] = 2,
                                      [FUSE_OPENDIR] = 1,      [FUSE_READDIR] = 5,
                                      [FUSE_RELEASEDIR] = 3,   [FUSE_FSYNCDIR] = 2,
                                      [FUSE_ACCESS] = 1,       [FUSE_CREATE] = 2,
                                      [FUSE_BATCH_FORGET] = 3, [FUSE_FALLOCATE] = 4,
                                      [FUSE_READDIRPLUS] = 5,  [FUSE_RENAME2] = 2,
                                      [FUSE_LSEEK] = 3,        [FUSE_COPY_FILE_RANGE] = 7,
                                      [FUSE_TMPFILE] = 2};
    struct fuse_in_header header = {.opcode = opcode % 64, .nodeid = nodes[which & 7]};
    uint64_t words_in[12] = {handles[which >> 3 & 7], value, 0x1000, value, value};
    uint8_t bytes[1024];
    size_t size = sizeof header;

    if (header.opcode == FUSE_INIT)
        words_in[0] = UINT64_C(38) << 32 | 7;
    if (header.opcode == FUSE_RENAME || header.opcode == FUSE_LINK)
        words_in[0] = nodes[which >> 3 & 7];
    if (header.opcode == FUSE_CREATE || header.opcode == FUSE_MKNOD || header.opcode == FUSE_MKDIR)
        words_in[0] = value & 1 ? 0x81ed00000042 : 0x1ed;
    if (header.opcode == FUSE_OPEN)
        words_in[0] = value & 3;
    memcpy(bytes + size, words_in, words[header.opcode] * 8u);
    size += words[header.opcode] * 8u;
    for (unsigned i = 0; i < 2; i++) {
        const char *name = names[(i == 0 ? value : value >> 3) & 7];

        memcpy(bytes + size, name, strlen(name) + 1);
        size += strlen(name) + 1;
    }
    memcpy(bytes, &header, sizeof header);
    if ((value & 0xc0) == 0xc0)
        size -= which % size; /* cut short */
    put(BUFFER, bytes, sizeof bytes);
    put(BUFFER + 0x4000, &(struct fuse_out_header){.error = 1}, sizeof(struct fuse_out_header));
    offer(which >> 7, (uint32_t)size, which & 0x40 ? 0 : 0x1000u + value * 64u);
    drain();
    learn(header.opcode);
}

static void step(uint8_t order, uint8_t a, uint8_t b, uint8_t c)
{
    switch (order & 15) {
    case 0:
        start();
        request(FUSE_INIT, 1u << 7, 0);
        break;
    case 1: /* many at once, the same */
        for (unsigned i = 0; i < (b & 7u); i++)
            offer(a & 1, 40 + b, c * 16u);
        break;
    case 2:
        reach((uint64_t)(a << 8 | b) & 0xfff, 4, order & 0x10, c);
        break;
    case 3: /* the guest writes wherever it likes */
        put((uint64_t)(a << 8 | b), &c, 1);
        break;
    case 4:
        if (!virtio_device_ops.quiesce(&fs.device))
            drain();
        virtio_device_ops.resume(&fs.device);
        break;
    default:
        request(a, b, c);
        break;
    }
}

/* Files beside the shared folder must not change. */
static void check_outside(void)
{
    char path[160];
    struct stat status;

    snprintf(path, sizeof path, "%s/outside", base);
    if (stat(path, &status) < 0 || status.st_size != 0 || (status.st_mode & 07777) != 0600 ||
        stat(base, &status) < 0 || status.st_nlink != 3)
        abort();
}

static void leave(void)
{
    nftw(base, fuse_client_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void prepare(void)
{
    struct rlimit limit = {LARGEST_FILE, LARGEST_FILE};
    struct fuse_options options = {.path = root, .descriptors = DESCRIPTORS};
    struct error error;
    char path[160];
    int file;

    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    snprintf(base, sizeof base, "/tmp/fuzz-fs-XXXXXX");
    if (mkdtemp(base) == NULL || atexit(leave) != 0)
        abort();
    snprintf(root, sizeof root, "%s/shared", base);
    snprintf(path, sizeof path, "%s/outside", base);
    file = open(path, O_CREAT | O_WRONLY, 0600);
    if (file < 0 || mkdir(root, 0700) < 0)
        abort();
    close(file);
    fake_init(&fake);
    if (fs_init(&fs, &fake.backend, 0, fuse_server_open(&options, &error), "fuzz", &error) < 0)
        abort();
}

static void empty(void)
{
    char path[160];

    nftw(root, fuse_client_remove, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(path, sizeof path, "%s/link", root);
    if (mkdir(root, 0700) < 0 || symlink("../outside", path) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *ram;
    struct fuse_options options = {.path = root, .descriptors = DESCRIPTORS};
    struct error error;

    if (base[0] == '\0')
        prepare();
    ram = calloc(1, RAM);
    memory_init(&fake.memory, 0, RAM, ram);
    empty();
    fuse_server_close(fs.server);
    fs.server = fuse_server_open(&options, &error); /* it is another folder */
    fs.device.complaints = 0;
    fs.device.quiet = false;
    memset(nodes, 0, sizeof nodes);
    nodes[0] = FUSE_ROOT_ID;
    node_count = handle_count = 0;
    start();
    for (unsigned i = 0; size >= 4 && i < 64; data += 4, size -= 4, i++)
        step(data[0], data[1], data[2], data[3]);
    fs.device.quiet = false;
    start();
    check_outside();
    free(ram);
    return 0;
}
