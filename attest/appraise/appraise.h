/* The appraisal of a bundle (docs/PROTOCOL.evidence), taken apart: every check, in order, none left
 * out after a failure. */
#ifndef PAVISE_ATTEST_APPRAISE_APPRAISE_H
#define PAVISE_ATTEST_APPRAISE_APPRAISE_H

#include "attest/appraise/check_snp.h"
#include "attest/appraise/checks.h"
#include "attest/appraise/evidence.h"
#include "attest/appraise/policy.h"
#include "attest/measure/expect.h"
#include "attest/tpm/quote.h"

struct appraisal {
	const struct evidence *evidence;
	const struct policy *policy;	/* NULL: none given, the verdict is a refusal; set in parts */
	const struct expect_base *base; /* of the policy's plan; NULL without one */
	const uint8_t *nonce;		/* the relying party's; NULL: none given */
	size_t nonce_size;
	const uint8_t *mrtd; /* that a trust domain's plan leads to; with base */
	/* With evidence of SEV-SNP: */
	const struct snp_reference *snp_reference; /* of the policy's plan; NULL without one */
	const struct value_bundle *bundle; /* that the policy names; NULL without one */
	struct snp_certs *certs; /* from options, completed from the evidence; NULL: none */
	/* With evidence of a TEE: */
	X509 *trust_root;	 /* NULL: only the vendor's roots count */
	struct cert_cache *cache; /* of certificates; NULL: none */
	const struct collateral *collateral; /* of request and evidence; NULL: none */
	const struct err *collateral_error;  /* it breaks its form; NULL: it does not */
	const struct blob *crl;	 /* AMD's revocation lists, as received */
	size_t crl_count;
	uint32_t allow_report_version; /* an unknown one that counts; 0: none */
	time_t now;
	struct checks *checks; /* filled */
};

/* Makes every check. 0, or an error that is not the evidence's fault: -EX_MALFORMED (a machine
 * of the policy that its plan does not allow), -EX_HOST, -EX_INTERNAL. */
int check_bundle(const struct appraisal *a, struct err *e);

/* Are PCR values of this bank part of this appraisal? Demanded by the policy; if it says nothing
 * of banks, given by the evidence. */
bool appraise_bank(const struct appraisal *a, enum expect_bank bank);

/* Why this evidence is not judged by the policy; NULL: it is. */
const char *appraise_unjudged(const struct appraisal *a);

/* Its parts, by file. */
void check_quote(const struct appraisal *a);	 /* key, quote, signature, PCR digest */
void check_event_log(const struct appraisal *a); /* form, replay, separators, events */
int check_reference(const struct appraisal *a, struct err *e); /* against the policy's values */

/* "ID.BANK.PCR" into out. */
void check_id(char out[32], const char *id, enum expect_bank bank, unsigned pcr);

#endif
