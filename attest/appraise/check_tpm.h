/* The checks of a TPM quote alone that a bundle has in another form, or not at all. */
#ifndef PAVISE_ATTEST_APPRAISE_CHECK_TPM_H
#define PAVISE_ATTEST_APPRAISE_CHECK_TPM_H

#include "attest/appraise/log_case.h"
#include "attest/appraise/quote_case.h"
#include "attest/appraise/request.h"

struct tpm_appraisal {
	struct checks *checks;
	const struct request *request;
	const struct policy *policy;
	const char *unjudged;		/* why claims are not judged; NULL: they are */
	STACK_OF(X509) * roots, *chain; /* owned by the caller; at most one root */
	struct quote_case quote;
	/* Filled by check_tpm_values. */
	struct tpm_pcrs pcrs;
	bool pcrs_given, pcrs_ok; /* ok: they are the quoted ones */
};

void check_tpm_provenance(struct tpm_appraisal *a);	 /* ak.provenance */
void check_tpm_nonce(const struct tpm_appraisal *a);	 /* freshness, quote.binding */
void check_tpm_selection(const struct tpm_appraisal *a); /* quote.selection */
void check_tpm_values(struct tpm_appraisal *a); /* quote.pcr_digest, pcr.BANK.N, reference.pcrs */
void check_tpm_clock(const struct tpm_appraisal *a); /* quote.clock */
void check_tpm_log(const struct tpm_appraisal *a);   /* log.… */

/* Parts of them that bundles have, too. Of quote.selection: does the quote cover the PCRs of the
 * banks that the policy's object "tpm" names? False: that failed, and was said. */
bool check_tpm_demands(const struct tpm_appraisal *a);
/* pcr.BANK.N for the values of that object. */
void check_tpm_listed(const struct tpm_appraisal *a);

void claim_tpm(const struct tpm_appraisal *a); /* claims tpm.… */

#endif
