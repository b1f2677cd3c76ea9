/* Copies that a guest asks for; see session/forks.h. */
#include "session/forks.h"

#include <stdlib.h>

#include "console/console.h"
#include "control/snapshot.h"
#include "host/events.h"
#include "host/kvm/state.h"
#include "session/fork.h"
#include "vm/state.h"

enum { FAILED = 125 };

/* A copy that runs. */
struct live {
    bool used;
    struct control_copy copy;
    struct event_source report;
};

static struct {
    int (*run)(const struct options *options);
    struct vm *vm;
    struct pause_holder holder;
    struct live live[FORKS_MAX];
    struct live *made; /* not running yet: the guest waits while the copy copies its overlays */
    int status;        /* of the first copy that did not end well */
    bool was_refused;  /* and the user was told why */
} session_forks;

static void on_news(void *context)
{
    (void)context;
    events_wake();
}

/* Answers the guest, which goes on. */
static void answer(enum fork_answer answer, unsigned number)
{
    struct vm *vm = session_forks.vm;

    session_fork_answer(answer, number);
    for (unsigned v = 0; v < vm->vcpu_count && vm_is_quiet(vm, &session_forks.holder); v++)
        kvm_mark_paused(&vm->vcpus[v].cpu);
    session_forks.made = NULL;
    vm_resume(vm, &session_forks.holder);
    vm_wake(vm);
}

static void refuse(const char *why)
{
    if (!session_forks.was_refused) /* once: a guest may ask for ever */
        console_printf("kvm-vmm: the guest cannot be copied: %s", why);
    session_forks.was_refused = true;
    answer(FORK_REFUSED, 0);
}

static void bury(struct live *live, enum process_news news, uint16_t word)
{
    int status = news == PROCESS_ENDED ? word & 0xff : FAILED;

    live->used = false;
    if (status != 0)
        console_printf("kvm-vmm: copy %u ended with status %d", live->copy.number, status);
    if (session_forks.status == 0)
        session_forks.status = status;
    if (live == session_forks.made)
        answer(FORK_REFUSED, 0);
}

static void hear(struct live *live)
{
    enum process_news news = PROCESS_BEGUN;
    uint16_t word = FAILED;

    events_want(&live->report, 0); /* before process_hear closes the pipe */
    while (news == PROCESS_BEGUN) {
        news = process_hear(&live->copy.process, &word);
        if (news == PROCESS_BEGUN && live == session_forks.made)
            answer(FORK_MADE, live->copy.number);
    }
    if (news == PROCESS_QUIET)
        events_want(&live->report, EVENTS_READ);
    else
        bury(live, news, word);
}

static int make(struct vm *vm, const struct options *options, struct live *live,
                struct error *error)
{
    size_t room = vm_state_size(vm->vcpu_count), rom = firmware_size(vm) + 1;
    struct chunk_writer state = {.bytes = malloc(room), .room = room};
    struct chunk_writer firmware = {.bytes = malloc(rom), .room = rom};
    struct control_order order = {.state = &state,
                                  .firmware = &firmware,
                                  .typed = "",
                                  .bound = true,
                                  .out = 1,
                                  .err = 2,
                                  .copy = session_fork_asked()};
    int result = state.bytes == NULL || firmware.bytes == NULL ? error_set(error, "out of memory")
                                                               : vm_save(vm, &state, error);

    *live = (struct live){.used = true};
    if (result == 0)
        firmware_save(vm, &firmware);
    if (result == 0)
        result = session_fork(vm, options, &order, session_forks.run, &live->copy, error);
    free(state.bytes);
    free(firmware.bytes);
    live->used = result == 0;
    if (result < 0)
        return -1;
    session_forks.made = live;
    live->report = (struct event_source){.fd = live->copy.process.report, .ready = on_news};
    events_want(&live->report, EVENTS_READ);
    return 0;
}

/* Called in each round of the loop while the guest runs. */
static bool service(struct vm *vm, const struct options *options)
{
    struct live *live = session_forks.live, *end = session_forks.live + options->forks;
    struct error error;

    while (live < end && live->used)
        live++;
    session_forks.vm = vm;
    if (session_forks.made != NULL || live == end || session_fork_asked() == 0 ||
        control_snapshot_is_busy()) /* the end of a snapshot wakes the loop */
        return true;
    if (!session_forks.holder.holds) {
        if (session_fork_check(vm, options, &error) < 0) {
            refuse(error.text);
            return true;
        }
        (void)vm_pause(vm, &session_forks.holder);
    }
    if (vm_is_quiet(vm, &session_forks.holder) && make(vm, options, live, &error) < 0)
        refuse(error.text);
    return true;
}

int session_forks_init(struct options *options, int (*run)(const struct options *options),
                       struct error *error)
{
    session_forks.run = run;
    session_forks.holder.quiet = on_news;
    options->service = service;
    session_fork_call_init(options);
    return session_fork_check_run(options, &options->guests[0], error);
}

bool session_forks_go_on(bool over)
{
    bool any = false;

    for (unsigned i = 0; i < FORKS_MAX; i++) {
        if (session_forks.live[i].used)
            hear(&session_forks.live[i]);
        any |= session_forks.live[i].used;
    }
    return any && !over;
}

int session_forks_status(int status)
{
    return status != 0 ? status : session_forks.status;
}
