#include "attest/tdx/signed_json.h"

#include "attest/tdx/p256.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 16u

struct scan {
	const char *text;
	size_t size, pos;
};

static void skip_space(struct scan *s)
{
	while (s->pos < s->size && memchr(" \t\r\n", s->text[s->pos], 4) != NULL)
		s->pos++;
}

static bool take(struct scan *s, char c)
{
	skip_space(s);
	if (s->pos >= s->size || s->text[s->pos] != c)
		return false;
	s->pos++;
	return true;
}

/* A string; *inside and *n: what stands between its quotes, escapes as they are. */
static bool take_string(struct scan *s, const char **inside, size_t *n)
{
	if (!take(s, '"'))
		return false;
	*inside = s->text + s->pos;
	for (; s->pos < s->size; s->pos++) {
		char c = s->text[s->pos];
		if (c == '"') {
			*n = (size_t)(s->text + s->pos++ - *inside);
			return true;
		}
		if ((unsigned char)c < 0x20)
			return false;
		if (c == '\\')
			s->pos++;
	}
	return false;
}

/* An object by its brackets alone, with those in strings left out: what it holds is judged by a
 * parser that is given just this slice. */
static bool take_object(struct scan *s, const char **start, size_t *n)
{
	char open[DEPTH_MAX];
	unsigned depth = 0;
	const char *text;
	size_t length;

	skip_space(s);
	if (s->pos >= s->size || s->text[s->pos] != '{')
		return false;
	*start = s->text + s->pos;
	while (s->pos < s->size) {
		char c = s->text[s->pos];
		if (c == '"') {
			if (!take_string(s, &text, &length))
				return false;
			continue;
		}
		s->pos++;
		if (c == '{' || c == '[') {
			if (depth == DEPTH_MAX)
				return false;
			open[depth++] = c;
		} else if (c == '}' || c == ']') {
			if (depth == 0 || open[--depth] != (c == '}' ? '{' : '['))
				return false;
			if (depth == 0) {
				*n = (size_t)(s->text + s->pos - *start);
				return true;
			}
		}
	}
	return false;
}

static bool is_key(const char *text, size_t n, const char *key)
{
	return n == strlen(key) && memcmp(text, key, n) == 0;
}

static bool take_signature(struct scan *s, struct signed_json *out)
{
	char hex[2 * sizeof(out->signature) + 1];
	const char *text;
	size_t n;

	if (!take_string(s, &text, &n) || n != sizeof(hex) - 1)
		return false;
	memcpy(hex, text, n);
	hex[n] = '\0';
	return hex_decode(hex, out->signature, sizeof(out->signature));
}

/* One member of the answer; each of the two keys may come once. */
static bool take_member(struct scan *s, const char *key, struct signed_json *out, bool *has_sig)
{
	const char *name;
	size_t n;

	if (!take_string(s, &name, &n) || !take(s, ':'))
		return false;
	if (is_key(name, n, key) && out->body == NULL)
		return take_object(s, &out->body, &out->body_size);
	if (is_key(name, n, "signature") && !*has_sig) {
		*has_sig = true;
		return take_signature(s, out);
	}
	return false;
}

int signed_json_split(const char *object, const char *text, size_t size, const char *key,
		      struct signed_json *out, struct err *e)
{
	struct scan s = { .text = text, .size = size };
	bool has_sig = false, ok;

	*out = (struct signed_json){ 0 };
	if (size > SIGNED_JSON_MAX)
		return err_set(e, EX_MALFORMED, "%s: %zu bytes: above the limit of %u", object,
			       size, SIGNED_JSON_MAX);
	ok = take(&s, '{') && take_member(&s, key, out, &has_sig) && take(&s, ',') &&
	     take_member(&s, key, out, &has_sig) && take(&s, '}');
	skip_space(&s);
	if (ok && s.pos == s.size)
		return 0;
	*out = (struct signed_json){ 0 };
	return err_set(
		e, EX_MALFORMED,
		"%s: not {\"%s\": {…}, \"signature\": \"128 hexadecimal digits\"} (byte %zu)",
		object, key, s.pos < size ? s.pos : size);
}

int signed_json_verify(const char *object, const struct signed_json *s, EVP_PKEY *key,
		       struct err *e)
{
	if (p256_verify(key, s->signature, s->body, s->body_size))
		return 0;
	return err_set(e, EX_UNAUTHENTIC,
		       "%s: its signature does not hold under the signing certificate's key",
		       object);
}
