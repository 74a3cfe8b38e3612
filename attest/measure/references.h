/* A signed bundle of reference values (docs/PROTOCOL.references): what the owner of a firmware says
 * that machines with it may measure. Bytes in, nothing is opened. */
#ifndef PAVISE_ATTEST_MEASURE_REFERENCES_H
#define PAVISE_ATTEST_MEASURE_REFERENCES_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define REFERENCES_FILE_MAX (1u << 20) /* bytes */
#define REFERENCES_TEXT_MAX 786432u    /* bytes of the signed text */
#define REFERENCES_VALUES_MAX 1024u
#define REFERENCES_DIGEST_SIZE 48u /* MEASUREMENT, MRTD, digest of a key */
#define REFERENCES_PCRS 8u	   /* PCR 0..7 */
#define REFERENCES_RTMRS 2u	   /* RTMR 0 and 1 */
#define REFERENCES_LABEL_MAX 63u

enum reference_tee { REFERENCE_NONE, REFERENCE_SNP, REFERENCE_TDX, REFERENCE_TEES };
enum reference_bank { REFERENCE_SHA256, REFERENCE_SHA384, REFERENCE_BANKS };

/* What one machine measures. */
struct reference_value {
	enum reference_tee tee;
	char label[REFERENCES_LABEL_MAX + 1];	/* for people */
	uint8_t digest[REFERENCES_DIGEST_SIZE]; /* SEV-SNP: MEASUREMENT; TDX: MRTD */
	bool has_policy;
	uint64_t policy;	  /* SEV-SNP: the guest policy that the report must have */
	uint32_t cpus, pci_slots; /* cpus 0: not said */
	uint64_t memory;	  /* bytes; 0: not said */
	/* TDX: values that the registers must have; false: not said. */
	bool has_rtmr[REFERENCES_RTMRS];
	uint8_t rtmr[REFERENCES_RTMRS][REFERENCES_DIGEST_SIZE];
	/* No TEE: PCR values, SHA-256 in the first 32 bytes. */
	bool bank[REFERENCE_BANKS];
	uint8_t pcr[REFERENCE_BANKS][REFERENCES_PCRS][REFERENCES_DIGEST_SIZE];
};

/* Owned; references_free. Nothing of it is believed, and there are no values, before
 * references_verify. */
struct references {
	char *text; /* as signed */
	size_t text_size;
	uint8_t key[256]; /* DER SubjectPublicKeyInfo */
	size_t key_size;
	uint8_t signature[128];
	size_t signature_size;
	bool has_not_after;
	time_t not_after; /* the values count up to this second */
	uint32_t svn;	  /* security version of the firmware */
	struct reference_value *value;
	size_t count;
};

/* Takes the file apart. -EX_MALFORMED; `object` names it. *out can always be freed. */
int references_parse(const char *object, const uint8_t *data, size_t size, struct references *out,
		     struct err *e);
void references_free(struct references *r);

/* SHA-384 of the key's SubjectPublicKeyInfo: what a policy pins. */
int references_key_digest(const struct references *r, uint8_t out[REFERENCES_DIGEST_SIZE],
			  struct err *e);

/* Is the key the one with that digest (NULL: whichever it is, which proves nothing of who signed),
 * and has it signed the text? Then reads the values. -EX_UNAUTHENTIC; -EX_MALFORMED for a key or a
 * signed text that breaks the format. */
int references_verify(const char *object, struct references *r,
		      const uint8_t key_digest[REFERENCES_DIGEST_SIZE], struct err *e);

/* Do verified values count now, and for a firmware of at least this version? -EX_COLLATERAL when
 * they have expired, -EX_REFUSED when the version is below. */
int references_check(const char *object, const struct references *r, time_t now, uint32_t min_svn,
		     struct err *e);

/* The value of a machine, or NULL: by MEASUREMENT and guest policy, by MRTD and the first two RTMRs,
 * by PCR 0..7 of a bank (32 or 48 bytes of each). Every value is compared, digests in constant time. */
const struct reference_value *references_find_snp(const struct references *r,
						  const uint8_t measurement[REFERENCES_DIGEST_SIZE],
						  uint64_t policy);
const struct reference_value *references_find_tdx(const struct references *r,
						  const uint8_t mrtd[REFERENCES_DIGEST_SIZE],
						  const uint8_t *const rtmr[REFERENCES_RTMRS]);
const struct reference_value *
references_find_pcrs(const struct references *r, enum reference_bank bank,
		     const uint8_t pcr[REFERENCES_PCRS][REFERENCES_DIGEST_SIZE]);

/* "none", "sev-snp", "tdx"; "sha256", "sha384" and the bytes of a PCR. */
const char *reference_tee_name(enum reference_tee tee);
const char *reference_bank_name(enum reference_bank bank);
size_t reference_bank_size(enum reference_bank bank);

#endif
