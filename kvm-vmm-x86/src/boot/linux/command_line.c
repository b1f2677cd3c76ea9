/* Makes the kernel's command line; see command_line.h. Parameters:
 * Documentation/admin-guide/kernel-parameters.txt. */
#include "boot/linux/command_line.h"

#include <stdio.h>
#include <string.h>

/*
 * A panic resets the machine at once, and as a warm reset where an ordinary reboot is a cold one:
 * that is how the VMM tells them apart (reset.h). By the keyboard controller, because it is there
 * without ACPI too.
 */
static const struct {
    const char *key; /* the parameter up to its '=' */
    const char *text;
} command_line_proposals[] = {
    {"console=", "console=ttyS0"},
    {"panic=", "panic=-1"},
    {"reboot=", "reboot=k,panic_warm"},
    {"pci=", "pci=off"},
};

/* Whether a word of the line begins with `key`. What follows "--" is init's. */
static bool names(const char *line, const char *key)
{
    size_t length = strlen(key);

    for (const char *at = line; at != NULL; at = strchr(at, ' ')) {
        at += strspn(at, " ");
        if (strncmp(at, "-- ", 3) == 0)
            return false;
        if (strncmp(at, key, length) == 0)
            return true;
    }
    return false;
}

/* Appends a word; what does not fit is only counted. */
static size_t add(char *line, size_t size, size_t used, const char *text)
{
    size_t at = used < size ? used : size;
    int n = snprintf(line + at, size - at, "%s%s", used > 0 ? " " : "", text);

    return used + (n > 0 ? (size_t)n : 0);
}

size_t command_line_make(char *line, size_t size, const char *append)
{
    size_t used = 0;

    if (append == NULL)
        append = "";
    for (size_t i = 0; i < sizeof command_line_proposals / sizeof command_line_proposals[0]; i++)
        if (!names(append, command_line_proposals[i].key))
            used = add(line, size, used, command_line_proposals[i].text);
    return append[0] != '\0' ? add(line, size, used, append) : used;
}

bool command_line_tells_panic(const char *append)
{
    return append == NULL || !names(append, "reboot=");
}
