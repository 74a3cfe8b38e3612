/* PCR values in a policy: {"sha256": {"7": ["hex", …], …}, "sha384": …}, each PCR with the values
 * that it may have. */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_PCRS_H
#define PAVISE_ATTEST_APPRAISE_POLICY_PCRS_H

#include "attest/tpm/alg.h"
#include "common/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define POLICY_PCR_BANKS 2u  /* sha256, sha384 */
#define POLICY_PCR_VALUES 8u /* that one PCR may have */

struct policy_pcrs {
	struct {
		uint32_t given; /* bit n: PCR n has values */
		uint8_t count[TPM_PCR_COUNT];
		uint8_t value[TPM_PCR_COUNT][POLICY_PCR_VALUES][48];
	} bank[POLICY_PCR_BANKS];
};

/* TPM_ALG_ID of a bank. */
uint16_t policy_pcrs_alg(unsigned bank);

bool policy_pcrs_given(const struct policy_pcrs *p);

/* path names the object in texts; null: no values. -EX_MALFORMED. */
int policy_pcrs_read(const char *path, const json_t *object, struct policy_pcrs *out,
		     struct err *e);

/* In the form of the file, on one line. */
void policy_pcrs_print(FILE *f, const struct policy_pcrs *p);

/* May that PCR have this value (of the bank's size)? Compared in constant time. */
bool policy_pcrs_accept(const struct policy_pcrs *p, unsigned bank, unsigned pcr,
			const uint8_t *value);

#endif
