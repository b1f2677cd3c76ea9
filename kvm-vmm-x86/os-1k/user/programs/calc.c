/*
 * calc [EXPRESSION]: a calculator for whole numbers of 32 bits; without an argument it asks for
 * expressions until an empty line. It reports overflow and division by zero.
 *
 *   sum     = product { (+|-) product }
 *   product = factor { (*|/) factor }
 *   factor  = [-] number | [-] ( sum )
 */
#include "common/string.h"
#include "user/lib/line.h"
#include "user/lib/text.h"

enum { NESTING_MAX = 32 };

struct parser {
    const char *at;
    const char *error; /* the first one found */
    int nesting;
};

static int parse_sum(struct parser *p);

static int fail(struct parser *p, const char *error)
{
    if (p->error == NULL)
        p->error = error;
    return 0;
}

static bool accept(struct parser *p, char c)
{
    while (*p->at == ' ')
        p->at++;
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static int parse_number(struct parser *p, bool negative)
{
    int value = 0;

    if (*p->at < '0' || *p->at > '9')
        return fail(p, "a number is missing");
    for (; *p->at >= '0' && *p->at <= '9'; p->at++) {
        int digit = *p->at - '0';

        if (__builtin_mul_overflow(value, 10, &value) ||
            (negative ? __builtin_sub_overflow(value, digit, &value)
                      : __builtin_add_overflow(value, digit, &value)))
            return fail(p, "overflow");
    }
    return value;
}

static int parse_factor(struct parser *p)
{
    bool negative = accept(p, '-');
    int value;

    if (!accept(p, '('))
        return parse_number(p, negative);
    if (++p->nesting > NESTING_MAX)
        return fail(p, "too many parentheses");
    value = parse_sum(p);
    p->nesting--;
    if (!accept(p, ')'))
        return fail(p, "a parenthesis is missing");
    if (negative && __builtin_sub_overflow(0, value, &value))
        return fail(p, "overflow");
    return value;
}

static int divide(struct parser *p, int a, int b)
{
    if (b == 0)
        return fail(p, "division by zero");
    if (b == -1) /* the processor would fault for the smallest number */
        return __builtin_sub_overflow(0, a, &a) ? fail(p, "overflow") : a;
    return a / b;
}

static int parse_product(struct parser *p)
{
    int value = parse_factor(p);

    while (p->error == NULL) {
        if (accept(p, '/'))
            value = divide(p, value, parse_factor(p));
        else if (!accept(p, '*'))
            break;
        else if (__builtin_mul_overflow(value, parse_factor(p), &value))
            return fail(p, "overflow");
    }
    return value;
}

static int parse_sum(struct parser *p)
{
    int value = parse_product(p);

    while (p->error == NULL) {
        bool overflow;

        if (accept(p, '+'))
            overflow = __builtin_add_overflow(value, parse_product(p), &value);
        else if (accept(p, '-'))
            overflow = __builtin_sub_overflow(value, parse_product(p), &value);
        else
            break;
        if (overflow)
            return fail(p, "overflow");
    }
    return value;
}

static int calculate(const char *text)
{
    struct parser p = {.at = text};
    int value = parse_sum(&p);

    accept(&p, ' ');
    if (p.error == NULL && *p.at != '\0')
        fail(&p, "that is not an expression");
    if (p.error != NULL)
        text_print("error: %s\n", p.error);
    else
        text_print("= %d\n", value);
    return p.error != NULL;
}

int main(int argc, char **argv)
{
    char line[LINE_SIZE] = "";

    for (int i = 1; i < argc; i++) {
        string_copy(line + strlen(line), argv[i], sizeof line - strlen(line));
        string_copy(line + strlen(line), " ", sizeof line - strlen(line));
    }
    if (argc > 1)
        return calculate(line);
    text_print("+ - * / and parentheses; an empty line ends.\n");
    while (line_read("calc> ", line, NULL) == EDIT_DONE && line[0] != '\0')
        calculate(line);
    return 0;
}
