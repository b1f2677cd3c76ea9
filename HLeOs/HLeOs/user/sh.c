/*
 * The shell:
 *
 *   line     = job { (";" | "&") job } [";" | "&"]
 *   job      = command { "|" command }
 *   command  = { word | "<" word | ">" word }
 *
 * Words end at blanks and at | & ; < >, except between quotes, ' or ". A name without a slash is
 * looked for in /bin. `cd DIRECTORY` and `exit [STATUS]` are the shell's own. With an argument, it
 * reads that file; the prompt shows only where the input is the console.
 */
#include "lib.h"

enum { LINE_MAX = 512, WORDS_MAX = 31, COMMANDS_MAX = 16, TOKENS_MAX = 128 };

struct token {
    char kind;  /* 'w' for a word, the character itself, 0 at the line's end */
    char *word; /* of a word */
};

struct command {
    const char *words[WORDS_MAX + 1];
    int count;
    const char *from, *to; /* NULL: the shell's own */
};

static int input; /* the file of the commands */
static int last;  /* the status of the last job */

/* False at the end of the input. */
static bool next_line(char *line)
{
    long length = read_line(input, line, LINE_MAX);

    if (length >= LINE_MAX) {
        fprintf(2, "sh: the line has more than %d characters\n", LINE_MAX - 1);
        line[0] = '\0';
    }
    return length >= 0;
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Copies a word from *at to *to, with a zero at its end. */
static void split_word(const char **at, char **to)
{
    char quote = '\0';

    for (; **at != '\0' && (quote != '\0' || !is_one_of(**at, " \t\r|&;<>")); ++*at) {
        if (quote == '\0' && is_one_of(**at, "'\""))
            quote = **at;
        else if (quote != '\0' && **at == quote)
            quote = '\0';
        else
            *(*to)++ = **at;
    }
    *(*to)++ = '\0';
}

/* Splits the line into tokens, whose words are in `text`. False if there are too many. */
static bool split(const char *line, char *text, struct token *tokens)
{
    for (int i = 0; i < TOKENS_MAX; i++) {
        while (is_one_of(*line, " \t\r"))
            line++;
        tokens[i] = (struct token){.kind = *line, .word = text};
        if (*line == '\0')
            return true;
        if (is_one_of(*line, "|&;<>")) {
            line++;
            continue;
        }
        tokens[i].kind = 'w';
        split_word(&line, &text);
    }
    return false;
}

/* Parses the command that begins at a token. Returns the token behind it, or NULL after an
 * error. */
static const struct token *parse(const struct token *t, struct command *c)
{
    memset(c, 0, sizeof *c);
    for (; is_one_of(t->kind, "w<>"); t++) {
        char kind = t->kind;

        if (kind != 'w' && (++t)->kind != 'w') {
            fprintf(2, "sh: the name of a file is missing behind %c\n", kind);
            return NULL;
        }
        if (kind == '<') {
            c->from = t->word;
        } else if (kind == '>') {
            c->to = t->word;
        } else if (c->count == WORDS_MAX) {
            fprintf(2, "sh: a command has more than %d words\n", WORDS_MAX);
            return NULL;
        } else {
            c->words[c->count++] = t->word;
        }
    }
    if (c->count == 0) {
        fprintf(2, "sh: a command is missing\n");
        return NULL;
    }
    return t;
}

/* Moves the open file `file` to the number `number`. */
static void move(int file, int number)
{
    if (file == number)
        return;
    close(number);
    dup(file); /* gets the lowest free number: all below are in use */
    close(file);
}

static void redirect(const char *path, int how, int number)
{
    int file = open(path, how);

    if (file < 0) {
        fprintf(2, "sh: %s: cannot be opened\n", path);
        exit(1);
    }
    move(file, number);
}

static void __attribute__((noreturn)) run(struct command *c)
{
    char path[LINE_MAX + 8];

    if (c->from != NULL)
        redirect(c->from, HLEOS_OPEN_READ, 0);
    if (c->to != NULL)
        redirect(c->to, HLEOS_OPEN_WRITE | HLEOS_OPEN_CREATE | HLEOS_OPEN_TRUNCATE, 1);
    fmt_snprint(path, sizeof path, "%s%s", strchr(c->words[0], '/') ? "" : "/bin/", c->words[0]);
    exec(path, c->words);
    fprintf(2, "sh: %s: no such program, or no memory for it\n", c->words[0]);
    exit(127);
}

/* Starts a command that reads from `from` and, if `piped`, writes to a pipe; *next is the pipe's
 * other end, or -1. Returns the process, or -1. */
static int start(struct command *c, int from, bool piped, int *next)
{
    int ends[2] = {-1, -1}, process;

    if (piped && pipe(ends) < 0) {
        fprintf(2, "sh: no pipe\n");
        return -1;
    }
    process = fork();
    if (process == 0) {
        if (input > 2)
            close(input);
        if (piped) {
            close(ends[0]);
            move(ends[1], 1);
        }
        if (from >= 0)
            move(from, 0);
        run(c);
    }
    if (process < 0)
        fprintf(2, "sh: %s: no process can be made\n", c->words[0]);
    if (piped)
        close(ends[1]);
    *next = ends[0];
    return process;
}

static void say_status(const char *name, int status)
{
    last = status;
    if (status == HLEOS_STATUS_KILLED)
        fprintf(2, "sh: %s: killed\n", name);
    else if (status >= HLEOS_STATUS_FAULT)
        fprintf(2, "sh: %s: ended by exception %d\n", name, status - HLEOS_STATUS_FAULT);
}

/* Runs a job of `count` commands; its status is that of the last one. Other children that end
 * meanwhile are earlier jobs with &. */
static void run_job(struct command *commands, int count, bool behind)
{
    int from = -1, process = -1, started[COMMANDS_MAX], left = 0, status, ended;

    for (int i = 0; i < count; i++) {
        int next = -1;

        process = start(&commands[i], from, i + 1 < count, &next);
        if (from >= 0)
            close(from);
        from = next;
        if (process < 0)
            break;
        started[left++] = process;
    }
    if (from >= 0)
        close(from);
    if (behind) {
        printf("[%d]\n", process);
        return;
    }
    while (left > 0 && (ended = wait(&status)) >= 0) {
        for (int i = 0; i < left; i++) {
            if (started[i] != ended)
                continue;
            if (ended == process)
                say_status(commands[count - 1].words[0], status);
            started[i] = started[--left];
        }
    }
}

/* Runs a command that must run in the shell's own process. */
static bool run_own(const struct command *c)
{
    if (strcmp(c->words[0], "exit") == 0)
        exit(c->count > 1 ? atoi(c->words[1]) : last & 0xff);
    if (strcmp(c->words[0], "cd") != 0)
        return false;
    last = chdir(c->count > 1 ? c->words[1] : "/") < 0;
    if (last)
        fprintf(2, "cd: %s: no such directory\n", c->words[1]);
    return true;
}

static void run_line(const struct token *t)
{
    static struct command commands[COMMANDS_MAX];

    while (t->kind != '\0') {
        int count = 0;

        do {
            if (count == COMMANDS_MAX) {
                fprintf(2, "sh: a job has more than %d commands\n", COMMANDS_MAX);
                return;
            }
            t = parse(t, &commands[count++]);
            if (t == NULL)
                return;
        } while (t->kind == '|' && t++);
        if (count > 1 || !run_own(commands))
            run_job(commands, count, t->kind == '&');
        if (t->kind != '\0')
            t++;
    }
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX], text[2 * LINE_MAX];
    static struct token tokens[TOKENS_MAX];
    struct hleos_stat stat;
    bool prompt;

    input = argc > 1 ? open(argv[1], HLEOS_OPEN_READ) : 0;
    if (input < 0) {
        fprintf(2, "sh: %s: cannot be opened\n", argv[1]);
        return 1;
    }
    prompt = fstat(input, &stat) == 0 && stat.type == HLEOS_DEVICE;
    for (;;) {
        if (prompt)
            printf("sh$ ");
        if (!next_line(line))
            break;
        if (!split(line, text, tokens))
            fprintf(2, "sh: the line has more than %d words and signs\n", TOKENS_MAX - 1);
        else
            run_line(tokens);
    }
    return last & 0xff;
}
