/*
 * Two threads change the same names. Each pair of scripts runs once for each lock that the first
 * thread releases: at this point the second thread runs, until it ends or waits for a lock. The
 * results of the calls and the tree afterwards must be possible with whole calls in some order, and
 * no block or inode may be lost.
 *
 *   RACES_DEEP=1   the second thread stops too, at each of its releases in turn: minutes
 */
#include "unit.h"

#include <stdio.h>
#include <ucontext.h>

#include "HLeOs/HLeOs/mkimage/check.h"
#include "HLeOs/HLeOs/mkimage/host.h"
#include "HLeOs/HLeOs/mkimage/mkfs.h"
#include "HLeOs/HLeOs/mkimage/ram.h"
#include "fs/fs.h"
#include "fs/inode.h"

enum { IMAGE = 16 << 20 /* the log has room for two calls */, STEPS = 6, TEXT = 512 };

/* _IN: the path begins at the inode that the worker holds, not at the root. */
enum call { END, MAKE, MAKE_DIRECTORY, LOOKUP, LINK, UNLINK, WRITE, MAKE_IN, UNLINK_IN, RELEASE };

struct step {
    enum call call;
    const char *path;
};

struct script {
    const char *name;
    struct step steps[STEPS];
};

/* The script `before` makes the state. Then both workers hold the inode of `held`, if it is not
 * NULL. Then `after` runs. */
struct state {
    const char *name;
    struct step before[STEPS];
    const char *held;
    struct step after[STEPS];
};

static const struct state states[] = {
    {"nothing", {{END, NULL}}, NULL, {{END, NULL}}},
    {"a file", {{MAKE, "one"}, {WRITE, NULL}}, NULL, {{END, NULL}}},
    {"a file of two names", {{MAKE, "one"}, {WRITE, NULL}, {LINK, "two"}}, NULL, {{END, NULL}}},
    {"a directory", {{MAKE_DIRECTORY, "one"}}, NULL, {{END, NULL}}},
    {"a directory with a file", {{MAKE_DIRECTORY, "one"}, {MAKE, "one/x"}}, NULL, {{END, NULL}}},
    {"an open file", {{MAKE, "one"}, {WRITE, NULL}}, "one", {{END, NULL}}},
    {"an open file without a name", {{MAKE, "one"}, {WRITE, NULL}}, "one", {{UNLINK, "one"}}},
    {"a directory to be in", {{MAKE_DIRECTORY, "one"}}, "one", {{END, NULL}}},
    {"a directory that was taken away", {{MAKE_DIRECTORY, "one"}}, "one", {{UNLINK, "one"}}},
};

/* A worker holds the inode that it made or looked up last. It skips a step that needs an inode if
 * it has none, and releases the inode at the end. */
static const struct script scripts[] = {
    {"close", {{RELEASE, NULL}}},
    {"make", {{MAKE, "one"}, {WRITE, NULL}}},
    {"make below", {{MAKE, "one/x"}, {WRITE, NULL}}},
    {"mkdir", {{MAKE_DIRECTORY, "one"}}},
    {"open", {{LOOKUP, "one"}, {WRITE, NULL}}},
    {"link", {{LOOKUP, "one"}, {LINK, "two"}}},
    {"unlink", {{UNLINK, "one"}}},
    {"unlink two", {{UNLINK, "two"}}},
    {"unlink below", {{UNLINK, "one/x"}}},
    {"rename", {{LOOKUP, "one"}, {LINK, "two"}, {UNLINK, "one"}}},
    {"make and unlink", {{MAKE, "one"}, {WRITE, NULL}, {UNLINK, "one"}}},
    {"make again", {{UNLINK, "one"}, {MAKE, "one"}, {WRITE, NULL}}},
    {"enter", {{MAKE_DIRECTORY, "one"}, {LOOKUP, "one"}, {UNLINK_IN, "../one"}, {MAKE_IN, "x"}}},
};

enum { STATES = sizeof states / sizeof states[0], SCRIPTS = sizeof scripts / sizeof scripts[0] };

static uint8_t *image;
static struct fs *fs;
static struct inode *root;

struct worker {
    const struct step *steps;
    unsigned next;
    struct inode *inode;
    int answers[STEPS];
    unsigned stop; /* releases until the other one runs; 0: never */
    bool ended;
    ucontext_t context;
};

static struct worker workers[2];

/* --- steps ---------------------------------------------------------------------------------- */

static void give(struct worker *worker)
{
    fs_release(worker->inode);
    worker->inode = NULL;
}

static int do_step(struct worker *worker, const struct step *step)
{
    struct inode *from = step->call == MAKE_IN || step->call == UNLINK_IN ? worker->inode : root;
    struct inode *found = NULL;
    int answer = 0;

    if (from == NULL)
        return 1;
    switch (step->call) {
    case MAKE:
    case MAKE_IN:
        answer = fs_create(from, step->path, HLEOS_FS_FILE, 0, &found);
        break;
    case MAKE_DIRECTORY:
        return fs_create(from, step->path, HLEOS_FS_DIRECTORY, 0, NULL);
    case LOOKUP:
        answer = fs_lookup(from, step->path, &found);
        break;
    case LINK:
        return worker->inode != NULL ? fs_link(worker->inode, from, step->path) : 1;
    case UNLINK:
    case UNLINK_IN:
        return fs_unlink(from, step->path);
    case WRITE:
        return worker->inode != NULL ? (int)fs_write(worker->inode, 0, "x", 1) : 1;
    case RELEASE:
    case END:
        give(worker);
        return 0;
    }
    if (answer == 0) {
        give(worker);
        worker->inode = found;
    }
    return answer;
}

/* Makes the next step. False after the last one. */
static bool go_on(struct worker *worker)
{
    bool more = worker->next < STEPS && worker->steps[worker->next].call != END;

    if (more) {
        worker->answers[worker->next] = do_step(worker, &worker->steps[worker->next]);
        worker->next++;
    } else {
        give(worker);
    }
    return more;
}

static void do_all(const struct step *steps)
{
    struct worker worker = {.steps = steps};

    while (go_on(&worker))
        assert_true(worker.answers[worker.next - 1] >= 0);
}

/* --- the state before, and the state after -------------------------------------------------- */

static unsigned inodes_in_use(void)
{
    const struct hleos_fs_inode *table;
    struct buffer *buffer;
    unsigned count = 0;

    assert_int_equal(cache_get(&fs->cache, fs->super.inode_start, &buffer), 0);
    table = (const struct hleos_fs_inode *)buffer->bytes;
    for (unsigned i = 0; i < HLEOS_FS_INODES_PER_BLOCK; i++)
        count += table[i].type != HLEOS_FS_FREE;
    cache_put(&fs->cache, buffer);
    return count;
}

static void start(void)
{
    static struct ram disk;
    const char *why;

    memset(image, 0, IMAGE);
    assert_null(mkfs_format(image, IMAGE));
    ram_init(&disk, image, IMAGE);
    assert_int_equal(fs_mount(&disk.disk, 0, disk.disk.sectors, &fs, &why), 0);
    root = fs_root(fs);
}

static void stop(void)
{
    fs_release(root);
    fs_unmount(fs);
}

static void prepare(const struct state *state, const struct script *const *pair)
{
    do_all(state->before);
    for (int i = 0; i < 2; i++) {
        workers[i] = (struct worker){.steps = pair[i]->steps};
        if (state->held != NULL)
            assert_int_equal(fs_lookup(root, state->held, &workers[i].inode), 0);
    }
    do_all(state->after);
}

/* Writes the results of the calls, and the inode of each name. */
static void describe(char *text)
{
    static const char *const names[] = {"one", "two", "one/x", "one/.."};
    struct inode *found;
    struct fs_stat stat;
    size_t at = 0;

    for (int i = 0; i < 2; i++)
        for (unsigned step = 0; step < workers[i].next; step++)
            at += (size_t)snprintf(text + at, TEXT - at, "%d ", workers[i].answers[step]);
    for (int i = 0; i < 4; i++) {
        int error = fs_lookup(root, names[i], &found);

        if (error == 0)
            assert_int_equal(fs_stat(found, &stat), 0);
        at += (size_t)(error == 0
                           ? snprintf(text + at, TEXT - at, "| %s: type %u, %u links, %u bytes ",
                                      names[i], stat.type, stat.links, (unsigned)stat.size)
                           : snprintf(text + at, TEXT - at, "| %s: %d ", names[i], error));
        if (error == 0)
            fs_release(found);
    }
    assert_true(at < TEXT);
}

/* Removes all names. False if a block or an inode is lost. The search for inodes is set back to the
 * first one, so that all inodes of a run are in the block that is counted. */
static bool clean(uint32_t blocks)
{
    fs->next_inode = HLEOS_FS_ROOT + 1;
    (void)!fs_unlink(root, "one/x");
    (void)!fs_unlink(root, "one");
    (void)!fs_unlink(root, "two");
    return fs_stats(fs).free_blocks == blocks && inodes_in_use() == 1 && fs_stats(fs).error == 0;
}

/* --- two workers, one of which runs at a time ------------------------------------------------ */

enum { STACK = 256 << 10 };

static ucontext_t main_context;
static unsigned self, waits; /* in a row */

static void hand_over(void)
{
    unsigned before = self;

    self = !self;
    swapcontext(&workers[before].context, &workers[self].context);
}

static void at_a_point(bool must_wait)
{
    struct worker *worker = &workers[self];
    bool reached = !must_wait && worker->stop > 0 && --worker->stop == 0;

    waits = must_wait ? waits + 1 : 0;
    if (waits > 100) {
        fprintf(stderr, "each waits for the other\n");
        abort();
    }
    if ((must_wait || reached) && !workers[!self].ended)
        hand_over();
}

static void work(void)
{
    while (go_on(&workers[self]))
        ;
    workers[self].ended = true;
    if (!workers[!self].ended)
        hand_over();
    setcontext(&main_context);
}

static void set_up(struct worker *worker, unsigned stop, uint8_t *stack)
{
    worker->stop = stop;
    getcontext(&worker->context);
    worker->context.uc_stack = (stack_t){.ss_sp = stack, .ss_size = STACK};
    makecontext(&worker->context, work, 0);
}

static void run_both(unsigned first, unsigned second)
{
    static uint8_t stacks[2][STACK];

    set_up(&workers[0], first, stacks[0]);
    set_up(&workers[1], second, stacks[1]);
    self = waits = 0;
    host_switch = at_a_point;
    swapcontext(&main_context, &workers[0].context);
    host_switch = NULL;
}

/* --- pairs ----------------------------------------------------------------------------------- */

/* Runs whole calls, in the order given by the bits of `order`. */
static void run_in_order(unsigned order)
{
    bool more[2] = {true, true};

    for (; more[0] || more[1]; order >>= 1) {
        unsigned which = more[order & 1] ? order & 1 : !(order & 1);

        more[which] = go_on(&workers[which]);
    }
}

enum { ENOUGH = 20 }; /* failures; the image is made again after each */

static unsigned runs, failures;

static void complain(const struct state *state, const struct script *const *pair, const char *what,
                     const char *text)
{
    failures++;
    print_error("%s; %s against %s: %s: %s\n", state->name, pair[0]->name, pair[1]->name, what,
                text);
}

static void start_anew(void)
{
    stop();
    start();
}

/* True if some order of whole calls gives this outcome. A lost block in such a run is reported
 * separately. */
static bool is_in_order(const struct state *state, const struct script *const *pair,
                        const char *wanted, uint32_t blocks)
{
    char text[TEXT];

    for (unsigned order = 0; order < 1u << 2 * STEPS; order++) {
        prepare(state, pair);
        run_in_order(order);
        describe(text);
        if (!clean(blocks)) {
            complain(state, pair, "something is left by whole calls", text);
            start_anew();
            return true;
        }
        if (strcmp(text, wanted) == 0)
            return true;
    }
    return false;
}

/* The outcomes of a pair so far. */
struct outcomes {
    char texts[64][TEXT];
    unsigned count;
};

static bool is_known(const struct outcomes *outcomes, const char *text)
{
    for (unsigned i = 0; i < outcomes->count; i++)
        if (strcmp(outcomes->texts[i], text) == 0)
            return true;
    return false;
}

/* False if a worker ended before its release number `stop`. */
static bool run_once(const struct state *state, const struct script *const *pair, unsigned first,
                     unsigned second, struct outcomes *outcomes)
{
    uint32_t blocks = fs_stats(fs).free_blocks;
    char text[TEXT];
    bool reached;

    runs++;
    prepare(state, pair);
    run_both(first, second);
    reached = workers[0].stop == 0 && workers[1].stop == 0;
    describe(text);
    if (!clean(blocks)) {
        complain(state, pair, "something is left", text);
        start_anew();
        return reached;
    }
    if (is_known(outcomes, text))
        return reached;
    if (!is_in_order(state, pair, text, blocks))
        complain(state, pair, "no order of calls does this", text);
    assert_true(outcomes->count < 64);
    memcpy(outcomes->texts[outcomes->count++], text, TEXT);
    return reached;
}

static void run_pair(const struct state *state, const struct script *const *pair, bool deep)
{
    struct outcomes *outcomes = calloc(1, sizeof *outcomes);

    for (unsigned first = 1; run_once(state, pair, first, 0, outcomes); first++)
        for (unsigned second = 1; deep && run_once(state, pair, first, second, outcomes); second++)
            ;
    free(outcomes);
}

static void report(const char *line)
{
    print_error("%s\n", line);
}

static void test_pairs(void **unused)
{
    bool deep = getenv("RACES_DEEP") != NULL;
    struct check_result result;

    (void)unused;
    image = malloc(IMAGE);
    start();
    for (unsigned i = 0; i < STATES; i++)
        for (unsigned a = 0; a < SCRIPTS; a++)
            for (unsigned b = 0; b < SCRIPTS && failures < ENOUGH; b++)
                run_pair(&states[i], (const struct script *[]){&scripts[a], &scripts[b]}, deep);
    stop();
    print_message("%u runs\n", runs);
    result = check_image(image, IMAGE, report);
    assert_int_equal(result.errors + result.orphans + result.files, 0);
    assert_int_equal(failures, 0);
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
