/* The menu of ten. */
#ifndef USER_SHELL_MENU_H
#define USER_SHELL_MENU_H

void menu_print(void);

/* Returns the command that a number of the menu stands for, or the line itself. */
const char *menu_expand(const char *line);

#endif
