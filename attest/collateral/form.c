/* The JSON files that hold several parts: our bundle, and the form in which quote libraries hand
 * collateral on. */
#include "attest/collateral/collateral.h"

#include "attest/x509/when.h"
#include "common/bytes.h"
#include "common/json.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "pavise-collateral"

/* ---- the bundle --------------------------------------------------------------------------- */

static int kind_of(const char *name)
{
	for (int k = 0; k < COLLATERAL_KINDS; k++)
		if (strcmp(name, collateral_kind_names[k]) == 0)
			return k;
	return -1;
}

/* Its bytes, from "text" or "base64", into memory that the caller frees. */
static int part_bytes(const char *path, const json_t *j, uint8_t **out, size_t *size, struct err *e)
{
	const char *text = NULL, *base64 = NULL;
	int r = json_get_string(path, j, "text", 0, &text, e);

	if (r == 0)
		r = json_get_string(path, j, "base64", 0, &base64, e);
	if (r < 0)
		return r;
	size_t most = text != NULL ? strlen(text) : base64 != NULL ? strlen(base64) / 4 * 3 : 0;
	if ((text != NULL) == (base64 != NULL))
		return err_set(e, EX_MALFORMED, "%s: not exactly one of \"text\" and \"base64\"",
			       path);
	if (most > COLLATERAL_PART_MAX)
		return err_set(e, EX_MALFORMED, "%s: above the limit of %u bytes", path,
			       COLLATERAL_PART_MAX);
	*out = malloc(most + 1);
	if (*out == NULL)
		return err_set(e, EX_HOST, "out of memory");
	*size = most;
	if (text != NULL)
		memcpy(*out, text, most);
	else
		r = json_get_base64(path, j, "base64", 1, *out, most, size, e);
	return r;
}

static int check_digest(const char *path, const json_t *j, const uint8_t *data, size_t size,
			struct err *e)
{
	uint8_t need[32], have[32];
	int r = json_get_hex(path, j, "sha256", 1, need, sizeof(need), e);

	if (r == 0 && (EVP_Digest(data, size, have, NULL, EVP_sha256(), NULL) != 1 ||
		       memcmp(have, need, sizeof(have)) != 0))
		return err_set(e, EX_MALFORMED, "%s: \"sha256\" is not its digest", path);
	return r;
}

static int add_member(struct collateral *c, const char *path, const json_t *j, struct err *e)
{
	static const char *const keys[] = { "kind", "origin", "sha256", "text", "base64", NULL };
	const char *kind = NULL, *origin = NULL;
	uint8_t *data = NULL;
	size_t size = 0;
	int r = json_is_object(j) ? json_only_keys(path, j, keys, e)
				  : err_set(e, EX_MALFORMED, "%s: not an object", path);

	if (r == 0)
		r = json_get_string(path, j, "kind", 1, &kind, e);
	if (r == 0)
		r = json_get_string(path, j, "origin", 1, &origin, e);
	if (r == 0 && kind_of(kind) < 0)
		r = err_set(e, EX_MALFORMED, "%s: unknown \"kind\"", path);
	if (r == 0)
		r = part_bytes(path, j, &data, &size, e);
	if (r == 0)
		r = check_digest(path, j, data, size, e);
	if (r == 0)
		r = collateral_add_part(c, (enum collateral_kind)kind_of(kind), origin, data, size,
					e);
	free(data);
	return r;
}

static int add_bundle(struct collateral *c, const char *name, const json_t *j, struct err *e)
{
	static const char *const keys[] = { "format", "version", "created", "parts", NULL };
	const json_t *parts = NULL;
	const char *created = NULL;
	uint64_t version = 1;
	char path[COLLATERAL_ORIGIN_SIZE + 32];
	int r = json_get_u64(name, j, "version", 1, &version, e);

	if (r == 0 && version != 0)
		r = err_set(e, EX_MALFORMED, "%s: version %llu: only 0 is understood", name,
			    (unsigned long long)version);
	if (r == 0)
		r = json_only_keys(name, j, keys, e);
	if (r == 0)
		r = json_get_string(name, j, "created", 1, &created, e);
	if (r == 0 && !when_parse(created, &c->created))
		r = err_set(e, EX_MALFORMED, "%s: \"created\" is not a time (RFC 3339)", name);
	if (r == 0)
		r = json_get_array(name, j, "parts", 1, &parts, e);
	for (size_t i = 0; r == 0 && i < json_array_size(parts); i++) {
		snprintf(path, sizeof(path), "%.95s: parts[%zu]", name, i);
		r = add_member(c, path, json_array_get(parts, i), e);
	}
	return r;
}

/* ---- the form of quote libraries ---------------------------------------------------------- */

/* A member's text; *out NULL: it is absent or null. */
static int get_text(const char *name, const json_t *j, const char *key, const char **out,
		    struct err *e)
{
	*out = NULL;
	return json_is_null(json_object_get(j, key)) ? 0 : json_get_string(name, j, key, 0, out, e);
}

/* Text and signature come apart there: put together as Intel's answer has them. */
static int add_signed(struct collateral *c, const char *name, const json_t *j, const char *key,
		      enum collateral_kind kind, struct err *e)
{
	const char *outer = kind == COLLATERAL_TCB_INFO ? "tcbInfo" : "enclaveIdentity";
	const char *body = NULL, *signature = NULL;
	char other[32], origin[COLLATERAL_ORIGIN_SIZE];
	char *text = NULL;

	snprintf(other, sizeof(other), "%s_signature", key);
	snprintf(origin, sizeof(origin), "%.60s: %s", name, key);
	int r = get_text(name, j, key, &body, e);
	if (r == 0)
		r = get_text(name, j, other, &signature, e);
	if (r < 0 || body == NULL)
		return r;
	if (signature == NULL)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is missing", name, other);
	int n = asprintf(&text, "{\"%s\":%s,\"signature\":\"%s\"}", outer, body, signature);
	if (n < 0)
		return err_set(e, EX_HOST, "out of memory");
	r = collateral_add_part(c, kind, origin, (const uint8_t *)text, (size_t)n, e);
	free(text);
	return r;
}

static int add_chain(struct collateral *c, const char *name, const json_t *j, const char *key,
		     struct err *e)
{
	char origin[COLLATERAL_ORIGIN_SIZE];
	const char *text;
	int r = get_text(name, j, key, &text, e);

	snprintf(origin, sizeof(origin), "%.60s: %s", name, key);
	if (r < 0 || text == NULL)
		return r;
	return collateral_add_part(c, COLLATERAL_CERTS, origin, (const uint8_t *)text, strlen(text),
				   e);
}

/* DER in hexadecimal or base64, or PEM. DER begins with 0x30: "30" in the one, "M" in the other. */
static int add_list(struct collateral *c, const char *name, const json_t *j, const char *key,
		    struct err *e)
{
	char origin[COLLATERAL_ORIGIN_SIZE];
	const char *text;
	int r = get_text(name, j, key, &text, e);

	snprintf(origin, sizeof(origin), "%.60s: %s", name, key);
	if (r < 0 || text == NULL)
		return r;
	size_t n = strlen(text), size = n;
	if (n > (size_t)2 * COLLATERAL_PART_MAX)
		return err_set(e, EX_MALFORMED, "%s: above the limit of %u bytes", origin,
			       COLLATERAL_PART_MAX);
	uint8_t *der = malloc(n + 1);
	if (der == NULL)
		return err_set(e, EX_HOST, "out of memory");
	if (text[0] == '-')
		memcpy(der, text, n);
	else if (strncmp(text, "30", 2) == 0 && hex_decode(text, der, n / 2))
		size = n / 2;
	else
		r = json_get_base64(name, j, key, 1, der, n, &size, e);
	if (r == 0)
		r = collateral_add_part(c, COLLATERAL_CRL, origin, der, size, e);
	free(der);
	return r;
}

/* Keys that it does not know are let through: nothing unsigned in it is believed. */
static int add_quote_form(struct collateral *c, const char *name, const json_t *j, struct err *e)
{
	static const char *const chains[] = { "tcb_info_issuer_chain", "qe_identity_issuer_chain",
					      "pck_crl_issuer_chain", "pck_certificate_chain" };
	static const char *const lists[] = { "root_ca_crl", "pck_crl" };
	int r = add_signed(c, name, j, "tcb_info", COLLATERAL_TCB_INFO, e);

	if (r == 0)
		r = add_signed(c, name, j, "qe_identity", COLLATERAL_QE_IDENTITY, e);
	for (size_t i = 0; r == 0 && i < sizeof(chains) / sizeof(chains[0]); i++)
		r = add_chain(c, name, j, chains[i], e);
	for (size_t i = 0; r == 0 && i < sizeof(lists) / sizeof(lists[0]); i++)
		r = add_list(c, name, j, lists[i], e);
	return r;
}

/* ---- which one is it? --------------------------------------------------------------------- */

int collateral_add_json(struct collateral *c, const char *origin, const uint8_t *data, size_t size,
			struct err *e)
{
	const char *format;
	json_t *j;
	int r = json_parse(origin, (const char *)data, size, &j, e);

	if (r < 0)
		return r;
	format = json_string_value(json_object_get(j, "format"));
	if (format != NULL && strcmp(format, FORMAT) == 0)
		r = add_bundle(c, origin, j, e);
	else if (json_object_get(j, "tcb_info") != NULL || json_object_get(j, "pck_crl") != NULL)
		r = add_quote_form(c, origin, j, e);
	else if (json_object_get(j, "tcbInfo") != NULL)
		r = collateral_add_part(c, COLLATERAL_TCB_INFO, origin, data, size, e);
	else if (json_object_get(j, "enclaveIdentity") != NULL)
		r = collateral_add_part(c, COLLATERAL_QE_IDENTITY, origin, data, size, e);
	else
		r = 1;
	json_decref(j);
	return r;
}

/* ---- writing ------------------------------------------------------------------------------ */

static json_t *base64_json(const uint8_t *data, size_t size)
{
	char *text = malloc(size / 3 * 4 + 5);

	if (text == NULL)
		return NULL;
	int n = EVP_EncodeBlock((uint8_t *)text, data, (int)size);
	json_t *j = n > 0 ? json_stringn(text, (size_t)n) : NULL;
	free(text);
	return j;
}

static json_t *part_json(const struct collateral_part *p)
{
	char digest[65];
	bool is_text = p->kind == COLLATERAL_TCB_INFO || p->kind == COLLATERAL_QE_IDENTITY;

	hex_encode(p->sha256, sizeof(p->sha256), digest);
	return json_pack("{s:s, s:s, s:s, s:o}", "kind", collateral_kind_names[p->kind], "origin",
			 p->origin, "sha256", digest, is_text ? "text" : "base64",
			 is_text ? json_stringn((const char *)p->data, p->size)
				 : base64_json(p->data, p->size));
}

int collateral_write(const struct collateral *c, time_t created, char **text, size_t *size,
		     struct err *e)
{
	char when[WHEN_TEXT_SIZE];
	json_t *parts = json_array();
	int bad = parts == NULL;

	when_text(created, when);
	for (size_t i = 0; i < c->parts && !bad; i++)
		bad = json_array_append_new(parts, part_json(&c->part[i])) != 0;
	json_t *j = json_pack("{s:s, s:i, s:s, s:o}", "format", FORMAT, "version", 0, "created",
			      when, "parts", parts);
	*text = !bad && j != NULL ? json_dumps(j, JSON_INDENT(1)) : NULL;
	json_decref(j);
	if (*text == NULL)
		return err_set(e, EX_INTERNAL, "collateral: cannot be written as JSON");
	*size = strlen(*text);
	if (*size > COLLATERAL_MAX) {
		free(*text);
		*text = NULL;
		return err_set(e, EX_MALFORMED, "collateral: a bundle of more than %u bytes",
			       COLLATERAL_MAX);
	}
	return 0;
}
