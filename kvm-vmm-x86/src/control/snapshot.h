/* The verb `snapshot`: a guest is saved to a folder that its client has made. */
#ifndef CONTROL_SNAPSHOT_H
#define CONTROL_SNAPSHOT_H

#include "control/verbs.h"

void control_snapshot_init(const struct control_run *run);
bool control_snapshot_is_busy(void);
/* The guest's VM will be destroyed. False: a thread still saves it; call this again when the thread
 * has woken the event loop. */
bool control_snapshot_forget(unsigned guest) MUST_CHECK;

/* The guests that the request is about run. */
enum verb_result control_snapshot_begin(struct control_request *request, struct json_out *out,
                                        struct error *error);
enum verb_result control_snapshot_again(struct control_request *request, struct json_out *out,
                                        struct error *error);

#endif
