/* Near matches; see near.h. The distance is that of Damerau and Levenshtein in its restricted form:
 * no letter is changed twice. */
#include "common/near.h"

enum { SHORT = 3 }; /* a word of so many letters has one mistake at most, a longer one has two */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned near_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    /* Between the first i letters of `a` and the first j of `b`: i is the row. */
    unsigned rows[3][NEAR_LENGTH_MAX + 1];

    if (a_length > NEAR_LENGTH_MAX || b_length > NEAR_LENGTH_MAX)
        return NEAR_FAR;
    for (unsigned j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];

        row[0] = i;
        for (unsigned j = 1; j <= b_length; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void near_begin(struct near *near, const char *word, size_t length)
{
    *near = (struct near){.word = word, .length = length, .limit = length <= SHORT ? 1 : 2};
}

void near_try(struct near *near, const char *candidate)
{
    unsigned mistakes;
    size_t length = 0;

    while (candidate[length] != '\0')
        length++;
    mistakes = near_distance(near->word, near->length, candidate, length);
    if (mistakes > near->limit || mistakes >= length || mistakes >= near->length ||
        (near->best != NULL && near->mistakes <= mistakes))
        return;
    near->best = candidate;
    near->mistakes = mistakes;
}
