/* Serving AFL++; see afl.h. */
#include "fuzz/afl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

enum { CONTROL = 198, STATUS = 199, MAP_SIZE = 65536 };

bool afl_is_there(void)
{
    return getenv("__AFL_SHM_ID") != NULL && fcntl(STATUS, F_GETFD) >= 0;
}

/* The whole map is cleared by AFL++ before each run. A byte for the run itself, one for each block:
 * no run looks as if nothing were watched. */
static void fill_map(const struct guest *g, uint8_t *map)
{
    map[0] = 1;
    for (size_t i = 0; i < g->back_count; i++) {
        gva_t at = g->blocks.list[g->back[i]];

        map[1 + (at ^ at >> 16) % (MAP_SIZE - 1)] = 1;
    }
}

/* -1: it cannot be read. */
static ssize_t read_input(const char *path, uint8_t *bytes, size_t room)
{
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    size_t used = 0;
    ssize_t n = fd < 0 || lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;

    while (n == 0 && used < room && (n = read(fd, bytes + used, room - used)) > 0) {
        used += (size_t)n;
        n = 0;
        if (used == room)
            break;
    }
    if (path != NULL && fd >= 0)
        close(fd);
    return n < 0 ? -1 : (ssize_t)used;
}

static int run_one(struct guest *g, const char *path, uint8_t *map, struct error *error)
{
    static uint8_t bytes[MUTATE_INPUT_MAX];
    /* A signal is a crash to AFL++, and a hang what it has killed itself: none of ours is. */
    static const uint32_t statuses[] = {[RUN_DONE] = 0, [RUN_CRASHED] = SIGSEGV, [RUN_HUNG] = 0};
    struct run_result result;
    uint32_t word = (uint32_t)getpid();
    ssize_t size;

    if (write(STATUS, &word, sizeof word) != sizeof word)
        return -1;
    size = read_input(path, bytes, g->room);
    if (size < 0)
        return error_set(error, "the input cannot be read: %s", strerror(errno));
    if (guest_run(g, bytes, (size_t)size, &result, error) < 0)
        return -1;
    fill_map(g, map);
    word = statuses[result.verdict];
    return write(STATUS, &word, sizeof word) == sizeof word ? 0 : -1;
}

int afl_serve(struct guest *g, const char *path, struct error *error)
{
    uint8_t *map = shmat(atoi(getenv("__AFL_SHM_ID")), NULL, 0);
    uint32_t word = 0; /* of the oldest protocol, which all versions speak */

    error->text[0] = '\0';
    if (map == (void *)-1)
        return error_set(error, "AFL++'s bitmap cannot be mapped: %s", strerror(errno));
    g->every_run = true;
    if (write(STATUS, &word, sizeof word) != sizeof word)
        return error_set(error, "AFL++ does not listen: %s", strerror(errno));
    while (read(CONTROL, &word, sizeof word) == sizeof word)
        if (run_one(g, path, map, error) < 0)
            return error->text[0] != '\0' ? -1 : 0;
    return 0;
}
