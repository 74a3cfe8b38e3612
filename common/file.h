/* Whole files in bounded memory. */
#ifndef PAVISE_COMMON_FILE_H
#define PAVISE_COMMON_FILE_H

#include "common/err.h"

#include <stddef.h>

/* Reads a regular file of 1..max bytes (0 too when allow_empty) into memory that the caller
 * frees; one NUL byte follows the data. -EX_HOST when it cannot be read, -EX_MALFORMED for its
 * size. `what` says its role in texts ("kernel"). */
int file_read(const char *what, const char *path, size_t max, int allow_empty, void **data,
	      size_t *size, struct err *e);

/* Writes a file whole or not at all: a temporary name beside it, fsync, rename. mode as open(2). */
int file_write(const char *what, const char *path, const void *data, size_t size, unsigned mode,
	       struct err *e);

#endif
