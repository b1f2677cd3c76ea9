/* The configuration from the VMM; see conf.h. */
#include "initramfs/run/conf.h"
#include "initramfs/run/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void take(struct conf *conf, char *text, unsigned *arguments, unsigned *variables)
{
    char *value = text + 1;

    if (text[0] == 'a' && *arguments < CONF_WORDS_MAX)
        conf->arguments[(*arguments)++] = value;
    else if (text[0] == 'e' && *variables < CONF_WORDS_MAX)
        conf->environment[(*variables)++] = value;
    else if (text[0] == 'c')
        conf->folder = value;
    else if (text[0] == 't')
        conf->terminal = true;
    else if (text[0] == 'f')
        conf->forked = true;
    else if (text[0] == 'b')
        conf->root_type = value;
    else if (text[0] == 'r' || text[0] == 'd') {
        conf->root = value;
        conf->root_is_written = text[0] == 'd';
    } else if (text[0] == 'm' && conf->mount_count < CONF_MOUNTS_MAX)
        conf->mounts[conf->mount_count].tag = value;
    else if (text[0] == 'p' && conf->mount_count < CONF_MOUNTS_MAX)
        conf->mounts[conf->mount_count++].place = value;
}

void conf_read(struct conf *conf)
{
    FILE *file = fopen("/run.conf", "re");
    unsigned arguments = 0, variables = 0;
    struct stat status;
    char *bytes;
    size_t size;

    *conf = (struct conf){.folder = "/"};
    if (file == NULL || fstat(fileno(file), &status) != 0)
        say_failed(125, "the guest has no /run.conf");
    size = (size_t)status.st_size;
    bytes = calloc(1, size + 1);
    if (bytes == NULL || fread(bytes, 1, size, file) != size)
        say_failed(125, "the guest cannot read its /run.conf");
    fclose(file);
    for (size_t at = 0; at < size; at += strlen(bytes + at) + 1)
        take(conf, bytes + at, &arguments, &variables);
    if (arguments == 0 || conf->root == NULL)
        say_failed(125, "the guest's /run.conf has no command or no root");
}

/* The word, with each {} replaced by the line. */
static char *filled(const char *word, const char *line)
{
    size_t places = 0, length = strlen(line);
    char *whole, *at;

    for (const char *place = strstr(word, "{}"); place != NULL; place = strstr(place + 2, "{}"))
        places++;
    at = whole = malloc(strlen(word) + places * length + 1);
    if (whole == NULL)
        say_failed(125, "the guest is out of memory");
    for (const char *place; (place = strstr(word, "{}")) != NULL; word = place + 2) {
        at = mempcpy(at, word, (size_t)(place - word));
        at = mempcpy(at, line, length);
    }
    strcpy(at, word);
    return whole;
}

void conf_fill(struct conf *conf, const char *line)
{
    for (char **word = conf->arguments; *word != NULL; word++)
        *word = filled(*word, line);
}
