#include "common/json.h"

#include "common/bytes.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

int json_parse(const char *object, const char *text, size_t size, json_t **out, struct err *e)
{
	json_error_t je;

	/* jansson bounds nesting by itself (JSON_PARSER_MAX_DEPTH, 2048). */
	*out = json_loadb(text, size, JSON_REJECT_DUPLICATES, &je);
	if (*out == NULL)
		return err_set(e, EX_MALFORMED, "%s: line %d, column %d: %s", object, je.line,
			       je.column, je.text);
	if (!json_is_object(*out)) {
		json_decref(*out);
		*out = NULL;
		return err_set(e, EX_MALFORMED, "%s: not a JSON object", object);
	}
	return 0;
}

int json_only_keys(const char *path, const json_t *object, const char *const *keys, struct err *e)
{
	for (void *it = json_object_iter((json_t *)object); it != NULL;
	     it = json_object_iter_next((json_t *)object, it)) {
		const char *key = json_object_iter_key(it);
		size_t i = 0;
		while (keys[i] != NULL && strcmp(keys[i], key) != 0)
			i++;
		if (keys[i] == NULL)
			return err_set(e, EX_MALFORMED, "%s: unknown key \"%s\"", path, key);
	}
	return 0;
}

/* *found NULL: absent and allowed to be. */
static int member(const char *path, const json_t *object, const char *key, int required,
		  const char *type_name, int (*is_type)(const json_t *), const json_t **found,
		  struct err *e)
{
	*found = json_object_get(object, key);
	if (*found == NULL && required)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is missing", path, key);
	if (*found != NULL && !is_type(*found))
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is not %s", path, key, type_name);
	return 0;
}

static int is_string(const json_t *j)
{
	return json_is_string(j);
}
static int is_object(const json_t *j)
{
	return json_is_object(j);
}
static int is_array(const json_t *j)
{
	return json_is_array(j);
}
static int is_natural(const json_t *j)
{
	return json_is_integer(j) && json_integer_value(j) >= 0;
}
static int is_bool(const json_t *j)
{
	return json_is_boolean(j);
}

int json_get_string(const char *path, const json_t *object, const char *key, int required,
		    const char **out, struct err *e)
{
	const json_t *j;
	int r = member(path, object, key, required, "a string", is_string, &j, e);

	if (r < 0 || j == NULL)
		return r;
	/* A NUL inside would cut the text for every C consumer. */
	if (strlen(json_string_value(j)) != json_string_length(j))
		return err_set(e, EX_MALFORMED, "%s: \"%s\" holds a NUL", path, key);
	*out = json_string_value(j);
	return 0;
}

int json_get_object(const char *path, const json_t *object, const char *key, int required,
		    const json_t **out, struct err *e)
{
	const json_t *j;
	int r = member(path, object, key, required, "an object", is_object, &j, e);

	if (r == 0 && j != NULL)
		*out = j;
	return r;
}

int json_get_array(const char *path, const json_t *object, const char *key, int required,
		   const json_t **out, struct err *e)
{
	const json_t *j;
	int r = member(path, object, key, required, "an array", is_array, &j, e);

	if (r == 0 && j != NULL)
		*out = j;
	return r;
}

int json_get_u64(const char *path, const json_t *object, const char *key, int required,
		 uint64_t *out, struct err *e)
{
	const json_t *j;
	int r = member(path, object, key, required, "a natural number", is_natural, &j, e);

	if (r == 0 && j != NULL)
		*out = (uint64_t)json_integer_value(j);
	return r;
}

int json_get_bool(const char *path, const json_t *object, const char *key, int required, int *out,
		  struct err *e)
{
	const json_t *j;
	int r = member(path, object, key, required, "true or false", is_bool, &j, e);

	if (r == 0 && j != NULL)
		*out = json_is_true(j);
	return r;
}

int json_get_hex(const char *path, const json_t *object, const char *key, int required, void *out,
		 size_t n, struct err *e)
{
	const char *text = NULL;
	int r = json_get_string(path, object, key, required, &text, e);

	if (r < 0 || text == NULL)
		return r;
	if (!hex_decode(text, out, n))
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is not %zu bytes in hexadecimal", path,
			       key, n);
	return 0;
}

/* RFC 4648 section 4 in its one canonical form: OpenSSL's decoder forgives white space and stray
 * bits, so what it made is encoded again and must be the text that came. */
static int base64_decode(const char *text, uint8_t *out, size_t max, size_t *size)
{
	size_t n = strlen(text);
	size_t pad = n >= 2 ? (size_t)(text[n - 1] == '=') + (size_t)(text[n - 2] == '=') : 0;

	if (n % 4 != 0 || n > INT_MAX || n / 4 * 3 - pad > max)
		return -1;
	uint8_t *raw = malloc(n / 4 * 3 + 1);
	char *again = malloc(n + 1);
	int ok = raw != NULL && again != NULL &&
		 EVP_DecodeBlock(raw, (const uint8_t *)text, (int)n) >= 0;
	if (ok) {
		*size = n / 4 * 3 - pad;
		ok = EVP_EncodeBlock((uint8_t *)again, raw, (int)*size) == (int)n &&
		     memcmp(again, text, n) == 0;
	}
	if (ok)
		memcpy(out, raw, *size);
	free(raw);
	free(again);
	return ok ? 0 : -1;
}

int json_get_base64(const char *path, const json_t *object, const char *key, int required,
		    void *out, size_t max, size_t *size, struct err *e)
{
	const char *text = NULL;
	int r = json_get_string(path, object, key, required, &text, e);

	if (r < 0 || text == NULL)
		return r;
	if (base64_decode(text, out, max, size) < 0)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is not base64 of at most %zu bytes",
			       path, key, max);
	return 0;
}
