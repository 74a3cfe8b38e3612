/* initrd.cpio: few files, held in memory until all are known. */
#ifndef PAVISE_IMAGE_INITRD_H
#define PAVISE_IMAGE_INITRD_H

#include "common/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define INITRD_FILE_MAX (64u << 20) /* bytes */
#define INITRD_FILES_MAX 256u

struct initrd_file {
	char *path; /* without a leading slash */
	unsigned mode;
	void *data;
	size_t size;
};

struct initrd {
	struct initrd_file files[INITRD_FILES_MAX];
	size_t count;
};

/* Adds a file; data becomes the initrd's, also after a failure. A path that is there is an error
 * unless the bytes are the same. -EX_HOST, -EX_INTERNAL. */
int initrd_add(struct initrd *i, const char *path, unsigned mode, void *data, size_t size,
	       struct err *e);

/* The same with the content of a file of this machine. */
int initrd_add_file(struct initrd *i, const char *path, unsigned mode, const char *from,
		    struct err *e);

/* An empty folder and those above it. */
int initrd_add_folder(struct initrd *i, const char *path, struct err *e);

/* Writes it (cpio, newc, as Documentation/driver-api/early-userspace/buffer-format.rst wants it):
 * sorted, owners and times 0. -EX_HOST. */
int initrd_write(struct initrd *i, const char *path, struct err *e);

/* "files" of image.json: path, mode, size, sha256. NULL: no memory. */
json_t *initrd_list(struct initrd *i);

void initrd_free(struct initrd *i);

#endif
