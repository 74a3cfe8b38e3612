/* The hashes of many pages at once. A launch digest is a chain, but what each page puts into it is
 * not: on a machine with several processors the pages are hashed side by side. */
#ifndef PAVISE_ATTEST_MEASURE_SNP_CONTENTS_H
#define PAVISE_ATTEST_MEASURE_SNP_CONTENTS_H

#include "attest/measure/snp/digest.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/* SHA-384 of each page of data (pages * 4096 bytes) into out[page]. No thread outlives the call;
 * small inputs get none. -EX_INTERNAL when libcrypto fails. */
int snp_contents(const uint8_t *data, size_t pages, uint8_t (*out)[SNP_DIGEST_SIZE], struct err *e);

#endif
