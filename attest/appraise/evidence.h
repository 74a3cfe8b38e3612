/* Evidence as a file carries it (docs/PROTOCOL.evidence), taken apart. Nothing here judges. */
#ifndef PAVISE_ATTEST_APPRAISE_EVIDENCE_H
#define PAVISE_ATTEST_APPRAISE_EVIDENCE_H

#include "attest/binding.h"
#include "attest/measure/expect.h"
#include "attest/tpm/alg.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_FILE_MAX (1u << 20) /* bytes */
#define EVIDENCE_PART_MAX 4096u
#define EVIDENCE_LOG_MAX 65536u
#define EVIDENCE_TEXT_MAX 64u
#define EVIDENCE_MISSING_MAX 8u /* defences that a host says it lacks */
#define EVIDENCE_TABLE_MAX 65536u
#define EVIDENCE_QUOTE_MAX 16384u /* of TDX */

enum evidence_tee { EVIDENCE_PLAIN, EVIDENCE_SNP, EVIDENCE_TDX };

/* "none", "sev-snp", "tdx": as evidence and policies have it. */
const char *evidence_tee_name(enum evidence_tee tee);

/* PCR values of one bank. */
struct pcr_values {
	uint32_t given;			  /* bit n: PCR n */
	uint8_t value[TPM_PCR_COUNT][48]; /* SHA-256 uses 32 bytes */
};

struct evidence {
	uint8_t nonce[BINDING_NONCE_MAX];
	size_t nonce_size;
	uint8_t public_key[EVIDENCE_PART_MAX];
	size_t public_key_size;
	enum evidence_tee tee;
	/* EVIDENCE_SNP, EVIDENCE_TDX: */
	char tee_provider[16]; /* what the agent calls it: "hardware", "simulated" */
	uint8_t report[EVIDENCE_QUOTE_MAX]; /* ATTESTATION_REPORT, or quote */
	size_t report_size;
	/* EVIDENCE_SNP: */
	uint8_t cert_table[EVIDENCE_TABLE_MAX];
	size_t cert_table_size; /* 0: no table */
	/* EVIDENCE_TDX: */
	uint8_t cc_log[EVIDENCE_LOG_MAX]; /* of the RTMRs */
	size_t cc_log_size;		  /* 0: no log */
	bool has_vtpm;			     /* the fields up to event_log_size are set */
	uint8_t ak_public[EVIDENCE_PART_MAX], quote[EVIDENCE_PART_MAX],
		signature[EVIDENCE_PART_MAX];
	size_t ak_public_size, quote_size, signature_size;
	struct pcr_values pcrs[EXPECT_BANKS];
	uint8_t event_log[EVIDENCE_LOG_MAX];
	size_t event_log_size;
	/* docs/PROTOCOL.collateral, put there by whoever served the evidence; NULL: none. Owned. */
	char *collateral;
	size_t collateral_size; /* bytes */
	/* What the host says about itself: shown, never used. "" when absent. */
	char claim_vm[EVIDENCE_TEXT_MAX + 1], claim_isolation[EVIDENCE_TEXT_MAX + 1];
	char claim_missing[EVIDENCE_MISSING_MAX * (EVIDENCE_TEXT_MAX + 2) + 1]; /* with ", " */
};

/* Parses size bytes of JSON. `object` names it in texts. evidence_free, also after a failure.
 * -EX_MALFORMED, -EX_HOST. */
int evidence_parse(const char *object, const char *text, size_t size, struct evidence *out,
		   struct err *e);
void evidence_free(struct evidence *ev);

#endif
