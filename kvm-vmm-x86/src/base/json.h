/*
 * JSON (RFC 8259), as much of it as the control socket and a snapshot's machine.json need: parsed
 * into an array of values without allocation, and written into a buffer of fixed size. What is
 * parsed comes from outside: depth and number of values have a limit, and what is not strictly JSON
 * is refused.
 *
 * Left out: numbers other than whole ones from 0 to 2^64 - 1, and the character U+0000. Bytes above
 * 0x7f are taken as they are, since names of files need not be UTF-8.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum { JSON_VALUES_MAX = 512, JSON_DEPTH_MAX = 8 };

struct json_value {
    enum json_kind kind;
    const char *name; /* in an object; else NULL */
    const char *text; /* of a string */
    uint64_t number;  /* of a number or a bool; of an array or object: how many it has */
    unsigned behind;  /* the index of the first value after it and its contents */
};

/* values[0] is the whole. */
struct json {
    struct json_value values[JSON_VALUES_MAX];
    unsigned count;
};

/* Parses text[0..length), which is changed and must outlive `json`; text[length] is writable. -1:
 * `error` says what is wrong, and at which byte. */
int json_parse(struct json *json, char *text, size_t length, struct error *error) MUST_CHECK;

/* The member `name` of an object; NULL if it has none, or if `object` is NULL or not an object. */
const struct json_value *json_member(const struct json *json, const struct json_value *object,
                                     const char *name);
/* Element `index` of an array, or NULL. */
const struct json_value *json_element(const struct json *json, const struct json_value *array,
                                      unsigned index);

/* Read the member `name`; false if it is missing or of another kind. */
bool json_get_number(const struct json *json, const struct json_value *object, const char *name,
                     uint64_t *number) MUST_CHECK;
bool json_get_string(const struct json *json, const struct json_value *object, const char *name,
                     const char **text) MUST_CHECK;
bool json_get_bool(const struct json *json, const struct json_value *object, const char *name,
                   bool *value) MUST_CHECK;

/* Writing. `name` is NULL in an array and for the whole. */
struct json_out {
    char *bytes; /* terminated */
    size_t room, used;
    bool full;   /* something did not fit: the text must not be used */
    bool behind; /* a comma must precede the next value */
};

struct json_out json_out(char *bytes, size_t room);

/* Quotes a text that comes byte by byte: each call puts what stands for it into `to` and returns
 * how many bytes that are. What is not UTF-8 becomes U+FFFD. */
enum { JSON_ESCAPE_MAX = 16 };
struct json_utf8 {
    uint8_t bytes[4]; /* of a character that has begun */
    unsigned used, want;
};
size_t json_utf8_byte(struct json_utf8 *text, uint8_t byte, char to[JSON_ESCAPE_MAX]);
size_t json_utf8_end(struct json_utf8 *text, char to[JSON_ESCAPE_MAX]);

void json_open(struct json_out *out, const char *name, char bracket); /* '{' or '[' */
void json_close(struct json_out *out, char bracket);                  /* '}' or ']' */
void json_string(struct json_out *out, const char *name, const char *text);
/* A path, as it is: what reads it again gets the same bytes, UTF-8 or not. */
void json_bytes(struct json_out *out, const char *name, const char *bytes, size_t count);
/* A guest's text: what is not UTF-8 becomes U+FFFD. */
void json_text(struct json_out *out, const char *name, const char *bytes, size_t count);
void json_number(struct json_out *out, const char *name, uint64_t number);
void json_bool(struct json_out *out, const char *name, bool value);

#endif
