/* Finds the option that the user may have meant; see names.h. */
#include "options/names.h"

#include <stdio.h>
#include <string.h>

/* The names of the options of `kvm-vmm run`, whose table is in run/request.c, a layer above this
 * one; tests/vmm/test_errors.py compares both lists. */
static const char of_run[][8] = {"kernel", "modules", "root",   "rw",   "cwd",  "env",
                                 "hide",   "shell",   "script", "each", "jobs", "output"};

static size_t length_of(const char *word)
{
    return strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;
}

bool names_are_of_run(const char *word)
{
    size_t length = length_of(word);

    for (size_t i = 0; i < sizeof of_run / sizeof of_run[0]; i++)
        if (strlen(of_run[i]) == length && memcmp(of_run[i], word + 2, length) == 0)
            return true;
    return false;
}

void names_try(struct near *near, names_list *names)
{
    for (unsigned i = 0; names(i) != NULL; i++)
        near_try(near, names(i));
}

int names_refuse(const char *word, names_list *names, struct error *error)
{
    int length = (int)length_of(word), fit = 0;
    char meant[120] = "";
    struct near near;

    if (names_are_of_run(word))
        return error_set(error, "%.*s belongs to kvm-vmm run (kvm-vmm run %.*s ... COMMAND)",
                         length + 2, word, length + 2, word);
    for (unsigned i = 0; length > 0 && names(i) != NULL; i++)
        if (strncmp(names(i), word + 2, (size_t)length) == 0 && strlen(meant) < sizeof meant - 24)
            snprintf(meant + strlen(meant), sizeof meant - strlen(meant), "%s--%s",
                     fit++ > 0 ? ", " : "", names(i));
    if (fit > 1 && word[2 + length] == '\0')
        return error_set(error, "%s can be each of %s", word, meant);
    near_begin(&near, word + 2, (size_t)length);
    names_try(&near, names);
    if (near.best != NULL && near.mistakes == 0)
        return error_set(error, "--%s takes no value: %s", near.best, word);
    if (near.best != NULL)
        return error_set(error, "no such option: %s (did you mean --%s?)", word, near.best);
    return error_set(error, "no such option: %s", word);
}

int names_check(const char *word, const char *name, names_list *names, struct error *error)
{
    return length_of(word) < strlen(name) && names_are_of_run(word)
               ? names_refuse(word, names, error)
               : 0;
}
