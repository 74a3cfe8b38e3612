/* What the labels of a VM's images were, for whoever finds the images after a crash: a file in the
 * VM's folder (docs/PROTOCOL.rundir). It is on the disk before the first label changes, and goes
 * after the last one is back: while it is there, a label is owed. */
#ifndef PAVISE_SANDBOX_DISK_RECORD_H
#define PAVISE_SANDBOX_DISK_RECORD_H

#include "common/err.h"
#include "sandbox/disk.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_RECORD_FILE "disks"
#define DISK_RECORD_PATH (4 * PATH_MAX)                   /* bytes of a path when written */
#define DISK_RECORD_LINE (DISK_RECORD_PATH + LABEL_MAX + 64)

struct disk_record {
	uint32_t major, minor;    /* of the device that the image is on */
	uint64_t inode;
	char original[LABEL_MAX]; /* USER:ROLE:pavise_image_t:s0 */
	char path[PATH_MAX];      /* absolute, as the kernel said it */
};

/* Writes the file anew for those disks whose label is to change; none when there are none. The
 * folder and the one above it are on the disk too. -EX_HOST. */
int disk_record_write(int folder, const struct disk *disk, unsigned count, struct err *e);

/* Is a label owed? */
bool disk_record_there(int folder);

/* None is owed any more. */
void disk_record_remove(int folder);

/* Reads the file: *text (the caller frees it) of *size bytes. 0, also when there is none (size 0);
 * -EX_HOST; -EX_MALFORMED: larger than any that disk_record_write makes. */
int disk_record_read(int folder, char **text, size_t *size, struct err *e);

/* Takes one entry from *at, which it moves on. 1: an entry, 0: the regular end, -1: the text is cut
 * off or is not in the format. */
int disk_record_next(const char **at, const char *end, struct disk_record *out);

/* Makes the line of an entry: its length, out holds DISK_RECORD_LINE bytes. */
size_t disk_record_line(const struct disk_record *r, char *out);

/* Makes a path printable: the way it is written. out holds DISK_RECORD_PATH bytes. */
void disk_record_path(const char *path, char *out);

#endif
