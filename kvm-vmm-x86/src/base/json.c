/* Parsing and writing JSON; see json.h. */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

struct parser {
    struct json *json;
    char *start, *at, *end; /* the rest of the input is from `at` to `end` */
    struct error *error;
};

static int refuse(const struct parser *p, const char *what)
{
    return error_set(p->error, "invalid JSON: %s at byte %zu", what, (size_t)(p->at - p->start));
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

static bool take(struct parser *p, char byte)
{
    bool there;

    skip_blanks(p);
    there = p->at < p->end && *p->at == byte;
    p->at += there;
    return there;
}

static bool take_word(struct parser *p, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0)
        return false;
    p->at += length;
    return true;
}

/* Four hexadecimal digits. */
static bool take_unit(struct parser *p, unsigned *unit)
{
    *unit = 0;
    if (p->end - p->at < 4)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        char c = *p->at++, low = (char)(c | 0x20);

        if (c >= '0' && c <= '9')
            *unit = *unit * 16 + (unsigned)(c - '0');
        else if (low >= 'a' && low <= 'f')
            *unit = *unit * 16 + (unsigned)(low - 'a' + 10);
        else
            return false;
    }
    return true;
}

static char *put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* After \u: one unit of UTF-16, or a surrogate pair. */
static bool take_code(struct parser *p, unsigned *code)
{
    unsigned low;

    if (!take_unit(p, code) || *code == 0 || (*code >= 0xdc00 && *code < 0xe000))
        return false;
    if (*code < 0xd800 || *code >= 0xe000)
        return true;
    if (!take_word(p, "\\u") || !take_unit(p, &low) || low < 0xdc00 || low >= 0xe000)
        return false;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* Unescapes in place: no escape is shorter than its character. */
static int take_string(struct parser *p, const char **text)
{
    static const char escapes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char *to = p->at;
    const char *escape;
    unsigned code;

    *text = to;
    while (p->at < p->end && *p->at != '"') {
        if ((unsigned char)*p->at < 0x20)
            return refuse(p, "a control character in a string");
        if (*p->at != '\\') {
            *to++ = *p->at++;
            continue;
        }
        if (++p->at == p->end)
            break;
        if (*p->at == 'u') {
            p->at++;
            if (!take_code(p, &code))
                return refuse(p, "no valid character after \\u");
            to = put_utf8(to, code);
            continue;
        }
        escape = *p->at != '\0' ? strchr(escapes, *p->at) : NULL;
        if (escape == NULL)
            return refuse(p, "an unknown escape");
        *to++ = values[escape - escapes];
        p->at++;
    }
    if (p->at == p->end)
        return refuse(p, "a string without a closing quote");
    p->at++;
    *to = '\0';
    return 0;
}

static int take_number(struct parser *p, uint64_t *number)
{
    const char *first = p->at;

    *number = 0;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*p->at++ - '0'), number))
            return refuse(p, "a number above 2^64");
    if (p->at == first || (*first == '0' && p->at > first + 1))
        return refuse(p, "no value");
    if (p->at < p->end && strchr(".eE", *p->at) != NULL)
        return refuse(p, "a number that is not an integer");
    return 0;
}

static int take_value(struct parser *p, const char *name, unsigned depth);

static int take_members(struct parser *p, unsigned index, bool object, unsigned depth)
{
    char close = object ? '}' : ']';
    const char *name = NULL;

    if (take(p, close))
        return 0;
    do {
        const struct json_value *whole = &p->json->values[index];

        if (object) {
            if (!take(p, '"'))
                return refuse(p, "a member without a name");
            if (take_string(p, &name) < 0)
                return -1;
            p->json->values[index].behind = p->json->count;
            if (json_member(p->json, whole, name) != NULL)
                return refuse(p, "a duplicate member");
            if (!take(p, ':'))
                return refuse(p, "no colon after a name");
        }
        if (take_value(p, name, depth + 1) < 0)
            return -1;
        p->json->values[index].number++;
    } while (take(p, ','));
    return take(p, close) ? 0 : refuse(p, "neither a comma nor a closing bracket");
}

static int take_value(struct parser *p, const char *name, unsigned depth)
{
    unsigned index = p->json->count;
    struct json_value *v = &p->json->values[index];
    int result = 0;

    if (index == JSON_VALUES_MAX)
        return refuse(p, "too many values");
    if (depth > JSON_DEPTH_MAX)
        return refuse(p, "nesting too deep");
    p->json->count++;
    *v = (struct json_value){.kind = JSON_NULL, .name = name};
    if (take(p, '{') || take(p, '[')) {
        v->kind = p->at[-1] == '{' ? JSON_OBJECT : JSON_ARRAY;
        result = take_members(p, index, v->kind == JSON_OBJECT, depth);
    } else if (take(p, '"')) {
        v->kind = JSON_STRING;
        result = take_string(p, &v->text);
    } else if (take_word(p, "true") || take_word(p, "false")) {
        v->kind = JSON_BOOL;
        v->number = p->at[-2] == 'u';
    } else if (!take_word(p, "null")) {
        v->kind = JSON_NUMBER;
        result = take_number(p, &v->number);
    }
    v->behind = p->json->count;
    return result;
}

int json_parse(struct json *json, char *text, size_t length, struct error *error)
{
    struct parser p = {
        .json = json, .start = text, .at = text, .end = text + length, .error = error};

    json->count = 0;
    if (take_value(&p, NULL, 0) < 0)
        return -1;
    skip_blanks(&p);
    return p.at == p.end ? 0 : refuse(&p, "text after the end");
}

const struct json_value *json_member(const struct json *json, const struct json_value *object,
                                     const char *name)
{
    if (object == NULL || object->kind != JSON_OBJECT)
        return NULL;
    for (unsigned i = (unsigned)(object - json->values) + 1; i < object->behind;
         i = json->values[i].behind)
        if (strcmp(json->values[i].name, name) == 0)
            return &json->values[i];
    return NULL;
}

const struct json_value *json_element(const struct json *json, const struct json_value *array,
                                      unsigned index)
{
    unsigned i;

    if (array == NULL || array->kind != JSON_ARRAY || index >= array->number)
        return NULL;
    for (i = (unsigned)(array - json->values) + 1; index > 0; index--)
        i = json->values[i].behind;
    return &json->values[i];
}

static const struct json_value *member_of(const struct json *json, const struct json_value *object,
                                          const char *name, enum json_kind kind)
{
    const struct json_value *v = json_member(json, object, name);

    return v != NULL && v->kind == kind ? v : NULL;
}

bool json_get_number(const struct json *json, const struct json_value *object, const char *name,
                     uint64_t *number)
{
    const struct json_value *v = member_of(json, object, name, JSON_NUMBER);

    if (v != NULL)
        *number = v->number;
    return v != NULL;
}

bool json_get_string(const struct json *json, const struct json_value *object, const char *name,
                     const char **text)
{
    const struct json_value *v = member_of(json, object, name, JSON_STRING);

    if (v != NULL)
        *text = v->text;
    return v != NULL;
}

bool json_get_bool(const struct json *json, const struct json_value *object, const char *name,
                   bool *value)
{
    const struct json_value *v = member_of(json, object, name, JSON_BOOL);

    if (v != NULL)
        *value = v->number != 0;
    return v != NULL;
}

/* --- writing --- */

/* The length of a UTF-8 sequence that begins with `first` (RFC 3629); 0: none does. */
static unsigned sequence_length(uint8_t first)
{
    return first < 0x80                    ? 1
           : first >= 0xc2 && first < 0xe0 ? 2
           : first >= 0xe0 && first < 0xf0 ? 3
           : first >= 0xf0 && first < 0xf5 ? 4
                                           : 0;
}

/* Whether `byte` may follow: no overlong form, no surrogate, nothing beyond U+10FFFF. */
static bool may_follow(const struct json_utf8 *t, uint8_t byte)
{
    if ((byte & 0xc0) != 0x80)
        return false;
    if (t->used != 1)
        return true;
    switch (t->bytes[0]) {
    case 0xe0:
        return byte >= 0xa0;
    case 0xed:
        return byte < 0xa0;
    case 0xf0:
        return byte >= 0x90;
    case 0xf4:
        return byte < 0x90;
    default:
        return true;
    }
}

/* This also makes the text safe inside a script element of an HTML page. */
static size_t escape_ascii(char *to, char c)
{
    if (c == '"' || c == '\\')
        return (size_t)sprintf(to, "\\%c", c);
    if (c == '\n')
        return (size_t)sprintf(to, "\\n");
    if (c < ' ' || c == 0x7f || c == '<' || c == '>' || c == '&')
        return (size_t)sprintf(to, "\\u%04x", (unsigned)c);
    *to = c;
    return 1;
}

size_t json_utf8_end(struct json_utf8 *t, char to[JSON_ESCAPE_MAX])
{
    bool cut = t->used > 0;

    t->used = 0;
    return cut ? (size_t)sprintf(to, "\\ufffd") : 0;
}

size_t json_utf8_byte(struct json_utf8 *t, uint8_t byte, char to[JSON_ESCAPE_MAX])
{
    size_t n = t->used > 0 && !may_follow(t, byte) ? json_utf8_end(t, to) : 0;

    if (t->used == 0) {
        t->want = sequence_length(byte);
        if (t->want == 0)
            return n + (size_t)sprintf(to + n, "\\ufffd");
        if (t->want == 1)
            return n + escape_ascii(to + n, (char)byte);
    }
    t->bytes[t->used++] = byte;
    if (t->used < t->want)
        return n;
    memcpy(to + n, t->bytes, t->used);
    n += t->used;
    t->used = 0;
    return n;
}

struct json_out json_out(char *bytes, size_t room)
{
    bytes[0] = '\0';
    return (struct json_out){.bytes = bytes, .room = room};
}

static void add(struct json_out *out, const char *bytes, size_t count)
{
    out->full |= count >= out->room - out->used;
    if (out->full)
        return;
    memcpy(out->bytes + out->used, bytes, count);
    out->used += count;
    out->bytes[out->used] = '\0';
}

static void add_quoted(struct json_out *out, const char *bytes, size_t count)
{
    add(out, "\"", 1);
    for (size_t i = 0; i < count; i++) {
        char escape[JSON_ESCAPE_MAX];

        if ((unsigned char)bytes[i] < 0x80)
            add(out, escape, escape_ascii(escape, bytes[i]));
        else
            add(out, &bytes[i], 1);
    }
    add(out, "\"", 1);
}

static void begin(struct json_out *out, const char *name)
{
    if (out->behind)
        add(out, ",", 1);
    if (name != NULL) {
        add_quoted(out, name, strlen(name));
        add(out, ":", 1);
    }
    out->behind = true;
}

void json_open(struct json_out *out, const char *name, char bracket)
{
    begin(out, name);
    add(out, &bracket, 1);
    out->behind = false;
}

void json_close(struct json_out *out, char bracket)
{
    add(out, &bracket, 1);
    out->behind = true;
}

void json_bytes(struct json_out *out, const char *name, const char *bytes, size_t count)
{
    begin(out, name);
    add_quoted(out, bytes, count);
}

void json_text(struct json_out *out, const char *name, const char *bytes, size_t count)
{
    struct json_utf8 text = {.used = 0};
    char escape[JSON_ESCAPE_MAX];

    begin(out, name);
    add(out, "\"", 1);
    for (size_t i = 0; i < count; i++)
        add(out, escape, json_utf8_byte(&text, (uint8_t)bytes[i], escape));
    add(out, escape, json_utf8_end(&text, escape));
    add(out, "\"", 1);
}

void json_string(struct json_out *out, const char *name, const char *text)
{
    json_bytes(out, name, text, strlen(text));
}

void json_number(struct json_out *out, const char *name, uint64_t number)
{
    char digits[24];

    begin(out, name);
    add(out, digits, (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number));
}

void json_bool(struct json_out *out, const char *name, bool value)
{
    begin(out, name);
    add(out, value ? "true" : "false", value ? 4 : 5);
}
