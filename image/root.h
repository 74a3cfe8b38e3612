/* A root file system, folder or tar, as one stream of tar that has nothing surprising in it. */
#ifndef PAVISE_IMAGE_ROOT_H
#define PAVISE_IMAGE_ROOT_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

struct root_rules {
	uint64_t size_max; /* bytes of all files together */
	bool all_root;	   /* everything belongs to root */
	const char *run;   /* absolute: what the guest starts, must be there */
};

/* Writes the root at path to descriptor out, the same bytes for the same root: names in the order
 * of the tar, or sorted; times 0; owners as numbers; folders that a guest needs (dev, proc, run,
 * sys, tmp) added. From a folder hard links come as files of their own, other file systems
 * mounted below it not at all. -EX_MALFORMED names the member that breaks a rule: an outside path,
 * a device, FIFO or socket, two of one name, a hard link to nothing before it, more than size_max
 * bytes, an ACL; -EX_HOST; -EX_INTERNAL: who reads the stream has ended. After a failure the stream
 * may look whole: it is not to be used. */
int root_pack(const char *path, const struct root_rules *rules, int out, struct err *e);

#endif
