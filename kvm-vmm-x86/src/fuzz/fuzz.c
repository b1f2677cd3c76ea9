/* The fuzzer: options, the loop, and its messages; see fuzz.h. */
#include "fuzz/fuzz.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/afl.h"
#include "fuzz/corpus.h"
#include "host/events.h"
#include "host/files/files.h"
#include "options/options.h"
#include "session/end.h"
#include "watch/explain/page.h"

#define MS         UINT64_C(1000000)
#define BOOT_LIMIT (600000 * MS) /* a kernel on a slow machine */

static const char help[] =
    "Usage: kvm-vmm fuzz [OPTION]... GUEST\n"
    "Looks for inputs that crash a guest, which asks for them by hypercall (docs/fuzzing.md).\n"
    "\n"
    "  -p, -l               the guest starts in protected or long mode\n"
    "  -m SIZE              the memory of the guest\n"
    "  --append TEXT        a kernel's command line\n"
    "  --initrd FILE        its initial ramdisk\n"
    "  --corpus FOLDER      inputs to begin with; those that reach new code are added\n"
    "  --crashes FOLDER     where inputs that crash are put, with an explanation (crashes)\n"
    "  --runs N             ends after N runs (no limit)\n"
    "  --seed N             the seed of the random changes to inputs (1)\n"
    "  --timeout TIME       the time limit of one run (1s)\n"
    "  --keep-going         does not end at the first crash\n"
    "  --run FILE           runs one input and prints the result\n"
    "  --help               prints this\n"
    "\n"
    "Under afl-fuzz it is a target; inputs come on standard input, or from --run FILE (@@).\n"
    "Status: 0 no crash, 126 a crash, 2 usage, 125 the fuzzer failed.\n";

struct request {
    struct kvmvmm_config config;
    const char *corpus, *crashes, *one;
    uint64_t runs, seed, timeout;
    bool keep_going, help;
};

static struct fuzz {
    struct request request;
    struct guest guest;
    struct mutate mutate;
    struct corpus corpus;
    uint64_t runs, hangs;
    unsigned crashes, crash_number; /* `crash_number`: of the last file written */
    uint8_t bytes[MUTATE_INPUT_MAX];
    char page[PAGE_TEXT];
} fuzz;

static int say_failure(const struct error *error)
{
    fprintf(stderr, "kvm-vmm fuzz: %s\n", error->text);
    return STATUS_FAILED;
}

/* ---- Options --------------------------------------------------------------------------------- */

enum { CORPUS = 256, CRASHES, RUNS, SEED, TIMEOUT, KEEP_GOING, ONE, APPEND, INITRD };

static const struct option names[] = {{"corpus", required_argument, NULL, CORPUS},
                                      {"crashes", required_argument, NULL, CRASHES},
                                      {"runs", required_argument, NULL, RUNS},
                                      {"seed", required_argument, NULL, SEED},
                                      {"timeout", required_argument, NULL, TIMEOUT},
                                      {"keep-going", no_argument, NULL, KEEP_GOING},
                                      {"run", required_argument, NULL, ONE},
                                      {"append", required_argument, NULL, APPEND},
                                      {"initrd", required_argument, NULL, INITRD},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

static int take_number(const char *name, uint64_t *to, struct error *error)
{
    return options_parse_size(optarg, to) ? 0
                                          : error_set(error, "%s %s: not a number", name, optarg);
}

static int take(struct request *r, int code, char **argv, struct error *error)
{
    switch (code) {
    case 'p':
        r->config.mode = KVMVMM_PROTECTED;
        return 0;
    case 'l':
        r->config.mode = KVMVMM_LONG;
        return 0;
    case 'm':
        return take_number("-m", &r->config.memory, error);
    case CORPUS:
        r->corpus = optarg;
        return 0;
    case CRASHES:
        r->crashes = optarg;
        return 0;
    case RUNS:
        return take_number("--runs", &r->runs, error);
    case SEED:
        return take_number("--seed", &r->seed, error);
    case TIMEOUT:
        return options_parse_time("--timeout", optarg, &r->timeout, error);
    case KEEP_GOING:
        r->keep_going = true;
        return 0;
    case ONE:
        r->one = optarg;
        return 0;
    case APPEND:
        r->config.append = optarg;
        return 0;
    case INITRD:
        if (r->config.initrd_count == sizeof r->config.initrds / sizeof r->config.initrds[0])
            return error_set(error, "--initrd %s: at most %zu", optarg,
                             sizeof r->config.initrds / sizeof r->config.initrds[0]);
        r->config.initrds[r->config.initrd_count++] = optarg;
        return 0;
    case 'h':
        r->help = true;
        return 0;
    case ':':
        return error_set(error, "%s needs a value", argv[optind - 1]);
    default:
        return error_set(error, "no such option: %s", argv[optind - 1]);
    }
}

static int parse(struct request *r, int argc, char **argv, struct error *error)
{
    int code;

    *r = (struct request){.seed = 1, .timeout = 1000 * MS, .crashes = "crashes"};
    optind = 0;
    opterr = 0;
    while ((code = getopt_long(argc, argv, ":plm:h", names, NULL)) != -1)
        if (take(r, code, argv, error) < 0)
            return -1;
    if (r->help)
        return 0;
    if (argc - optind != 1)
        return error_set(error, "expected one guest, not %d", argc - optind);
    r->config.image = argv[optind];
    return 0;
}

/* ---- The loop -------------------------------------------------------------------------------- */

/* Writes the input, and beside it a file with the explanation. */
static int save_crash(const uint8_t *input, size_t size, const struct run_result *result,
                      struct error *error)
{
    char name[32], text[sizeof result->text + PAGE_TEXT + 64];
    int n;

    if (corpus_write_new(fuzz.request.crashes, "crash", 1, &fuzz.crash_number, input, size, error) <
        0)
        return -1;
    guest_explain(&fuzz.guest, input, size, result, fuzz.page, sizeof fuzz.page);
    n = snprintf(text, sizeof text, "%s\nafter %llu exits, with an input of %zu bytes\n%s",
                 result->text[0] != '\0' ? result->text : "crash",
                 (unsigned long long)result->exits, size, fuzz.page);
    snprintf(name, sizeof name, "crash-%u.txt", fuzz.crash_number);
    return corpus_write(fuzz.request.crashes, name, text, (size_t)n, error);
}

static int note_crash(const uint8_t *input, size_t size, const struct run_result *result,
                      struct error *error)
{
    fuzz.crashes++;
    if (save_crash(input, size, result, error) < 0)
        return -1;
    printf("run %llu: crash: %s\n  %s/crash-%u is the input, %s/crash-%u.txt explains it\n",
           (unsigned long long)fuzz.runs, result->text, fuzz.request.crashes, fuzz.crash_number,
           fuzz.request.crashes, fuzz.crash_number);
    return 0;
}

static int note_hang(const uint8_t *input, size_t size, struct error *error)
{
    unsigned number = 0;

    if (corpus_write_new(fuzz.request.crashes, "hang", 1, &number, input, size, error) < 0)
        return -1;
    printf("run %llu: no answer within the time limit: %s/hang-%u\n", (unsigned long long)fuzz.runs,
           fuzz.request.crashes, number);
    return 0;
}

/* Keeps inputs that reach new code. A crash is saved if it reaches new code or is the first one, a
 * hang only if it is the first. */
static int try_input(const uint8_t *input, size_t size, bool from_folder, struct error *error)
{
    struct run_result result;

    if (guest_run(&fuzz.guest, input, size, &result, error) < 0)
        return -1;
    fuzz.runs++;
    fuzz.hangs += result.verdict == RUN_HUNG;
    if (result.verdict == RUN_CRASHED && (fuzz.crashes == 0 || result.new_blocks > 0))
        return note_crash(input, size, &result, error);
    if (result.verdict == RUN_HUNG && fuzz.hangs == 1)
        return note_hang(input, size, error);
    if (result.verdict != RUN_DONE || result.new_blocks == 0)
        return 0;
    if (!from_folder && corpus_add(&fuzz.corpus, input, size, true, error) < 0)
        return -1;
    printf("run %llu: %zu of %zu blocks, %u input%s\n", (unsigned long long)fuzz.runs,
           fuzz.guest.met_count, fuzz.guest.blocks.count, fuzz.corpus.count,
           fuzz.corpus.count == 1 ? "" : "s");
    return 0;
}

static bool is_over(void)
{
    return (fuzz.request.runs != 0 && fuzz.runs >= fuzz.request.runs) ||
           (fuzz.crashes > 0 && !fuzz.request.keep_going);
}

static int mutate_one(struct error *error)
{
    struct corpus *c = &fuzz.corpus;
    const struct corpus_input *base = &c->inputs[mutate_below(&fuzz.mutate, c->count)];
    const struct corpus_input *other = &c->inputs[mutate_below(&fuzz.mutate, c->count)];
    size_t size = base->size < fuzz.guest.room ? base->size : fuzz.guest.room;

    memcpy(fuzz.bytes, base->bytes, size);
    size = mutate_input(&fuzz.mutate, fuzz.bytes, size, other->bytes, other->size);
    return try_input(fuzz.bytes, size, false, error);
}

static int loop(struct error *error)
{
    unsigned given = fuzz.corpus.count;
    uint64_t begun = events_now(), ns;

    printf("%zu blocks%s, %u values that the code compares with, seed %llu\n",
           fuzz.guest.blocks.count, fuzz.guest.blocks.cut ? " (there are more)" : "",
           fuzz.mutate.value_count, (unsigned long long)fuzz.request.seed);
    for (unsigned i = 0; i < given && !is_over(); i++)
        if (try_input(fuzz.corpus.inputs[i].bytes, fuzz.corpus.inputs[i].size, true, error) < 0)
            return -1;
    if (fuzz.corpus.count == 0 &&
        corpus_add(&fuzz.corpus, (const uint8_t *)"", 0, false, error) < 0)
        return -1;
    while (!is_over())
        if (mutate_one(error) < 0)
            return -1;
    ns = events_now() - begun;
    printf("%llu runs, %u crash%s, %llu without an answer, %zu of %zu blocks, %.0f runs/s\n",
           (unsigned long long)fuzz.runs, fuzz.crashes, fuzz.crashes == 1 ? "" : "es",
           (unsigned long long)fuzz.hangs, fuzz.guest.met_count, fuzz.guest.blocks.count,
           (double)fuzz.runs * 1e9 / (double)(ns > 0 ? ns : 1));
    return 0;
}

static int run_one(struct error *error)
{
    static const char *const verdicts[] = {
        [RUN_DONE] = "done", [RUN_CRASHED] = "crash", [RUN_HUNG] = "no answer within the limit"};
    struct run_result result;
    struct file file;
    int code;

    if (file_load(&file, fuzz.request.one, fuzz.guest.room, error) < 0)
        return -1;
    code = guest_run(&fuzz.guest, file.bytes, file.size, &result, error);
    if (code == 0 && result.verdict == RUN_CRASHED) {
        fuzz.crashes++;
        guest_explain(&fuzz.guest, file.bytes, file.size, &result, fuzz.page, sizeof fuzz.page);
    }
    if (code == 0)
        printf("%s%s%s\n%s", verdicts[result.verdict], result.text[0] != '\0' ? ": " : "",
               result.text, fuzz.page);
    file_release(&file);
    return code;
}

static int go(struct error *error)
{
    struct request *r = &fuzz.request;
    bool afl = afl_is_there();

    mutate_init(&fuzz.mutate, r->seed, 0);
    fuzz.guest.timeout = r->timeout;
    if (guest_boot(&fuzz.guest, &r->config, BOOT_LIMIT, &fuzz.mutate, error) < 0)
        return -1;
    fuzz.mutate.most = fuzz.guest.room;
    if (afl)
        return afl_serve(&fuzz.guest, r->one, error);
    if (r->one != NULL)
        return run_one(error);
    if (corpus_open(&fuzz.corpus, r->corpus, fuzz.guest.room, error) < 0)
        return -1;
    return loop(error);
}

int fuzz_main(int argc, char **argv)
{
    struct error error;
    int result;

    if (parse(&fuzz.request, argc, argv, &error) < 0) {
        fprintf(stderr, "kvm-vmm fuzz: %s; --help explains\n", error.text);
        return STATUS_USAGE;
    }
    if (fuzz.request.help)
        return fputs(help, stdout) >= 0 && fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
    setvbuf(stdout, NULL, _IOLBF, 0);
    result = go(&error);
    corpus_close(&fuzz.corpus);
    guest_release(&fuzz.guest);
    if (result < 0)
        return say_failure(&error);
    return fuzz.crashes > 0 ? STATUS_CRASH : STATUS_OK;
}
