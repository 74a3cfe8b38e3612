/* Bulk work, called in ring 3 only (user_call). Areas never overlap. Sizes in bytes. */
#ifndef PAVISE_FIRMWARE_BULK_H
#define PAVISE_FIRMWARE_BULK_H

#include "firmware/sha2.h"

void bulk_copy(void *to, const void *from, uint64_t size);
void bulk_zero(void *to, uint64_t size);
/* sha: the processor has SHA instructions and ring 0 lets them run. */
void bulk_digest(const void *data, uint64_t size, struct fw_digests *out, uint64_t sha);

#endif
