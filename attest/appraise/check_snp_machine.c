/* What the guest was launched with and what it runs on: bits of POLICY, PLATFORM_INFO and KEY_INFO.
 * The measurement covers none of them: the host chooses them at launch. */
#include "attest/appraise/check_snp.h"
#include "attest/snp/bits.h"

#include "common/bytes.h"

#include <stdio.h>
#include <string.h>

static void mask_text(uint64_t v, char out[20])
{
	snprintf(out, 20, "0x%llx", (unsigned long long)v);
}

static void check_guest_policy(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.guest_policy";
	uint64_t policy = s->report.policy;
	char have[20], need[20] = "";

	if (!snp_judged(a, id))
		return;
	mask_text(policy, have);
	if (a->reference != NULL)
		mask_text(a->reference->guest_policy, need);
	if ((policy & SNP_POLICY_ONE) == 0 || (policy & ~SNP_POLICY_DEFINED) != 0)
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "bit 17 must be one, bits 26 to 63 are not defined");
	else if (a->reference != NULL && policy != a->reference->guest_policy)
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "launched with another guest policy than the plan's");
	else
		check_pass(a->checks, id, have, "%s",
			   a->reference != NULL ? "the guest policy of the plan" : "well formed");
}

static void check_guest_abi(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.guest_policy.abi";
	const struct snp_policy *p = a->policy;
	struct snp_version have = { .major = (uint8_t)(s->report.policy >> 8),
				    .minor = (uint8_t)s->report.policy };
	char have_text[12], need_text[12];

	if (!snp_stated(a, id, p != NULL && p->min_guest_abi.given != 0))
		return;
	struct snp_version need = {
		.major = (uint8_t)p->min_guest_abi.value[SNP_VERSION_MAJOR],
		.minor = (uint8_t)p->min_guest_abi.value[SNP_VERSION_MINOR],
	};
	snprintf(have_text, sizeof(have_text), "%u.%u", have.major, have.minor);
	snprintf(need_text, sizeof(need_text), "%u.%u", need.major, need.minor);
	if (snp_version_compare(have, need) >= 0)
		check_pass(a->checks, id, have_text, "the guest demanded at least this ABI");
	else
		check_fail(a->checks, id, EX_REFUSED, have_text, need_text,
			   "the guest was launched for older firmware than the policy wants");
}

/* A set of bits under the rules of a policy. */
struct bit_rule {
	const char *id, *object;
	const char *const *names;
	const struct snp_bit *bits;
	uint64_t value;
	const struct policy_words *require, *forbid;
};

/* The first that breaks a rule is told; a bit that is not defined is none that is on. */
static void check_bits(const struct snp_appraisal *a, const struct snp_subject *s,
		       const struct bit_rule *rule)
{
	char mask[20];

	if (!snp_stated(a, rule->id,
			rule->require != NULL && (rule->require->given || rule->forbid->given)))
		return;
	for (unsigned i = 0; rule->names[i] != NULL; i++) {
		enum snp_bit_state state = snp_bit_state(&rule->bits[i], rule->value, &s->report);
		bool want_on = (rule->require->set >> i & 1) != 0;
		bool want_off = (rule->forbid->set >> i & 1) != 0;
		if ((!want_on || state == SNP_BIT_ON) && (!want_off || state != SNP_BIT_ON))
			continue;
		check_fail(a->checks, rule->id, EX_REFUSED, snp_bit_text(state),
			   want_on ? "on" : "off", "%s: \"%s\" is %s%s", rule->object,
			   rule->names[i], snp_bit_text(state),
			   state == SNP_BIT_UNDEFINED ? " by this version of the firmware" : "");
		check_tell(a->checks, rule->names[i], NULL,
			   state == SNP_BIT_UNDEFINED ? "have the firmware updated" : NULL);
		return;
	}
	mask_text(rule->value, mask);
	check_pass(a->checks, rule->id, mask, "%s is as the policy wants", rule->object);
}

static void check_debug(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.debug";
	bool debug = (s->report.policy & SNP_POLICY_DEBUG) != 0;

	if (!snp_judged(a, id))
		return;
	if (!debug)
		check_pass(a->checks, id, "off", "the host cannot debug this guest");
	else if (a->policy->allow_debug)
		check_pass(a->checks, id, "on",
			   "the host can read and change this guest; the policy allows it");
	else
		check_fail(a->checks, id, EX_REFUSED, "on", "off",
			   "launched with DEBUG: the host can read and change this guest");
}

/* Bit 18 alone or an agent's report id: either lets the guest be moved by a migration agent. */
static void check_migration(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.migration";
	const struct snp_policy *p = a->policy;
	bool bit = (s->report.policy & SNP_POLICY_MIGRATE_MA) != 0, named = false;
	char have[65];

	if (!snp_judged(a, id))
		return;
	for (unsigned i = 0; i < 32; i++)
		named |= s->report.report_id_ma[i] != 0xFF;
	hex_encode(s->report.report_id_ma, 32, have);
	if (!bit && !named)
		check_pass(a->checks, id, "none", "no migration agent");
	else if (!p->allow_migration)
		check_fail(a->checks, id, EX_REFUSED, named ? have : "possible", "none",
			   "a migration agent may hold this guest's memory: another guest that "
			   "must be trusted as well");
	else if (p->migration_agents.count > 0 &&
		 !policy_digest_listed(&p->migration_agents, s->report.report_id_ma, 32))
		check_fail(a->checks, id, EX_REFUSED, named ? have : "possible",
			   "an agent of the policy",
			   "its migration agent (REPORT_ID_MA) is none that the policy lists");
	else
		check_pass(a->checks, id, named ? have : "possible", "the policy allows it");
}

static void check_smt(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.smt";
	bool smt = (s->report.policy & SNP_POLICY_SMT) != 0;

	if (!snp_judged(a, id))
		return;
	if (smt && !a->policy->allow_smt)
		check_fail(a->checks, id, EX_REFUSED, "allowed", "forbidden",
			   "the guest may share a core with another one");
	else
		check_pass(a->checks, id, smt ? "allowed" : "forbidden", "as the policy wants");
}

static void check_vmpl(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.vmpl";
	const struct snp_policy *p = a->policy;
	char have[16], need[16];

	snprintf(have, sizeof(have), "%u", s->report.vmpl);
	if (!snp_stated(a, id, p != NULL && p->vmpl.given))
		return;
	snprintf(need, sizeof(need), "%llu", (unsigned long long)p->vmpl.value);
	if (s->report.vmpl == p->vmpl.value)
		check_pass(a->checks, id, have, "asked for at the VMPL of the policy");
	else
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "asked for by software of another privilege level");
}

/* AUTHOR_KEY_EN says whether AUTHOR_KEY_DIGEST is one; an author signs ID keys only. */
static void check_key_info(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.key_info";
	static const uint8_t none[SNP_MEASUREMENT_SIZE];
	const struct snp_report *r = &s->report;
	bool author = memcmp(r->author_key_digest, none, sizeof(none)) != 0;
	bool id_key = memcmp(r->id_key_digest, none, sizeof(none)) != 0;
	bool enabled = (r->key_info & SNP_KEY_INFO_AUTHOR) != 0;
	char have[20];

	mask_text(r->key_info, have);
	if (!snp_judged(a, id))
		return;
	if (enabled != author || (author && !id_key)) {
		check_fail(a->checks, id, EX_REFUSED, have, NULL,
			   enabled != author
				   ? "AUTHOR_KEY_EN and AUTHOR_KEY_DIGEST contradict each other"
				   : "an author key without an ID key that it could have signed");
		check_tell(a->checks, "AUTHOR_KEY_EN", NULL, NULL);
	} else {
		check_pass(a->checks, id, have, "%s%s",
			   author   ? "launched with an ID block, its key signed by an author"
			   : id_key ? "launched with an ID block"
				    : "launched without an ID block",
			   (r->key_info & SNP_KEY_INFO_RESERVED) != 0 ? "; has unknown bits" : "");
	}
}

void check_snp_machine(const struct snp_appraisal *a, const struct snp_subject *s)
{
	const struct snp_policy *p = a->policy;
	const struct bit_rule guest = {
		.id = "snp.guest_policy.bits",
		.object = "POLICY",
		.names = snp_guest_names,
		.bits = snp_guest_bits,
		.value = s->report.policy,
		.require = p != NULL ? &p->require_guest_policy : NULL,
		.forbid = p != NULL ? &p->forbid_guest_policy : NULL,
	};
	const struct bit_rule platform = {
		.id = "snp.platform",
		.object = "PLATFORM_INFO",
		.names = snp_platform_names,
		.bits = snp_platform_bits,
		.value = s->report.platform_info,
		.require = p != NULL ? &p->require_platform : NULL,
		.forbid = p != NULL ? &p->forbid_platform : NULL,
	};

	check_guest_policy(a, s);
	check_guest_abi(a, s);
	check_bits(a, s, &guest);
	check_debug(a, s);
	check_migration(a, s);
	check_smt(a, s);
	check_vmpl(a, s);
	check_key_info(a, s);
	check_bits(a, s, &platform);
}
