/* The part of a policy that is for event logs: the object "event_log" (docs/PROTOCOL.policy). */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_LOG_H
#define PAVISE_ATTEST_APPRAISE_POLICY_LOG_H

#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"

struct log_policy {
	bool require; /* a log must be given that explains the measured registers */
	/* Registers that the log must lead to the attested value of: bit n is PCR n, or RTMRn. */
	uint64_t pcrs, rtmrs;
	bool allow_unknown_events;	 /* of types that no profile names */
	bool allow_opaque_tail;		 /* bytes behind the last event that are none */
	bool allow_separators;		 /* as many separators as there are, of any value */
	struct policy_words secure_boot; /* bit n: enum secure_boot n */
};

/* Fills *out with what the built-in policy has. */
void policy_log_base(enum policy_base base, struct log_policy *out);

#endif
