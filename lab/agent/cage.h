/* The control group in which one command and all its descendants live, so that none outlives its
 * client, whatever session or process group it moved to; and their mount namespace, so that they
 * keep the repository they began with (share.h). Linux, Documentation/admin-guide/cgroup-v2.rst,
 * "cgroup.kill". */
#ifndef LAB_AGENT_CAGE_H
#define LAB_AGENT_CAGE_H

#include <stdbool.h>
#include <sys/types.h>

struct cage {
    char path[64]; /* "" if the kernel refused: the command then runs without one */
};

void cage_create(struct cage *cage, unsigned line);
/* For the child, before it gives up its rights. */
void cage_enter(const struct cage *cage);
/* Kills all processes inside. Harmless to repeat. */
void cage_kill(const struct cage *cage);
/* Kills, waits a little for the dead to leave, removes. */
void cage_destroy(struct cage *cage);
/* True if the answer is yes for any process in any cage; not all are asked then. */
bool cage_any(bool (*answer)(pid_t pid, void *context), void *context);

#endif
