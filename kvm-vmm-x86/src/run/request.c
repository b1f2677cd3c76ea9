/* The command line of `kvm-vmm run`; see request.h. */
#include "run/request.h"

#include <stddef.h>
#include <string.h>

#include "options/names.h"
#include "options/options.h"

const char run_help[] =
    "Usage: kvm-vmm run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
    "Boots a kernel, runs COMMAND there with the host's files, and powers off. Standard input,\n"
    "output and error are the caller's, the exit status is the command's.\n"
    "\n"
    "      --kernel FILE|TREE   the kernel, or the tree it was built in (the host's own, else the\n"
    "                           newest of /boot)\n"
    "      --modules DIR        the kernel's modules (beside it, or /lib/modules/VERSION)\n"
    "      --root DIR|IMAGE     the guest's root (/), also a disk with a file system; what it\n"
    "                           writes is dropped at the end\n"
    "      --rw                 what it writes in the current folder, or to IMAGE, is kept\n"
    "      --share DIR[,ro]     the same for another folder; ro: it is only read\n"
    "      --cwd DIR            where COMMAND runs (the current folder)\n"
    "      --env NAME[=VALUE]   a variable of the environment, beside PATH, HOME, TERM and LANG\n"
    "      --hide PATH          does not exist for the guest; ~/.ssh, ~/.gnupg and the like never "
    "do\n"
    "      --shell              a shell, instead of COMMAND\n"
    "      --script FILE        a script of the host's, instead of COMMAND, whose words are its\n"
    "                           arguments\n"
    "      --each FILE          boots once and runs COMMAND for each line of FILE, which takes "
    "the\n"
    "                           place of {} in its words, in a copy of that machine\n"
    "      -j, --jobs N         how many of them at once (as many as the host has CPUs)\n"
    "      --output junit:FILE  a report for CI: a test case for the run, or for each line\n"
    "      --help               this text\n"
    "\n"
    "Other options are those of kvm-vmm: -m (1G), -c (1), --append, --timeout, --disk, --gdb, ...\n"
    "Status: the command's; 128+N if signal N ended it, 127 not found, 126 not executable,\n"
    "125 the VMM or the kernel failed, 124 --timeout.\n";

struct own {
    const char *name;
    size_t field; /* offset of a text, or of a list of texts */
    size_t count; /* offset of the list's counter; 0: one text */
    unsigned max;
    bool flag;
};

#define FIELD(member) offsetof(struct run_request, member)

static const struct own options_of_run[] = {
    {.name = "kernel", .field = FIELD(kernel)},
    {.name = "modules", .field = FIELD(modules)},
    {.name = "root", .field = FIELD(root)},
    {.name = "cwd", .field = FIELD(folder)},
    {.name = "append", .field = FIELD(append)},
    {.name = "script", .field = FIELD(script)},
    {.name = "output", .field = FIELD(output)},
    {.name = "each", .field = FIELD(each)},
    {.name = "jobs", .field = FIELD(jobs)},
    {.name = "share", .field = FIELD(shares), .count = FIELD(share_count), .max = SHARES_MAX - 2},
    {.name = "env",
     .field = FIELD(variables),
     .count = FIELD(variable_count),
     .max = RUN_NAMES_MAX},
    {.name = "hide", .field = FIELD(hidden), .count = FIELD(hidden_count), .max = RUN_NAMES_MAX},
    {.name = "rw", .field = FIELD(write), .flag = true},
    {.name = "shell", .field = FIELD(shell), .flag = true},
    {.name = "help", .field = FIELD(help), .flag = true},
};

static const struct own *find(const char *word)
{
    size_t length = strlen(word) < 2 ? 0 : strcspn(word + 2, "=");

    if (strncmp(word, "-j", 2) == 0)
        return find("--jobs");
    for (size_t i = 0; i < sizeof options_of_run / sizeof options_of_run[0]; i++)
        if (strncmp(word, "--", 2) == 0 && strlen(options_of_run[i].name) == length &&
            memcmp(options_of_run[i].name, word + 2, length) == 0)
            return &options_of_run[i];
    return NULL;
}

static int keep(struct run_request *r, const struct own *own, const char *value,
                struct error *error)
{
    char *base = (char *)r;
    const char **text = (const char **)(base + own->field);

    if (own->count == 0) {
        *text = value;
        return 0;
    }
    unsigned *count = (unsigned *)(base + own->count);

    if (*count == own->max)
        return error_set(error, "--%s %s: more than %u", own->name, value, own->max);
    text[(*count)++] = value;
    return 0;
}

#define ENDS " (-- ends the options)"

/* Takes one of our options, with its value in the same word or the next. Returns the number of
 * words; -1: error. */
static int take(struct run_request *r, const struct own *own, char **word, struct error *error)
{
    const char *value = word[0][1] == '-'    ? strchr(word[0], '=')
                        : word[0][2] != '\0' ? word[0] + 1
                                             : NULL;

    if (own->flag) {
        if (value != NULL)
            return error_set(error, "--%s takes no value", own->name);
        *(bool *)((char *)r + own->field) = true;
        return 1;
    }
    if (value != NULL)
        return keep(r, own, value + 1, error) < 0 ? -1 : 1;
    if (word[1] == NULL)
        return error_set(error, "--%s needs a value", own->name);
    if (strcmp(word[1], "--") == 0)
        return error_set(error, "--%s needs a value" ENDS, own->name);
    return keep(r, own, word[1], error) < 0 ? -1 : 2;
}

static int refuse(const char *word, struct error *error)
{
    struct near near;

    if (strncmp(word, "--", 2) != 0)
        return error_set(error, "no such option: %s", word);
    near_begin(&near, word + 2, strcspn(word + 2, "="));
    for (size_t i = 0; i < sizeof options_of_run / sizeof options_of_run[0]; i++)
        near_try(&near, options_of_run[i].name);
    names_try(&near, options_name);
    if (near.best == NULL)
        return error_set(error, "no such option: %s (write names in full here)", word);
    return error_set(error, "no such option: %s (did you mean --%s?)", word, near.best);
}

/* Passes on an option of the VMM. */
static int pass_on(struct run_request *r, char **word, struct error *error)
{
    int words = (int)options_words(word[0]);

    if (words == 0)
        return refuse(word[0], error);
    if (word[words - 1] == NULL)
        return error_set(error, "%s needs a value", word[0]);
    if (words == 2 && strcmp(word[1], "--") == 0)
        return error_set(error, "%s needs a value" ENDS, word[0]);
    if (r->vmm_count + words >= RUN_WORDS_MAX)
        return error_set(error, "too many options: more than %d words", RUN_WORDS_MAX);
    for (int i = 0; i < words; i++)
        r->vmm[r->vmm_count++] = word[i];
    return words;
}

static bool has_place(const struct run_request *r)
{
    for (char **word = r->command; word != NULL && *word != NULL; word++)
        if (strstr(*word, "{}") != NULL)
            return true;
    return false;
}

const char *run_request_misplaced(const struct run_request *r)
{
    static const char *const names[] = {"--kernel", "--modules", "--root", "--share", "--disk",
                                        "--net",    "--append",  "--cwd",  "--rw"};

    if (r->ended || r->command == NULL)
        return NULL;
    for (char **word = r->command + 1; *word != NULL && strcmp(*word, "--") != 0; word++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strncmp(*word, names[i], strlen(names[i])) == 0 &&
                strchr("=", (*word)[strlen(names[i])]) != NULL)
                return names[i];
    return NULL;
}

int run_request_parse(struct run_request *request, int argc, char **argv, struct error *error)
{
    int i = 1;

    *request = (struct run_request){0};
    while (i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0) {
        const struct own *own = find(argv[i]);
        int words =
            own != NULL ? take(request, own, argv + i, error) : pass_on(request, argv + i, error);

        if (words < 0)
            return -1;
        i += words;
    }
    request->ended = i < argc && strcmp(argv[i], "--") == 0;
    i += request->ended;
    if (request->help)
        return 0;
    request->command = i < argc ? argv + i : NULL;
    if (request->each != NULL && !has_place(request))
        return error_set(error, "--each: no word of COMMAND has {}, where the line goes");
    if (request->jobs != NULL && request->each == NULL)
        return error_set(error, "--jobs needs --each");
    if (request->shell && (request->command != NULL || request->script != NULL))
        return error_set(error, "--shell takes no command or script");
    if (!request->shell && request->command == NULL && request->script == NULL)
        return error_set(error, "no command given (--shell gives a shell)");
    if (request->output != NULL &&
        (strncmp(request->output, "junit:", 6) != 0 || request->output[6] == '\0'))
        return error_set(error, "--output %s: expected junit:FILE", request->output);
    return 0;
}
