/* SHA-256 of files. */
#ifndef PAVISE_IMAGE_DIGEST_H
#define PAVISE_IMAGE_DIGEST_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define DIGEST 32u

/* Of label (text, without its NUL; may be "") and then the first size bytes of a file, which has to
 * have them. -EX_HOST. */
int digest_file(const char *path, const char *label, uint64_t size, uint8_t out[DIGEST],
		struct err *e);

int digest_bytes(const void *data, size_t size, uint8_t out[DIGEST], struct err *e);

#endif
