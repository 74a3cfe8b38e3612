#include "attest/appraise/policy_keys.h"

#include "attest/appraise/policy_pcrs.h"
#include "common/bytes.h"
#include "common/json.h"
#include "common/rfc3339.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct place {
	const char *path;
	const struct policy_key *key;
	void *value;
};

static int wrong(const struct place *p, struct err *e, const char *what)
{
	return err_set(e, EX_MALFORMED, "%s: \"%s\" is not %s", p->path, p->key->name, what);
}

/* A string without inner NUL, or NULL. */
static const char *text_of(const json_t *j)
{
	return json_is_string(j) && strlen(json_string_value(j)) == json_string_length(j)
		       ? json_string_value(j)
		       : NULL;
}

static int word_index(const char *const *words, const char *text)
{
	for (int i = 0; words[i] != NULL; i++)
		if (text != NULL && strcmp(words[i], text) == 0)
			return i;
	return -1;
}

static int read_number(const struct place *p, const char *name, const json_t *j, uint64_t *out,
		       struct err *e)
{
	json_int_t v = json_is_integer(j) ? json_integer_value(j) : -1;

	if (v < 0)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is not a number from 0 on", p->path,
			       name);
	if ((uint64_t)v > p->key->most)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is above %llu", p->path, name,
			       (unsigned long long)p->key->most);
	*out = (uint64_t)v;
	return 0;
}

static int read_optional(const struct place *p, const json_t *j, struct err *e)
{
	struct policy_number *out = p->value;

	out->given = !json_is_null(j);
	return out->given ? read_number(p, p->key->name, j, &out->value, e) : 0;
}

static int read_numbers(const struct place *p, const json_t *j, struct err *e)
{
	struct policy_numbers *out = p->value;
	const char *name;
	json_t *member;
	int r = 0;

	if (!json_is_object(j))
		return wrong(p, e, "an object");
	json_object_foreach((json_t *)j, name, member) {
		int i = word_index(p->key->words, name);
		if (i < 0)
			return err_set(e, EX_MALFORMED, "%s.%s: unknown key \"%s\"", p->path,
				       p->key->name, name);
		r = read_number(p, name, member, &out->value[i], e);
		if (r < 0)
			return r;
		out->given |= 1u << i;
	}
	return 0;
}

/* "0x" and 1 to 16 digits: a number in JSON could not hold every bit. */
static int read_mask(const struct place *p, const json_t *j, struct err *e)
{
	const char *text = text_of(j);
	size_t n = text == NULL ? 0 : strlen(text);

	if (n < 3 || n > 18 || strncmp(text, "0x", 2) != 0 ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != n - 2)
		return wrong(p, e, "a text as \"0x1f\"");
	*(uint64_t *)p->value = strtoull(text + 2, NULL, 16);
	return 0;
}

static int read_bytes(const struct place *p, const json_t *j, struct err *e)
{
	struct policy_bytes *out = p->value;
	const char *text = text_of(j);

	*out = (struct policy_bytes){ .size = p->key->most };
	if (json_is_null(j))
		return 0;
	if (text == NULL || !hex_decode(text, out->value, p->key->most))
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is not %llu bytes in hexadecimal",
			       p->path, p->key->name, (unsigned long long)p->key->most);
	out->given = true;
	return 0;
}

static int check_list(const struct place *p, const json_t *j, size_t most, struct err *e)
{
	size_t n = json_array_size(j);

	if (!json_is_array(j))
		return wrong(p, e, "a list");
	if (n == 0 || n > most)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" has %zu members, 1 to %zu allowed",
			       p->path, p->key->name, n, most);
	return 0;
}

static int read_digests(const struct place *p, const json_t *j, struct err *e)
{
	struct policy_digests *out = p->value;

	*out = (struct policy_digests){ .size = p->key->most };
	if (json_is_null(j))
		return 0;
	int r = check_list(p, j, POLICY_LIST_MAX, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(j); i++) {
		const char *text = text_of(json_array_get(j, i));
		if (text == NULL || !hex_decode(text, out->value[i], out->size))
			return err_set(e, EX_MALFORMED,
				       "%s: \"%s\": member %zu is not %zu bytes in hexadecimal",
				       p->path, p->key->name, i, out->size);
	}
	out->count = json_array_size(j);
	return 0;
}

static int read_words(const struct place *p, const json_t *j, struct err *e)
{
	struct policy_words *out = p->value;

	*out = (struct policy_words){ .given = !json_is_null(j) };
	if (!out->given)
		return 0;
	if (!json_is_array(j))
		return wrong(p, e, "a list");
	for (size_t i = 0; i < json_array_size(j); i++) {
		int word = word_index(p->key->words, text_of(json_array_get(j, i)));
		if (word < 0)
			return err_set(e, EX_MALFORMED, "%s: \"%s\": member %zu is not one of the "
				       "words known", p->path, p->key->name, i);
		out->set |= 1u << word;
	}
	return 0;
}

static int read_texts(const struct place *p, const json_t *j, struct err *e)
{
	struct policy_texts *out = p->value;
	int r;

	*out = (struct policy_texts){ .count = 0 };
	if (json_is_null(j))
		return 0;
	r = check_list(p, j, POLICY_LIST_MAX, e);
	for (size_t i = 0; r == 0 && i < json_array_size(j); i++) {
		const char *text = text_of(json_array_get(j, i));
		if (text == NULL || text[0] == '\0' || strlen(text) > p->key->most ||
		    strlen(text) >= sizeof(out->value[i]))
			return err_set(e, EX_MALFORMED,
				       "%s: \"%s\": member %zu is not a text of 1 to %llu "
				       "characters",
				       p->path, p->key->name, i, (unsigned long long)p->key->most);
		memcpy(out->value[i], text, strlen(text) + 1);
	}
	out->count = r == 0 ? json_array_size(j) : 0;
	return r;
}

static int read_time(const struct place *p, const json_t *j, struct err *e)
{
	struct policy_time *out = p->value;
	const char *text = text_of(j);

	*out = (struct policy_time){ .given = !json_is_null(j) };
	if (out->given && (text == NULL || !rfc3339_parse(text, &out->value)))
		return wrong(p, e, "a time as \"2026-01-31T00:00:00Z\"");
	return 0;
}

static int read_value(const struct place *p, const json_t *j, struct err *e)
{
	switch (p->key->kind) {
	case POLICY_BOOL:
		if (!json_is_boolean(j))
			return wrong(p, e, "true or false");
		*(bool *)p->value = json_is_true(j);
		return 0;
	case POLICY_NUMBER:
		return read_number(p, p->key->name, j, p->value, e);
	case POLICY_OPTIONAL:
		return read_optional(p, j, e);
	case POLICY_NUMBERS:
		return read_numbers(p, j, e);
	case POLICY_MASK:
		return read_mask(p, j, e);
	case POLICY_BYTES:
		return read_bytes(p, j, e);
	case POLICY_DIGESTS:
		return read_digests(p, j, e);
	case POLICY_WORDS:
		return read_words(p, j, e);
	case POLICY_PCRS:
		return policy_pcrs_read(p->path, j, p->value, e);
	case POLICY_TEXTS:
		return read_texts(p, j, e);
	case POLICY_TIME:
		return read_time(p, j, e);
	}
	return err_set(e, EX_INTERNAL, "%s: a key of no kind", p->path);
}

int policy_keys_read(const char *path, const json_t *object, const struct policy_key *keys,
		     void *base, struct err *e)
{
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)object, name, member) {
		const struct policy_key *k = keys;
		while (k->name != NULL && strcmp(k->name, name) != 0)
			k++;
		if (k->name == NULL)
			return err_set(e, EX_MALFORMED, "%s: unknown key \"%s\"", path, name);
		struct place p = { path, k, (char *)base + k->offset };
		int r = read_value(&p, member, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static void print_hex(FILE *f, const uint8_t *value, size_t n)
{
	char hex[2 * POLICY_BYTES_MAX + 1];

	hex_encode(value, n, hex);
	fprintf(f, "\"%s\"", hex);
}

static void print_list(FILE *f, const struct policy_key *k, uint32_t set, const uint64_t *numbers)
{
	const char *between = "";

	fputc(numbers != NULL ? '{' : '[', f);
	for (unsigned i = 0; k->words[i] != NULL; i++) {
		if ((set >> i & 1) == 0)
			continue;
		fprintf(f, "%s\"%s\"", between, k->words[i]);
		if (numbers != NULL)
			fprintf(f, ": %llu", (unsigned long long)numbers[i]);
		between = ", ";
	}
	fputc(numbers != NULL ? '}' : ']', f);
}

static void print_digests(FILE *f, const struct policy_digests *d)
{
	fputc('[', f);
	for (size_t i = 0; i < d->count; i++) {
		fputs(i == 0 ? "" : ", ", f);
		print_hex(f, d->value[i], d->size);
	}
	fputc(']', f);
}

/* As JSON has it. */
static void print_texts(FILE *f, const struct policy_texts *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(list, json_string(t->value[i]));
	json_dumpf(list, f, JSON_ENSURE_ASCII);
	json_decref(list);
}

static void print_time(FILE *f, int64_t value)
{
	time_t t = (time_t)value;
	struct tm tm = { 0 };
	char text[40] = "?";

	if (gmtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(f, "\"%s\"", text);
}

/* Is there a value, or is anything accepted? */
static bool is_given(const struct policy_key *k, const void *v)
{
	switch (k->kind) {
	case POLICY_OPTIONAL:
		return ((const struct policy_number *)v)->given;
	case POLICY_NUMBERS:
		return ((const struct policy_numbers *)v)->given != 0;
	case POLICY_BYTES:
		return ((const struct policy_bytes *)v)->given;
	case POLICY_DIGESTS:
		return ((const struct policy_digests *)v)->count > 0;
	case POLICY_WORDS:
		return ((const struct policy_words *)v)->given;
	case POLICY_PCRS:
		return policy_pcrs_given(v);
	case POLICY_TEXTS:
		return ((const struct policy_texts *)v)->count > 0;
	case POLICY_TIME:
		return ((const struct policy_time *)v)->given;
	default:
		return true;
	}
}

static void print_value(FILE *f, const struct policy_key *k, const void *v)
{
	switch (k->kind) {
	case POLICY_BOOL:
		fputs(*(const bool *)v ? "true" : "false", f);
		break;
	case POLICY_NUMBER:
		fprintf(f, "%llu", (unsigned long long)*(const uint64_t *)v);
		break;
	case POLICY_OPTIONAL:
		fprintf(f, "%llu", (unsigned long long)((const struct policy_number *)v)->value);
		break;
	case POLICY_NUMBERS:
		print_list(f, k, ((const struct policy_numbers *)v)->given,
			   ((const struct policy_numbers *)v)->value);
		break;
	case POLICY_MASK:
		fprintf(f, "\"0x%llx\"", (unsigned long long)*(const uint64_t *)v);
		break;
	case POLICY_BYTES:
		print_hex(f, ((const struct policy_bytes *)v)->value,
			  ((const struct policy_bytes *)v)->size);
		break;
	case POLICY_DIGESTS:
		print_digests(f, v);
		break;
	case POLICY_WORDS:
		print_list(f, k, ((const struct policy_words *)v)->set, NULL);
		break;
	case POLICY_PCRS:
		policy_pcrs_print(f, v);
		break;
	case POLICY_TEXTS:
		print_texts(f, v);
		break;
	case POLICY_TIME:
		print_time(f, ((const struct policy_time *)v)->value);
		break;
	}
}

void policy_keys_explain(FILE *f, const char *path, const struct policy_key *keys, const void *base)
{
	for (const struct policy_key *k = keys; k->name != NULL; k++) {
		const void *v = (const char *)base + k->offset;
		fprintf(f, "%s.%s = ", path, k->name);
		if (is_given(k, v))
			print_value(f, k, v);
		else
			fputs("absent: anything", f);
		fprintf(f, "\n        %s\n", k->meaning);
	}
}

bool policy_digest_listed(const struct policy_digests *list, const uint8_t *digest, size_t n)
{
	bool found = false;

	for (size_t i = 0; i < list->count; i++)
		found |= list->size == n && CRYPTO_memcmp(list->value[i], digest, n) == 0;
	return found;
}
