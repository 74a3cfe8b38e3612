/* The checks of an event log beside attested register values: a TPM's, or a confidential machine's.
 * Every one appears; each register is one check, so that a policy can say which of them count. */
#ifndef PAVISE_ATTEST_APPRAISE_LOG_CASE_H
#define PAVISE_ATTEST_APPRAISE_LOG_CASE_H

#include "attest/appraise/checks.h"
#include "attest/appraise/policy_log.h"
#include "attest/tpm/eventlog.h"
#include "attest/tpm/pcrs.h"

/* Attested values of one bank, by the index that the log uses. */
struct log_bank {
	uint16_t alg;
	uint32_t given; /* bit n: value[n] */
	const uint8_t *value[TPM_PCR_COUNT];
};

struct log_case {
	struct checks *checks;
	const uint8_t *data; /* NULL: none given */
	size_t size;	     /* bytes */
	bool cc;	     /* indices are those of a CC log: 1 to 4 are RTMR0 to RTMR3 */
	bool allow_sha1;     /* values of that bank count */
	const struct log_policy *policy;
	const char *unjudged; /* why meaning is not judged; NULL: it is */
	size_t bank_count;
	struct log_bank bank[TPM_SELECTION_MAX];
};

/* Checks log.form, log.replay (.BANK.PCR or .rtmrN), log.separators, log.events, log.digests,
 * log.secure_boot; claim log.secure_boot. */
void check_log_case(const struct log_case *c);

/* A CC log beside the RTMRs of an authentic quote; data NULL: none given. */
void check_cc_log(const uint8_t *data, size_t size, const uint8_t rtmr[EVENTLOG_RTMRS][48],
		  const struct log_policy *policy, const char *unjudged, struct checks *checks);

/* log.secure_boot alone; replayed: bit n says that register n does. */
void check_log_secure_boot(const struct log_case *c, uint32_t replayed);

/* All of them skipped, for that reason. */
void skip_log_checks(struct checks *checks, const char *why);

#endif
