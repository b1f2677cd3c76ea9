/* Fuzzer of base/json.c: input that it accepts is written out again, and must be accepted with the
 * same contents. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static void write_value(const struct json *json, unsigned index, struct json_out *out)
{
    const struct json_value *v = &json->values[index];

    switch (v->kind) {
    case JSON_STRING:
        json_string(out, v->name, v->text);
        return;
    case JSON_BOOL:
        json_bool(out, v->name, v->number != 0);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        json_open(out, v->name, v->kind == JSON_ARRAY ? '[' : '{');
        for (unsigned i = index + 1; i < v->behind; i = json->values[i].behind)
            write_value(json, i, out);
        json_close(out, v->kind == JSON_ARRAY ? ']' : '}');
        return;
    default:
        json_number(out, v->name, v->number);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json first, second;
    static char out_bytes[64 * 1024];
    struct json_out out = json_out(out_bytes, sizeof out_bytes);
    char *text = malloc(size + 1);
    struct error error;

    memcpy(text, data, size);
    if (json_parse(&first, text, size, &error) == 0) {
        write_value(&first, 0, &out);
        if (!out.full &&
            (json_parse(&second, out_bytes, out.used, &error) < 0 || first.count != second.count))
            abort();
    }
    free(text);
    return 0;
}
