/* Options that are not ours: what the user may have meant. Called for a mistake only. */
#ifndef OPTIONS_NAMES_H
#define OPTIONS_NAMES_H

#include <stdbool.h>

#include "base/error.h"
#include "common/near.h"

/* The names of an option table, as options_name gives them. */
typedef const char *names_list(unsigned i);

/* Whether `word`, an option with or without =VALUE, is one that only `kvm-vmm run` has. */
bool names_are_of_run(const char *word);

/* getopt_long takes a part of a name for the whole, and has taken `word` for `name`. Fails if it is
 * an option of `kvm-vmm run`: --kernel must not be --kernel-entry. */
int names_check(const char *word, const char *name, names_list *names,
                struct error *error) MUST_CHECK;

/* Tries all names: near_begin has been called with a word without its hyphens. */
void names_try(struct near *near, names_list *names);

/* Says why `word` is no option. Returns -1. */
int names_refuse(const char *word, names_list *names, struct error *error);

#endif
