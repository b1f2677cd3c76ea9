/* libFuzzer: any command line; it is accepted, or refused with a line of text; accepted values are
 * within their limits. */
#include <stdlib.h>
#include <string.h>

#include "options/options.h"

enum { WORDS_MAX = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char name[] = "kvm-vmm";
    char *copy = malloc(size + 1), *argv[WORDS_MAX + 2] = {name};
    struct options o;
    struct error error = {.text = ""};
    int argc = 1;

    memcpy(copy, data, size);
    copy[size] = '\0';
    for (size_t i = 0; i < size && argc <= WORDS_MAX; i += strlen(copy + i) + 1)
        argv[argc++] = copy + i; /* words end with a zero byte */
    argv[argc] = NULL;
    if (options_parse(&o, argc, argv, &error) < 0) {
        if (error.text[0] == '\0')
            abort();
    } else if (o.action == OPTIONS_RUN &&
               (o.count == 0 || o.count > GUESTS_MAX || o.input >= o.count ||
                o.guests[0].memory % PAGE_SIZE != 0)) {
        abort();
    }
    free(copy);
    return 0;
}
