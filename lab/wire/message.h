/* What the lab's client and the agent in the machine say to each other, one message a frame: the
 * kind in the first byte, then the kind's own bytes. Both ends run on the same CPU architecture and
 * are built from the same tree, so structures travel as they lie in memory; a build id in the first
 * message keeps different builds apart.
 *
 * client                              agent
 * HELLO (who, where, terminal)   ->
 * <-   WELCOME (echoes the nonce)
 * STRINGS... START               ->                                   (or REFUSED with a reason)
 * DATA END WINDOW CLOSE          <->  DATA END WINDOW CLOSE           (per stream)
 * SIGNAL RESIZE PING             ->
 * <-   PONG, STOPPED, EXIT (the last)
 *
 * HELLO ends whatever session the line had before: its client is dead. The client passes over
 * everything until a WELCOME with its own nonce, and so hears nothing of its predecessor. */
#ifndef LAB_WIRE_MESSAGE_H
#define LAB_WIRE_MESSAGE_H

#include <stdint.h>

enum message_kind {
    MESSAGE_HELLO = 1, /* struct message_hello */
    MESSAGE_WELCOME,   /* struct message_welcome */
    MESSAGE_STRINGS,   /* bytes of the list of strings, to be joined */
    MESSAGE_START,     /* nothing: the strings are complete */
    MESSAGE_REFUSED,   /* status byte, text without a zero: the command was not started */
    MESSAGE_DATA,      /* stream byte, bytes */
    MESSAGE_END,       /* stream byte: its producer is done */
    MESSAGE_CLOSE,     /* stream byte: its consumer wants no more */
    MESSAGE_WINDOW,    /* struct message_window: the consumer can take that many bytes more */
    MESSAGE_SIGNAL,    /* signal number byte */
    MESSAGE_RESIZE,    /* struct message_resize */
    MESSAGE_STOPPED,   /* nothing: the command was stopped by job control */
    MESSAGE_EXIT,      /* status byte as a shell would report it */
    MESSAGE_PING,      /* nothing: an answer is wanted, however busy the machine is */
    MESSAGE_PONG,      /* nothing: that answer */
};

enum message_stream {
    STREAM_STDIN,
    STREAM_STDOUT,
    STREAM_STDERR,
    STREAM_TERMINAL, /* what the command's terminal says */
    STREAM_COUNT,
};

/* What a stream may have under way. The first window is granted in advance. */
#define MESSAGE_WINDOW_SIZE (256 * 1024)

/* Bytes of payload in one DATA message. */
#define MESSAGE_DATA_MAX 16000

/* The list of strings: each one tagged by its first byte and ended by a zero. */
#define MESSAGE_STRINGS_MAX (8 * 1024 * 1024)
enum message_tag {
    TAG_DIRECTORY = 'd',
    TAG_ARGUMENT = 'a',
    TAG_ENVIRONMENT = 'e',
    TAG_GROUP = 'g', /* decimal */
};

struct message_hello {
    uint64_t nonce;
    uint64_t now; /* nanoseconds since 1970, for the machine's clock */
    uint64_t usr; /* differs when programs were installed or removed on the host */
    uint32_t uid;
    uint32_t gid;
    uint32_t umask;
    uint32_t terminals; /* bit n: the client's descriptor n is a terminal */
    uint16_t rows;
    uint16_t columns;
    uint8_t termios[60]; /* the client's struct termios, as tcgetattr returns it */
};

struct message_welcome {
    uint64_t nonce;
    uint32_t build; /* see LAB_BUILD in the Makefile */
    uint32_t reserved;
};

struct message_window {
    uint8_t stream;
    uint8_t reserved[3];
    uint32_t bytes;
};

struct message_resize {
    uint16_t rows;
    uint16_t columns;
};

_Static_assert(sizeof(struct message_hello) == 104, "no hidden padding travels");
_Static_assert(sizeof(struct message_welcome) == 16, "no hidden padding travels");

#endif
