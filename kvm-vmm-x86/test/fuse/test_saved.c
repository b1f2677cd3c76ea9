/* Unit tests of fuse/saved.c: another server continues with the files that a guest has open, and
 * accepts nothing that leads elsewhere. */
#include <errno.h>

#include "cmocka_all.h"
#include "fuse/call.h"
#include "fuse_client.h"

static struct fuse_client first, second;
static uint8_t *saved;
static size_t saved_size;
static uint64_t folder, file, gone, folder_handle, file_handle, gone_handle;

static void host_write(const char *name, const char *text)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", first.root, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void host_change(const char *from, const char *to)
{
    char path[128], other[128];

    snprintf(path, sizeof path, "%s/%s", first.root, from);
    snprintf(other, sizeof other, "%s/%s", first.root, to != NULL ? to : "");
    assert_int_equal(to != NULL ? rename(path, other) : unlink(path), 0);
}

static int read_file(struct fuse_client *c, uint64_t handle)
{
    struct fuse_read_in in = {.fh = handle, .size = sizeof c->room};

    return fuse_client_ask(c, FUSE_READ, file, &in, sizeof in, NULL);
}

static int attributes(struct fuse_client *c, uint64_t node)
{
    struct fuse_getattr_in in = {0};

    return fuse_client_ask(c, FUSE_GETATTR, node, &in, sizeof in, NULL);
}

static int set_up(void **state)
{
    char path[128];

    (void)state;
    assert_true(fuse_client_make(&first));
    snprintf(path, sizeof path, "%s/aa", first.root);
    assert_int_equal(mkdir(path, 0700), 0);
    host_write("aa/file", "hello");
    host_write("aa/gone", "x");
    assert_true(fuse_client_open(&first, NULL));
    assert_int_equal(fuse_client_init(&first, 7, 31), 0);
    folder = (uint64_t)fuse_client_find(&first, FUSE_ROOT_ID, "aa");
    file = (uint64_t)fuse_client_find(&first, folder, "file");
    gone = (uint64_t)fuse_client_find(&first, folder, "gone");
    folder_handle = (uint64_t)fuse_client_open_file(&first, folder, O_RDONLY, FUSE_OPENDIR);
    file_handle = (uint64_t)fuse_client_open_file(&first, file, O_RDWR, FUSE_OPEN);
    gone_handle = (uint64_t)fuse_client_open_file(&first, gone, O_RDONLY, FUSE_OPEN);
    host_change("aa/gone", NULL);
    saved = fuse_server_save(first.server, &saved_size);
    assert_non_null(saved);
    memset(&second, 0, sizeof second);
    memcpy(second.root, first.root, sizeof first.root);
    assert_true(fuse_client_open(&second, NULL));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(saved);
    fuse_client_close(&first);
    fuse_client_close(&second);
    return 0;
}

static int load(unsigned *lost)
{
    struct error error;

    return fuse_server_load(second.server, saved, saved_size, lost, &error);
}

static void goes_on(void **state)
{
    struct fuse_read_in in = {.fh = folder_handle, .size = 4096};
    struct fuse_write_in out = {.fh = file_handle, .offset = 5, .size = 1};
    int64_t more;
    unsigned lost;

    (void)state;
    assert_int_equal(load(&lost), 0);
    assert_int_equal(lost, 1);
    assert_int_equal(read_file(&second, file_handle), 0);
    assert_int_equal(second.request.moved, 5);
    assert_memory_equal(second.room, "hello", 5);
    fuse_client_begin(&second, FUSE_WRITE, file);
    fuse_client_add(&second, &out, sizeof out);
    assert_int_equal(fuse_client_send(&second, "!", 1), 0);
    assert_int_equal(read_file(&second, file_handle), 0);
    assert_int_equal(second.request.moved, 6);
    assert_int_equal(read_file(&second, gone_handle), -EBADF);
    assert_int_equal(attributes(&second, gone), -ESTALE);
    assert_int_equal(fuse_client_ask(&second, FUSE_READDIR, folder, &in, sizeof in, NULL), 0);
    assert_true(second.request.out_size > 100);
    assert_int_equal(fuse_client_find(&second, FUSE_ROOT_ID, "aa"), folder);
    assert_int_equal(fuse_client_find(&second, folder, "file"), file);
    more = fuse_client_open_file(&second, file, O_RDONLY, FUSE_OPEN);
    assert_true(more > 0 && (uint64_t)more != file_handle && (uint64_t)more != gone_handle &&
                (uint64_t)more != folder_handle);
    host_write("aa/new", "1");
    more = fuse_client_find(&second, folder, "new");
    assert_true(more > 0 && (uint64_t)more != file && (uint64_t)more != gone);
}

/* If another file has its name now, the node is stale, and the open file is lost. */
static void replaced(void **state)
{
    unsigned lost;

    (void)state;
    host_write("other", "bye");
    host_change("other", "aa/file");
    assert_int_equal(load(&lost), 0);
    assert_int_equal(lost, 2);
    assert_int_equal(attributes(&second, file), -ESTALE);
    assert_int_equal(read_file(&second, file_handle), -EBADF);
    assert_true(fuse_client_find(&second, folder, "file") != (int64_t)file);
}

static uint8_t *saved_node(uint64_t id)
{
    return (uint8_t *)memmem(saved + 32, saved_size - 32, &id, sizeof id);
}

/* The same for a file with the same inode, because the first was removed, but another birth time.
 */
static void inode_used_again(void **state)
{
    struct fuse_node *node = fuse_node_get(&first.server->nodes, file);
    bool told = node->birth != 0;
    unsigned lost;

    (void)state;
    fuse_node_put(&first.server->nodes, node);
    if (!told)
        skip(); /* this file system or an overlay does not report it */
    saved_node(file)[32] ^= 1;
    assert_int_equal(load(&lost), 0);
    assert_int_equal(lost, 2);
    assert_int_equal(attributes(&second, file), -ESTALE);
    assert_int_equal(attributes(&second, folder), 0);
    assert_true(fuse_client_find(&second, folder, "file") != (int64_t)file);
}

/* An unknown birth time does not distinguish files: on an overlay birth times change. */
static void birth_unknown(void **state)
{
    struct fuse_node *node = fuse_node_get(&first.server->nodes, file);
    unsigned lost;

    (void)state;
    memset(saved_node(file) + 32, 0, sizeof node->birth);
    assert_int_equal(load(&lost), 0);
    assert_int_equal(lost, 1);
    assert_int_equal(attributes(&second, file), 0);
    assert_int_equal(fuse_client_find(&second, folder, "file"), file);
    node->birth = 0;
    fuse_node_put(&first.server->nodes, node);
    assert_int_equal(fuse_client_find(&first, folder, "file"), file);
}

static void save_again(void)
{
    free(saved);
    saved = fuse_server_save(first.server, &saved_size);
    assert_non_null(saved);
}

/* The node ID of a forgotten file is not used for another file. */
static void forgotten_number(void **state)
{
    struct fuse_forget_in in = {.nlookup = 1};
    int64_t forgotten;
    unsigned lost;

    (void)state;
    host_write("aa/one", "1");
    host_write("aa/two", "2");
    forgotten = fuse_client_find(&first, folder, "one");
    assert_true(forgotten > (int64_t)gone);
    assert_int_equal(
        fuse_client_ask(&first, FUSE_FORGET, (uint64_t)forgotten, &in, sizeof in, NULL), 1);
    save_again();
    assert_int_equal(load(&lost), 0);
    assert_true(fuse_client_find(&second, folder, "two") > 0);
    assert_int_equal(attributes(&second, (uint64_t)forgotten), -ESTALE);
}

/* Some file systems have names that are longer than a snapshot takes: files in such a folder are
 * stale until the guest looks them up. */
static void long_name(void **state)
{
    struct fuse_node *node = fuse_node_get(&first.server->nodes, folder);
    unsigned lost;

    (void)state;
    free(node->name);
    node->name = malloc(301);
    assert_non_null(node->name);
    memset(node->name, 'n', 300);
    node->name[300] = '\0';
    fuse_node_put(&first.server->nodes, node);
    save_again();
    assert_int_equal(load(&lost), 0);
    assert_int_equal(lost, 3);
    assert_int_equal(attributes(&second, file), -ESTALE);
    assert_int_equal(fuse_client_find(&second, FUSE_ROOT_ID, "aa"), folder);
    assert_int_equal(attributes(&second, file), 0);
}

static void change_device(uint8_t *at)
{
    struct stat status;
    uint64_t device;

    assert_int_equal(stat(first.root, &status), 0);
    device = status.st_dev;
    assert_memory_equal(at, &device, sizeof device);
    device += 0x1000;
    memcpy(at, &device, sizeof device);
}

/* The file system is mounted again, and has another device number. */
static void another_device(void **state)
{
    const uint64_t nodes[] = {folder, file, gone};
    unsigned lost;

    (void)state;
    change_device(saved + 24); /* the first of the list behind the header */
    for (unsigned i = 0; i < 3; i++)
        change_device(saved_node(nodes[i]) + 16);
    assert_int_equal(load(&lost), 0);
    assert_int_equal(lost, 1);
    assert_int_equal(attributes(&second, file), 0);
    assert_int_equal(fuse_client_find(&second, folder, "file"), file);
    assert_int_equal(read_file(&second, file_handle), 0);
}

/* A read-only share stays read-only, whatever a snapshot says. */
static void read_only(void **state)
{
    struct fuse_options options = {.read_only = true};
    unsigned lost;

    (void)state;
    fuse_server_close(second.server);
    assert_true(fuse_client_open(&second, &options));
    assert_int_equal(load(&lost), 0);
    assert_int_equal(lost, 2);
    assert_int_equal(attributes(&second, file), 0);
}

static void damaged(void **state)
{
    const char *const names[] = {"..", "./", "a/"};
    unsigned lost;
    uint8_t *name;
    size_t whole = saved_size;

    (void)state;
    for (saved_size = 0; saved_size < whole; saved_size++) {
        assert_int_equal(load(&lost), -1);
        fuse_server_close(second.server);
        assert_true(fuse_client_open(&second, NULL));
    }
    name = saved_node(folder) + 56;
    assert_memory_equal(name, "aa", 2);
    for (unsigned i = 0; i < 3; i++) {
        memcpy(name, names[i], 2);
        assert_int_equal(load(&lost), -1);
        fuse_server_close(second.server);
        assert_true(fuse_client_open(&second, NULL));
    }
}

/* A snapshot may name any folder, but a kernel file system such as /proc is not shared. */
static void machinery(void **state)
{
    const char *const paths[] = {"/proc", "/proc/self"};
    struct error error;

    (void)state;
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct fuse_options options = {.path = paths[i], .descriptors = 64};

        assert_null(fuse_server_open(&options, &error));
        assert_non_null(strstr(error.text, "may not be in /proc"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(inode_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(birth_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgotten_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged, set_up, tear_down),
        cmocka_unit_test(machinery),
    };

    return cmocka_run_group_tests_name("saved", tests, NULL, NULL);
}
