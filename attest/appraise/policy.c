#include "attest/appraise/policy.h"

#include "attest/appraise/json_pcrs.h"
#include "attest/measure/size.h"
#include "common/bytes.h"
#include "common/json.h"

#include <string.h>

#define FIRMWARE_PCRS 0xFFu /* PCR 0..7 */

static int parse_head(const json_t *root, struct policy *out, struct err *e)
{
	static const char *const plain_keys[] = { "format",    "version",	"tee",
						  "plan",      "reference",	"cpus",
						  "memory",    "pci_slots",	"banks",
						  "ak_sha256", "require_nonce", NULL };
	static const char *const snp_keys[] = { "format",	 "version",   "tee", "plan",
						"require_nonce", "ak_sha256", "snp", NULL };
	const char *format = NULL, *tee = NULL;
	uint64_t version = 0;
	int r = json_get_string("policy", root, "format", 1, &format, e);

	if (r == 0 && strcmp(format, "pavise-policy") != 0)
		return err_set(e, EX_MALFORMED, "policy: \"format\" is not \"pavise-policy\"");
	if (r == 0)
		r = json_get_u64("policy", root, "version", 1, &version, e);
	if (r == 0 && version != 0)
		return err_set(e, EX_MALFORMED, "policy: version %llu: this program knows 0",
			       (unsigned long long)version);
	if (r == 0)
		r = json_get_string("policy", root, "tee", 1, &tee, e);
	if (r != 0)
		return r;
	if (strcmp(tee, "none") != 0 && strcmp(tee, "sev-snp") != 0)
		return err_set(e, EX_MALFORMED,
			       "policy: \"tee\" is \"%.32s\", only \"none\" and \"sev-snp\" are "
			       "known",
			       tee);
	out->tee = strcmp(tee, "none") == 0 ? EVIDENCE_PLAIN : EVIDENCE_SNP;
	return json_only_keys("policy", root, out->tee == EVIDENCE_SNP ? snp_keys : plain_keys, e);
}

int policy_list(const char *path, const json_t *root, const char *key, int required,
		const json_t **list, size_t *count, struct err *e)
{
	*list = NULL;
	*count = 0;
	int r = json_get_array(path, root, key, required, list, e);
	if (r < 0 || *list == NULL)
		return r;
	*count = json_array_size(*list);
	if (*count == 0 || *count > POLICY_LIST_MAX)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" has %zu members, 1 to %u allowed", path,
			       key, *count, POLICY_LIST_MAX);
	return 0;
}

static int get_numbers(const json_t *root, const char *key, uint32_t least, uint32_t most,
		       uint32_t *out, size_t *count, struct err *e)
{
	const json_t *list;
	int r = policy_list("policy", root, key, 1, &list, count, e);

	for (size_t i = 0; r == 0 && i < *count; i++) {
		const json_t *j = json_array_get(list, i);
		json_int_t v = json_is_integer(j) ? json_integer_value(j) : -1;
		if (v < (json_int_t)least || v > (json_int_t)most)
			return err_set(e, EX_MALFORMED,
				       "policy: \"%s\": member %zu is not a number %u..%u", key, i,
				       least, most);
		out[i] = (uint32_t)v;
	}
	return r;
}

const char *policy_text_at(const json_t *list, size_t i)
{
	const json_t *j = json_array_get(list, i);

	return json_is_string(j) && strlen(json_string_value(j)) == json_string_length(j)
		       ? json_string_value(j)
		       : NULL;
}

static int get_memory(const json_t *root, struct policy *out, struct err *e)
{
	const json_t *list;
	int r = policy_list("policy", root, "memory", 1, &list, &out->memory_count, e);

	for (size_t i = 0; r == 0 && i < out->memory_count; i++) {
		const char *text = policy_text_at(list, i);
		struct err unused = { 0 };
		if (text == NULL || size_parse("memory", text, &out->memory[i], &unused) < 0)
			return err_set(e, EX_MALFORMED,
				       "policy: \"memory\": member %zu is not a size as \"512M\"",
				       i);
	}
	return r;
}

static int get_banks(const json_t *root, struct policy *out, struct err *e)
{
	const json_t *list;
	size_t count;
	int r = policy_list("policy", root, "banks", 1, &list, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *text = policy_text_at(list, i);
		if (text != NULL && strcmp(text, "sha256") == 0)
			out->bank[EXPECT_SHA256] = true;
		else if (text != NULL && strcmp(text, "sha384") == 0)
			out->bank[EXPECT_SHA384] = true;
		else
			return err_set(e, EX_MALFORMED,
				       "policy: \"banks\": member %zu is not \"sha256\" or "
				       "\"sha384\"",
				       i);
	}
	return r;
}

int policy_digests(const char *path, const json_t *root, const char *key, size_t n, uint8_t *out,
		   size_t *count, struct err *e)
{
	const json_t *list;
	int r = policy_list(path, root, key, 0, &list, count, e);

	for (size_t i = 0; r == 0 && i < *count; i++) {
		const char *text = policy_text_at(list, i);
		if (text == NULL || !hex_decode(text, out + i * n, n))
			return err_set(e, EX_MALFORMED,
				       "%s: \"%s\": member %zu is not %zu bytes in hexadecimal",
				       path, key, i, n);
	}
	return r;
}

int policy_plan(const json_t *root, struct policy *out, struct err *e)
{
	const char *path = NULL;
	int r = json_get_string("policy", root, "plan", 1, &path, e);

	if (r == 0 && (path[0] == '\0' || strlen(path) >= sizeof(out->plan)))
		return err_set(e, EX_MALFORMED, "policy: \"plan\" is empty or too long");
	if (r < 0)
		return r;
	memcpy(out->plan, path, strlen(path) + 1);
	out->has_plan = true;
	return 0;
}

static int get_machines(const json_t *root, struct policy *out, struct err *e)
{
	int r = policy_plan(root, out, e);

	if (r == 0)
		r = get_numbers(root, "cpus", 1, FW_BOOT_CPU_MAX, out->cpus, &out->cpus_count, e);
	if (r == 0)
		r = get_numbers(root, "pci_slots", 0, PCI_SLOT_MAX, out->pci_slots,
				&out->pci_slots_count, e);
	return r == 0 ? get_memory(root, out, e) : r;
}

static int get_reference(const json_t *root, struct policy *out, struct err *e)
{
	static const char *const keys[] = { "pcrs", NULL };
	static const char *const with_plan[] = { "cpus", "memory", "pci_slots" };
	const json_t *reference = NULL, *pcrs = NULL;
	int r = json_get_object("policy", root, "reference", 1, &reference, e);

	if (r == 0)
		r = json_only_keys("policy.reference", reference, keys, e);
	if (r == 0)
		r = json_get_object("policy.reference", reference, "pcrs", 1, &pcrs, e);
	if (r == 0)
		r = json_pcrs_parse("policy.reference.pcrs", pcrs, out->reference, e);
	for (size_t i = 0; r == 0 && i < 3; i++)
		if (json_object_get(root, with_plan[i]) != NULL)
			return err_set(e, EX_MALFORMED,
				       "policy: \"%s\" has a meaning with \"plan\" only",
				       with_plan[i]);
	for (unsigned i = 0; r == 0 && i < EXPECT_BANKS; i++)
		if (out->bank[i] && out->reference[i].given != FIRMWARE_PCRS)
			return err_set(e, EX_MALFORMED,
				       "policy.reference.pcrs: bank %s must have PCR 0 to 7",
				       tpm_alg_name(expect_bank_alg((enum expect_bank)i)));
	return r;
}

static int parse_all(const json_t *root, struct policy *out, struct err *e)
{
	int nonce = 1;
	int r = parse_head(root, out, e);

	if (r == 0)
		r = json_get_bool("policy", root, "require_nonce", 0, &nonce, e);
	out->require_nonce = nonce != 0;
	if (r == 0 && out->tee == EVIDENCE_PLAIN)
		r = get_banks(root, out, e);
	if (r == 0)
		r = policy_digests("policy", root, "ak_sha256", sizeof(out->ak_sha256[0]),
				   out->ak_sha256[0], &out->ak_count, e);
	if (r < 0)
		return r;
	if (out->tee == EVIDENCE_SNP)
		return policy_parse_snp(root, out, e);
	bool plan = json_object_get(root, "plan") != NULL;
	if (plan == (json_object_get(root, "reference") != NULL))
		return err_set(e, EX_MALFORMED,
			       "policy: exactly one of \"plan\" and \"reference\" is needed");
	return plan ? get_machines(root, out, e) : get_reference(root, out, e);
}

int policy_parse(const char *object, const char *text, size_t size, struct policy *out,
		 struct err *e)
{
	json_t *root;

	memset(out, 0, sizeof(*out));
	if (size > POLICY_FILE_MAX)
		return err_set(e, EX_MALFORMED, "policy %s: larger than 1 MiB", object);
	int r = json_parse(object, text, size, &root, e);
	if (r < 0)
		return r;
	r = parse_all(root, out, e);
	json_decref(root);
	return r;
}
