/*
 * What a client of the control socket may ask: a table of verbs, each with its answer. The protocol
 * is in docs/control.md: one JSON object a line, request and answer.
 *
 * All of it runs on the main thread, and nothing here waits: a verb without an answer yet returns
 * VERB_LATER, and its `again` is called after the next event.
 */
#ifndef CONTROL_VERBS_H
#define CONTROL_VERBS_H

#include "base/config.h"
#include "base/endpoint.h"
#include "base/json.h"
#include "host/files/folder.h"
#include "host/process.h"
#include "vm/observer.h"
#include "vm/vm.h"

struct options;

enum {
    CONTROL_VERSION = 1,
    CONTROL_COPIES_MAX = 64, /* of one `fork` */
    CONTROL_TYPED_MAX = 1024,
    CONTROL_SAID_MAX = 4096,
    CONTROL_NAME_MAX = ENDPOINT_PATH_MAX + 16
};

/* What a copy of a guest is made from. */
struct control_order {
    const struct chunk_writer *state, *firmware;
    const char *typed; /* input that it finds */
    const char *said;  /* to its port of SERIAL_CONTROL; or NULL */
    bool bound;        /* it ends with its origin; its output goes to these descriptors: */
    int out, err;
    unsigned copy; /* COPY_ASKED by one of its vCPUs; or 0 */
};

struct control_copy {
    unsigned number; /* set when it is made; differs from those of the other copies */
    struct process process;
    char name[CONTROL_NAME_MAX], output[CONTROL_NAME_MAX];
    bool told; /* its result was reported */
};

/* The run that is controlled; pointers and calls are the session's. */
struct control_run {
    struct vm *vms;
    unsigned count;
    const char *name;                   /* what --control says */
    bool (*is_running)(unsigned guest); /* false: it has ended, or is being made again */
    bool (*is_restarting)(unsigned guest);
    void (*stop)(void); /* ends the run as the user's Ctrl-A x does */
    /* session/fork.h, and what it is given: the run's options, and how a copy's run begins. */
    const struct options *options;
    int (*check_copy)(const struct vm *vm, const struct options *options, struct error *error);
    int (*copy)(struct vm *vm, const struct options *options, const struct control_order *order,
                int (*begin)(const struct options *options), struct control_copy *copy,
                struct error *error);
    int (*begin)(const struct options *options);
};

/* One request under way; zeroed before it begins. */
struct control_request {
    const struct json *json;    /* while it begins */
    unsigned guests;            /* those that it is about: a bit each */
    bool one;                   /* it names one of them */
    struct folder_files *files; /* descriptors that came with it; the verb fills in the names.
                                   Another thread closes those that the verb leaves here, or gives
                                   back after the answer: a close may take long */
};

enum verb_result {
    VERB_DONE,   /* the answer is written */
    VERB_FAILED, /* `error` says why */
    VERB_LATER,  /* call `again` later */
};

struct control_verb {
    const char *name;
    const char *argument; /* the member that a word behind the verb is sent as; NULL: none */
    const char *raw;      /* the member of the answer that a person wants as it is; or NULL */
    const char *help;
    enum verb_result (*begin)(struct control_request *request, struct json_out *out,
                              struct error *error);
    enum verb_result (*again)(struct control_request *request, struct json_out *out,
                              struct error *error); /* NULL: never later */
};

/* Ends with an entry whose name is NULL. */
extern const struct control_verb control_verbs[];

const struct control_verb *control_verb(const char *name);

void control_verbs_init(const struct control_run *run);
/* Which guests a request is about, by its member "guest"; all without it. */
int control_choose(struct control_request *request, struct error *error) MUST_CHECK;

/* A guest's VM will be destroyed: releases what holds it. False: a thread still saves it; call this
 * again when the thread has woken the event loop. */
bool control_verbs_forget(unsigned guest) MUST_CHECK;

/* Keeps what a guest printed last, for `log`. Its context is a struct control_log. */
enum { CONTROL_LOG_MAX = 8 * 1024 };
struct control_log {
    struct lock lock;
    char bytes[CONTROL_LOG_MAX]; /* a ring; this and the next under the lock */
    size_t written;              /* bytes, ever */
};
extern const struct observer control_log_observer;
struct control_log *control_log_of(unsigned guest);

#endif
