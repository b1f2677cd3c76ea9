/* Why something failed, in one line for the user. A function that fails fills it and returns -1. */
#ifndef ERROR_H
#define ERROR_H

#define MUST_CHECK __attribute__((warn_unused_result))

struct error {
    char text[512];
};

/* Writes the line (without the program's name and without a newline) and returns -1, to be returned
 * in turn. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
