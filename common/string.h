/*
 * The parts of <string.h> that a freestanding program needs (C17 7.24), and that the compiler calls
 * on its own. Programs with a libc use theirs: this header is found only where no system header is
 * (-nostdinc).
 */
#ifndef COMMON_STRING_H
#define COMMON_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *bytes, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* Copies at most size - 1 characters and always terminates; returns strlen(from), so >= size means
 * it was cut. */
size_t string_copy(char *to, const char *from, size_t size);

#endif
