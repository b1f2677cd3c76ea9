/* The verb `fork`: copies of a machine that run beside it. */
#ifndef CONTROL_FORK_H
#define CONTROL_FORK_H

#include "control/verbs.h"

void control_fork_init(const struct control_run *run);
bool control_fork_is_busy(void);
/* The guest's VM will be destroyed: forgets the requests about it. */
void control_fork_forget(unsigned guest);

enum verb_result control_fork_begin(struct control_request *request, struct json_out *out,
                                    struct error *error);
enum verb_result control_fork_again(struct control_request *request, struct json_out *out,
                                    struct error *error);

#endif
