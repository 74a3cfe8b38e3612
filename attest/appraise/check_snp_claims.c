/* What a report claims, against what the policy accepts. */
#include "attest/appraise/check_snp.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define GUEST_POLICY_BITS 0x3FFFFFFull /* defined by 56860; the rest must be zero */

/* Firmware never reports what it has not committed, nor commits what it does not run. */
static void check_tcb_order(const struct snp_appraisal *a, const struct snp_subject *s)
{
	const struct snp_report *r = &s->report;
	const struct {
		const char *low_name, *high_name;
		const uint8_t *low, *high;
	} pairs[] = {
		{ "REPORTED_TCB", "COMMITTED_TCB", r->reported_tcb, r->committed_tcb },
		{ "COMMITTED_TCB", "CURRENT_TCB", r->committed_tcb, r->current_tcb },
		{ "LAUNCH_TCB", "CURRENT_TCB", r->launch_tcb, r->current_tcb },
	};
	char have[160], need[160];
	unsigned byte;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (snp_tcb_at_least(pairs[i].high, pairs[i].low, &byte))
			continue;
		snp_tcb_text(s->product, pairs[i].low, have, sizeof(have));
		snp_tcb_text(s->product, pairs[i].high, need, sizeof(need));
		check_fail(a->checks, "snp.tcb.order", EX_REFUSED, have, need,
			   "%s is above %s in \"%s\"", pairs[i].low_name, pairs[i].high_name,
			   snp_component_name(snp_tcb_component(s->product, byte)));
		return;
	}
	snp_tcb_text(s->product, r->reported_tcb, have, sizeof(have));
	check_pass(a->checks, "snp.tcb.order", have,
		   "REPORTED_TCB <= COMMITTED_TCB <= CURRENT_TCB, LAUNCH_TCB <= CURRENT_TCB");
}

/* Component by component, for what runs and for what launched the guest. */
static void check_tcb_minimum(const struct snp_appraisal *a, const struct snp_subject *s)
{
	const struct snp_policy *p = a->policy;
	char have[32], need[32];
	bool any = false;

	for (unsigned i = 0; i < SNP_COMPONENTS; i++) {
		const char *name = snp_component_name((enum snp_component)i);
		unsigned want = (unsigned)p->min_tcb.value[i];
		if ((p->min_tcb.given >> i & 1) == 0)
			continue;
		any = true;
		snprintf(need, sizeof(need), "%s %u", name, want);
		int byte = s->product == SNP_UNKNOWN
				   ? -1
				   : snp_tcb_byte(s->product, (enum snp_component)i);
		if (byte < 0) {
			check_fail(a->checks, "snp.tcb.minimum", EX_REFUSED, "none", need,
				   "%s has no such component", snp_product_name(s->product));
			return;
		}
		uint8_t reported = s->report.reported_tcb[byte];
		uint8_t launch = s->report.launch_tcb[byte];
		uint8_t least = reported < launch ? reported : launch;
		snprintf(have, sizeof(have), "%s %u", name, least);
		if (least < want) {
			check_fail(a->checks, "snp.tcb.minimum", EX_REFUSED, have, need,
				   "%s is below the policy's minimum",
				   reported < want ? "REPORTED_TCB" : "LAUNCH_TCB");
			return;
		}
	}
	if (any)
		check_pass(a->checks, "snp.tcb.minimum", NULL,
			   "REPORTED_TCB and LAUNCH_TCB are at least the policy's minimum");
	else
		check_skip(a->checks, "snp.tcb.minimum", "the policy states none");
}

/* The measurement does not cover the guest policy: the host chooses it at launch. */
static void check_guest_policy(const struct snp_appraisal *a, const struct snp_subject *s)
{
	uint64_t policy = s->report.policy;
	char have[32], need[32] = "";

	snprintf(have, sizeof(have), "0x%llx", (unsigned long long)policy);
	if (a->reference != NULL)
		snprintf(need, sizeof(need), "0x%llx",
			 (unsigned long long)a->reference->guest_policy);
	if ((policy & SNP_POLICY_ONE) == 0 || (policy & ~GUEST_POLICY_BITS) != 0)
		check_fail(a->checks, "snp.guest_policy", EX_REFUSED, have, need,
			   "bit 17 must be one, bits 26 to 63 are not defined");
	else if (a->reference != NULL && policy != a->reference->guest_policy)
		check_fail(a->checks, "snp.guest_policy", EX_REFUSED, have, need,
			   "launched with another guest policy than the plan's");
	else
		check_pass(a->checks, "snp.guest_policy", have, "%s",
			   a->reference != NULL ? "the guest policy of the plan" : "well formed");
}

static void check_debug(const struct snp_appraisal *a, const struct snp_subject *s)
{
	bool debug = (s->report.policy & SNP_POLICY_DEBUG) != 0;

	if (!debug)
		check_pass(a->checks, "snp.debug", "off", "the host cannot debug this guest");
	else if (a->policy->allow_debug)
		check_pass(a->checks, "snp.debug", "on",
			   "the host can read and change this guest; the policy allows it");
	else
		check_fail(a->checks, "snp.debug", EX_REFUSED, "on", "off",
			   "launched with DEBUG: the host can read and change this guest");
}

/* Bit 18 alone or an agent's report id: either lets the guest be moved by a migration agent. */
static void check_migration(const struct snp_appraisal *a, const struct snp_subject *s)
{
	bool agent = (s->report.policy & SNP_POLICY_MIGRATE_MA) != 0;

	for (unsigned i = 0; i < 32; i++)
		agent |= s->report.report_id_ma[i] != 0xFF;
	if (!agent)
		check_pass(a->checks, "snp.migration", "none", "no migration agent");
	else if (a->policy->allow_migration)
		check_pass(a->checks, "snp.migration", "possible", "the policy allows it");
	else
		check_fail(a->checks, "snp.migration", EX_REFUSED, "possible", "none",
			   "a migration agent may hold this guest's memory: another guest that "
			   "must be trusted as well");
}

static void check_smt(const struct snp_appraisal *a, const struct snp_subject *s)
{
	bool smt = (s->report.policy & SNP_POLICY_SMT) != 0;

	if (smt && !a->policy->allow_smt)
		check_fail(a->checks, "snp.smt", EX_REFUSED, "allowed", "forbidden",
			   "the guest may share a core with another one");
	else
		check_pass(a->checks, "snp.smt", smt ? "allowed" : "forbidden",
			   "as the policy wants");
}

static void check_vmpl(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char have[16], need[16];

	snprintf(have, sizeof(have), "%u", s->report.vmpl);
	if (!a->policy->vmpl.given) {
		check_skip(a->checks, "snp.vmpl",
			   "the policy states none; the report was asked for at VMPL %s", have);
		return;
	}
	snprintf(need, sizeof(need), "%u", (unsigned)a->policy->vmpl.value);
	if (s->report.vmpl == a->policy->vmpl.value)
		check_pass(a->checks, "snp.vmpl", have, "asked for at the VMPL of the policy");
	else
		check_fail(a->checks, "snp.vmpl", EX_REFUSED, have, need,
			   "asked for by software of another privilege level");
}

/* The index of digest among those that the plan's files lead to; count when it is none of them.
 * Every one is compared. */
static size_t find(const struct snp_reference *ref, const uint8_t *digest)
{
	size_t at = ref->count;

	for (size_t i = 0; i < ref->count; i++)
		if (CRYPTO_memcmp(ref->measurement[i], digest, SNP_MEASUREMENT_SIZE) == 0 &&
		    at == ref->count)
			at = i;
	return at;
}

static void check_planned(const struct snp_appraisal *a, const uint8_t *digest, const char *have)
{
	const struct snp_reference *ref = a->reference;
	size_t at = find(ref, digest);
	char need[97];

	hex_encode(ref->measurement[0], SNP_MEASUREMENT_SIZE, need);
	if (at < ref->count)
		check_pass(a->checks, "snp.measurement", have, "what the plan's files lead to, %s",
			   ref->machine[at]);
	else
		check_fail(a->checks, "snp.measurement", EX_REFUSED, have, need,
			   "the launch digest is none of the %zu that the plan's files lead to",
			   ref->count);
}

static void check_measurement(const struct snp_appraisal *a, const struct snp_subject *s)
{
	const struct policy_digests *list = &a->policy->measurements;
	char have[97], need[97] = "";

	hex_encode(s->report.measurement, SNP_MEASUREMENT_SIZE, have);
	if (a->reference != NULL) {
		check_planned(a, s->report.measurement, have);
	} else if (list->count > 0) {
		hex_encode(list->value[0], SNP_MEASUREMENT_SIZE, need);
		if (policy_digest_listed(list, s->report.measurement, SNP_MEASUREMENT_SIZE))
			check_pass(a->checks, "snp.measurement", have,
				   "a reference value of the policy");
		else
			check_fail(a->checks, "snp.measurement", EX_REFUSED, have, need,
				   "the launch digest is none of the %zu that the policy states",
				   list->count);
	} else if (a->policy->require_measurement) {
		check_fail(a->checks, "snp.measurement", EX_REFUSED, have, "a reference value",
			   "the policy demands reference values and has none");
	} else {
		check_skip(a->checks, "snp.measurement",
			   "no reference values: what was booted was not judged");
		a->checks->no_reference = true;
	}
}

static void check_host_data(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char have[65], need[65];

	if (!a->policy->host_data.given) {
		check_skip(a->checks, "snp.host_data", "the policy states none");
		return;
	}
	hex_encode(s->report.host_data, 32, have);
	hex_encode(a->policy->host_data.value, 32, need);
	if (CRYPTO_memcmp(s->report.host_data, a->policy->host_data.value, 32) == 0)
		check_pass(a->checks, "snp.host_data", have, "HOST_DATA is the policy's");
	else
		check_fail(a->checks, "snp.host_data", EX_REFUSED, have, need,
			   "HOST_DATA is not the policy's");
}

static void check_guest_svn(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char have[16], need[16];

	if (a->policy->min_guest_svn == 0) {
		check_skip(a->checks, "snp.guest_svn", "the policy states no minimum");
		return;
	}
	snprintf(have, sizeof(have), "%u", s->report.guest_svn);
	snprintf(need, sizeof(need), "%u", (unsigned)a->policy->min_guest_svn);
	if (s->report.guest_svn >= a->policy->min_guest_svn)
		check_pass(a->checks, "snp.guest_svn", have, "at least the policy's minimum");
	else
		check_fail(a->checks, "snp.guest_svn", EX_REFUSED, have, need,
			   "GUEST_SVN is below the policy's minimum");
}

static void check_key_digest(const struct snp_appraisal *a, const char *id, const uint8_t *digest,
			     const struct policy_digests *list)
{
	char have[97];

	if (list->count == 0) {
		check_skip(a->checks, id, "the policy states none");
		return;
	}
	hex_encode(digest, SNP_MEASUREMENT_SIZE, have);
	if (policy_digest_listed(list, digest, SNP_MEASUREMENT_SIZE))
		check_pass(a->checks, id, have, "a key of the policy signed the launch");
	else
		check_fail(a->checks, id, EX_REFUSED, have, "a digest of the policy",
			   "no key of the policy signed the launch");
}

static void check_binding(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char have[129], need[129];

	hex_encode(s->report.report_data, 64, have);
	if (a->report_data == NULL) {
		check_skip(a->checks, "snp.binding",
			   "nobody said what REPORT_DATA must be: "
			   "the report may be old, or another's");
		return;
	}
	hex_encode(a->report_data, 64, need);
	if (CRYPTO_memcmp(s->report.report_data, a->report_data, 64) == 0)
		check_pass(a->checks, "snp.binding", have, "REPORT_DATA binds what it must");
	else
		check_fail(a->checks, "snp.binding", EX_UNAUTHENTIC, have, need,
			   "REPORT_DATA binds something else: another nonce, key or guest");
}

/* What says how the guest was launched, not whether the report is genuine. */
static void judge_claims(const struct snp_appraisal *a, const struct snp_subject *s)
{
	check_tcb_order(a, s);
	check_tcb_minimum(a, s);
	check_guest_policy(a, s);
	check_debug(a, s);
	check_migration(a, s);
	check_smt(a, s);
	check_vmpl(a, s);
	check_measurement(a, s);
	check_host_data(a, s);
	check_guest_svn(a, s);
	check_key_digest(a, "snp.id_key", s->report.id_key_digest, &a->policy->id_key_digests);
	check_key_digest(a, "snp.author_key", s->report.author_key_digest,
			 &a->policy->author_key_digests);
}

void check_snp_claims(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char *const judged[] = {
		"snp.tcb.order", "snp.tcb.minimum", "snp.guest_policy", "snp.debug",
		"snp.migration", "snp.smt",	    "snp.vmpl",		"snp.measurement",
		"snp.host_data", "snp.guest_svn",   "snp.id_key",	"snp.author_key",
	};

	if (a->policy != NULL)
		judge_claims(a, s);
	for (size_t i = 0; a->policy == NULL && i < sizeof(judged) / sizeof(judged[0]); i++)
		check_skip(a->checks, judged[i], "%s", a->unjudged);
	check_binding(a, s);
	/* Bits come with firmware versions, not with report versions: no rule for them yet. */
	check_skip(a->checks, "snp.platform", "PLATFORM_INFO 0x%llx: shown, not judged",
		   (unsigned long long)s->report.platform_info);
}
