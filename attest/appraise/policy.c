#include "attest/appraise/policy.h"

#include "attest/appraise/json_pcrs.h"
#include "attest/measure/references.h"
#include "attest/measure/size.h"
#include "common/bytes.h"
#include "common/json.h"

#include <stddef.h>
#include <string.h>

#define FIRMWARE_PCRS 0xFFu /* PCR 0..7 */

const struct policy_section policy_sections[] = {
	{ "snp", offsetof(struct policy, snp), policy_snp_keys },
	{ "tdx", offsetof(struct policy, tdx), policy_tdx_keys },
	{ "tpm", offsetof(struct policy, tpm), policy_tpm_keys },
	{ "event_log", offsetof(struct policy, log), policy_log_keys },
	{ .name = NULL },
};

static const char *const base_names[POLICY_BASES] = { "recommended", "strict", "permissive",
						      "none" };

int policy_base_of_name(const char *name)
{
	for (int i = 0; i < POLICY_BASES; i++)
		if (strcmp(base_names[i], name) == 0)
			return i;
	return -1;
}

const char *policy_base_name(enum policy_base base)
{
	return base_names[base];
}

void policy_built_in(enum policy_base base, struct policy *out)
{
	*out = (struct policy){ .base = base,
				.any_tee = true,
				.require_nonce = base == POLICY_STRICT };
	policy_snp_base(base, &out->snp);
	policy_tdx_base(base, &out->tdx);
	policy_tpm_base(base, &out->tpm);
	policy_log_base(base, &out->log);
}

/* "base": strict, recommended or permissive. "none" is no base: it would void every key. */
static int parse_base(const json_t *root, bool *given, struct policy *out, struct err *e)
{
	const char *name = NULL;
	int r = json_get_string("policy", root, "base", 0, &name, e);
	int base = name == NULL ? POLICY_RECOMMENDED : policy_base_of_name(name);

	if (r < 0)
		return r;
	if (base < 0 || base == POLICY_NONE)
		return err_set(e, EX_MALFORMED,
			       "policy: \"base\" is \"%.32s\": give \"strict\", \"recommended\" or "
			       "\"permissive\"",
			       name);
	*given = name != NULL;
	policy_built_in((enum policy_base)base, out);
	return 0;
}

/* The names of "tee" and the keys that a policy of each may have; without one, any of all. */
#define COMMON_KEYS "format", "version", "base", "tee", "require_nonce", "ak_sha256", "event_log"
#define PCR_KEYS "plan", "reference", "cpus", "memory", "pci_slots", "banks", "tpm"
static const char *const plain_keys[] = { COMMON_KEYS, PCR_KEYS, NULL };
#define BUNDLE_KEYS "references", "references_key", "min_svn"
static const char *const snp_keys[] = { COMMON_KEYS, BUNDLE_KEYS, "plan", "snp", NULL };
static const char *const tdx_keys[] = { COMMON_KEYS,   BUNDLE_KEYS, "plan", "cpus", "memory",
					"pci_slots", "tdx", NULL };
static const char *const any_keys[] = { COMMON_KEYS, "snp", "tdx", "tpm", NULL };
static const struct {
	const char *name;
	enum evidence_tee tee;
	const char *const *keys;
} tees[] = {
	{ "none", EVIDENCE_PLAIN, plain_keys },
	{ "sev-snp", EVIDENCE_SNP, snp_keys },
	{ "tdx", EVIDENCE_TDX, tdx_keys },
};

static int parse_tee(const json_t *root, bool base_given, struct policy *out, struct err *e)
{
	const char *name = NULL;
	int r = json_get_string("policy", root, "tee", !base_given, &name, e);

	if (r < 0)
		return r;
	if (name == NULL)
		return json_only_keys("policy", root, any_keys, e);
	out->any_tee = false;
	for (size_t i = 0; i < sizeof(tees) / sizeof(tees[0]); i++)
		if (strcmp(tees[i].name, name) == 0) {
			out->tee = tees[i].tee;
			return json_only_keys("policy", root, tees[i].keys, e);
		}
	return err_set(e, EX_MALFORMED,
		       "policy: \"tee\" is \"%.32s\", only \"none\", \"sev-snp\" and \"tdx\" are "
		       "known",
		       name);
}

static int parse_head(const json_t *root, bool *base_given, struct policy *out, struct err *e)
{
	const char *format = NULL;
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
		r = parse_base(root, base_given, out, e);
	return r < 0 ? r : parse_tee(root, *base_given, out, e);
}

static int parse_sections(const json_t *root, struct policy *out, struct err *e)
{
	char path[32];
	int r = 0;

	for (const struct policy_section *s = policy_sections; r == 0 && s->name != NULL; s++) {
		const json_t *object = NULL;
		r = json_get_object("policy", root, s->name, 0, &object, e);
		if (r < 0 || object == NULL)
			continue;
		snprintf(path, sizeof(path), "policy.%s", s->name);
		r = policy_keys_read(path, object, s->keys, (char *)out + s->offset, e);
	}
	return r;
}

static int list_of(const char *path, const json_t *root, const char *key, int required,
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
	int r = list_of("policy", root, key, 1, &list, count, e);

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

static const char *text_at(const json_t *list, size_t i)
{
	const json_t *j = json_array_get(list, i);

	return json_is_string(j) && strlen(json_string_value(j)) == json_string_length(j)
		       ? json_string_value(j)
		       : NULL;
}

static int get_memory(const json_t *root, struct policy *out, struct err *e)
{
	const json_t *list;
	int r = list_of("policy", root, "memory", 1, &list, &out->memory_count, e);

	for (size_t i = 0; r == 0 && i < out->memory_count; i++) {
		const char *text = text_at(list, i);
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
	int r = list_of("policy", root, "banks", 1, &list, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *text = text_at(list, i);
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

static int get_pinned_keys(const json_t *root, struct policy *out, struct err *e)
{
	const json_t *list;
	int r = list_of("policy", root, "ak_sha256", 0, &list, &out->ak_count, e);

	for (size_t i = 0; r == 0 && i < out->ak_count; i++) {
		const char *text = text_at(list, i);
		if (text == NULL || !hex_decode(text, out->ak_sha256[i], sizeof(out->ak_sha256[i])))
			return err_set(e, EX_MALFORMED,
				       "policy: \"ak_sha256\": member %zu is not %zu bytes in "
				       "hexadecimal",
				       i, sizeof(out->ak_sha256[i]));
	}
	return r;
}

static int get_path(const json_t *root, const char *key, char *out, size_t size, struct err *e)
{
	const char *path = NULL;
	int r = json_get_string("policy", root, key, 1, &path, e);

	if (r == 0 && (path[0] == '\0' || strlen(path) >= size))
		return err_set(e, EX_MALFORMED, "policy: \"%s\" is empty or too long", key);
	if (r == 0)
		memcpy(out, path, strlen(path) + 1);
	return r;
}

static int get_plan(const json_t *root, struct policy *out, struct err *e)
{
	int r = get_path(root, "plan", out->plan, sizeof(out->plan), e);

	out->has_plan = r == 0;
	return r;
}

/* A bundle counts for nothing without the key that must have signed it. */
static int get_references(const json_t *root, struct policy *out, struct err *e)
{
	uint64_t svn = 0;

	if (json_object_get(root, "references") == NULL) {
		if (json_object_get(root, "references_key") != NULL ||
		    json_object_get(root, "min_svn") != NULL)
			return err_set(e, EX_MALFORMED,
				       "policy: \"references_key\" and \"min_svn\" have a meaning "
				       "with \"references\" only");
		return 0;
	}
	int r = get_path(root, "references", out->references, sizeof(out->references), e);
	if (r == 0)
		r = json_get_hex("policy", root, "references_key", 1, out->references_key.value,
				 REFERENCES_DIGEST_SIZE, e);
	if (r == 0)
		r = json_get_u64("policy", root, "min_svn", 0, &svn, e);
	if (r == 0 && svn > UINT32_MAX)
		return err_set(e, EX_MALFORMED, "policy: \"min_svn\" is above 4294967295");
	out->references_key.given = r == 0;
	out->references_key.size = REFERENCES_DIGEST_SIZE;
	out->min_svn = (uint32_t)svn;
	return r;
}

static const char *const machine_keys[] = { "cpus", "memory", "pci_slots" };
#define MACHINE_KEYS (sizeof(machine_keys) / sizeof(machine_keys[0]))

static bool states_machine(const json_t *root)
{
	bool found = false;

	for (size_t i = 0; i < MACHINE_KEYS; i++)
		found |= json_object_get(root, machine_keys[i]) != NULL;
	return found;
}

static int refuse_machines(const json_t *root, struct err *e)
{
	for (size_t i = 0; i < MACHINE_KEYS; i++)
		if (json_object_get(root, machine_keys[i]) != NULL)
			return err_set(e, EX_MALFORMED,
				       "policy: \"%s\" has a meaning with \"plan\" only",
				       machine_keys[i]);
	return 0;
}

static int get_machines(const json_t *root, struct policy *out, struct err *e)
{
	int r = get_numbers(root, "cpus", 1, FW_BOOT_CPU_MAX, out->cpus, &out->cpus_count, e);

	if (r == 0)
		r = get_numbers(root, "pci_slots", 0, PCI_SLOT_MAX, out->pci_slots,
				&out->pci_slots_count, e);
	return r == 0 ? get_memory(root, out, e) : r;
}

static int get_reference(const json_t *root, struct policy *out, struct err *e)
{
	static const char *const keys[] = { "pcrs", NULL };
	const json_t *reference = NULL, *pcrs = NULL;
	int r = json_get_object("policy", root, "reference", 1, &reference, e);

	if (r == 0)
		r = json_only_keys("policy.reference", reference, keys, e);
	if (r == 0)
		r = json_get_object("policy.reference", reference, "pcrs", 1, &pcrs, e);
	if (r == 0)
		r = json_pcrs_parse("policy.reference.pcrs", pcrs, out->reference, e);
	if (r == 0)
		r = refuse_machines(root, e);
	for (unsigned i = 0; r == 0 && i < EXPECT_BANKS; i++)
		if (out->bank[i] && out->reference[i].given != FIRMWARE_PCRS)
			return err_set(e, EX_MALFORMED,
				       "policy.reference.pcrs: bank %s must have PCR 0 to 7",
				       tpm_alg_name(expect_bank_alg((enum expect_bank)i)));
	return r;
}

/* A policy that names its base may leave reference values to it; one from before there were bases
 * has to have them. */
static int parse_plain(const json_t *root, bool base_given, struct policy *out, struct err *e)
{
	bool plan = json_object_get(root, "plan") != NULL;
	bool reference = json_object_get(root, "reference") != NULL;

	if (!plan && !reference && base_given && json_object_get(root, "banks") == NULL)
		return 0;
	int r = get_banks(root, out, e);
	if (r == 0 && plan == reference)
		return err_set(e, EX_MALFORMED,
			       "policy: exactly one of \"plan\" and \"reference\" is needed");
	if (r == 0 && plan)
		r = get_plan(root, out, e);
	if (r < 0)
		return r;
	return plan ? get_machines(root, out, e) : get_reference(root, out, e);
}

static int parse_snp(const json_t *root, bool base_given, struct policy *out, struct err *e)
{
	bool plan = json_object_get(root, "plan") != NULL;
	int r = get_references(root, out, e);
	int sources = plan + (out->snp.measurements.count > 0) + (out->references[0] != '\0');

	if (r < 0)
		return r;
	if (!base_given && json_object_get(root, "snp") == NULL)
		return err_set(e, EX_MALFORMED, "policy: \"snp\" is missing");
	if (sources > 1 || (sources == 0 && !base_given))
		return err_set(e, EX_MALFORMED,
			       "policy: exactly one of \"plan\", \"references\" and "
			       "\"snp\".\"measurements\" is needed");
	return plan ? get_plan(root, out, e) : 0;
}

static int parse_tdx(const json_t *root, struct policy *out, struct err *e)
{
	bool plan = json_object_get(root, "plan") != NULL;
	int r = get_references(root, out, e);
	int sources = plan + (out->tdx.mrtd.count > 0) + (out->references[0] != '\0');

	if (r == 0 && sources > 1)
		return err_set(e, EX_MALFORMED,
			       "policy: exactly one of \"plan\", \"references\" and "
			       "\"tdx\".\"mrtd\" can say what MRTD must be");
	if (r < 0 || !plan)
		return r < 0 ? r : refuse_machines(root, e);
	if (out->tdx.rtmr[0].count > 0 || out->tdx.rtmr[1].count > 0)
		return err_set(e, EX_MALFORMED,
			       "policy: \"tdx\": \"rtmr0\" and \"rtmr1\" beside \"plan\": the "
			       "plan says what they must be");
	r = get_plan(root, out, e);
	return r == 0 && states_machine(root) ? get_machines(root, out, e) : r;
}

static int parse_all(const json_t *root, struct policy *out, struct err *e)
{
	bool base_given = false;
	int r = parse_head(root, &base_given, out, e);

	if (r < 0)
		return r;
	int nonce = base_given ? out->require_nonce : 1;
	r = json_get_bool("policy", root, "require_nonce", 0, &nonce, e);
	out->require_nonce = nonce != 0;
	if (r == 0)
		r = get_pinned_keys(root, out, e);
	if (r == 0)
		r = parse_sections(root, out, e);
	if (r < 0 || out->any_tee)
		return r;
	if (out->tee == EVIDENCE_SNP)
		return parse_snp(root, base_given, out, e);
	if (out->tee == EVIDENCE_TDX)
		return parse_tdx(root, out, e);
	return out->tee == EVIDENCE_PLAIN ? parse_plain(root, base_given, out, e) : 0;
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

static void explain_numbers(FILE *f, const char *name, const uint32_t *n, size_t count)
{
	fprintf(f, "%s =", name);
	for (size_t i = 0; i < count; i++)
		fprintf(f, " %u", n[i]);
	fputc('\n', f);
}

static void explain_machines(FILE *f, const struct policy *p)
{
	if (p->has_plan)
		fprintf(f,
			"plan = \"%s\"\n        reference values are those of this plan's files\n",
			p->plan);
	if (p->references[0] != '\0')
		fprintf(f,
			"references = \"%s\"\n        reference values are those of this bundle, "
			"signed with the key whose digest is pinned, for firmware of security "
			"version %u or above\n",
			p->references, p->min_svn);
	if (p->cpus_count > 0) {
		explain_numbers(f, "cpus", p->cpus, p->cpus_count);
		explain_numbers(f, "pci_slots", p->pci_slots, p->pci_slots_count);
		fputs("memory =", f);
		for (size_t i = 0; i < p->memory_count; i++)
			fprintf(f, " %lluM", (unsigned long long)(p->memory[i] >> 20));
		fputs("\n        machines that may be made of that plan\n", f);
	}
	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++)
		if (p->bank[bank])
			fprintf(f, "banks: %s is demanded%s\n",
				tpm_alg_name(expect_bank_alg((enum expect_bank)bank)),
				p->has_plan ? "" : ", PCR 0 to 7 with the values that are stated");
}

void policy_explain(FILE *f, const struct policy *p)
{
	fprintf(f, "base = \"%s\"\n", policy_base_name(p->base));
	if (p->base == POLICY_NONE) {
		fputs("        authenticity only: nothing that evidence says is judged\n", f);
		return;
	}
	for (size_t i = 0; !p->any_tee && i < sizeof(tees) / sizeof(tees[0]); i++)
		if (tees[i].tee == p->tee)
			fprintf(f, "tee = \"%s\"\n        evidence of another kind is refused\n",
				tees[i].name);
	fprintf(f, "require_nonce = %s\n        without a nonce the verdict is %s\n",
		p->require_nonce ? "true" : "false",
		p->require_nonce ? "a refusal" : "silent on freshness, and says so");
	explain_machines(f, p);
	fprintf(f, "ak_sha256: %zu attestation keys are pinned%s\n", p->ak_count,
		p->ak_count == 0 ? ": any key" : "");
	for (const struct policy_section *s = policy_sections; s->name != NULL; s++) {
		policy_keys_explain(f, s->name, s->keys, (const char *)p + s->offset);
	}
}
