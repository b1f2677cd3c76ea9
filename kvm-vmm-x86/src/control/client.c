/* `kvm-vmm ctl`; see client.h. It is a program of its own: it waits, and has no event loop. */
#include "control/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/server.h"
#include "host/files/folder_make.h"
#include "host/files/runtime.h"
#include "host/socket.h"
#include "options/options.h"
#include "snapshot/save.h"

enum { STATUS_OK = 0, STATUS_REFUSED = 1, STATUS_USAGE = 2, STATUS_FAILED = 125 };

struct order {
    const char *where, *verb, *argument, *guest, *run;
    char folder[FOLDER_PATH_MAX]; /* made by `ctl` for a snapshot; the machine writes to `files` */
    struct folder_files files;
    bool diff, zstd;
    bool json; /* print the answer as it came */
};

static int usage(FILE *to)
{
    fprintf(to, "Usage: kvm-vmm ctl list\n"
                "       kvm-vmm ctl NAME VERB [--guest N] [--json]\n"
                "       kvm-vmm ctl NAME snapshot FOLDER [--diff] [--zstd]\n"
                "       kvm-vmm ctl NAME fork COUNT [--run COMMAND]\n"
                "NAME is the value of --control of the running machine: a name, or unix:PATH.\n");
    for (const struct control_verb *v = control_verbs; v->name != NULL; v++) {
        char word[32];

        snprintf(word, sizeof word, "%s%s%s", v->name, v->argument != NULL ? " " : "",
                 v->argument != NULL ? v->argument : "");
        fprintf(to, "  %-18s %s\n", word, v->help);
    }
    return to == stdout ? STATUS_OK : STATUS_USAGE;
}

static int complain(int status, const char *text)
{
    fprintf(stderr, "kvm-vmm ctl: %s\n", text);
    return status;
}

/* --- asking --- */

/* How long to wait for an answer: until it comes, or for one timeout of the socket. */
enum patience { UNTIL_IT_ANSWERS, ONE_TURN };

static bool takes_folder(const struct order *o)
{
    const struct control_verb *verb = control_verb(o->verb);

    return o->argument != NULL && verb != NULL && verb->argument != NULL &&
           strcmp(verb->argument, "folder") == 0;
}

/* The machine may write to files, but its sandbox does not let it create any. */
static int make_folder(struct order *o, struct error *error)
{
    snapshot_files(&o->files);
    return folder_full_path(o->folder, o->argument, error) < 0
               ? -1
               : folder_make(o->folder, &o->files, error);
}

static int build_request(const struct order *o, struct json_out *out, struct error *error)
{
    const struct control_verb *verb = control_verb(o->verb);
    char *end;

    json_open(out, NULL, '{');
    json_number(out, "version", CONTROL_VERSION);
    json_string(out, "verb", o->verb);
    if (o->argument != NULL && (verb == NULL || verb->argument == NULL))
        return error_set(error, "%s takes no argument: \"%s\"", o->verb, o->argument);
    if (o->argument == NULL && verb != NULL && verb->argument != NULL)
        return error_set(error, "%s needs a %s", o->verb, verb->argument);
    if (o->argument != NULL && strcmp(verb->argument, "count") == 0) {
        unsigned long count = strtoul(o->argument, &end, 10);

        if (*o->argument < '0' || *o->argument > '9' || *end != '\0')
            return error_set(error, "%s %s: not a number", o->verb, o->argument);
        json_number(out, verb->argument, count);
    } else if (o->argument != NULL && strcmp(verb->argument, "size") == 0) {
        uint64_t size;

        if (!options_parse_size(o->argument, &size))
            return error_set(error, "%s %s: not a size (64M)", o->verb, o->argument);
        json_number(out, verb->argument, size);
    } else if (takes_folder(o)) {
        json_string(out, verb->argument, o->folder);
        json_open(out, "files", '[');
        for (unsigned i = 0; i < o->files.count; i++)
            json_string(out, NULL, o->files.names[i]);
        json_close(out, ']');
    }
    if ((o->diff || o->zstd) && !takes_folder(o))
        return error_set(error, "--diff and --zstd go with snapshot, not with %s", o->verb);
    if (o->diff)
        json_bool(out, "diff", true);
    if (o->zstd)
        json_bool(out, "zstd", true);
    if (o->run != NULL)
        json_string(out, "run", o->run);
    if (o->guest != NULL) {
        unsigned long guest = strtoul(o->guest, &end, 10);

        if (*o->guest < '0' || *o->guest > '9' || *end != '\0')
            return error_set(error, "--guest %s: not a number", o->guest);
        json_number(out, "guest", guest);
    }
    json_close(out, '}');
    return out->full ? error_set(error, "the request is too long") : 0;
}

/* A machine that is stopped (SIGSTOP) or busy for long (snapshot) does not answer. The user is told
 * so once, and may wait or press Ctrl-C. False: do not wait any longer. */
static bool wait_longer(const char *where, enum patience patience, bool *told)
{
    if (patience == ONE_TURN)
        return false;
    if (!*told)
        fprintf(stderr, "kvm-vmm ctl: %s does not answer yet\n", where);
    *told = true;
    return true;
}

static int connect_to(struct stream *stream, const char *path, const char *where,
                      enum patience patience, bool *told)
{
    while (socket_connect(stream, path) < 0)
        if (errno != EAGAIN || !wait_longer(where, patience, told))
            return -1;
    return 0;
}

/* Reads up to the end of a line; returns its length, or a negative errno. */
static int read_line(const struct stream *stream, char *line, size_t room, const char *where,
                     enum patience patience, bool *told)
{
    size_t used = 0;

    while (used < room) {
        int n = stream_read(stream, line + used, room - used);

        if (n == -EAGAIN && wait_longer(where, patience, told))
            continue;
        if (n <= 0)
            return n < 0 ? n : -EPIPE;
        used += (size_t)n;
        if (line[used - 1] == '\n') {
            line[used - 1] = '\0';
            return (int)used - 1;
        }
    }
    return -EMSGSIZE;
}

/* Sends a request, with files if not NULL, and gets the line of the answer. A negative errno:
 * -ECONNREFUSED, there is no server; -EAGAIN, there is one that does not answer. */
static int ask(const char *where, const char *request, const struct folder_files *files,
               char *answer, enum patience patience, struct error *error)
{
    struct endpoint endpoint;
    struct stream stream;
    size_t count = strlen(request), sent = 0;
    bool told = false;
    int length;

    if (control_endpoint(&endpoint, where, false, error) < 0)
        return -EINVAL;
    if (connect_to(&stream, endpoint.path, where, patience, &told) < 0) {
        length = -errno;
        error_set(error, "no machine answers at %s: %s", endpoint.path, strerror(-length));
        return length;
    }
    while (sent < count) {
        int n =
            socket_send(&stream, request + sent, count - sent, files != NULL ? files->fds : NULL,
                        files != NULL && sent == 0 ? files->count : 0);

        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    /* A server that closes the connection during the request may have sent the reason before. */
    length = read_line(&stream, answer, CONTROL_ANSWER_MAX, where, patience, &told);
    stream_close(&stream);
    if (length == -EPIPE || length == -ECONNRESET)
        error_set(error, "%s closed the connection without an answer (has it ended?)",
                  endpoint.path);
    else if (length < 0)
        error_set(error, "%s: no answer: %s", endpoint.path, strerror(-length));
    return length;
}

/* --- printing --- */

static void print_scalar(const struct json_value *v)
{
    if (v->kind == JSON_STRING)
        printf("%s", v->text);
    else if (v->kind == JSON_BOOL)
        printf("%s", v->number != 0 ? "yes" : "no");
    else
        printf("%llu", (unsigned long long)v->number);
}

/* Members on lines of their own, arrays of plain values on one. */
static void print_value(const struct json *json, unsigned index, int indent)
{
    const struct json_value *v = &json->values[index];

    if (v->name != NULL)
        printf("%*s%s:", indent, "", v->name);
    if (v->kind != JSON_ARRAY && v->kind != JSON_OBJECT) {
        printf(v->name != NULL ? " " : "%*s", indent, "");
        print_scalar(v);
        printf("\n");
        return;
    }
    if (v->kind == JSON_ARRAY && v->number > 0 && v[1].kind != JSON_OBJECT) {
        for (unsigned i = index + 1; i < v->behind; i = json->values[i].behind) {
            printf(" ");
            print_scalar(&json->values[i]);
        }
        printf("\n");
        return;
    }
    if (v->name != NULL)
        printf("\n");
    for (unsigned i = index + 1; i < v->behind; i = json->values[i].behind)
        print_value(json, i, v->name != NULL ? indent + 2 : indent);
}

/* Members that only programs need. */
static bool is_hidden(const char *name)
{
    static const char *const names[] = {"version", "ok", "files", "base_sum", "sum"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Whether the answer names that file. */
static bool is_written(void *answer, const char *name)
{
    const struct json *json = answer;
    const struct json_value *names = json_member(json, json->values, "files"), *one;

    for (unsigned i = 0; (one = json_element(json, names, i)) != NULL; i++)
        if (one->kind == JSON_STRING && strcmp(one->text, name) == 0)
            return true;
    return false;
}

/* The machine itself cannot check that the previous snapshot still exists. */
static int check_base(const struct json *json, struct error *error)
{
    const char *base;
    uint64_t sum;
    struct error why;

    if (!json_get_string(json, json->values, "base", &base) ||
        !json_get_number(json, json->values, "base_sum", &sum) ||
        snapshot_check_base(base, (uint32_t)sum, &why) == 0)
        return 0;
    return error_set(error,
                     "%s, which this --diff builds on, cannot be used: %s; take a snapshot "
                     "without --diff",
                     base, why.text);
}

/* Tells the machine that the folder has its final name, so that the next --diff is based on it. If
 * that fails, the next one contains the pages of this one, too. */
static void tell_placed(const struct order *o, uint64_t sum)
{
    static char answer[CONTROL_ANSWER_MAX];
    char request[128];
    struct json_out out = json_out(request, sizeof request - 2);
    struct error ignored;

    json_open(&out, NULL, '{');
    json_number(&out, "version", CONTROL_VERSION);
    json_string(&out, "verb", o->verb);
    if (o->guest != NULL)
        json_number(&out, "guest", strtoul(o->guest, NULL, 10));
    json_number(&out, "placed", sum);
    json_close(&out, '}');
    strcpy(request + out.used, "\n");
    (void)!ask(o->where, request, NULL, answer, ONE_TURN, &ignored);
}

/* Gives the folder of a snapshot its final name. */
static int finish_folder(const struct order *o, struct json *json)
{
    struct error error;
    uint64_t sum;

    if (check_base(json, &error) < 0)
        return complain(STATUS_REFUSED, error.text);
    if (folder_commit(is_written, json, &error) < 0)
        return complain(STATUS_FAILED, error.text);
    if (json_get_number(json, json->values, "sum", &sum))
        tell_placed(o, sum);
    return STATUS_OK;
}

static int print_answer(const struct order *o, char *answer, size_t length)
{
    const struct control_verb *verb = control_verb(o->verb);
    static char came[CONTROL_ANSWER_MAX]; /* it is parsed in place */
    static struct json json;
    struct error error;
    const char *text;
    bool good;
    int status;

    memcpy(came, answer, length + 1);
    if (json_parse(&json, answer, length, &error) < 0)
        return complain(STATUS_FAILED, error.text);
    if (!json_get_bool(&json, json.values, "ok", &good))
        return complain(STATUS_FAILED, "the answer has no \"ok\"");
    status = good && o->files.count > 0 ? finish_folder(o, &json) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (o->json)
        printf("%s\n", came);
    if (!good) {
        if (!json_get_string(&json, json.values, "error", &text))
            text = "the machine refused and gave no reason";
        return complain(STATUS_REFUSED, text);
    }
    if (o->json)
        return STATUS_OK;
    if (verb != NULL && verb->raw != NULL && json_get_string(&json, json.values, verb->raw, &text))
        fputs(text, stdout);
    else
        for (unsigned i = 1; i < json.values[0].behind; i = json.values[i].behind)
            if (!is_hidden(json.values[i].name))
                print_value(&json, i, 0);
    return STATUS_OK;
}

/* Prints one line for each guest. Removes the sockets of machines that were killed. A machine that
 * does not answer does not keep the others from being listed. */
static int list(void)
{
    static char names[RUNTIME_LIST_MAX][RUNTIME_NAME_MAX + 1], answer[CONTROL_ANSWER_MAX];
    static struct json json;
    unsigned count = runtime_list(names);
    struct error error;

    for (unsigned i = 0; i < count; i++) {
        int length =
            ask(names[i], "{\"version\":1,\"verb\":\"status\"}\n", NULL, answer, ONE_TURN, &error);
        const struct json_value *guests, *guest;
        const char *state, *image;

        if (length == -ECONNREFUSED)
            runtime_forget(names[i]);
        if (length == -EAGAIN)
            printf("%-20s - silent\n", names[i]);
        fflush(stdout); /* the next machine may take its time */
        if (length < 0 || json_parse(&json, answer, (size_t)length, &error) < 0)
            continue;
        guests = json_member(&json, json.values, "guests");
        for (unsigned g = 0; (guest = json_element(&json, guests, g)) != NULL; g++)
            if (json_get_string(&json, guest, "state", &state))
                printf("%-20s %u %-10s %s\n", names[i], g, state,
                       json_get_string(&json, guest, "image", &image) ? image : "");
    }
    return STATUS_OK;
}

static int run(struct order *o)
{
    static char request[CONTROL_REQUEST_MAX], answer[CONTROL_ANSWER_MAX];
    struct json_out out = json_out(request, sizeof request - 1);
    struct error error;
    int length, status;

    if (takes_folder(o) && make_folder(o, &error) < 0)
        return complain(STATUS_REFUSED, error.text);
    if (build_request(o, &out, &error) < 0) {
        folder_abandon();
        return complain(STATUS_USAGE, error.text);
    }
    strcpy(request + out.used, "\n");
    length = ask(o->where, request, &o->files, answer, UNTIL_IT_ANSWERS, &error);
    status =
        length < 0 ? complain(STATUS_FAILED, error.text) : print_answer(o, answer, (size_t)length);
    folder_abandon(); /* does nothing if the folder was finished */
    return status;
}

int control_client(int argc, char **argv)
{
    const char *words[3];
    unsigned count = 0;
    struct order order = {0};
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return usage(stdout);
        if (strcmp(argv[i], "--json") == 0)
            order.json = true;
        else if (strcmp(argv[i], "--guest") == 0 && i + 1 < argc)
            order.guest = argv[++i];
        else if (strcmp(argv[i], "--diff") == 0)
            order.diff = true;
        else if (strcmp(argv[i], "--zstd") == 0)
            order.zstd = true;
        else if (strcmp(argv[i], "--run") == 0 && i + 1 < argc)
            order.run = argv[++i];
        else if (argv[i][0] == '-' || count == sizeof words / sizeof words[0])
            return usage(stderr);
        else
            words[count++] = argv[i];
    }
    if (count == 1 && strcmp(words[0], "list") == 0) {
        status = list();
    } else if (count < 2) {
        return usage(stderr);
    } else {
        order.where = words[0];
        order.verb = words[1];
        order.argument = count == 3 ? words[2] : NULL;
        status = run(&order);
    }
    if (fflush(stdout) != 0)
        return complain(STATUS_FAILED, "the answer cannot be written to standard output");
    return status;
}
