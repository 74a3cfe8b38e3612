/* PCR values of any bank, and the digest that a quote signs over them. */
#ifndef PAVISE_ATTEST_TPM_PCRS_H
#define PAVISE_ATTEST_TPM_PCRS_H

#include "attest/tpm/quote.h"

#define TPM_PCRS_FILE_MAX 65536u /* bytes */

struct tpm_pcr_bank {
	uint16_t alg;
	uint32_t given; /* bit n: PCR n */
	uint8_t value[TPM_PCR_COUNT][TPM_DIGEST_MAX];
};

struct tpm_pcrs {
	size_t count;
	struct tpm_pcr_bank bank[TPM_SELECTION_MAX];
};

/* The bank of an algorithm; NULL when there is none. */
const struct tpm_pcr_bank *tpm_pcrs_bank(const struct tpm_pcrs *p, uint16_t alg);

/* What a file of PCR values holds: a JSON object {"sha256": {"0": "hex", …}, …} (a list of values
 * from PCR 0 on in the place of the inner object, or all of it below "pcrs", is accepted); or the
 * values that q selects, one after the other in its order; or all 24 of its only bank.
 * -EX_MALFORMED. */
int tpm_pcrs_parse(const uint8_t *data, size_t size, const struct tpm_quote *q,
		   struct tpm_pcrs *out, struct err *e);

/* H over the selected values, in the order of the selection (Part 1 §"PCR digest"; Part 3 Quote):
 * tpm_alg_size(hash) bytes into out. -EX_UNAUTHENTIC when a selected value is not given. */
int tpm_pcrs_digest(const struct tpm_pcrs *p, const struct tpm_quote *q, uint16_t hash,
		    uint8_t *out, struct err *e);

#endif
