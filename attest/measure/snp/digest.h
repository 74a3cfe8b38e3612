/* The launch digest of an SEV-SNP guest, as its security processor computes it (SEV-SNP firmware
 * ABI, "PAGE_INFO structure"). Pages of 4 KiB, as KVM adds them; no IMI, no VMPL permissions. */
#ifndef PAVISE_ATTEST_MEASURE_SNP_DIGEST_H
#define PAVISE_ATTEST_MEASURE_SNP_DIGEST_H

#include "common/err.h"

#include <openssl/evp.h>
#include <stddef.h>
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

/* A digest under way. The algorithm is looked up once, not twice per page: that is a fifth of the
 * time of a page. value may be set to go on from a digest that is known. */
struct snp_digest {
	uint8_t value[SNP_DIGEST_SIZE]; /* all zero before the first page */
	EVP_MD *algorithm;
	EVP_MD_CTX *context;
};

/* snp_digest_close it whatever this returns. -EX_INTERNAL when libcrypto fails. */
int snp_digest_open(struct snp_digest *d, struct err *e);
void snp_digest_close(struct snp_digest *d);

/* SHA-384 of a page of 4096 bytes: what NORMAL and VMSA pages put into the digest. */
int snp_digest_contents(struct snp_digest *d, const uint8_t *page, uint8_t out[SNP_DIGEST_SIZE],
			struct err *e);

/* Replaces d->value by the digest after one more page at guest-physical gpa. page: 4096 bytes for
 * NORMAL and VMSA, not read for the others, which put only address and type into the digest.
 * -EX_INTERNAL when libcrypto fails. */
int snp_digest_add(struct snp_digest *d, enum snp_page_type type, uint64_t gpa, const uint8_t *page,
		   struct err *e);

/* The same with the contents hashed already; zeros for the types that have none. */
int snp_digest_add_hashed(struct snp_digest *d, enum snp_page_type type, uint64_t gpa,
			  const uint8_t contents[SNP_DIGEST_SIZE], struct err *e);

/* One page of the measurement, in its order. */
struct snp_step {
	uint32_t number; /* from 1 */
	enum snp_page_type type;
	uint64_t gpa;
	const char *what;      /* name of the region or section, or "vcpu" */
	uint32_t index;	       /* page of the region, or vCPU, from 0 */
	const uint8_t *digest; /* SNP_DIGEST_SIZE bytes: the launch digest after it */
};
/* A negative return ends the measurement with it. */
typedef int snp_step_fn(void *arg, const struct snp_step *step, struct err *e);

/* "NORMAL", …; "?" for a number that is none. */
const char *snp_page_type_name(enum snp_page_type type);

#endif
