/* libFuzzer: the state of a shared folder from outside. If it is accepted, each node and handle is
 * used, and the state is saved again. Small inode numbers stand for existing files: a, a/b, c,
 * which is hidden, and one beside the folder. Neither of the last two may answer. */
#include <errno.h>
#include <sys/resource.h>

#include "fuse/reach.h"
#include "fuse_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

enum { FORBIDDEN = 777 /* bytes */, FILES = 4, NODE_SIZE = 56, HEADER_SIZE = 24 };
#define NUMBER(slot) ((slot) | UINT64_C(1) << 32)

/* The same as in fuse/saved.c. */
struct __attribute__((packed)) saved_node {
    uint64_t id, folder, dev, ino, birth, lookups;
    uint32_t type, name_size;
    char name[1];
};
struct __attribute__((packed)) saved_state {
    uint32_t version, devices, nodes, handles, generations[2];
    uint64_t device;
    struct saved_node node[FILES];
    uint64_t handle[2];
    uint32_t flags, folder;
};

/* A good state. Device 0 is the folder's. */
static const struct saved_state good = {
    .version = 2,
    .devices = 1,
    .nodes = FILES,
    .handles = 1,
    .generations = {1, 1},
    .node = {{NUMBER(2), 1, 0, 1, 0, 1, S_IFDIR, 1, "a"},
             {NUMBER(3), NUMBER(2), 0, 2, 0, 1, S_IFREG, 1, "b"},
             {NUMBER(4), 1, 0, 3, 0, 1, S_IFREG, 1, "c"},
             {NUMBER(5), 1, 0, 4, 0, 1, S_IFREG, 1, "d"}},
    .handle = {NUMBER(1), NUMBER(3)}};

static struct fuse_client client;
static char hidden[96];
static uint64_t inodes[FILES], births[FILES];

static void host_make(unsigned i, const char *name, size_t size)
{
    char path[128];
    struct fuse_found found;
    int fd;

    snprintf(path, sizeof path, "%s/%s", client.root, name);
    if (size == 0 ? mkdir(path, 0700) < 0 : (fd = open(path, O_RDWR | O_CREAT, 0600)) < 0)
        abort();
    if (size > 0 && (ftruncate(fd, (off_t)size) < 0 || close(fd) < 0))
        abort();
    if (fuse_reach_look_at(AT_FDCWD, path, &found) < 0)
        abort();
    inodes[i] = found.status.st_ino;
    births[i] = found.birth;
}

static void start(void)
{
    static const char *const hides[] = {hidden};
    static const struct fuse_options options = {.hidden = hides, .hidden_count = 1};

    if (client.root[0] == '\0') {
        if (!fuse_client_make(&client))
            abort();
        host_make(3, "beside", FORBIDDEN);
        host_make(0, "shared", 0);
        strcat(client.root, "/shared");
        host_make(0, "a", 0);
        host_make(1, "a/b", 1);
        host_make(2, "c", FORBIDDEN);
        snprintf(hidden, sizeof hidden, "%s/c", client.root);
    }
    if (!fuse_client_open(&client, &options))
        abort();
}

/* A copy, in which the nodes have the files' inodes and birth times. */
static uint8_t *fill(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    uint32_t devices, name_size;
    size_t at = HEADER_SIZE;
    uint64_t ino;

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    if (size < HEADER_SIZE)
        return copy;
    memcpy(&devices, data + 4, sizeof devices);
    at += devices % 65 * 8;
    while (at + NODE_SIZE <= size) {
        memcpy(&ino, data + at + 24, sizeof ino);
        memcpy(&name_size, data + at + 52, sizeof name_size);
        if (ino >= 1 && ino <= FILES) {
            memcpy(copy + at + 24, &inodes[ino - 1], sizeof ino);
            memcpy(copy + at + 32, &births[ino - 1], sizeof ino);
        }
        at += NODE_SIZE + name_size % 256;
    }
    return copy;
}

/* Whether the server accepted it; *answers: the number of nodes and handles that work. */
static bool use(const uint8_t *data, size_t size, unsigned *answers)
{
    struct fuse_getattr_in about = {0};
    uint8_t *bytes = fill(data, size);
    struct error error;
    unsigned lost;
    bool taken = fuse_server_load(client.server, bytes, size, &lost, &error) == 0;

    *answers = 0;
    for (uint64_t slot = 1; taken && slot < 16; slot++)
        for (uint64_t generation = 0; generation < 4; generation++) {
            struct fuse_read_in in = {.fh = slot | generation << 32, .size = FORBIDDEN};

            if (fuse_client_ask(&client, FUSE_GETATTR, in.fh, &about, sizeof about, NULL) == 0) {
                const struct fuse_attr_out *out = fuse_client_reply(&client);

                if (S_ISREG(out->attr.mode) && out->attr.size == FORBIDDEN)
                    abort();
                ++*answers;
            }
            if (fuse_client_ask(&client, FUSE_READ, 1, &in, sizeof in, NULL) == 0) {
                if (client.request.moved == FORBIDDEN)
                    abort();
                ++*answers;
            }
            (void)fuse_client_ask(&client, FUSE_FORGET, in.fh, &(uint64_t){1}, 8, NULL);
        }
    free(bytes);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool checked;
    unsigned answers;
    uint8_t *again;
    size_t again_size;

    start();
    if (!checked) { /* the root, a, a/b and its handle answer, otherwise the rest tests nothing */
        if (!use((const uint8_t *)&good, sizeof good, &answers) || answers != 4)
            abort();
        checked = true;
        fuse_server_close(client.server);
        start();
    }
    if (use(data, size, &answers)) {
        again = fuse_server_save(client.server, &again_size);
        if (again == NULL)
            abort();
        free(again);
    }
    fuse_server_close(client.server);
    return 0;
}

/* An input that is too short starts as the good state. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    (void)seed;
    if (size < sizeof good && max >= sizeof good) {
        memcpy(data, &good, sizeof good);
        size = sizeof good;
    }
    return LLVMFuzzerMutate(data, size, max);
}
