/* The part of a policy that is for event logs: the object "event_log" (docs/PROTOCOL.policy). */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_LOG_H
#define PAVISE_ATTEST_APPRAISE_POLICY_LOG_H

#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"

struct log_policy {
	bool require; /* a log must be given that explains the measured registers */
};

/* Fills *out with what the built-in policy has. */
void policy_log_base(enum policy_base base, struct log_policy *out);

#endif
