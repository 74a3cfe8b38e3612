/* What a VM can leave behind on its host, looked for where the host keeps it, whatever the launcher
 * believes. */
#ifndef PAVISE_TESTS_CRASH_LEAKS_H
#define PAVISE_TESTS_CRASH_LEAKS_H

#include "sandbox/mcs.h"

#include <stdbool.h>
#include <sys/types.h>

#define LEAKS_DISKS 4
#define LEAKS_PAIRS 64
#define LEAKS_KEPT 64
#define LEAKS_TEXT 240

/* Where to look. Whatever the suite starts stays its descendant (PR_SET_CHILD_SUBREAPER). */
struct place {
	char run[64];    /* the run directory */
	char cgroup[64]; /* parent of the VMs' cgroups; need not exist */
	struct {
		char path[96];
		char label[128]; /* as it was before; "": none */
	} disk[LEAKS_DISKS];
	unsigned disk_count;
	struct mcs_pair pair[LEAKS_PAIRS]; /* that VMs of this place had */
	unsigned pair_count;
	char namespaces[4096]; /* mounted before, by whom else */
};

struct leaks {
	unsigned count; /* all that were found; the first LEAKS_KEPT with their text */
	char text[LEAKS_KEPT][LEAKS_TEXT];
};

/* place_init remembers the labels that the disks have now. */
void place_init(struct place *p, const char *run, const char *cgroup);
void place_add_disk(struct place *p, const char *path);

/* Gives a disk this label, "" for none. Where SELinux is, the disk is made anew: our policy lets
 * nobody but the launcher relabel an image. */
bool place_set_label(const struct place *p, unsigned disk, const char *label);

/* Takes note of the pairs in the table, and with them of the user ids to look for. */
void place_note_pairs(struct place *p);

/* What has to end by itself when the launcher does: processes, namespaces, mounts, locks, sockets
 * that somebody listens on. */
void leaks_of_the_living(const struct place *p, struct leaks *l);

/* And what the next command has to clear away: folders, pairs, cgroups, labels. */
void leaks_of_all(const struct place *p, struct leaks *l);

/* Waits until nothing living is left, ms at most: the time it took, or -1 and what is left. */
int leaks_await(const struct place *p, int ms, struct leaks *l);

#endif
