/* The menu: a digit is short for a command. */
#include "user/shell/menu.h"

#include "user/lib/text.h"

static const struct {
    const char *title, *command;
} menu[10] = {
    {"Exit", "exit"},       {"Multiplication table", "table"},  {"Counter", "counter"},
    {"Echo", "echo"},       {"Fibonacci numbers", "fibonacci"}, {"Prime numbers to 100", "primes"},
    {"Calculator", "calc"}, {"Factorials", "factorial"},        {"Greatest common divisor", "gcd"},
    {"About", "about"},
};

void menu_print(void)
{
    for (int i = 1; i <= 10; i++)
        text_print("  %d  %-24s (%s)\n", i % 10, menu[i % 10].title, menu[i % 10].command);
    text_print("Type a number or a command; `help` lists them all.\n");
}

const char *menu_expand(const char *line)
{
    return line[0] >= '0' && line[0] <= '9' && line[1] == '\0' ? menu[line[0] - '0'].command : line;
}
