/* The root file system: read only, and only what the command line names. */
#ifndef PAVISE_GUEST_ROOT_H
#define PAVISE_GUEST_ROOT_H

#include "guest/params.h"

#define ROOT_DISK "/dev/vda"
#define ROOT_PLACE "/root"

/* Waits up to ten seconds for a disk and says how large it is, in bytes. -EX_HOST. */
int disk_wait(const char *path, uint64_t *size, struct err *e);

/* Sets up dm-verity over ROOT_DISK with p's values, none of the disk's, and mounts what it has
 * (squashfs) at ROOT_PLACE. A block that does not match, whenever it is read, ends the guest with
 * a panic. -EX_HOST, -EX_MALFORMED: the disk is too small. */
int root_mount(const struct guest_params *p, struct err *e);

/* Makes ROOT_PLACE the root, with /dev, /proc, /sys, /run and /tmp, and the caller's folder. */
int root_enter(struct err *e);

#endif
