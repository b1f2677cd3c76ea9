/* Which observers a guest has, by the options. */
#ifndef SESSION_OBSERVERS_H
#define SESSION_OBSERVERS_H

#include "options/options.h"
#include "vm/observer.h"
#include "watch/explain/guest_image.h"
#include "watch/gdb/server.h"

/* Before the guest is created. They are there for the whole run: a guest that starts again keeps
 * them. `image` and `server` are contexts of two of them. */
void session_observe(unsigned guest, const struct options *options, struct observers *observers,
                     struct guest_image *image, struct debug_server *server);

#endif
