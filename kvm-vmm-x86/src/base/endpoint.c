/* Parsing endpoints; see endpoint.h. */
#include "base/endpoint.h"

#include <stdio.h>
#include <string.h>

enum { PORT_MAX = 65535 };

int endpoint_unix(struct endpoint *endpoint, const char *option, const char *path, unsigned guest,
                  struct error *error)
{
    char suffix[16] = "";
    size_t length = strlen(path), more;

    if (guest > 0)
        snprintf(suffix, sizeof suffix, ".%u", guest);
    more = strlen(suffix);
    if (length == 0 || length + more >= ENDPOINT_PATH_MAX)
        return error_set(error, "%s unix:%s: expected a path of 1 to %zu bytes", option, path,
                         ENDPOINT_PATH_MAX - 1 - more);
    *endpoint = (struct endpoint){.option = option, .is_unix = true};
    memcpy(endpoint->path, path, length);
    memcpy(endpoint->path + length, suffix, more + 1);
    return 0;
}

static bool parse_port(const char *text, unsigned *port)
{
    unsigned value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > PORT_MAX)
            return false;
    }
    *port = value;
    return true;
}

/* A host may stand in brackets, as an IPv6 address must. */
static bool parse_host(struct endpoint *endpoint, const char *text, size_t length)
{
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= ENDPOINT_HOST_MAX)
        return false;
    memcpy(endpoint->host, text, length);
    endpoint->host[length] = '\0';
    return true;
}

int endpoint_parse(struct endpoint *endpoint, const char *text, unsigned guest, struct error *error)
{
    const char *colon = strrchr(text, ':');

    *endpoint = (struct endpoint){.option = "--gdb", .host = "127.0.0.1"};
    if (strncmp(text, "unix:", 5) == 0)
        return endpoint_unix(endpoint, "--gdb", text + 5, guest, error);
    if (colon != NULL && !parse_host(endpoint, text, (size_t)(colon - text)))
        return error_set(error, "--gdb %s: no host before the colon", text);
    if (!parse_port(colon != NULL ? colon + 1 : text, &endpoint->port))
        return error_set(error, "--gdb %s: expected [HOST:]PORT or unix:PATH, PORT from 0 to %d",
                         text, PORT_MAX);
    if (endpoint->port != 0)
        endpoint->port += guest;
    if (endpoint->port > PORT_MAX)
        return error_set(error, "--gdb %s: guest %u would have port %u", text, guest,
                         endpoint->port);
    return 0;
}
