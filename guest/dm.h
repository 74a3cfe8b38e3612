/* Device mapper, by its ioctls (linux/dm-ioctl.h, Documentation/admin-guide/device-mapper). No udev
 * and no library: the kernel's own devtmpfs makes the nodes. */
#ifndef PAVISE_GUEST_DM_H
#define PAVISE_GUEST_DM_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DM_PATH_MAX 24u /* "/dev/dm-" and a number */
#define DM_SECTOR 512u

struct dm_table { /* of one target */
	const char *target, *params;
	uint64_t sectors;
	bool readonly;
	bool secret; /* the kernel wipes its copy of params */
};

/* Opens /dev/mapper/control for the caller. -EX_HOST: the kernel has no device mapper. */
int dm_open(int *control, struct err *e);

/* Makes device `name`, active; its node goes to path. -EX_HOST with the kernel's errno: the kernel
 * says on its console what of the table it refuses. */
int dm_create(int control, const char *name, const struct dm_table *t, char path[DM_PATH_MAX],
	      struct err *e);

/* What its target says of itself (DMSTATUS INFO), at most size - 1 bytes. -EX_HOST. */
int dm_status(int control, const char *name, char *out, size_t size, struct err *e);

int dm_remove(int control, const char *name, struct err *e);

#endif
