/* Unit test of fuse/names.c: a file that the guest creates, while the host puts others under its
 * name. The open file must be the one in the reply. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cmocka_all.h"
#include "fuse_client.h"

enum { ROUNDS = 4000 };

static struct fuse_client c;
static char name[128], bait[128];
static atomic_bool done;

static void *host(void *unused)
{
    (void)unused;
    while (!done) {
        int fd = open(bait, O_WRONLY | O_CREAT, 0600);

        if (fd >= 0)
            close(fd);
        (void)!rename(bait, name);
    }
    return NULL;
}

static uint64_t inode_of(uint64_t node, uint64_t handle)
{
    struct fuse_getattr_in in = {.getattr_flags = FUSE_GETATTR_FH, .fh = handle};

    assert_int_equal(fuse_client_ask(&c, FUSE_GETATTR, node, &in, sizeof in, NULL), 0);
    return ((const struct fuse_attr_out *)fuse_client_reply(&c))->attr.ino;
}

static void create(void)
{
    struct fuse_create_in in = {.mode = S_IFREG | 0600, .flags = O_RDWR};
    int code = fuse_client_ask(&c, FUSE_CREATE, FUSE_ROOT_ID, &in, sizeof in, "new");
    struct fuse_forget_in forget = {.nlookup = 1};
    struct fuse_release_in release = {0};
    const struct fuse_entry_out *out = fuse_client_reply(&c);
    uint64_t node, ino;

    if (code != 0) {
        assert_int_equal(code, -ENOENT); /* it was there, and is gone */
        return;
    }
    node = out->nodeid;
    ino = out->attr.ino;
    release.fh = ((const struct fuse_open_out *)(out + 1))->fh;
    assert_int_equal(inode_of(node, release.fh), ino);
    assert_int_equal(fuse_client_ask(&c, FUSE_RELEASE, node, &release, sizeof release, NULL), 0);
    (void)fuse_client_ask(&c, FUSE_FORGET, node, &forget, sizeof forget, NULL);
}

static void others_come_meanwhile(void **state)
{
    pthread_t thread;

    (void)state;
    assert_true(fuse_client_make(&c));
    assert_true(fuse_client_open(&c, NULL));
    assert_int_equal(fuse_client_init(&c, 7, 38), 0);
    snprintf(name, sizeof name, "%s/new", c.root);
    snprintf(bait, sizeof bait, "%s/bait", c.root);
    assert_int_equal(pthread_create(&thread, NULL, host, NULL), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        create();
        (void)unlink(name);
    }
    done = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    fuse_client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(others_come_meanwhile)};

    return cmocka_run_group_tests_name("create", tests, NULL, NULL);
}
