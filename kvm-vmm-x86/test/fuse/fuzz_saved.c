/* libFuzzer: the state of a shared folder from outside. What is taken is used: each node and
 * handle, and then saved. Nothing beside the folder is opened: there is a file, by a name that is
 * hidden. */
#include <errno.h>
#include <sys/resource.h>

#include "fuse_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void host_make(const char *root, const char *name, bool folder)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", root, name);
    if (folder ? mkdir(path, 0700) < 0 : (fd = open(path, O_RDWR | O_CREAT, 0600)) < 0)
        abort();
    if (!folder)
        close(fd);
}

static struct fuse_client client;
static char hidden[96];

static void start(void)
{
    static const char *const hides[] = {hidden};
    static const struct fuse_options options = {.hidden = hides, .hidden_count = 1};

    if (client.root[0] == '\0') {
        if (!fuse_client_make(&client))
            abort();
        host_make(client.root, "a", true);
        host_make(client.root, "a/b", false);
        host_make(client.root, "c", false);
        snprintf(hidden, sizeof hidden, "%s/c", client.root);
    }
    if (!fuse_client_open(&client, &options))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuse_getattr_in about = {0};
    struct error error;
    unsigned lost;
    uint8_t *again;
    size_t again_size;

    start();
    if (fuse_server_load(client.server, data, size, &lost, &error) == 0) {
        for (uint64_t slot = 1; slot < 16; slot++)
            for (uint64_t generation = 0; generation < 4; generation++) {
                struct fuse_read_in in = {.fh = slot | generation << 32, .size = 16};

                (void)fuse_client_ask(&client, FUSE_GETATTR, in.fh, &about, sizeof about, NULL);
                (void)fuse_client_ask(&client, FUSE_READ, 1, &in, sizeof in, NULL);
                (void)fuse_client_ask(&client, FUSE_FORGET, in.fh, &(uint64_t){1}, 8, NULL);
            }
        again = fuse_server_save(client.server, &again_size);
        if (again == NULL)
            abort();
        free(again);
    }
    fuse_server_close(client.server);
    return 0;
}
