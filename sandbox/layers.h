/* The layers that hold a process of a VM. In what is installed each is on, and the compiler
 * sees that; only the launcher that tests/escape builds for itself (-DPAVISE_LAYER_SWITCHES)
 * can leave one out, to show what the others still stop. */
#ifndef PAVISE_SANDBOX_LAYERS_H
#define PAVISE_SANDBOX_LAYERS_H

#include <stdbool.h>

enum layer {
	LAYER_LABEL,        /* SELinux */
	LAYER_SECCOMP,
	LAYER_LANDLOCK,
	LAYER_NAMESPACES,   /* pid, mount and empty root, network, ipc, uts, cgroup, user */
	LAYER_IDS,          /* a user id of its own */
	LAYER_CAPABILITIES, /* none, securebits, no_new_privs */
	LAYER_DESCRIPTORS,  /* nothing is passed that is not listed */
	LAYER_LIMITS,       /* resource limits and the cgroup's */
	LAYERS,
};

#ifdef PAVISE_LAYER_SWITCHES
/* tests/escape */
bool layer_on(enum layer layer);
#else
static inline bool layer_on(enum layer layer)
{
	(void)layer;
	return true;
}
#endif

#endif
