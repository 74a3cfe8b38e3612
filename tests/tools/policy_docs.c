/* policy_docs schema|keys: what the documents say of a policy's keys, made from the tables that
 * parse them: docs/policy.schema.json, docs/PROTOCOL.policy-keys. `make
 * policy-docs` writes both, tests/unit/policy.py holds them to this. */
#include "attest/appraise/policy.h"
#include "attest/appraise/policy_pcrs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the schema ------------------------------------------------------------------------------ */

static json_t *must(json_t *j)
{
	if (j == NULL)
		abort();
	return j;
}

static json_t *hex_of(uint64_t bytes)
{
	char pattern[64];

	snprintf(pattern, sizeof(pattern), "^[0-9a-fA-F]{%" PRIu64 "}$", 2 * bytes);
	return must(json_pack("{s:s, s:s}", "type", "string", "pattern", pattern));
}

static json_t *number_to(uint64_t most)
{
	json_t *j = must(json_pack("{s:s, s:i}", "type", "integer", "minimum", 0));

	if (most <= INT64_MAX)
		json_object_set_new(j, "maximum", json_integer((json_int_t)most));
	return j;
}

static json_t *list_of(json_t *item, unsigned most)
{
	return must(json_pack("{s:s, s:o, s:i, s:i}", "type", "array", "items", item, "minItems", 1,
			      "maxItems", most));
}

static json_t *word_list(const char *const *words)
{
	json_t *list = must(json_array());

	for (; *words != NULL; words++)
		json_array_append_new(list, json_string(*words));
	json_t *item = must(json_pack("{s:o}", "enum", list));
	return must(json_pack("{s:s, s:o}", "type", "array", "items", item));
}

static json_t *numbers_of(const struct policy_key *k)
{
	json_t *members = must(json_object());

	for (const char *const *word = k->words; *word != NULL; word++)
		json_object_set_new(members, *word, number_to(k->most));
	return must(json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0,
			      "properties", members));
}

/* PCRs of both banks, each with item for a value of so many bytes. */
static json_t *bank_schema(json_t *item)
{
	return must(json_pack("{s:s, s:b, s:{s:o}}", "type", "object", "additionalProperties", 0,
			      "patternProperties", "^([0-9]|1[0-9]|2[0-3])$", item));
}

static json_t *pcrs_schema(json_t *sha256, json_t *sha384)
{
	return must(json_pack("{s:s, s:b, s:{s:o, s:o}}", "type", "object", "additionalProperties",
			      0, "properties", "sha256", bank_schema(sha256), "sha384",
			      bank_schema(sha384)));
}

/* What may be absent in a base can be taken back from it. */
static json_t *or_null(json_t *j)
{
	return must(json_pack("{s:[o, {s:s}]}", "anyOf", j, "type", "null"));
}

static json_t *schema_of(const struct policy_key *k)
{
	switch (k->kind) {
	case POLICY_BOOL:
		return must(json_pack("{s:s}", "type", "boolean"));
	case POLICY_NUMBER:
		return number_to(k->most);
	case POLICY_OPTIONAL:
		return or_null(number_to(k->most));
	case POLICY_NUMBERS:
		return numbers_of(k);
	case POLICY_MASK:
		return must(json_pack("{s:s, s:s}", "type", "string", "pattern",
				      "^0x[0-9a-fA-F]{1,16}$"));
	case POLICY_BYTES:
		return or_null(hex_of(k->most));
	case POLICY_DIGESTS:
		return or_null(list_of(hex_of(k->most), POLICY_LIST_MAX));
	case POLICY_WORDS:
		return or_null(word_list(k->words));
	case POLICY_PCRS:
		return pcrs_schema(list_of(hex_of(32), POLICY_PCR_VALUES),
				   list_of(hex_of(48), POLICY_PCR_VALUES));
	case POLICY_TEXTS:
		return or_null(list_of(must(json_pack("{s:s, s:i, s:I}", "type", "string",
						      "minLength", 1, "maxLength",
						      (json_int_t)k->most)),
				       POLICY_LIST_MAX));
	case POLICY_TIME:
		return or_null(must(json_pack(
			"{s:s, s:s, s:s}", "type", "string", "format", "date-time", "pattern",
			"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$")));
	}
	abort();
}

static json_t *section_schema(const struct policy_section *s)
{
	json_t *keys = must(json_object());

	for (const struct policy_key *k = s->keys; k->name != NULL; k++) {
		json_t *j = schema_of(k);
		json_object_set_new(j, "description", json_string(k->meaning));
		json_object_set_new(keys, k->name, j);
	}
	return must(json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0,
			      "properties", keys));
}

/* The keys above the sections, which policy.c reads. */
static json_t *top_schema(void)
{
	json_t *j = must(json_pack(
		"{s:{s:s}, s:{s:i}, s:{s:[s,s,s]}, s:{s:[s,s,s]}, s:{s:s}, s:{s:s, s:i, s:i}}",
		"format", "const", "pavise-policy", "version", "const", 0, "base", "enum", "strict",
		"recommended", "permissive", "tee", "enum", "none", "sev-snp", "tdx",
		"require_nonce", "type", "boolean", "plan", "type", "string", "minLength", 1,
		"maxLength", 4095));
	json_t *banks = must(json_pack("{s:[s,s]}", "enum", "sha256", "sha384"));
	json_t *pcrs = pcrs_schema(hex_of(32), hex_of(48));

	json_object_set_new(j, "reference",
			    must(json_pack("{s:s, s:b, s:[s], s:{s:o}}", "type", "object",
					   "additionalProperties", 0, "required", "pcrs",
					   "properties", "pcrs", pcrs)));
	json_t *cpus = number_to(FW_BOOT_CPU_MAX);
	json_object_set_new(cpus, "minimum", json_integer(1));
	json_object_set_new(j, "cpus", list_of(cpus, POLICY_LIST_MAX));
	json_object_set_new(j, "memory",
			    list_of(must(json_pack("{s:s, s:s}", "type", "string", "pattern",
						   "^[0-9]+[KMG]?$")),
				    POLICY_LIST_MAX));
	json_object_set_new(j, "pci_slots", list_of(number_to(PCI_SLOT_MAX), POLICY_LIST_MAX));
	json_object_set_new(j, "banks", list_of(banks, POLICY_LIST_MAX));
	json_object_set_new(j, "references",
			    must(json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1,
					   "maxLength", 4095)));
	json_object_set_new(j, "references_key", hex_of(48));
	json_object_set_new(j, "min_svn", number_to(UINT32_MAX));
	json_object_set_new(j, "ak_sha256", list_of(hex_of(32), POLICY_LIST_MAX));
	return j;
}

static int print_schema(void)
{
	json_t *keys = top_schema();

	for (const struct policy_section *s = policy_sections; s->name != NULL; s++)
		json_object_set_new(keys, s->name, section_schema(s));
	json_t *j = must(json_pack(
		"{s:s, s:s, s:s, s:b, s:[s,s], s:[{s:[s]}, {s:[s]}], s:o}", "$schema",
		"https://json-schema.org/draft/2020-12/schema", "title",
		"Appraisal policy of pavise verify, version 0 (docs/PROTOCOL.policy)", "type",
		"object", "additionalProperties", 0, "required", "format", "version", "anyOf",
		"required", "base", "required", "tee", "properties", keys));
	int bad = json_dumpf(j, stdout, JSON_INDENT(1)) != 0 || putchar('\n') == EOF;
	json_decref(j);
	return bad;
}

/* ---- the list of keys ------------------------------------------------------------------------ */

static void print_words(const char *const *words)
{
	int column = 0;

	for (; *words != NULL; words++) {
		if (column > 60) {
			fputs("\n                 ", stdout);
			column = 0;
		}
		column += printf(" %s", *words);
	}
}

static void print_form(const struct policy_key *k)
{
	unsigned long long most = k->most;

	switch (k->kind) {
	case POLICY_BOOL:
		fputs("true or false", stdout);
		break;
	case POLICY_NUMBER:
		printf("a number, 0 to %llu", most);
		break;
	case POLICY_OPTIONAL:
		printf("a number, 0 to %llu, or null: any", most);
		break;
	case POLICY_NUMBERS:
		printf("an object of numbers, 0 to %llu each:", most);
		print_words(k->words);
		break;
	case POLICY_MASK:
		fputs("a text of hexadecimal digits as \"0x1f\"", stdout);
		break;
	case POLICY_BYTES:
		printf("%llu bytes in hexadecimal, or null: any", most);
		break;
	case POLICY_DIGESTS:
		printf("a list of 1 to %u values of %llu bytes in hexadecimal, or null: any",
		       POLICY_LIST_MAX, most);
		break;
	case POLICY_WORDS:
		fputs("a list of these words, or null: any:\n                 ", stdout);
		print_words(k->words);
		break;
	case POLICY_PCRS:
		printf("an object of banks (sha256, sha384) of PCRs (\"0\" to \"23\"), each with a\n"
		       "               list of 1 to %u values in hexadecimal", POLICY_PCR_VALUES);
		break;
	case POLICY_TEXTS:
		printf("a list of 1 to %u texts of at most %llu characters, or null: any",
		       POLICY_LIST_MAX, most);
		break;
	case POLICY_TIME:
		fputs("an RFC 3339 time, or null: any", stdout);
		break;
	}
	putchar('\n');
}

static const enum policy_base bases[] = { POLICY_STRICT, POLICY_RECOMMENDED, POLICY_PERMISSIVE };
#define BASES (sizeof(bases) / sizeof(bases[0]))

/* The value that a base gives the key (malloc), as explain prints it: "PATH.KEY = VALUE\n". */
static char *value_of(const struct policy_section *s, const struct policy_key *k,
		      enum policy_base base)
{
	static struct policy p;
	const struct policy_key one[2] = { *k };
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	policy_built_in(base, &p);
	if (f == NULL)
		abort();
	policy_keys_explain(f, "", one, (const char *)&p + s->offset);
	fclose(f);
	const char *value = strstr(text, " = ");
	if (value == NULL)
		abort();
	char *copy = strndup(value + 3, strcspn(value + 3, "\n"));
	free(text);
	return copy;
}

static void print_values(const struct policy_section *s, const struct policy_key *k)
{
	char *value[BASES];
	bool same = true;

	for (size_t i = 0; i < BASES; i++) {
		value[i] = value_of(s, k, bases[i]);
		same &= strcmp(value[i], value[0]) == 0;
	}
	if (same)
		printf("               when absent: %s\n",
		       strcmp(value[0], "absent: anything") == 0 ? "anything" : value[0]);
	for (size_t i = 0; !same && i < BASES; i++)
		printf("               %s: %s\n", policy_base_name(bases[i]), value[i]);
	for (size_t i = 0; i < BASES; i++)
		free(value[i]);
}

static void print_keys(void)
{
	fputs("Keys of an appraisal policy's sections, and what the built-in policies have\n"
	      "===========================================================================\n\n"
	      "Made by `make policy-docs` from the tables that parse them; PROTOCOL.policy says what a\n"
	      "policy is. Each key: what it says, its form, its value where it is absent.\n\n",
	      stdout);
	for (const struct policy_section *s = policy_sections; s->name != NULL; s++) {
		printf("Keys of \"%s\"\n", s->name);
		for (const struct policy_key *k = s->keys; k->name != NULL; k++) {
			printf("  %s\n               %s\n               ", k->name, k->meaning);
			print_form(k);
			print_values(s, k);
		}
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "schema") == 0)
		return print_schema();
	if (argc == 2 && strcmp(argv[1], "keys") == 0) {
		print_keys();
		return 0;
	}
	fputs("usage: policy_docs schema|keys\n", stderr);
	return EX_USAGE_ERROR;
}
