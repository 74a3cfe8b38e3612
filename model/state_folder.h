/* The folder in which a simulated chip lives: the owner's alone, or it is refused, because then
 * what the chip signs would not even say which host. */
#ifndef PAVISE_MODEL_STATE_FOLDER_H
#define PAVISE_MODEL_STATE_FOLDER_H

#include "common/err.h"

#include <limits.h>
#include <stddef.h>

/* Opens and locks the folder (make: makes it when it is not there); two first starts at once make
 * one chip. *fd is the caller's to close, which ends the lock. -EX_HOST. */
int state_folder_open(const char *folder, int make, int *fd, struct err *e);

/* folder/name. -EX_USAGE_ERROR when it is too long. */
int state_folder_path(const char *folder, const char *name, char out[PATH_MAX], struct err *e);

/* 1: the file is there and private; 0: not there; -EX_HOST: others could read or change it. */
int state_folder_look(const char *folder, int dir, const char *name, struct err *e);

/* Writes folder/name whole, for its owner alone; what says its role in texts. */
int state_folder_write(const char *folder, const char *name, const char *what, const void *data,
		       size_t size, struct err *e);

#endif
