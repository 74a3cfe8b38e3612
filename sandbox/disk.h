/* Disk images: the caller opens them, the launcher checks, locks and labels them by descriptor
 * (a path could be exchanged in between) and puts the old label back at the end.
 *
 *   disk_check ─► disk_take ─► disk_record_write ─► disk_label ... disk_restore
 *
 * What a launcher that is killed in between leaves: sandbox/reclaim.h. */
#ifndef PAVISE_SANDBOX_DISK_H
#define PAVISE_SANDBOX_DISK_H

#include "common/err.h"
#include "sandbox/labels.h"
#include "sandbox/mcs.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DISK_SECTOR 512u

struct disk {
	int fd;                    /* the caller's */
	bool readonly;
	uint64_t size;             /* bytes, a multiple of DISK_SECTOR; set by disk_check */
	dev_t device;              /* which file it is; set by disk_check */
	ino_t inode;
	bool locked;               /* by disk_take */
	char original[LABEL_MAX];  /* what to restore; "": the label stays as it is */
};

/* A regular file of at least one whole sector, opened for what it is used for; name for texts.
 * -EX_USAGE_ERROR or -EX_MALFORMED. */
int disk_check(const char *name, struct disk *d, struct err *e);

/* Are both the same file, by whatever path? */
bool disk_same(const struct disk *a, const struct disk *b);

/* Takes it for the VM, and changes nothing but a lock, which lives as long as a descriptor of this
 * opening does: shared for what is only read and keeps its label, exclusive for all else. With
 * labels its type must be ours already; a level with categories means another VM, unless the table
 * says that pair's owner is dead. Shared content (pavise_image_ro_t:s0) is for reading alone.
 * -EX_BUSY: another VM has it, or takes it at this moment; -EX_HOST; -EX_USAGE_ERROR. */
int disk_take(const char *name, struct disk *d, const struct labels *l, struct mcs_table *table,
	      struct err *e);

/* Gives it the VM's label, if its label is to change. Its record is on the disk by now. */
int disk_label(const char *name, const struct disk *d, const struct labels *l, struct err *e);

/* Puts the old label back and unlocks; failure is reported, not silent. */
int disk_restore(const char *name, struct disk *d, const struct labels *l, struct err *e);

/* Of a label's parts: is it an image of ours, private or shared? */
bool disk_type_is_ours(const struct label_parts *p);

#endif
