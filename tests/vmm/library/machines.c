/*
 * libkvmvmm from outside, for tests/vmm/test_library.py: each function with what it is to do and
 * with what it is to refuse. Arguments: the folder of the guests, or a Linux kernel and its
 * initial ramdisk, which has a shell at the serial port. Prints a line a check, and what went
 * wrong; status 1 then.
 */
#include <kvmvmm.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_READY = 0x20, CALL_DONE = 0x21, PAGE = 4096, PAGES_AT = 0x200000, THREADS = 3 };

static const char *folder, *kernel, *ramdisk;
static struct kvmvmm_error error;
static char printed[4096];

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: not so: %s (last error: %s)\n", __FILE__, __LINE__, #condition,         \
                   error.text);                                                                    \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static void print(void *context, const void *bytes, size_t count)
{
    char *to = context;

    snprintf(to + strlen(to), sizeof printed - strlen(to), "%.*s", (int)count, (const char *)bytes);
}

static struct kvmvmm *make(const char *guest, enum kvmvmm_mode mode)
{
    static char path[8][512];
    static unsigned used;
    char *image = path[used++ % 8];
    struct kvmvmm_config config = {
        .image = image, .mode = mode, .output = print, .context = printed};

    snprintf(image, sizeof path[0], "%s/%s", folder, guest);
    printed[0] = '\0';
    error.text[0] = '\0';
    return kvmvmm_create(&config, &error);
}

static struct kvmvmm_event run(struct kvmvmm *m, uint64_t exits, uint64_t nanoseconds)
{
    const struct kvmvmm_limits limits = {.exits = exits, .nanoseconds = nanoseconds};
    struct kvmvmm_event event;

    MUST(kvmvmm_run(m, &limits, &event, &error) == 0);
    return event;
}

static void modes(void)
{
    static const struct {
        const char *guest;
        enum kvmvmm_mode mode;
    } guests[] = {{"hello.bin", KVMVMM_BY_CONTENT}, {"hello_64.elf", KVMVMM_LONG}};

    for (size_t i = 0; i < sizeof guests / sizeof guests[0]; i++) {
        struct kvmvmm *m = make(guests[i].guest, guests[i].mode);
        struct kvmvmm_event event;

        MUST(m != NULL);
        event = run(m, 0, 0);
        MUST(event.reason == KVMVMM_ENDED && event.end == KVMVMM_EXITED && event.status == 0);
        MUST(strncmp(printed, "Hello, KVM", 10) == 0);
        kvmvmm_destroy(m);
    }
}

/* One that has crashed lives again, and says why it crashed. */
static void ends(void)
{
    struct kvmvmm *m = make("test/end/triple.bin", KVMVMM_REAL);
    struct kvmvmm_event event;

    MUST(m != NULL && kvmvmm_snapshot(m, &error) == 0);
    for (int i = 0; i < 3; i++) {
        event = run(m, 0, 0);
        MUST(event.reason == KVMVMM_ENDED && event.end == KVMVMM_CRASHED && event.text[0] != '\0');
        MUST(kvmvmm_run(m, NULL, &event, &error) == -1 && strstr(error.text, "has ended") != NULL);
        MUST(kvmvmm_reset(m, NULL, &error) == 0);
    }
    kvmvmm_destroy(m);
    m = make("test/end/own_status.bin", KVMVMM_REAL);
    MUST(m != NULL);
    event = run(m, 0, 0);
    MUST(event.end == KVMVMM_EXITED && event.status != 0);
    kvmvmm_destroy(m);
    m = make("test/end/late_halt.elf", KVMVMM_LONG); /* with interrupts off: for ever */
    MUST(m != NULL);
    event = run(m, 0, 0);
    MUST(event.reason == KVMVMM_ENDED && event.end == KVMVMM_HALTED);
    kvmvmm_destroy(m);
}

static void limits(void)
{
    struct kvmvmm *m = make("test/end/spin.bin", KVMVMM_REAL);
    struct kvmvmm_event event;

    MUST(m != NULL);
    event = run(m, 0, 20000000);
    MUST(event.reason == KVMVMM_TIME);
    kvmvmm_destroy(m);
    m = make("hello.bin", KVMVMM_REAL);
    MUST(m != NULL);
    for (size_t i = 1; i <= 5; i++) { /* it prints a byte an exit */
        event = run(m, 1, 0);
        MUST(event.reason == KVMVMM_EXITS && event.exits == 1 && strlen(printed) == i);
    }
    MUST(run(m, 0, 0).end == KVMVMM_EXITED && strcmp(printed, "Hello, KVM!\n") == 0);
    kvmvmm_destroy(m);
}

static void input(void)
{
    struct kvmvmm *m = make("test/stream/echo.bin", KVMVMM_REAL);

    MUST(m != NULL && kvmvmm_snapshot(m, &error) == 0);
    for (int i = 0; i < 3; i++) {
        printed[0] = '\0';
        kvmvmm_set_input(m, i == 1 ? "other\n" : "one\n", i == 1 ? 6 : 4);
        MUST(run(m, 0, 0).reason == KVMVMM_ENDED);
        MUST(strcmp(printed, i == 1 ? "other\n" : "one\n") == 0);
        MUST(kvmvmm_reset(m, NULL, &error) == 0);
    }
    kvmvmm_destroy(m);
}

/* Memory, registers and pages: whatever wrote them, the guest or this program. */
static void resets(void)
{
    struct kvmvmm *m = make("test/library/dirty.elf", KVMVMM_LONG);
    uint64_t word, pages;
    struct kvm_regs regs, first;

    MUST(m != NULL && kvmvmm_reset(m, NULL, &error) == -1);
    MUST(run(m, 0, 0).call == CALL_READY);
    word = 7;
    MUST(kvmvmm_write(m, PAGES_AT + 3 * PAGE, &word, sizeof word, &error) == 0);
    MUST(kvmvmm_get_registers(m, &first, NULL, &error) == 0 && first.rcx == 50);
    MUST(kvmvmm_snapshot(m, &error) == 0);
    for (uint64_t i = 1; i < 20; i++) {
        regs = first;
        regs.rcx = i;
        word = i;
        MUST(kvmvmm_set_registers(m, &regs, NULL, &error) == 0);
        MUST(kvmvmm_write(m, PAGES_AT + 100 * PAGE, &word, sizeof word, &error) == 0);
        MUST(run(m, 0, 0).call == CALL_DONE);
        MUST(kvmvmm_read(m, PAGES_AT + 3 * PAGE, &word, sizeof word, &error) == 0);
        MUST(word == (i > 3 ? 8 : 7));
        MUST(kvmvmm_reset(m, &pages, &error) == 0 && pages >= i + 1);
        MUST(kvmvmm_read(m, PAGES_AT + 3 * PAGE, &word, sizeof word, &error) == 0 && word == 7);
        MUST(kvmvmm_read(m, PAGES_AT + 100 * PAGE, &word, sizeof word, &error) == 0 && word == 0);
        MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0);
        MUST(memcmp(&regs, &first, sizeof regs) == 0);
    }
    MUST(kvmvmm_reset(m, &pages, &error) == 0 && pages == 0);
    MUST(kvmvmm_read_linear(m, PAGES_AT + 3 * PAGE, &word, sizeof word, &error) == 0 && word == 7);
    MUST(kvmvmm_read(m, UINT64_MAX - 3, &word, sizeof word, &error) == -1);
    MUST(kvmvmm_write(m, 64 << 20, &word, sizeof word, &error) == -1);
    MUST(kvmvmm_read_linear(m, UINT64_C(1) << 60, &word, sizeof word, &error) == -1);
    kvmvmm_destroy(m);
}

/* KVM would write what it reads from nowhere into memory that was put back already. */
static void middles(void)
{
    static const uint64_t counts[] = {1, 20};
    struct kvmvmm *m = make("test/library/half_copied.elf", KVMVMM_LONG);
    uint8_t bytes[32], first[32];
    struct kvmvmm_event event;
    struct kvm_regs regs, now;

    memset(first, 0x11, sizeof first);
    MUST(m != NULL && run(m, 0, 0).call == CALL_READY);
    MUST(kvmvmm_write(m, PAGES_AT, first, sizeof first, &error) == 0);
    MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        regs.rcx = counts[i];
        MUST(kvmvmm_set_registers(m, &regs, NULL, &error) == 0);
        MUST(kvmvmm_snapshot(m, &error) == 0);
        for (int round = 0; round < 3; round++) {
            event = run(m, 0, 0);
            MUST(event.reason == KVMVMM_ENDED && event.end == KVMVMM_CRASHED);
            MUST(kvmvmm_snapshot(m, &error) == -1 && strstr(error.text, "has ended") != NULL);
            MUST(kvmvmm_reset(m, NULL, &error) == 0); /* the snapshot before is still there */
            MUST(kvmvmm_read(m, PAGES_AT, bytes, sizeof bytes, &error) == 0);
            MUST(memcmp(bytes, first, sizeof bytes) == 0);
            MUST(kvmvmm_get_registers(m, &now, NULL, &error) == 0);
            MUST(memcmp(&now, &regs, sizeof now) == 0);
        }
        now.rip += 2; /* behind the instruction: nothing of it is left to be done */
        MUST(kvmvmm_set_registers(m, &now, NULL, &error) == 0);
        MUST(run(m, 0, 0).call == CALL_DONE);
        MUST(kvmvmm_get_registers(m, &now, NULL, &error) == 0 && now.rcx == counts[i]);
        MUST(kvmvmm_read(m, PAGES_AT, bytes, sizeof bytes, &error) == 0);
        MUST(memcmp(bytes, first, sizeof bytes) == 0);
        MUST(kvmvmm_reset(m, NULL, &error) == 0);
    }
    kvmvmm_destroy(m);
}

/* The loop of collatz.S, whose RBX counts. It begins behind `out`, at 1 MB. */
static void breakpoints(void)
{
    struct kvmvmm *m = make("test/library/collatz.elf", KVMVMM_LONG);
    struct kvmvmm_event event;
    struct kvm_regs regs;
    uint8_t code[64];
    uint64_t at;

    MUST(m != NULL && run(m, 0, 0).call == CALL_READY);
    MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0);
    MUST(kvmvmm_read(m, regs.rip, code, sizeof code, &error) == 0);
    at = regs.rip + 2; /* behind xor %ebx, %ebx */
    regs.rdi = 27;
    MUST(kvmvmm_set_registers(m, &regs, NULL, &error) == 0);
    MUST(kvmvmm_set_breakpoint(m, at, &error) == 0 && kvmvmm_set_breakpoint(m, at, &error) == 0);
    MUST(kvmvmm_snapshot(m, &error) == 0);
    for (uint64_t i = 0; i < 30; i++) {
        event = run(m, 0, 0);
        MUST(event.reason == KVMVMM_BREAKPOINT && event.address == at);
        MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0 && regs.rbx == i % 15 &&
             regs.rip == at);
        if (i == 14) /* it stands there after a reset as well */
            MUST(kvmvmm_reset(m, NULL, &error) == 0);
    }
    MUST(kvmvmm_snapshot(m, &error) == 0);
    event = run(m, 0, 0);
    MUST(event.reason == KVMVMM_BREAKPOINT);
    MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0 && regs.rbx == 15);
    MUST(kvmvmm_reset(m, NULL, &error) == 0);
    event = run(m, 0, 0);
    MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0 && regs.rbx == 15);
    kvmvmm_clear_breakpoint(m, at);
    kvmvmm_clear_breakpoint(m, at);
    MUST(run(m, 0, 0).call == CALL_DONE);
    MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0 && regs.rbx == 111);
    MUST(kvmvmm_reset(m, NULL, &error) == 0);
    MUST(run(m, 0, 0).call == CALL_DONE);
    MUST(kvmvmm_read(m, at - 2, printed, sizeof code, &error) == 0);
    MUST(memcmp(printed, code, sizeof code) == 0); /* nothing of ours is left there */
    kvmvmm_destroy(m);
}

/* A program that stops, sets a register and goes on gets on; what ends the time as well does not
 * hide the stop. */
static void goes_on(void)
{
    struct kvmvmm *m = make("test/library/collatz.elf", KVMVMM_LONG);
    struct kvm_regs regs;
    uint64_t at;

    MUST(m != NULL && run(m, 0, 0).call == CALL_READY);
    MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0);
    at = regs.rip + 2; /* behind xor %ebx, %ebx */
    regs.rdi = 27;
    MUST(kvmvmm_set_registers(m, &regs, NULL, &error) == 0);
    MUST(kvmvmm_set_breakpoint(m, at, &error) == 0);
    for (uint64_t i = 0; i < 10; i++) {
        for (uint64_t time = 1000; run(m, 0, time).reason == KVMVMM_TIME; time *= 2)
            ;
        MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0 && regs.rip == at && regs.rbx == i);
        regs.rax = i;
        MUST(kvmvmm_set_registers(m, &regs, NULL, &error) == 0);
    }
    regs.rip = at - 2; /* somewhere else: it is met again, before it is stepped over */
    MUST(kvmvmm_set_registers(m, &regs, NULL, &error) == 0);
    MUST(run(m, 0, 0).reason == KVMVMM_BREAKPOINT);
    MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0 && regs.rip == at && regs.rbx == 0);
    kvmvmm_destroy(m);
}

/* The flags that flags.S finds saved have no trap flag, whatever was stepped over to get there: by
 * the processor's breakpoints, and by those that stand in memory. */
static void steps(void)
{
    static const uint64_t trap_flag = 1 << 8;

    for (int ports = 0; ports < 2; ports++) {
        struct kvmvmm *m = make("test/library/flags.elf", KVMVMM_LONG);
        struct kvm_regs regs;
        struct kvmvmm_event event;
        uint64_t stops = 0;

        MUST(m != NULL && run(m, 0, 0).call == CALL_READY);
        MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0);
        for (uint64_t i = 0; ports && i < 4; i++) /* they take those of the processor */
            MUST(kvmvmm_set_breakpoint(m, PAGES_AT + PAGE * i, &error) == 0);
        MUST(kvmvmm_set_breakpoint(m, regs.rbx, &error) == 0);
        MUST(kvmvmm_set_breakpoint(m, regs.rcx, &error) == 0);
        MUST(kvmvmm_set_breakpoint(m, regs.rsi, &error) == 0);
        if (ports)
            MUST(kvmvmm_set_breakpoint(m, regs.rdi, &error) == 0);
        while ((event = run(m, 0, 0)).reason == KVMVMM_BREAKPOINT)
            stops++;
        MUST(event.reason == KVMVMM_CALL && event.call == CALL_DONE);
        MUST(kvmvmm_get_registers(m, &regs, NULL, &error) == 0);
        MUST(stops == (ports ? 4 : 3) && regs.r12 == 256 + 16 + 2);
        MUST(regs.r8 != 0 && !(regs.r8 & trap_flag));
        MUST(regs.r9 != 0 && !(regs.r9 & trap_flag));
        MUST(regs.r10 != 0 && !(regs.r10 & trap_flag));
        kvmvmm_destroy(m);
    }
}

static void refusals(void)
{
    struct kvmvmm_config config = {0};
    struct kvmvmm_event event;
    struct kvmvmm *m;

    MUST(kvmvmm_create(&config, &error) == NULL && strstr(error.text, "needs an image") != NULL);
    MUST(make("no such guest", KVMVMM_REAL) == NULL && strstr(error.text, "No such file") != NULL);
    config = (struct kvmvmm_config){.image = "x", .bytes = "\xf4", .bytes_size = 1, .memory = 5};
    MUST(kvmvmm_create(&config, &error) == NULL && strstr(error.text, "multiple of 4K") != NULL);
    config.memory = 0;
    config.kvm = "/dev/null";
    MUST(kvmvmm_create(&config, &error) == NULL && strstr(error.text, "/dev/null") != NULL);
    config.kvm = NULL;
    m = kvmvmm_create(&config, &error); /* hlt, in real mode */
    MUST(m != NULL && kvmvmm_run(m, NULL, &event, &error) == 0 && event.end == KVMVMM_HALTED);
    kvmvmm_destroy(m);
    kvmvmm_destroy(NULL);
}

/* Many machines, each in a thread of its own and moved to another one half way. */
struct worker {
    pthread_t thread;
    struct kvmvmm *machine;
    uint64_t pages;
};

static void *work(void *argument)
{
    struct worker *w = argument;
    struct kvmvmm_error why;
    struct kvmvmm_event event;
    struct kvm_regs regs;

    for (int i = 0; i < 10; i++) {
        if (kvmvmm_get_registers(w->machine, &regs, NULL, &why) < 0)
            return w; /* not NULL */
        regs.rcx = w->pages;
        if (kvmvmm_set_registers(w->machine, &regs, NULL, &why) < 0 ||
            kvmvmm_run(w->machine, NULL, &event, &why) < 0 || event.call != CALL_DONE ||
            kvmvmm_reset(w->machine, NULL, &why) < 0)
            return w;
    }
    return NULL;
}

static void several(void)
{
    struct worker workers[THREADS];
    void *why;

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.machine = make("test/library/dirty.elf", KVMVMM_LONG),
                                     .pages = 10 * (i + 1)};
        MUST(workers[i].machine != NULL && run(workers[i].machine, 0, 0).call == CALL_READY);
        MUST(kvmvmm_snapshot(workers[i].machine, &error) == 0);
    }
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < THREADS; i++)
            MUST(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
        for (unsigned i = 0; i < THREADS; i++)
            MUST(pthread_join(workers[i].thread, &why) == 0 && why == NULL);
    }
    for (unsigned i = 0; i < THREADS; i++)
        kvmvmm_destroy(workers[i].machine);
}

static void await(struct kvmvmm *m, const char *text)
{
    while (strstr(printed, text) == NULL) /* for the test's own limit */
        MUST(run(m, 0, 100000000).reason == KVMVMM_TIME);
}

/* It boots to a shell, and each time that it is put back there another command is answered. */
static void linux_shell(void)
{
    const struct kvmvmm_config config = {.image = kernel,
                                         .memory = 256 << 20,
                                         .append = "console=ttyS0 quiet",
                                         .initrds = {ramdisk},
                                         .initrd_count = 1,
                                         .output = print,
                                         .context = printed};
    struct kvmvmm *m = kvmvmm_create(&config, &error);
    char line[64], answer[16];

    printed[0] = '\0';
    MUST(m != NULL);
    await(m, "guest# ");
    MUST(kvmvmm_snapshot(m, &error) == 0);
    for (int i = 0; i < 3; i++) {
        printed[0] = '\0';
        snprintf(line, sizeof line, "echo it is $((%d + 40)).\n", i);
        snprintf(answer, sizeof answer, "it is %d.", i + 40);
        kvmvmm_set_input(m, line, strlen(line));
        await(m, answer);
        MUST(kvmvmm_reset(m, NULL, &error) == 0);
    }
    kvmvmm_destroy(m);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*check)(void);
    } checks[] = {
        {"modes", modes},
        {"ends", ends},
        {"limits", limits},
        {"input", input},
        {"resets", resets},
        {"middles", middles},
        {"breakpoints", breakpoints},
        {"goes on", goes_on},
        {"steps", steps},
        {"refusals", refusals},
        {"several", several},
    };

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3) {
        kernel = argv[1];
        ramdisk = argv[2];
        linux_shell();
        printf("linux\n");
        return 0;
    }
    if (argc != 2)
        return 2;
    folder = argv[1];
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        checks[i].check();
        printf("%s\n", checks[i].name);
    }
    return 0;
}
