/* Unit tests of src/fuse: what a guest may do in a shared folder, and what it may not. */
#include <errno.h>
#include <sys/xattr.h>

#include "cmocka_all.h"
#include "fuse/nodes.h"
#include "fuse_client.h"

#define ROOT FUSE_ROOT_ID

static struct fuse_client c;

static void put_file(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", c.root, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", c.root, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    umask(0);
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

static void versions(void **state)
{
    const struct fuse_init_out *out = fuse_client_reply(&c);

    (void)state;
    assert_int_equal(out->max_write, FUSE_TRANSFER_MAX);
    assert_int_equal(fuse_client_init(&c, 8, 0), 0); /* the reply has our version */
    assert_int_equal(((const struct fuse_init_out *)fuse_client_reply(&c))->major, 7);
    assert_int_equal(fuse_client_init(&c, 7, 20), -EPROTO);
    assert_int_equal(fuse_client_init(&c, 6, 38), -EPROTO);
    assert_int_equal(fuse_client_ask(&c, FUSE_POLL, ROOT, NULL, 0, NULL), -ENOSYS);
    assert_int_equal(fuse_client_ask(&c, 0, ROOT, NULL, 0, NULL), -ENOSYS);
    assert_int_equal(fuse_client_ask(&c, UINT32_MAX, ROOT, NULL, 0, NULL), -ENOSYS);
}

static void names_stay_beneath(void **state)
{
    static const char *const bad[] = {"", ".", "..", "/", "a/b", "../etc", "/etc/passwd"};
    struct fuse_mkdir_in mkdir_in = {.mode = 0755};
    struct fuse_rename2_in rename_in = {.newdir = ROOT};
    char longest[300];

    (void)state;
    put_file("a", "x");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(fuse_client_ask(&c, FUSE_LOOKUP, ROOT, NULL, 0, bad[i]), -EINVAL);
        assert_int_equal(fuse_client_ask(&c, FUSE_UNLINK, ROOT, NULL, 0, bad[i]), -EINVAL);
        assert_int_equal(fuse_client_ask(&c, FUSE_MKDIR, ROOT, &mkdir_in, sizeof mkdir_in, bad[i]),
                         -EINVAL);
        fuse_client_begin(&c, FUSE_RENAME2, ROOT);
        fuse_client_add(&c, &rename_in, sizeof rename_in);
        fuse_client_add(&c, "a", 2);
        fuse_client_add(&c, bad[i], strlen(bad[i]) + 1);
        assert_int_equal(fuse_client_send(&c, NULL, 0), -EINVAL);
    }
    memset(longest, 'x', sizeof longest);
    longest[256] = '\0';
    assert_int_equal(fuse_client_ask(&c, FUSE_LOOKUP, ROOT, NULL, 0, longest), -ENAMETOOLONG);
    fuse_client_begin(&c, FUSE_LOOKUP, ROOT); /* a name without an end */
    fuse_client_add(&c, "abc", 3);
    assert_int_equal(fuse_client_send(&c, NULL, 0), -EINVAL);
    assert_int_equal(access(path_of("a"), F_OK), 0);
}

static void links_are_not_followed(void **state)
{
    int64_t link;

    (void)state;
    assert_int_equal(symlink("/etc", path_of("out")), 0);
    link = fuse_client_find(&c, ROOT, "out");
    assert_true(link > 0);
    assert_int_equal(fuse_client_ask(&c, FUSE_READLINK, (uint64_t)link, NULL, 0, NULL), 0);
    assert_memory_equal(fuse_client_reply(&c), "/etc", 4);
    assert_int_equal(fuse_client_find(&c, (uint64_t)link, "passwd"), -ENOTDIR);
    assert_int_equal(fuse_client_open_file(&c, (uint64_t)link, O_RDONLY, FUSE_OPENDIR), -ENOTDIR);
    assert_int_equal(fuse_client_open_file(&c, (uint64_t)link, O_RDONLY, FUSE_OPEN), -EACCES);
    assert_int_equal(symlink("passwd", path_of("here")), 0);
    link = fuse_client_find(&c, ROOT, "here");
    assert_int_equal(fuse_client_open_file(&c, (uint64_t)link, O_RDWR, FUSE_OPEN), -EACCES);
}

static int create(const char *name, uint32_t mode, uint32_t flags, uint64_t *node, uint64_t *handle)
{
    struct fuse_create_in in = {.mode = S_IFREG | mode, .flags = flags};
    int code = fuse_client_ask(&c, FUSE_CREATE, ROOT, &in, sizeof in, name);
    const struct fuse_entry_out *entry = fuse_client_reply(&c);

    if (code == 0) {
        *node = entry->nodeid;
        *handle = ((const struct fuse_open_out *)(entry + 1))->fh;
    }
    return code;
}

static int write_at(uint64_t handle, uint64_t offset, const char *text)
{
    struct fuse_write_in in = {.fh = handle, .offset = offset, .size = (uint32_t)strlen(text)};

    fuse_client_begin(&c, FUSE_WRITE, 0);
    fuse_client_add(&c, &in, sizeof in);
    return fuse_client_send(&c, text, strlen(text));
}

static int read_at(uint64_t handle, uint64_t offset, uint32_t size)
{
    struct fuse_read_in in = {.fh = handle, .offset = offset, .size = size};

    return fuse_client_ask(&c, FUSE_READ, 0, &in, sizeof in, NULL);
}

static void files(void **state)
{
    struct fuse_setattr_in cut = {.valid = FATTR_SIZE, .size = 4};
    uint64_t node, handle;
    struct stat status;

    (void)state;
    assert_int_equal(create("f", 0640, O_RDWR | O_EXCL, &node, &handle), 0);
    assert_int_equal(stat(path_of("f"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(write_at(handle, 0, "hello world"), 0);
    assert_int_equal(read_at(handle, 6, 100), 0);
    assert_int_equal(c.request.moved, 5);
    assert_memory_equal(c.room, "world", 5);
    assert_int_equal(read_at(handle, UINT64_MAX, 4), -EINVAL);
    assert_int_equal(read_at(handle + 1, 0, 4), -EBADF);
    assert_int_equal(read_at(handle ^ UINT64_C(1) << 40, 0, 4), -EBADF);
    assert_int_equal(fuse_client_ask(&c, FUSE_SETATTR, node, &cut, sizeof cut, NULL), 0);
    assert_int_equal(stat(path_of("f"), &status), 0);
    assert_int_equal(status.st_size, 4);
    assert_int_equal(create("f", 0644, O_RDWR | O_EXCL, &node, &handle), -EEXIST);
    assert_int_equal(create("f", 0644, O_RDWR | O_TRUNC, &node, &handle), 0);
    assert_int_equal(stat(path_of("f"), &status), 0);
    assert_int_equal(status.st_size, 0);
}

/* No device nodes, no set-user-ID programs, no attributes that give rights. */
static void rights_stay_the_hosts(void **state)
{
    struct fuse_mknod_in node_in = {.mode = S_IFCHR | 0666, .rdev = 0x103};
    struct fuse_setattr_in mode_in = {.valid = FATTR_MODE, .mode = S_IFREG | 04755};
    struct fuse_setxattr_in attribute_in = {.size = 4};
    uint64_t node, handle;
    struct stat status;

    (void)state;
    assert_int_equal(fuse_client_ask(&c, FUSE_MKNOD, ROOT, &node_in, sizeof node_in, "d"), -EPERM);
    node_in.mode = S_IFBLK | 0666;
    assert_int_equal(fuse_client_ask(&c, FUSE_MKNOD, ROOT, &node_in, sizeof node_in, "d"), -EPERM);
    node_in.mode = S_IFIFO | 0640;
    assert_int_equal(fuse_client_ask(&c, FUSE_MKNOD, ROOT, &node_in, sizeof node_in, "p"), 0);
    assert_int_equal(stat(path_of("p"), &status), 0);
    assert_int_equal(status.st_mode, S_IFIFO | 0640);
    node_in.mode = S_IFREG | 06755;
    assert_int_equal(fuse_client_ask(&c, FUSE_MKNOD, ROOT, &node_in, sizeof node_in, "s"), 0);
    assert_int_equal(stat(path_of("s"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    assert_int_equal(create("t", 06755, O_RDWR, &node, &handle), 0);
    assert_int_equal(stat(path_of("t"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    assert_int_equal(fuse_client_ask(&c, FUSE_SETATTR, node, &mode_in, sizeof mode_in, NULL),
                     -EPERM);
    fuse_client_begin(&c, FUSE_SETXATTR, node);
    fuse_client_add(&c, &attribute_in, FUSE_COMPAT_SETXATTR_IN_SIZE);
    fuse_client_add(&c, "security.capability\0abcd", 24);
    assert_int_equal(fuse_client_send(&c, NULL, 0), -EOPNOTSUPP);
    /* A device that is there already is not opened. */
    if (mknod(path_of("null"), S_IFCHR | 0666, 0x103) == 0) {
        int64_t device = fuse_client_find(&c, ROOT, "null");

        assert_true(device > 0);
        assert_int_equal(fuse_client_open_file(&c, (uint64_t)device, O_RDWR, FUSE_OPEN), -EACCES);
        assert_int_equal(create("null", 0644, O_RDWR, &node, &handle), -EACCES);
    }
    assert_int_equal(mkfifo(path_of("pipe"), 0666), 0); /* the open must not block */
    assert_int_equal(create("pipe", 0644, O_RDONLY, &node, &handle), -EACCES);
}

static void read_only(void **state)
{
    struct fuse_options options = {.read_only = true};
    struct fuse_mkdir_in in = {.mode = 0755};
    uint64_t node, handle;
    int64_t file;

    (void)state;
    put_file("a", "x");
    fuse_server_close(c.server);
    assert_true(fuse_client_open(&c, &options));
    assert_int_equal(fuse_client_init(&c, 7, 38), 0);
    assert_int_equal(fuse_client_ask(&c, FUSE_MKDIR, ROOT, &in, sizeof in, "d"), -EROFS);
    assert_int_equal(fuse_client_ask(&c, FUSE_UNLINK, ROOT, NULL, 0, "a"), -EROFS);
    assert_int_equal(create("b", 0644, O_RDWR, &node, &handle), -EROFS);
    file = fuse_client_find(&c, ROOT, "a");
    assert_true(file > 0);
    assert_int_equal(fuse_client_open_file(&c, (uint64_t)file, O_RDWR, FUSE_OPEN), -EROFS);
    assert_int_equal(fuse_client_open_file(&c, (uint64_t)file, O_RDONLY | O_TRUNC, FUSE_OPEN),
                     -EROFS);
    assert_true(fuse_client_open_file(&c, (uint64_t)file, O_RDONLY, FUSE_OPEN) >= 0);
}

static void hidden(void **state)
{
    static char path[256];
    const char *paths[] = {path, "/there/is/no/such"};
    struct fuse_options options = {.hidden = paths, .hidden_count = 2};

    (void)state;
    snprintf(path, sizeof path, "%s", path_of("secret"));
    assert_int_equal(mkdir(path, 0700), 0);
    put_file("secret/key", "x");
    put_file("open", "x");
    fuse_server_close(c.server);
    assert_true(fuse_client_open(&c, &options));
    assert_int_equal(fuse_client_init(&c, 7, 38), 0);
    assert_int_equal(fuse_client_find(&c, ROOT, "secret"), -ENOENT);
    assert_true(fuse_client_find(&c, ROOT, "open") > 0);
}

/* Files that are created at a hidden path later, also in a folder that is created later, are
 * hidden; and the guest cannot create any there. */
static void hidden_later(void **state)
{
    static char path[256], deep[300];
    const char *paths[] = {path, deep, "/", "", "secret"};
    struct fuse_options options = {.hidden = paths, .hidden_count = 5};
    struct fuse_mkdir_in mkdir_in = {.mode = 0755};
    struct fuse_rename2_in rename_in = {.newdir = ROOT};
    struct fuse_create_in create_in = {.mode = S_IFREG | 0644, .flags = O_RDWR};
    int64_t folder;

    (void)state;
    snprintf(path, sizeof path, "%s///", path_of("secret"));
    snprintf(deep, sizeof deep, "%s", path_of("config/keys"));
    put_file("open", "x");
    fuse_server_close(c.server);
    assert_true(fuse_client_open(&c, &options));
    assert_int_equal(fuse_client_init(&c, 7, 38), 0);
    assert_int_equal(fuse_client_ask(&c, FUSE_MKDIR, ROOT, &mkdir_in, sizeof mkdir_in, "secret"),
                     -EPERM);
    assert_int_equal(fuse_client_ask(&c, FUSE_CREATE, ROOT, &create_in, sizeof create_in, "secret"),
                     -EPERM);
    fuse_client_begin(&c, FUSE_SYMLINK, ROOT);
    fuse_client_add(&c, "secret\0open", 12);
    assert_int_equal(fuse_client_send(&c, NULL, 0), -EPERM);
    fuse_client_begin(&c, FUSE_RENAME2, ROOT);
    fuse_client_add(&c, &rename_in, sizeof rename_in);
    fuse_client_add(&c, "open\0secret", 12);
    assert_int_equal(fuse_client_send(&c, NULL, 0), -EPERM);
    put_file("secret", "later");
    assert_int_equal(fuse_client_find(&c, ROOT, "secret"), -ENOENT);
    assert_int_equal(fuse_client_ask(&c, FUSE_UNLINK, ROOT, NULL, 0, "secret"), -ENOENT);
    assert_int_equal(mkdir(path_of("config"), 0755), 0);
    put_file("config/keys", "later");
    folder = fuse_client_find(&c, ROOT, "config");
    assert_true(folder > 0);
    assert_int_equal(fuse_client_find(&c, (uint64_t)folder, "keys"), -ENOENT);
}

/* A guest of a root VMM whose kernel does not ask to clear set-user-ID bits. */
static void written_programs(void **state)
{
    struct fuse_write_in in = {.size = 1};
    struct fuse_setattr_in mode_in = {.valid = FATTR_MODE, .mode = S_IFDIR | 02775};
    struct stat status;
    int64_t node, handle, folder;

    (void)state;
    if (geteuid() != 0)
        skip(); /* the host takes the bits away by itself */
    fuse_server_enter_thread();
    put_file("program", "x");
    assert_int_equal(chown(path_of("program"), 1, 1), 0);
    assert_int_equal(chmod(path_of("program"), 06755), 0);
    node = fuse_client_find(&c, ROOT, "program");
    handle = fuse_client_open_file(&c, (uint64_t)node, O_RDWR, FUSE_OPEN);
    assert_true(node > 0 && handle >= 0);
    in.fh = (uint64_t)handle;
    fuse_client_begin(&c, FUSE_WRITE, (uint64_t)node);
    fuse_client_add(&c, &in, sizeof in);
    assert_int_equal(fuse_client_send(&c, "y", 1), 0);
    assert_int_equal(stat(path_of("program"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    assert_int_equal(mkdir(path_of("group"), 0755), 0);
    assert_int_equal(chown(path_of("group"), 0, 12345), 0);
    folder = fuse_client_find(&c, ROOT, "group");
    assert_true(folder > 0);
    assert_int_equal(
        fuse_client_ask(&c, FUSE_SETATTR, (uint64_t)folder, &mode_in, sizeof mode_in, NULL), 0);
    assert_int_equal(stat(path_of("group"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 02775);
}

static void moves_and_links(void **state)
{
    struct fuse_rename2_in in = {.newdir = ROOT, .flags = RENAME_NOREPLACE};
    struct fuse_link_in link_in;
    struct stat status;
    int64_t a, b;

    (void)state;
    put_file("a", "A");
    put_file("b", "B");
    a = fuse_client_find(&c, ROOT, "a");
    b = fuse_client_find(&c, ROOT, "b");
    fuse_client_begin(&c, FUSE_RENAME2, ROOT);
    fuse_client_add(&c, &in, sizeof in);
    fuse_client_add(&c, "a\0b", 4);
    assert_int_equal(fuse_client_send(&c, NULL, 0), -EEXIST);
    in.flags = RENAME_EXCHANGE;
    fuse_client_begin(&c, FUSE_RENAME2, ROOT);
    fuse_client_add(&c, &in, sizeof in);
    fuse_client_add(&c, "a\0b", 4);
    assert_int_equal(fuse_client_send(&c, NULL, 0), 0);
    assert_int_equal(fuse_client_find(&c, ROOT, "a"), b);
    in.flags = RENAME_WHITEOUT; /* would make a device */
    fuse_client_begin(&c, FUSE_RENAME2, ROOT);
    fuse_client_add(&c, &in, sizeof in);
    fuse_client_add(&c, "a\0c", 4);
    assert_int_equal(fuse_client_send(&c, NULL, 0), -EINVAL);
    link_in.oldnodeid = (uint64_t)a;
    assert_int_equal(fuse_client_ask(&c, FUSE_LINK, ROOT, &link_in, sizeof link_in, "again"), 0);
    assert_int_equal(((const struct fuse_entry_out *)fuse_client_reply(&c))->nodeid, a);
    assert_int_equal(stat(path_of("again"), &status), 0);
    assert_int_equal(status.st_nlink, 2);
    link_in.oldnodeid = 12345;
    assert_int_equal(fuse_client_ask(&c, FUSE_LINK, ROOT, &link_in, sizeof link_in, "x"), -ESTALE);
}

static void forgotten_nodes_are_gone(void **state)
{
    struct fuse_forget_in once = {.nlookup = 1}, all = {.nlookup = UINT64_MAX};
    struct fuse_getattr_in in = {0};
    int64_t a;

    (void)state;
    put_file("a", "A");
    a = fuse_client_find(&c, ROOT, "a");
    assert_int_equal(fuse_client_find(&c, ROOT, "a"), a);
    assert_int_equal(fuse_client_ask(&c, FUSE_FORGET, (uint64_t)a, &once, sizeof once, NULL), 1);
    assert_int_equal(fuse_client_ask(&c, FUSE_GETATTR, (uint64_t)a, &in, sizeof in, NULL), 0);
    assert_int_equal(fuse_client_ask(&c, FUSE_FORGET, (uint64_t)a, &all, sizeof all, NULL), 1);
    assert_int_equal(fuse_client_ask(&c, FUSE_GETATTR, (uint64_t)a, &in, sizeof in, NULL), -ESTALE);
    assert_int_equal(fuse_client_ask(&c, FUSE_FORGET, ROOT, &all, sizeof all, NULL), 1);
    assert_int_equal(fuse_client_ask(&c, FUSE_GETATTR, ROOT, &in, sizeof in, NULL), 0);
}

/* Many more files than descriptors: those that were closed are found again, unless another file has
 * their name. */
static void few_descriptors(void **state)
{
    enum { DEPTH = 6, WIDTH = 40 };
    uint64_t folder[DEPTH], file[WIDTH];
    struct fuse_nodes nodes;
    struct fuse_node *at;
    struct stat status;
    struct error error;
    char path[256];

    (void)state;
    snprintf(path, sizeof path, "%s", c.root);
    for (unsigned i = 0; i < DEPTH; i++) {
        strcat(path, "/d");
        assert_int_equal(mkdir(path, 0755), 0);
    }
    for (unsigned i = 0; i < WIDTH; i++) {
        char name[300];

        snprintf(name, sizeof name, "%s/f%u", path, i);
        assert_int_equal(mknod(name, S_IFREG | 0644, 0), 0);
    }
    assert_int_equal(fuse_nodes_open(&nodes, open(c.root, O_PATH), 4, &error), 0);
    for (unsigned i = 0; i < DEPTH; i++) {
        at = i == 0 ? &nodes.root : fuse_node_get(&nodes, folder[i - 1]);
        assert_int_equal(fuse_node_lookup(&nodes, at, "d", &folder[i], &status), 0);
        if (i > 0)
            fuse_node_put(&nodes, at);
    }
    for (unsigned i = 0; i < WIDTH; i++) {
        char name[16];

        snprintf(name, sizeof name, "f%u", i);
        at = fuse_node_get(&nodes, folder[DEPTH - 1]);
        assert_int_equal(fuse_node_lookup(&nodes, at, name, &file[i], &status), 0);
        fuse_node_put(&nodes, at);
        assert_true(nodes.open <= 6);
    }
    for (unsigned i = 0; i < WIDTH; i++) {
        at = fuse_node_get(&nodes, file[i]);
        assert_true(fuse_node_fd(&nodes, at) >= 0);
        fuse_node_put(&nodes, at);
    }
    strcat(path, "/f0");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    at = fuse_node_get(&nodes, file[0]);
    assert_int_equal(fuse_node_fd(&nodes, at), -ESTALE);
    fuse_node_put(&nodes, at);
    fuse_nodes_close(&nodes);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_stay_beneath, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rights_stay_the_hosts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hidden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hidden_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(written_programs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moves_and_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgotten_nodes_are_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_descriptors, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
