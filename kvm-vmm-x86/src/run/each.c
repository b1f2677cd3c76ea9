/* Runs a command for each line in a fork of the machine; see each.h. All is on the main thread. */
#include "run/each.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/events.h"
#include "host/files/files.h"
#include "host/stream.h"
#include "session/fork.h"
#include "vm/state.h"

/* AHEAD: how many lines may be started beyond the first whose output is not written yet. */
enum { JOBS_MAX = 64, AHEAD = 128, LINE_LENGTH_MAX = 4000, PIECE = 64 * 1024, FAILED = 125 };
#define FILE_MAX (UINT64_C(64) << 20)
/* Limits on output: of one stream of a line; held in memory, above which no copy starts until some
 * is written. */
#define OUTPUT_MAX ((off_t)64 << 20)
#define HELD_MAX   ((off_t)256 << 20)

/* A line and its result. */
struct job {
    const char *line;
    int files[2]; /* standard output and error, in memory */
    bool ended, full;
    off_t size;    /* of both files, once the job has ended */
    uint16_t word; /* the status, and EACH_OF_COMMAND */
    uint64_t took; /* nanoseconds */
};

/* A copy that runs. */
struct slot {
    size_t job;
    bool used;
    uint64_t began;
    struct control_copy copy;
    struct event_source source;
};

static struct {
    struct each_request request;
    struct file file;
    char *text; /* contents of the file; lines end in zero bytes */
    struct job *jobs;
    size_t count, started, told, failed;
    struct slot slots[JOBS_MAX];
    unsigned slot_count;
    bool ready, saved;
    struct pause_holder holder;
    struct chunk_writer state, firmware;
    struct stream outputs[2];
    struct event_source sinks[2];
    unsigned phase; /* of a job's output: 0 and 1 are its streams, 2 is the message */
    off_t at;
    off_t held; /* bytes of output that are not written yet */
    struct error error;
} each;

static void on_news(void *context)
{
    (void)context;
    events_wake();
}

/* --- the beginning --- */

static int split(struct error *error)
{
    size_t size = each.file.size, lines = 0, number = 0;
    char *at;

    each.text = malloc(size + 1);
    if (each.text == NULL)
        return error_set(error, "--each %s: out of memory", each.request.path);
    memcpy(each.text, each.file.bytes, size);
    each.text[size] = '\0';
    for (size_t i = 0; i < size; i++) {
        if (each.text[i] == '\0')
            return error_set(error, "--each %s: it is not a text file: it has a byte 0",
                             each.request.path);
        lines += each.text[i] == '\n' || i == size - 1;
    }
    each.jobs = calloc(lines, sizeof *each.jobs);
    if (each.jobs == NULL)
        return error_set(error, "--each %s: out of memory", each.request.path);
    for (at = each.text; number < lines; number++) {
        size_t length = strcspn(at, "\n");

        if (length > LINE_LENGTH_MAX)
            return error_set(error, "--each %s: line %zu is longer than %d bytes",
                             each.request.path, number + 1, LINE_LENGTH_MAX);
        at[length] = '\0';
        each.jobs[number] = (struct job){.line = at, .files = {-1, -1}};
        at += length + 1;
    }
    each.count = lines;
    return 0;
}

int each_open(const struct each_request *request, struct error *error)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    char *end = NULL;

    each.request = *request;
    each.slot_count = cpus < 1 ? 1 : cpus > JOBS_MAX ? JOBS_MAX : (unsigned)cpus;
    if (request->jobs != NULL) {
        unsigned long wanted = strtoul(request->jobs, &end, 10);

        if (*request->jobs < '0' || *request->jobs > '9' || *end != '\0' || wanted == 0 ||
            wanted > JOBS_MAX)
            return error_set(error, "--jobs %s: not a number from 1 to %d", request->jobs,
                             JOBS_MAX);
        each.slot_count = (unsigned)wanted;
    }
    if (file_load(&each.file, request->path, FILE_MAX, error) < 0 || split(error) < 0)
        return -1;
    file_release(&each.file);
    for (int i = 0; i < 2; i++) {
        stream_open(&each.outputs[i], FILE_STDOUT + i);
        each.sinks[i] = (struct event_source){.fd = each.outputs[i].fd, .ready = on_news};
    }
    each.holder.quiet = on_news;
    return request->report != NULL ? junit_open(request->report, error) : 0;
}

void each_ready(void)
{
    each.ready = true;
    events_wake();
}

bool each_is_ready(void)
{
    return each.ready;
}

/* --- copies --- */

/* Saves the state once: all copies begin with it. */
static int save(struct vm *vm)
{
    size_t room = vm_state_size(vm->vcpu_count), rom = firmware_size(vm) + 1;

    each.state = (struct chunk_writer){.bytes = malloc(room), .room = room};
    each.firmware = (struct chunk_writer){.bytes = malloc(rom), .room = rom};
    if (each.state.bytes == NULL || each.firmware.bytes == NULL)
        return error_set(&each.error, "out of memory");
    if (vm_save(vm, &each.state, &each.error) < 0)
        return -1;
    firmware_save(vm, &each.firmware);
    each.saved = true;
    return 0;
}

/* A file in memory. It has its maximum size from the start, and is sealed against growing, until
 * its writer has ended. */
static int open_output(void)
{
    int fd = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && (ftruncate(fd, OUTPUT_MAX) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The writer has ended: cuts the file to the bytes written. */
static void measure_output(struct job *job, int fd)
{
    off_t size = lseek(fd, 0, SEEK_CUR);

    (void)!ftruncate(fd, size);
    job->full |= size == OUTPUT_MAX;
    job->size += size;
    each.held += size;
}

static int start(struct vm *vm, const struct options *options, struct slot *slot)
{
    struct job *job = &each.jobs[each.started];
    char said[LINE_LENGTH_MAX + 8];
    struct control_order order = {
        .state = &each.state, .firmware = &each.firmware, .typed = "", .said = said, .bound = true};

    for (int i = 0; i < 2; i++) {
        job->files[i] = open_output();
        if (job->files[i] < 0)
            return error_set(&each.error, "no memory for output: %s", strerror(errno));
    }
    order.out = job->files[0];
    order.err = job->files[1];
    snprintf(said, sizeof said, "l %s\n", job->line);
    *slot = (struct slot){.job = each.started, .began = events_now(), .used = true};
    if (session_fork(vm, options, &order, each.request.copy, &slot->copy, &each.error) < 0)
        return -1;
    slot->source = (struct event_source){.fd = slot->copy.process.report, .ready = on_news};
    events_want(&slot->source, EVENTS_READ);
    each.started++;
    return 0;
}

static void hear(struct slot *slot)
{
    struct job *job = &each.jobs[slot->job];
    enum process_news news = PROCESS_BEGUN;
    uint16_t word = FAILED;

    events_want(&slot->source, 0); /* before process_hear closes the pipe */
    while (news == PROCESS_BEGUN)
        news = process_hear(&slot->copy.process, &word);
    if (news == PROCESS_QUIET) {
        events_want(&slot->source, EVENTS_READ);
        return;
    }
    job->word = word;
    job->took = events_now() - slot->began;
    for (int i = 0; i < 2; i++)
        measure_output(job, job->files[i]);
    job->ended = true;
    slot->used = false;
}

/* --- output --- */

static int status_of(const struct job *job)
{
    return job->word & 0xff;
}

/* The next bytes to write for a job; 0: there are no more. */
static ssize_t next_piece(const struct job *job, uint8_t piece[PIECE])
{
    bool full = job->full && job->word == FAILED; /* not the command's own status */
    int length;

    if (each.phase < 2)
        return pread(job->files[each.phase], piece, PIECE, each.at);
    if (status_of(job) == 0)
        return 0;
    length = snprintf((char *)piece, PIECE, "kvm-vmm run: %s: status %d%s\n", job->line,
                      status_of(job), full ? ": it has written more than 64 MB" : "");
    memmove(piece, piece + each.at, (size_t)(length - each.at));
    return length - each.at;
}

/* 1: all is written; 0: the reader does not take it now; -1: a write has failed. */
static int write_phase(const struct job *job)
{
    static uint8_t piece[PIECE];
    unsigned i = each.phase == 0 ? 0 : 1;
    ssize_t n;

    while ((n = next_piece(job, piece)) > 0) {
        int written = stream_write(&each.outputs[i], piece, (size_t)n);

        if (written == -EAGAIN) {
            events_want(&each.sinks[i], EVENTS_WRITE);
            return 0;
        }
        if (written < 0)
            return error_set(&each.error, "standard %s: %s", i == 0 ? "output" : "error",
                             strerror(-written));
        each.at += written;
    }
    events_want(&each.sinks[i], 0);
    return 1;
}

static void tell(struct job *job)
{
    each.failed += status_of(job) != 0;
    if (each.request.report != NULL)
        junit_case(job->line, status_of(job), job->word & EACH_OF_COMMAND, (double)job->took / 1e9,
                   job->files);
    for (int i = 0; i < 2; i++)
        close(job->files[i]);
    each.held -= job->size;
}

/* Writes results in order, as far as their readers take them. */
static int tell_all(void)
{
    int result = 0;

    while (each.told < each.count && each.jobs[each.told].ended) {
        for (; each.phase < 3; each.phase++, each.at = 0)
            if ((result = write_phase(&each.jobs[each.told])) <= 0)
                return result;
        tell(&each.jobs[each.told++]);
        each.phase = 0;
    }
    return 0;
}

/* --- in each round of the loop --- */

bool each_service(struct vm *vm, const struct options *options)
{
    if (!each.ready)
        return true;
    if (!each.holder.holds) {
        if (session_fork_check(vm, options, &each.error) < 0)
            return false;
        (void)vm_pause(vm, &each.holder);
    }
    if (!vm_is_quiet(vm, &each.holder))
        return true;
    if (!each.saved && save(vm) < 0)
        return false;
    for (unsigned i = 0; i < each.slot_count; i++)
        if (each.slots[i].used)
            hear(&each.slots[i]);
    if (tell_all() < 0)
        return false;
    /* After the output: writing makes room for new copies, and nothing else may wake the loop. */
    for (unsigned i = 0; i < each.slot_count; i++)
        if (!each.slots[i].used && each.started < each.count && each.started < each.told + AHEAD &&
            each.held < HELD_MAX && start(vm, options, &each.slots[i]) < 0)
            return false;
    return each.told < each.count;
}

int each_finish(int status, const char *kernel)
{
    bool whole = each.told == each.count;
    struct error error;

    if (each.error.text[0] != '\0')
        fprintf(stderr, "kvm-vmm run: %s\n", each.error.text);
    if (each.ready)
        fprintf(stderr, "kvm-vmm run: %zu of %zu lines: %zu with status 0, %zu with another\n",
                each.told, each.count, each.told - each.failed, each.failed);
    if (each.request.report != NULL && junit_close(kernel, each.count - each.told, &error) < 0) {
        fprintf(stderr, "kvm-vmm run: %s\n", error.text);
        return FAILED;
    }
    if (!whole)
        return status != 0 ? status : FAILED;
    return each.failed > 0 ? 1 : 0;
}
