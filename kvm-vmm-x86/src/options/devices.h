/* The values of the options for a guest's devices. Each function reads one; the table in options.c
 * lists them. */
#ifndef OPTIONS_DEVICES_H
#define OPTIONS_DEVICES_H

#include "options/options.h"

int devices_parse_serial(struct options *o, const char *text, struct error *error) MUST_CHECK;
int devices_parse_console(struct options *o, const char *text, struct error *error) MUST_CHECK;
int devices_parse_port(struct options *o, const char *text, struct error *error) MUST_CHECK;
int devices_parse_disk(struct options *o, const char *text, struct error *error) MUST_CHECK;
int devices_parse_net(struct options *o, const char *text, struct error *error) MUST_CHECK;
int devices_parse_share(struct options *o, const char *text, struct error *error) MUST_CHECK;

int devices_parse_vsock(struct options *o, const char *text, struct error *error) MUST_CHECK;

#endif
