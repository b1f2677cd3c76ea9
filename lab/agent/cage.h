// The control group in which one command and all its descendants live, so that none outlives its
// client, whatever session or process group it moved to. Linux,
// Documentation/admin-guide/cgroup-v2.rst, "cgroup.kill".
#ifndef LAB_AGENT_CAGE_H
#define LAB_AGENT_CAGE_H

struct cage {
    char path[64]; // "" if the kernel refused: the command then runs without one
};

void cage_create(struct cage *cage, unsigned line);
// For the child, before it gives up its rights.
void cage_enter(const struct cage *cage);
// Kills whoever is inside. Harmless to repeat.
void cage_kill(const struct cage *cage);
// Kills, waits a little for the dead to leave, removes.
void cage_destroy(struct cage *cage);

#endif
