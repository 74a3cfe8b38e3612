#include "attest/appraise/policy_log.h"

#include <stddef.h>

#define FIELD(f) offsetof(struct log_policy, f)

/* In the order of enum secure_boot. */
static const char *const secure_boot_words[] = { "unknown", "off", "on", NULL };

const struct policy_key policy_log_keys[] = {
	{ "require", POLICY_BOOL, FIELD(require), 0, NULL,
	  "an event log must be given with the quote" },
	{ "pcrs", POLICY_MASK, FIELD(pcrs), 0, NULL,
	  "PCRs whose quoted values the log must lead to (bit n: PCR n)" },
	{ "rtmrs", POLICY_MASK, FIELD(rtmrs), 0, NULL,
	  "RTMRs whose quoted values the log must lead to (bit n: RTMRn)" },
	{ "allow_unknown_events", POLICY_BOOL, FIELD(allow_unknown_events), 0, NULL,
	  "events may be of types that no profile names" },
	{ "allow_opaque_tail", POLICY_BOOL, FIELD(allow_opaque_tail), 0, NULL,
	  "the log may end in bytes that are no event" },
	{ "allow_separators", POLICY_BOOL, FIELD(allow_separators), 0, NULL,
	  "separators may be missing, repeated or of any value" },
	{ "secure_boot", POLICY_WORDS, FIELD(secure_boot), 0, secure_boot_words,
	  "states of UEFI Secure Boot that are accepted, as the log has them" },
	{ .name = NULL },
};

/* What runs after the firmware extends PCR 8 and above, and RTMR3, without a word in the log. */
void policy_log_base(enum policy_base base, struct log_policy *out)
{
	*out = (struct log_policy){ .require = base == POLICY_STRICT,
				    .pcrs = 0xFF,
				    .rtmrs = 0x7,
				    .allow_unknown_events = base != POLICY_STRICT,
				    .allow_opaque_tail = base == POLICY_PERMISSIVE };
}
