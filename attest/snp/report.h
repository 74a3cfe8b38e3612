/* SEV-SNP attestation reports (SEV-SNP firmware ABI 56860, "ATTESTATION_REPORT"), versions 2 to
 * 5. The signature covers bytes as received: nothing here ever puts a report together again. */
#ifndef PAVISE_ATTEST_SNP_REPORT_H
#define PAVISE_ATTEST_SNP_REPORT_H

#include "attest/snp/tcb.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNP_REPORT_SIZE 1184u
#define SNP_REPORT_SIGNED 0x2A0u /* bytes that the signature covers */
#define SNP_REPORT_VERSION_MIN 2u
#define SNP_REPORT_VERSION_MAX 5u
#define SNP_MEASUREMENT_SIZE 48u
#define SNP_CHIP_ID_SIZE 64u

/* KEY_INFO.SIGNING_KEY */
enum snp_signing_key { SNP_KEY_VCEK = 0, SNP_KEY_VLEK = 1, SNP_KEY_NONE = 7 };
#define SNP_KEY_INFO_AUTHOR (1u << 0)	 /* AUTHOR_KEY_EN */
#define SNP_KEY_INFO_MASK_CHIP (1u << 1) /* MASK_CHIP_KEY: nothing is signed with the VCEK */
#define SNP_KEY_INFO_RESERVED (~0x1Fu)

/* Of the firmware, as CURRENT_MAJOR.CURRENT_MINOR.CURRENT_BUILD. */
struct snp_version {
	uint8_t major, minor, build;
};

struct snp_report {
	const uint8_t *raw; /* borrowed: the bytes as received */
	uint32_t version, guest_svn, vmpl, signature_algo;
	uint64_t policy, platform_info;
	uint32_t key_info;
	const uint8_t *family_id, *image_id; /* 16 bytes each, borrowed, as the next ones */
	const uint8_t *report_data;	     /* 64 */
	const uint8_t *measurement;	     /* 48 */
	const uint8_t *host_data;	     /* 32 */
	const uint8_t *id_key_digest;	     /* 48 */
	const uint8_t *author_key_digest;    /* 48 */
	const uint8_t *report_id;	     /* 32 */
	const uint8_t *report_id_ma;	     /* 32; all ones: no migration agent */
	const uint8_t *current_tcb, *reported_tcb, *committed_tcb, *launch_tcb; /* 8 */
	const uint8_t *chip_id;							/* 64 */
	struct snp_version current, committed;
	bool has_cpuid; /* version 3 and later: the next three */
	uint8_t family, model, stepping;
	bool has_mitigation; /* version 5 and later: the next two */
	uint64_t launch_mitigation, current_mitigation;
	bool reserved_zero; /* every byte that this program knows no meaning of is zero */
};

/* Takes a report apart. -EX_MALFORMED for another size, or a version before 2. A later version
 * than 5 is taken apart as 5: whether to believe it is the caller's check. */
int snp_report_parse(const uint8_t *data, size_t size, struct snp_report *out, struct err *e);

enum snp_signing_key snp_report_signing_key(const struct snp_report *r);

/* The product that the report names (version 3 and later); SNP_UNKNOWN otherwise. */
enum snp_product snp_report_product(const struct snp_report *r);

/* Less than 0, 0, more than 0 as a is older than b, equal, newer. */
int snp_version_compare(struct snp_version a, struct snp_version b);

/* Does the report's ECDSA P-384 signature hold under key? 0, -EX_UNAUTHENTIC, -EX_MALFORMED for
 * a signature that is none, -EX_INTERNAL. */
int snp_report_verify(const struct snp_report *r, EVP_PKEY *key, struct err *e);

#endif
