/* Values of a report that the policy, its plan or the caller states. */
#include "attest/appraise/check_snp.h"

#include "attest/appraise/check_bundle.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>

static bool reference_listed(const struct snp_reference *r, const uint8_t *digest, size_t *at)
{
	bool found = false;

	for (size_t i = 0; i < r->count; i++)
		if (CRYPTO_memcmp(r->measurement[i], digest, SNP_MEASUREMENT_SIZE) == 0 && !found) {
			*at = i;
			found = true;
		}
	return found;
}

static void check_plan(const struct snp_appraisal *a, const char *id, const uint8_t *digest)
{
	const struct snp_reference *r = a->reference;
	char have[97], need[97] = "";
	size_t at = 0;

	hex_encode(digest, SNP_MEASUREMENT_SIZE, have);
	if (reference_listed(r, digest, &at)) {
		check_pass(a->checks, id, have, "what the plan's files lead to, %s",
			   r->machine[at]);
		return;
	}
	if (r->count > 0)
		hex_encode(r->measurement[0], SNP_MEASUREMENT_SIZE, need);
	check_fail(a->checks, id, EX_REFUSED, have, need,
		   "the launch digest is none of the %zu that the plan's files lead to", r->count);
	check_tell(a->checks, "MEASUREMENT", NULL,
		   "compare with pavise measure snp --explain on the files that were launched");
}

/* Without reference values the verdict says so. */
static void no_reference(const struct snp_appraisal *a, const char *id, const char *have)
{
	if (!a->policy->require_measurement) {
		check_skip(a->checks, id, "no reference values: what was booted was not judged");
		a->checks->no_reference = true;
		return;
	}
	check_fail(a->checks, id, EX_REFUSED, have, "a reference value",
		   "the policy demands reference values and has none");
	check_tell(a->checks, "MEASUREMENT", NULL,
		   "name a plan, a bundle or \"measurements\" in the policy");
}

static void check_measurement(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.measurement";
	const struct snp_policy *p = a->policy;
	const uint8_t *digest = s->report.measurement;
	char have[97], need[97];

	if (!snp_judged(a, id))
		return;
	hex_encode(digest, SNP_MEASUREMENT_SIZE, have);
	if (a->reference != NULL) {
		check_plan(a, id, digest);
	} else if (a->bundle != NULL) {
		check_bundled_snp(a->bundle, id, digest, s->report.policy, a->checks);
	} else if (p->measurements.count == 0) {
		no_reference(a, id, have);
	} else if (policy_digest_listed(&p->measurements, digest, SNP_MEASUREMENT_SIZE)) {
		check_pass(a->checks, id, have, "a reference value of the policy");
	} else {
		hex_encode(p->measurements.value[0], SNP_MEASUREMENT_SIZE, need);
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "the launch digest is none of the %zu that the policy states",
			   p->measurements.count);
	}
}

static void check_bytes(const struct snp_appraisal *a, const char *id, const char *name,
			const uint8_t *value, size_t n, const struct policy_bytes *want)
{
	char have[2 * POLICY_BYTES_MAX + 1], need[2 * POLICY_BYTES_MAX + 1];

	if (!snp_stated(a, id, want != NULL && want->given))
		return;
	hex_encode(value, n, have);
	hex_encode(want->value, n, need);
	if (CRYPTO_memcmp(value, want->value, n) == 0)
		check_pass(a->checks, id, have, "%s is the policy's", name);
	else
		check_fail(a->checks, id, EX_REFUSED, have, need, "%s is not the policy's", name);
}

static void check_guest_svn(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.guest_svn";
	char have[16], need[24];

	if (!snp_stated(a, id, a->policy != NULL && a->policy->min_guest_svn != 0))
		return;
	snprintf(have, sizeof(have), "%u", s->report.guest_svn);
	snprintf(need, sizeof(need), "%llu", (unsigned long long)a->policy->min_guest_svn);
	if (s->report.guest_svn >= a->policy->min_guest_svn)
		check_pass(a->checks, id, have, "at least the policy's minimum");
	else
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "GUEST_SVN is below the policy's minimum");
}

static void check_key_digest(const struct snp_appraisal *a, const char *id, const uint8_t *digest,
			     const struct policy_digests *list)
{
	char have[97];

	if (!snp_stated(a, id, list != NULL && list->count > 0))
		return;
	hex_encode(digest, SNP_MEASUREMENT_SIZE, have);
	if (policy_digest_listed(list, digest, SNP_MEASUREMENT_SIZE))
		check_pass(a->checks, id, have, "a key of the policy signed the launch");
	else
		check_fail(a->checks, id, EX_REFUSED, have, "a digest of the policy",
			   "no key of the policy signed the launch");
}

static void check_binding(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.binding";
	char have[129], need[129];

	hex_encode(s->report.report_data, 64, have);
	if (a->report_data == NULL) {
		check_skip(a->checks, id,
			   "nobody said what REPORT_DATA must be: the report may be old, or "
			   "another's");
		return;
	}
	hex_encode(a->report_data, 64, need);
	if (CRYPTO_memcmp(s->report.report_data, a->report_data, 64) == 0)
		check_pass(a->checks, id, have, "REPORT_DATA binds what it must");
	else
		check_fail(a->checks, id, EX_UNAUTHENTIC, have, need,
			   "REPORT_DATA binds something else: another nonce, key or guest");
}

void check_snp_values(const struct snp_appraisal *a, const struct snp_subject *s)
{
	const struct snp_policy *p = a->policy;
	const struct snp_report *r = &s->report;

	check_measurement(a, s);
	check_bytes(a, "snp.host_data", "HOST_DATA", r->host_data, 32, p ? &p->host_data : NULL);
	check_bytes(a, "snp.family_id", "FAMILY_ID", r->family_id, 16, p ? &p->family_id : NULL);
	check_bytes(a, "snp.image_id", "IMAGE_ID", r->image_id, 16, p ? &p->image_id : NULL);
	check_guest_svn(a, s);
	check_key_digest(a, "snp.id_key", r->id_key_digest, p ? &p->id_key_digests : NULL);
	check_key_digest(a, "snp.author_key", r->author_key_digest,
			 p ? &p->author_key_digests : NULL);
	check_binding(a, s);
}
