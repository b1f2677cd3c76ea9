/* Serving AFL++; see afl.h. */
#include "fuzz/afl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

enum { CONTROL = 198, STATUS = 199, MAP_LEAST = 8, MAP_USUAL = 65536 };

struct map {
    uint8_t *bytes;
    size_t size;
};

bool afl_is_there(void)
{
    return getenv("__AFL_SHM_ID") != NULL && fcntl(STATUS, F_GETFD) >= 0;
}

/* AFL++ clears the map before each run. One byte is for the run itself, so that no map is empty,
 * and one for each block. */
static void fill_map(const struct guest *g, const struct map *map)
{
    map->bytes[0] = 1;
    for (size_t i = 0; i < g->back_count; i++) {
        gva_t at = g->blocks.list[g->back[i]];

        map->bytes[1 + (at ^ at >> 16) % (map->size - 1)] = 1;
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
    }
    if (path != NULL && fd >= 0)
        close(fd);
    return n < 0 ? -1 : (ssize_t)used;
}

static int run_one(struct guest *g, const char *path, const struct map *map, struct error *error)
{
    static uint8_t bytes[MUTATE_INPUT_MAX];
    /* AFL++ takes a signal for a crash. It counts as hangs only runs that it has killed itself, so
     * ours are reported as good runs. */
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

/* AFL_MAP_SIZE may have made the map smaller than MAP_USUAL. Of a larger map AFL++ reads only that
 * much, because we report no size. */
static int attach(struct map *map, struct error *error)
{
    int id = atoi(getenv("__AFL_SHM_ID"));
    struct shmid_ds segment;

    if (shmctl(id, IPC_STAT, &segment) < 0 || (map->bytes = shmat(id, NULL, 0)) == (void *)-1)
        return error_set(error, "AFL++'s bitmap cannot be mapped: %s", strerror(errno));
    map->size = segment.shm_segsz < MAP_USUAL ? segment.shm_segsz : MAP_USUAL;
    return map->size >= MAP_LEAST
               ? 0
               : error_set(error, "AFL++'s bitmap has only %zu bytes", map->size);
}

int afl_serve(struct guest *g, const char *path, struct error *error)
{
    struct map map;
    uint32_t word = 0; /* the oldest protocol, which all versions support */

    if (attach(&map, error) < 0)
        return -1;
    error->text[0] = '\0';
    g->every_run = true;
    if (write(STATUS, &word, sizeof word) != sizeof word)
        return error_set(error, "AFL++ does not listen: %s", strerror(errno));
    while (read(CONTROL, &word, sizeof word) == sizeof word)
        if (run_one(g, path, &map, error) < 0)
            return error->text[0] != '\0' ? -1 : 0;
    return 0;
}
