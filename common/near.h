/* The word that a mistyped one was meant to be. */
#ifndef COMMON_NEAR_H
#define COMMON_NEAR_H

#include <stddef.h>

/* Filled by near_begin, and by near_try for each word that is possible. */
struct near {
    const char *word;
    size_t length;    /* of `word`: a part of a text will do */
    unsigned limit;   /* how many mistakes are likely in a word of that length */
    const char *best; /* of those that were tried; NULL: none is near */
    unsigned mistakes;
};

void near_begin(struct near *near, const char *word, size_t length);
void near_try(struct near *near, const char *candidate);

/* How many letters were left out, added, replaced, or swapped with the next one. NEAR_FAR if a word
 * is longer than NEAR_LENGTH_MAX. */
enum { NEAR_LENGTH_MAX = 24, NEAR_FAR = 1000 };
unsigned near_distance(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
