/* disk.img: a squashfs of the root, then the dm-verity hash tree over it, nothing else. */
#ifndef PAVISE_IMAGE_DISK_H
#define PAVISE_IMAGE_DISK_H

#include "guest/params.h"
#include "image/root.h"

struct disk {
	uint8_t root_hash[PARAMS_DIGEST], salt[PARAMS_DIGEST];
	uint64_t blocks; /* of the squashfs, PARAMS_BLOCK bytes each; the tree follows */
};

/* Makes the file at path, which must not exist, from the root. given_salt: NULL, then it is derived
 * from the squashfs. The same root and squashfs-tools give the same bytes. Errors as root_pack;
 * -EX_HOST also when squashfs-tools or libcryptsetup fail. */
int disk_make(const char *root, const struct root_rules *rules, const uint8_t *given_salt,
	      const char *path, struct disk *out, struct err *e);

#endif
