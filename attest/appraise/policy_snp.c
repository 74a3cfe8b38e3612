/* The part of a policy that is for SEV-SNP. */
#include "attest/appraise/policy.h"

#include "common/json.h"

#include <string.h>

static const char path[] = "policy.snp";

static int get_min_tcb(const json_t *snp, struct snp_policy *out, struct err *e)
{
	const char *keys[SNP_COMPONENTS + 1] = { NULL };
	const json_t *min = NULL;
	int r = json_get_object(path, snp, "min_tcb", 0, &min, e);

	if (r < 0 || min == NULL)
		return r;
	for (unsigned i = 0; i < SNP_COMPONENTS; i++)
		keys[i] = snp_component_name((enum snp_component)i);
	r = json_only_keys("policy.snp.min_tcb", min, keys, e);
	for (unsigned i = 0; r == 0 && i < SNP_COMPONENTS; i++) {
		uint64_t v = 0;
		if (json_object_get(min, keys[i]) == NULL)
			continue;
		r = json_get_u64("policy.snp.min_tcb", min, keys[i], 1, &v, e);
		if (r == 0 && v > UINT8_MAX)
			return err_set(e, EX_MALFORMED, "policy.snp.min_tcb: \"%s\" is above 255",
				       keys[i]);
		out->min_tcb_given[i] = true;
		out->min_tcb[i] = (uint8_t)v;
	}
	return r;
}

static int get_bool(const json_t *snp, const char *key, bool *out, struct err *e)
{
	int v = *out;
	int r = json_get_bool(path, snp, key, 0, &v, e);

	*out = v != 0;
	return r;
}

static int get_number(const json_t *snp, const char *key, uint64_t most, uint32_t *out,
		      struct err *e)
{
	uint64_t v = *out;
	int r = json_get_u64(path, snp, key, 0, &v, e);

	if (r == 0 && v > most)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is above %llu", path, key,
			       (unsigned long long)most);
	*out = (uint32_t)v;
	return r;
}

static int get_rules(const json_t *snp, struct snp_policy *out, struct err *e)
{
	int r = get_bool(snp, "allow_debug", &out->allow_debug, e);

	if (r == 0)
		r = get_bool(snp, "allow_migration", &out->allow_migration, e);
	if (r == 0)
		r = get_bool(snp, "allow_smt", &out->allow_smt, e);
	if (r == 0)
		r = get_number(snp, "vmpl", 3, &out->vmpl, e);
	if (r == 0)
		r = get_number(snp, "min_guest_svn", UINT32_MAX, &out->min_guest_svn, e);
	if (r == 0)
		r = get_min_tcb(snp, out, e);
	out->host_data_given = json_object_get(snp, "host_data") != NULL;
	if (r == 0)
		r = json_get_hex(path, snp, "host_data", 0, out->host_data, sizeof(out->host_data),
				 e);
	return r;
}

static int get_digests(const json_t *snp, struct snp_policy *out, struct err *e)
{
	int r = policy_digests(path, snp, "measurements", SNP_MEASUREMENT_SIZE, out->measurement[0],
			       &out->measurement_count, e);

	if (r == 0)
		r = policy_digests(path, snp, "id_key_digests", SNP_MEASUREMENT_SIZE,
				   out->id_key[0], &out->id_key_count, e);
	if (r == 0)
		r = policy_digests(path, snp, "author_key_digests", SNP_MEASUREMENT_SIZE,
				   out->author_key[0], &out->author_key_count, e);
	return r;
}

int policy_parse_snp(const json_t *root, struct policy *out, struct err *e)
{
	static const char *const keys[] = { "min_tcb",
					    "allow_debug",
					    "allow_migration",
					    "allow_smt",
					    "vmpl",
					    "host_data",
					    "min_guest_svn",
					    "measurements",
					    "id_key_digests",
					    "author_key_digests",
					    NULL };
	const json_t *snp = NULL;
	int r = json_get_object("policy", root, "snp", 1, &snp, e);

	if (r == 0)
		r = json_only_keys(path, snp, keys, e);
	out->snp.allow_smt = true;
	if (r == 0)
		r = get_rules(snp, &out->snp, e);
	if (r == 0)
		r = get_digests(snp, &out->snp, e);
	if (r < 0)
		return r;
	bool plan = json_object_get(root, "plan") != NULL;
	if (plan == (out->snp.measurement_count > 0))
		return err_set(e, EX_MALFORMED,
			       "policy: exactly one of \"plan\" and \"snp\".\"measurements\" is "
			       "needed");
	return plan ? policy_plan(root, out, e) : 0;
}
