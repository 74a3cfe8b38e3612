/* Disk images: the caller opens them, the launcher checks, locks and labels them by descriptor
 * (a path could be exchanged in between) and puts the old label back at the end. */
#ifndef PAVISE_SANDBOX_DISK_H
#define PAVISE_SANDBOX_DISK_H

#include "common/err.h"
#include "sandbox/labels.h"
#include "sandbox/mcs.h"

#include <stdbool.h>
#include <stdint.h>

#define DISK_SECTOR 512u

struct disk {
	int fd;                    /* the caller's */
	bool readonly;
	uint64_t size;             /* bytes, a multiple of DISK_SECTOR; set by disk_check */
	char original[LABEL_MAX];  /* what to restore; "" : label untouched */
};

/* A regular file of at least one whole sector, opened for what it is used for; name for texts.
 * -EX_USAGE_ERROR or -EX_MALFORMED. */
int disk_check(const char *name, struct disk *d, struct err *e);

/* Takes it for the VM: a lock that lives as long as a descriptor of this opening does (exclusive
 * for a writable disk, shared for a read-only one), then the VM's label. Its type must be ours
 * already; a level with categories means another VM, unless the table says that pair's owner is
 * dead. Shared content (pavise_image_ro_t:s0) of a read-only disk keeps its label.
 * -EX_BUSY: another VM has it; -EX_HOST. */
int disk_take(const char *name, struct disk *d, const struct labels *l, struct mcs_table *table,
	      struct err *e);

/* Puts the old label back; failure is reported, not silent. */
int disk_restore(const char *name, struct disk *d, const struct labels *l, struct err *e);

#endif
