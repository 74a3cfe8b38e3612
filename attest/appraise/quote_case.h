/* The checks that every TPM quote goes through, whatever file it came in. */
#ifndef PAVISE_ATTEST_APPRAISE_QUOTE_CASE_H
#define PAVISE_ATTEST_APPRAISE_QUOTE_CASE_H

#include "attest/appraise/checks.h"
#include "attest/tpm/key.h"
#include "attest/tpm/pcrs.h"

struct quote_bytes {
	const uint8_t *data;
	size_t size; /* bytes */
};

struct quote_case {
	struct checks *checks;
	/* The forms of attest/tpm/key.h, a TPM2B around a structure and a signature without its
	 * TPMT_SIGNATURE are taken, too. Else only what docs/PROTOCOL.evidence says. */
	bool any_form;
	struct quote_bytes key, attest, signature;
	/* Filled by the checks; the bytes above then are those without a TPM2B. */
	struct tpm_key ak;
	struct tpm_quote quote;
	struct tpm_signature parsed_signature;
	bool ak_ok, quote_ok, signature_ok;
};

/* In this order: each uses what those before it filled. */
void check_ak_form(struct quote_case *c);	  /* ak.form */
void check_quote_form(struct quote_case *c);	  /* quote.form */
void check_quote_signature(struct quote_case *c); /* quote.signature */

/* quote.binding: extraData must be these n bytes; `what` says in a text what they are. */
void check_quote_extra(const struct quote_case *c, const uint8_t *want, size_t n, const char *what);

/* quote.pcr_digest: are these the values quoted? True: they are. */
bool check_quote_digest(const struct quote_case *c, const struct tpm_pcrs *pcrs);

void quote_case_free(struct quote_case *c);

#endif
