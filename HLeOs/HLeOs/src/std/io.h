/* Text in lines; the editor of a line is common/edit.h. Pure. */
#ifndef STD_IO_H
#define STD_IO_H

/* Splits a line at blanks, in place; returns how many words, at most `max`. */
int io_split(char *line, char **words, int max);

#endif
