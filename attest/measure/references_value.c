#include "attest/measure/references_value.h"

#include "attest/x509/when.h"
#include "common/bytes.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNED_FORMAT "pavise-reference-values"

const char *reference_tee_name(enum reference_tee tee)
{
	static const char *const name[REFERENCE_TEES] = { "none", "sev-snp", "tdx" };

	return tee < REFERENCE_TEES ? name[tee] : "?";
}

const char *reference_bank_name(enum reference_bank bank)
{
	return bank == REFERENCE_SHA256 ? "sha256" : "sha384";
}

size_t reference_bank_size(enum reference_bank bank)
{
	return bank == REFERENCE_SHA256 ? 32 : 48;
}

static int read_bank(const char *path, const json_t *values, enum reference_bank bank,
		     struct reference_value *v, struct err *e)
{
	static const char *const keys[] = { "0", "1", "2", "3", "4", "5", "6", "7", NULL };
	int r = json_only_keys(path, values, keys, e);

	for (unsigned i = 0; r == 0 && i < REFERENCES_PCRS; i++)
		r = json_get_hex(path, values, keys[i], 1, v->pcr[bank][i],
				 reference_bank_size(bank), e);
	v->bank[bank] = r == 0;
	return r;
}

int reference_read_pcrs(const char *path, const json_t *banks, struct reference_value *v,
			struct err *e)
{
	static const char *const keys[] = { "sha256", "sha384", NULL };
	int r = json_only_keys(path, banks, keys, e);

	for (unsigned i = 0; r == 0 && i < REFERENCE_BANKS; i++) {
		const json_t *values = NULL;
		r = json_get_object(path, banks, keys[i], 0, &values, e);
		if (r == 0 && values != NULL)
			r = read_bank(path, values, (enum reference_bank)i, v, e);
	}
	if (r == 0 && !v->bank[0] && !v->bank[1])
		return err_set(e, EX_MALFORMED, "%s: no bank of PCR values", path);
	return r;
}

static int read_tee(const char *path, const json_t *value, enum reference_tee *tee, struct err *e)
{
	const char *name = NULL;
	int r = json_get_string(path, value, "tee", 1, &name, e);

	for (unsigned i = 0; r == 0 && i < REFERENCE_TEES; i++)
		if (strcmp(name, reference_tee_name((enum reference_tee)i)) == 0) {
			*tee = (enum reference_tee)i;
			return 0;
		}
	return r < 0 ? r : err_set(e, EX_MALFORMED, "%s: unknown tee", path);
}

/* Text for people goes to terminals: nothing but printable ASCII. */
static int read_label(const char *path, const json_t *value, struct reference_value *v,
		      struct err *e)
{
	const char *label = NULL;
	int r = json_get_string(path, value, "label", 1, &label, e);

	if (r < 0)
		return r;
	for (const char *c = label; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			return err_set(e, EX_MALFORMED, "%s: label is not printable ASCII", path);
	if (strlen(label) > REFERENCES_LABEL_MAX)
		return err_set(e, EX_MALFORMED, "%s: label is longer than %u", path,
			       REFERENCES_LABEL_MAX);
	memcpy(v->label, label, strlen(label) + 1);
	return 0;
}

int reference_read_policy(const char *path, const json_t *value, struct reference_value *v,
			  struct err *e)
{
	const char *text = NULL;
	int r = json_get_string(path, value, "policy", 0, &text, e);
	char *end;

	if (r < 0 || text == NULL)
		return r;
	size_t n = strlen(text);
	v->has_policy = true;
	v->policy = strtoull(text, &end, 16);
	if (strncmp(text, "0x", 2) != 0 || n < 3 || n > 18 ||
	    strspn(text + 2, "0123456789abcdef") != n - 2)
		return err_set(e, EX_MALFORMED,
			       "%s: policy is not \"0x\" and 1 to 16 digits in hexadecimal", path);
	return 0;
}

static int read_size(const char *path, const json_t *value, const char *key, uint64_t most,
		     uint64_t *out, struct err *e)
{
	int r = json_get_u64(path, value, key, 0, out, e);

	if (r == 0 && *out > most)
		return err_set(e, EX_MALFORMED, "%s: %s is above %llu", path, key,
			       (unsigned long long)most);
	return r;
}

static int read_machine(const char *path, const json_t *value, struct reference_value *v,
			struct err *e)
{
	uint64_t cpus = 0, slots = 0;
	int r = read_size(path, value, "cpus", 65536, &cpus, e);

	if (r == 0)
		r = read_size(path, value, "pci_slots", 256, &slots, e);
	if (r == 0)
		r = read_size(path, value, "memory", INT64_MAX, &v->memory, e);
	v->cpus = (uint32_t)cpus;
	v->pci_slots = (uint32_t)slots;
	return r;
}

int reference_read_td(const char *path, const json_t *value, struct reference_value *v,
		      struct err *e)
{
	static const char *const keys[REFERENCES_RTMRS] = { "rtmr0", "rtmr1" };
	int r = json_get_hex(path, value, "mrtd", 1, v->digest, REFERENCES_DIGEST_SIZE, e);

	for (unsigned i = 0; r == 0 && i < REFERENCES_RTMRS; i++) {
		v->has_rtmr[i] = json_object_get(value, keys[i]) != NULL;
		if (v->has_rtmr[i])
			r = json_get_hex(path, value, keys[i], 1, v->rtmr[i],
					 REFERENCES_DIGEST_SIZE, e);
	}
	return r;
}

static int read_value(const char *path, const json_t *value, struct reference_value *v,
		      struct err *e)
{
	static const char *const none[] = { "tee",	 "label", "cpus", "memory",
					    "pci_slots", "pcrs",  NULL };
	static const char *const snp[] = { "tee", "label", "cpus", "policy", "measurement", NULL };
	static const char *const tdx[] = { "tee",	"label", "cpus",  "memory",
					   "pci_slots", "mrtd",	 "rtmr0", "rtmr1",
					   NULL };
	static const char *const *const keys[REFERENCE_TEES] = { none, snp, tdx };
	const json_t *pcrs = NULL;
	int r = read_tee(path, value, &v->tee, e);

	if (r == 0)
		r = json_only_keys(path, value, keys[v->tee], e);
	if (r == 0)
		r = read_label(path, value, v, e);
	if (r == 0)
		r = read_machine(path, value, v, e);
	if (r == 0)
		r = reference_read_policy(path, value, v, e);
	if (r < 0)
		return r;
	if (v->tee == REFERENCE_TDX)
		return reference_read_td(path, value, v, e);
	if (v->tee == REFERENCE_SNP)
		return json_get_hex(path, value, "measurement", 1, v->digest,
				    REFERENCES_DIGEST_SIZE, e);
	r = json_get_object(path, value, "pcrs", 1, &pcrs, e);
	return r < 0 ? r : reference_read_pcrs(path, pcrs, v, e);
}

static int read_list(const char *object, const json_t *list, struct references *r, struct err *e)
{
	size_t count = json_array_size(list);
	int status = 0;

	if (count == 0 || count > REFERENCES_VALUES_MAX)
		return err_set(e, EX_MALFORMED, "%s: %zu values: 1 to %u are taken", object, count,
			       REFERENCES_VALUES_MAX);
	free(r->value);
	r->count = 0;
	r->value = calloc(count, sizeof(*r->value));
	if (r->value == NULL)
		return err_set(e, EX_HOST, "%s: out of memory", object);
	for (size_t i = 0; status == 0 && i < count; i++) {
		const json_t *value = json_array_get(list, i);
		char path[256];
		snprintf(path, sizeof(path), "%s: values[%zu]", object, i);
		if (!json_is_object(value))
			return err_set(e, EX_MALFORMED, "%s: not an object", path);
		status = read_value(path, value, &r->value[i], e);
	}
	/* All or nothing: half a list must not be searched. */
	r->count = status == 0 ? count : 0;
	return status;
}

static int read_head(const char *object, const json_t *root, struct references *r, struct err *e)
{
	const char *format = NULL, *until = NULL;
	uint64_t version = 1, svn = 0;
	int status = json_get_string(object, root, "format", 1, &format, e);

	if (status == 0)
		status = json_get_u64(object, root, "version", 1, &version, e);
	if (status == 0 && (strcmp(format, SIGNED_FORMAT) != 0 || version != 0))
		return err_set(e, EX_MALFORMED, "%s: no reference values of version 0", object);
	if (status == 0)
		status = json_get_u64(object, root, "svn", 1, &svn, e);
	if (status == 0)
		status = json_get_string(object, root, "not_after", 0, &until, e);
	if (status < 0)
		return status;
	if (svn > UINT32_MAX)
		return err_set(e, EX_MALFORMED, "%s: svn is above 4294967295", object);
	r->svn = (uint32_t)svn;
	r->has_not_after = until != NULL;
	if (until != NULL && !when_parse(until, &r->not_after))
		return err_set(e, EX_MALFORMED,
			       "%s: not_after is no time like 2027-01-31T12:00:00Z", object);
	return 0;
}

int references_read_values(const char *object, struct references *r, struct err *e)
{
	static const char *const keys[] = {
		"format", "version", "svn", "not_after", "values", NULL
	};
	const json_t *list = NULL;
	json_t *root = NULL;
	char path[200];

	snprintf(path, sizeof(path), "%s: signed text", object);
	int status = json_parse(path, r->text, r->text_size, &root, e);
	if (status == 0)
		status = json_only_keys(path, root, keys, e);
	if (status == 0)
		status = read_head(path, root, r, e);
	if (status == 0)
		status = json_get_array(path, root, "values", 1, &list, e);
	if (status == 0)
		status = read_list(path, list, r, e);
	json_decref(root);
	return status;
}

static json_t *pcrs_json(const struct reference_value *v)
{
	char hex[2 * REFERENCES_DIGEST_SIZE + 1], number[8];
	json_t *banks = json_object();

	for (unsigned b = 0; b < REFERENCE_BANKS; b++) {
		enum reference_bank bank = (enum reference_bank)b;
		json_t *values = v->bank[b] ? json_object() : NULL;
		for (unsigned i = 0; values != NULL && i < REFERENCES_PCRS; i++) {
			hex_encode(v->pcr[b][i], reference_bank_size(bank), hex);
			snprintf(number, sizeof(number), "%u", i);
			json_object_set_new(values, number, json_string(hex));
		}
		if (values != NULL)
			json_object_set_new(banks, reference_bank_name(bank), values);
	}
	return banks;
}

static void set_digest(json_t *j, const char *key, const uint8_t digest[REFERENCES_DIGEST_SIZE])
{
	char hex[2 * REFERENCES_DIGEST_SIZE + 1];

	hex_encode(digest, REFERENCES_DIGEST_SIZE, hex);
	json_object_set_new(j, key, json_string(hex));
}

static void set_machine(json_t *j, const struct reference_value *v)
{
	if (v->cpus != 0)
		json_object_set_new(j, "cpus", json_integer((json_int_t)v->cpus));
	if (v->memory == 0 && v->pci_slots == 0)
		return;
	json_object_set_new(j, "memory", json_integer((json_int_t)v->memory));
	json_object_set_new(j, "pci_slots", json_integer((json_int_t)v->pci_slots));
}

static json_t *value_json(const struct reference_value *v)
{
	json_t *j = json_pack("{s:s, s:s}", "tee", reference_tee_name(v->tee), "label", v->label);
	char policy[32];

	set_machine(j, v);
	if (v->tee == REFERENCE_NONE) {
		json_object_set_new(j, "pcrs", pcrs_json(v));
	} else if (v->tee == REFERENCE_TDX) {
		set_digest(j, "mrtd", v->digest);
		if (v->has_rtmr[0])
			set_digest(j, "rtmr0", v->rtmr[0]);
		if (v->has_rtmr[1])
			set_digest(j, "rtmr1", v->rtmr[1]);
	} else {
		snprintf(policy, sizeof(policy), "0x%llx", (unsigned long long)v->policy);
		if (v->has_policy)
			json_object_set_new(j, "policy", json_string(policy));
		set_digest(j, "measurement", v->digest);
	}
	return j;
}

char *references_write_text(const struct references *r)
{
	char until[WHEN_TEXT_SIZE];
	json_t *list = json_array();
	json_t *j = json_pack("{s:s, s:i, s:I}", "format", SIGNED_FORMAT, "version", 0, "svn",
			      (json_int_t)r->svn);

	if (r->has_not_after) {
		when_text(r->not_after, until);
		json_object_set_new(j, "not_after", json_string(until));
	}
	for (size_t i = 0; i < r->count; i++)
		json_array_append_new(list, value_json(&r->value[i]));
	json_object_set_new(j, "values", list);
	char *text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return text;
}
