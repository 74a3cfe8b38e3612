/* Between a source of members (tar, folder) and the stream: what root.c's two halves share. */
#ifndef PAVISE_IMAGE_PACK_H
#define PAVISE_IMAGE_PACK_H

#include "image/members.h"
#include "image/root.h"

#include <archive.h>
#include <archive_entry.h>

struct pack {
	const struct root_rules *rules;
	struct archive *out;
	struct members *members;
	uint64_t size; /* bytes of all files so far */
};

/* Checks entry (its pathname, kind, owner, size, links) and writes its header. *size: the bytes of
 * content that have to follow. */
int pack_entry(struct pack *p, struct archive_entry *entry, uint64_t *size, struct err *e);

/* Content of the member whose header was written last. */
int pack_data(struct pack *p, const void *data, size_t size, struct err *e);

int pack_tar(struct pack *p, const char *path, struct err *e);
int pack_folder(struct pack *p, const char *path, struct err *e);

#endif
