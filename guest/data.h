/* The data disk: dm-crypt with authentication over dm-integrity, under the owner's key. */
#ifndef PAVISE_GUEST_DATA_H
#define PAVISE_GUEST_DATA_H

#include "common/data_key_wire.h"
#include "common/err.h"

#include <stdint.h>

#define DATA_DISK "/dev/vdb"
#define DATA_LINK "/dev/pavise-data"

/* Opens DATA_DISK with that key, after making it anew when m says so (every sector is written), and
 * makes DATA_LINK; *size: bytes it offers. Nothing on the disk says how it is to be read but what
 * the authentication covers. -EX_HOST, -EX_UNAUTHENTIC: its first block was not written under
 * this key. */
int data_open(const struct data_key_message *m, uint64_t *size, struct err *e);

/* What was written to DATA_LINK is on the disk, journal included, when it returns: sync(2) does not
 * ask a disk without a file system for that. Nothing happens without a data disk. */
void data_flush(void);

#endif
