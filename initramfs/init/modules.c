/* Kernel modules; see modules.h and finit_module(2). */
#include "initramfs/init/modules.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COMMAND_LINE_MAX = 4096 }; /* of x86's kernel command line: 2048 */

static char plain(char c)
{
    return c == '-' ? '_' : c;
}

/* True if a word of the command line begins with the module's name and a dot. */
static bool is_for(const char *word, const char *module)
{
    while (*word != '.' && *word != '\0' && plain(*word) == plain(*module)) {
        word++;
        module++;
    }
    return *word == '.' && strcmp(module, ".ko") == 0;
}

/* The kernel itself uses MODULE.PARAMETER=VALUE only for built-in modules. For others modprobe(8)
 * passes them, and here this function. The kernel removes quotes. */
static void find_parameters(const char *line, const char *module, char found[COMMAND_LINE_MAX])
{
    size_t used = 0;

    for (const char *word = line; *word != '\0';) {
        size_t length = 0, name;
        bool quoted = false;

        for (; word[length] != '\0' && (quoted || !isspace((unsigned char)word[length])); length++)
            quoted ^= word[length] == '"';
        if (is_for(word, module)) {
            name = strcspn(word, ".") + 1;
            memcpy(found + used, word + name, length - name);
            used += length - name;
            found[used++] = ' '; /* it fits: the word has a prefix that is left out */
        }
        word += length;
        word += strspn(word, " \t\n");
    }
    found[used] = '\0';
}

static void load(const char *name, const char *line)
{
    char path[256], parameters[COMMAND_LINE_MAX];
    int file;

    snprintf(path, sizeof path, "/modules/%s", name);
    find_parameters(line, name, parameters);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || (syscall(SYS_finit_module, file, parameters, 0) != 0 && errno != EEXIST))
        fprintf(stderr, "init: module %s: %s\n", name, strerror(errno));
    if (file >= 0)
        close(file);
}

static void read_command_line(char line[COMMAND_LINE_MAX])
{
    FILE *file = fopen("/proc/cmdline", "re");
    size_t size = 0;

    if (file != NULL) {
        size = fread(line, 1, COMMAND_LINE_MAX - 1, file);
        fclose(file);
    }
    line[size] = '\0';
}

void modules_load(void)
{
    FILE *order = fopen("/modules/order", "re");
    char name[200], line[COMMAND_LINE_MAX];

    if (order == NULL)
        return;
    read_command_line(line);
    while (fgets(name, sizeof name, order) != NULL) {
        name[strcspn(name, "\n")] = '\0';
        if (name[0] != '\0')
            load(name, line);
    }
    fclose(order);
}
