/* The launch digest of an SEV-SNP guest, as its security processor computes it (SEV-SNP firmware
 * ABI, "PAGE_INFO structure"). Pages of 4 KiB, as KVM adds them; no IMI, no VMPL permissions. */
#ifndef PAVISE_ATTEST_MEASURE_SNP_DIGEST_H
#define PAVISE_ATTEST_MEASURE_SNP_DIGEST_H

#include "common/err.h"

#include <stdint.h>

#define SNP_DIGEST_SIZE 48u /* SHA-384 */
#define SNP_PAGE_SIZE 4096u

/* Page types of SNP_LAUNCH_UPDATE. */
enum snp_page_type {
	SNP_PAGE_NORMAL = 1,
	SNP_PAGE_VMSA = 2,
	SNP_PAGE_ZERO = 3,
	SNP_PAGE_UNMEASURED = 4,
	SNP_PAGE_SECRETS = 5,
	SNP_PAGE_CPUID = 6,
};

/* Replaces ld (all zero before the first page) by the digest after one more page at
 * guest-physical gpa. page: 4096 bytes for NORMAL and VMSA, not read for the others, which put
 * only address and type into the digest. -EX_INTERNAL when libcrypto fails. */
int snp_digest_add(uint8_t ld[SNP_DIGEST_SIZE], enum snp_page_type type, uint64_t gpa,
		   const uint8_t *page, struct err *e);

/* "NORMAL", …; "?" for a number that is none. */
const char *snp_page_type_name(enum snp_page_type type);

#endif
