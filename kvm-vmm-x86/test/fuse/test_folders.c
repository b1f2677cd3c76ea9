/* Unit tests of fuse/folders.c: a guest lists a folder. */
#include <errno.h>
#include <sys/wait.h>

#include "cmocka_all.h"
#include "fuse_client.h"

#define ROOT FUSE_ROOT_ID

static struct fuse_client c;

static int set_up(void **state)
{
    (void)state;
    assert_true(fuse_client_make(&c));
    assert_true(fuse_client_open(&c, NULL));
    assert_int_equal(fuse_client_init(&c, 7, 38), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fuse_client_close(&c);
    return 0;
}

static void put_files(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char path[256];
        int fd;

        snprintf(path, sizeof path, "%s/file-number-%u", c.root, i);
        fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
}

/* Lists names and their nodes in an open folder; returns their number. */
static unsigned list_open(uint64_t handle, uint32_t opcode, uint32_t size)
{
    struct fuse_read_in in = {.fh = handle, .size = size};
    unsigned count = 0;

    for (;;) {
        const uint8_t *at, *end;

        assert_int_equal(fuse_client_ask(&c, opcode, ROOT, &in, sizeof in, NULL), 0);
        at = fuse_client_reply(&c);
        end = c.out + c.request.out_size;
        assert_true(c.request.out_size <= (uint64_t)size + FUSE_REPLY_HEADER_SIZE);
        if (at == end)
            return count;
        while (at < end) {
            const struct fuse_dirent *d =
                (const void *)(at +
                               (opcode == FUSE_READDIRPLUS ? sizeof(struct fuse_entry_out) : 0));

            in.offset = d->off;
            count++;
            at = (const uint8_t *)d + FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + d->namelen);
        }
    }
}

static unsigned list(uint32_t opcode, uint32_t size)
{
    return list_open((uint64_t)fuse_client_open_file(&c, ROOT, 0, FUSE_OPENDIR), opcode, size);
}

static bool lists_all(uint64_t handle)
{
    for (unsigned i = 0; i < 300; i++)
        if (list_open(handle, FUSE_READDIR, 512) != 302)
            return false;
    return true;
}

/* A copy of the server by fork(2) reads an open folder beside its origin. */
static void a_copy(void **state)
{
    uint64_t handle = (uint64_t)fuse_client_open_file(&c, ROOT, 0, FUSE_OPENDIR);
    bool all;
    int status;
    pid_t pid;

    (void)state;
    put_files(300);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fuse_server_leave(c.server);
        _exit(!lists_all(handle));
    }
    all = lists_all(handle);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(all && status == 0);
}

static void folders(void **state)
{
    struct fuse_read_in in = {.offset = UINT64_MAX, .size = 4096};

    (void)state;
    put_files(300);
    assert_int_equal(list(FUSE_READDIR, 4096), 302);
    assert_int_equal(list(FUSE_READDIRPLUS, 4096), 302);
    assert_int_equal(list(FUSE_READDIRPLUS, UINT32_MAX), 302); /* more than a reply can have */
    in.fh = (uint64_t)fuse_client_open_file(&c, ROOT, 0, FUSE_OPENDIR);
    assert_true(fuse_client_ask(&c, FUSE_READDIR, ROOT, &in, sizeof in, NULL) <= 0);
    assert_int_equal(fuse_client_ask(&c, FUSE_READDIR, ROOT, &in, 8, NULL), -EINVAL);
    in.fh = 99;
    assert_int_equal(fuse_client_ask(&c, FUSE_READDIR, ROOT, &in, sizeof in, NULL), -EBADF);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
