/* Reads the command line; see options.h. */
#include "lib/options.h"

#include "common/string.h"
#include "lib/console.h"
#include "lib/number.h"

struct options options;

static bool word_is(const char *word, size_t length, const char *text)
{
    return strlen(text) == length && memcmp(word, text, length) == 0;
}

static bool set_harts(const char *word, size_t length)
{
    char number[8] = {0};
    uint64_t value;

    if (length <= 6 || length - 6 >= sizeof number || memcmp(word, "harts=", 6) != 0)
        return false;
    memcpy(number, word + 6, length - 6);
    if (!number_parse(number, &value) || value < 1 || value > CPUS_MAX)
        return false;
    options.harts = (unsigned)value;
    return true;
}

/* True for the words that GRUB and EDK2 add to the command line of each Linux-like image. */
static bool is_for_linux(const char *word, size_t length)
{
    return (length > 11 && memcmp(word, "BOOT_IMAGE=", 11) == 0) ||
           (length > 7 && memcmp(word, "initrd=", 7) == 0);
}

static bool set(const char *word, size_t length)
{
    if (word_is(word, length, "log=trap"))
        options.log_traps = true;
    else if (word_is(word, length, "mux=lines"))
        options.mux_lines = true;
    else if (word_is(word, length, "stay"))
        options.stay = true;
    else if (word_is(word, length, "--probe"))
        options.probe = true;
    else
        return set_harts(word, length);
    return true;
}

bool options_read(const char *line)
{
    while (*line != '\0') {
        size_t length = 0;

        while (line[length] != '\0' && line[length] != ' ')
            length++;
        if (word_is(line, length, "vm")) {
            options.manifest = line;
            return true;
        }
        if (length > 0 && !is_for_linux(line, length) && !set(line, length)) {
            print("hv: command line: unknown option '%.*s'\n", (int)length, line);
            return false;
        }
        line += length;
        while (*line == ' ')
            line++;
    }
    return true;
}
