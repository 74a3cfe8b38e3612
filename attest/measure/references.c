#include "attest/measure/references.h"

#include "attest/measure/references_value.h"
#include "attest/x509/when.h"
#include "common/json.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static int read_outer(const char *object, const json_t *root, struct references *out, struct err *e)
{
	static const char *const keys[] = {
		"format", "version", "key", "signed", "signature", NULL
	};
	const char *format = NULL, *text = NULL;
	uint64_t version = 1;
	int r = json_only_keys(object, root, keys, e);

	if (r == 0)
		r = json_get_string(object, root, "format", 1, &format, e);
	if (r == 0)
		r = json_get_u64(object, root, "version", 1, &version, e);
	if (r == 0 && (strcmp(format, "pavise-references") != 0 || version != 0))
		return err_set(e, EX_MALFORMED, "%s: no bundle of reference values of version 0",
			       object);
	if (r == 0)
		r = json_get_string(object, root, "signed", 1, &text, e);
	if (r == 0)
		r = json_get_base64(object, root, "key", 1, out->key, sizeof(out->key),
				    &out->key_size, e);
	if (r == 0)
		r = json_get_base64(object, root, "signature", 1, out->signature,
				    sizeof(out->signature), &out->signature_size, e);
	if (r != 0 || text == NULL)
		return r;
	out->text_size = strlen(text);
	if (out->text_size > REFERENCES_TEXT_MAX)
		return err_set(e, EX_MALFORMED, "%s: signed text of %zu bytes: at most %u", object,
			       out->text_size, REFERENCES_TEXT_MAX);
	out->text = strdup(text);
	return out->text == NULL ? err_set(e, EX_HOST, "%s: out of memory", object) : 0;
}

int references_parse(const char *object, const uint8_t *data, size_t size, struct references *out,
		     struct err *e)
{
	json_t *root = NULL;

	*out = (struct references){ 0 };
	if (size > REFERENCES_FILE_MAX)
		return err_set(e, EX_MALFORMED, "%s: %zu bytes: at most %u", object, size,
			       REFERENCES_FILE_MAX);
	int r = json_parse(object, (const char *)data, size, &root, e);
	if (r == 0)
		r = read_outer(object, root, out, e);
	json_decref(root);
	return r;
}

void references_free(struct references *r)
{
	free(r->text);
	free(r->value);
	*r = (struct references){ 0 };
}

int references_key_digest(const struct references *r, uint8_t out[REFERENCES_DIGEST_SIZE],
			  struct err *e)
{
	if (!EVP_Digest(r->key, r->key_size, out, NULL, EVP_sha384(), NULL))
		return err_set(e, EX_INTERNAL, "libcrypto refuses to hash a key");
	return 0;
}

/* The kind of the key decides the algorithm; the file has no say in it. */
static int key_algorithm(const EVP_PKEY *key, const EVP_MD **md)
{
	char group[32] = "";
	size_t n = 0;

	*md = NULL;
	if (EVP_PKEY_is_a(key, "ED25519"))
		return 0;
	if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, group, sizeof(group), &n) ||
	    strcmp(group, "secp384r1") != 0)
		return -1;
	*md = EVP_sha384();
	return 0;
}

static int verify_signature(const char *object, const struct references *r, struct err *e)
{
	const uint8_t *p = r->key;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)r->key_size);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *md;
	int status;

	if (key == NULL || p != r->key + r->key_size || key_algorithm(key, &md) < 0)
		status = err_set(e, EX_MALFORMED,
				 "%s: its key is no public key of ECDSA P-384 or Ed25519 in DER",
				 object);
	else if (context == NULL || !EVP_DigestVerifyInit(context, NULL, md, NULL, key))
		status = err_set(e, EX_INTERNAL, "%s: libcrypto cannot verify", object);
	else if (EVP_DigestVerify(context, r->signature, r->signature_size,
				  (const uint8_t *)r->text, r->text_size) != 1)
		status = err_set(e, EX_UNAUTHENTIC,
				 "%s: its key has not signed this text: changed after it was made?",
				 object);
	else
		status = 0;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return status;
}

int references_verify(const char *object, struct references *r,
		      const uint8_t key_digest[REFERENCES_DIGEST_SIZE], struct err *e)
{
	uint8_t digest[REFERENCES_DIGEST_SIZE];
	int status = references_key_digest(r, digest, e);

	if (status < 0)
		return status;
	if (key_digest != NULL && CRYPTO_memcmp(digest, key_digest, sizeof(digest)) != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: signed with another key than the one that is pinned (see "
			       "\"pavise measure bundle show --key-digest\")",
			       object);
	status = verify_signature(object, r, e);
	return status < 0 ? status : references_read_values(object, r, e);
}

int references_check(const char *object, const struct references *r, time_t now, uint32_t min_svn,
		     struct err *e)
{
	char until[WHEN_TEXT_SIZE];

	if (r->has_not_after && now > r->not_after) {
		when_text(r->not_after, until);
		return err_set(e, EX_COLLATERAL,
			       "%s: expired at %s: ask the firmware's owner for a newer bundle",
			       object, until);
	}
	if (r->svn < min_svn)
		return err_set(e, EX_REFUSED,
			       "%s: for firmware of security version %u, %u is the least", object,
			       r->svn, min_svn);
	return 0;
}

const struct reference_value *references_find_snp(const struct references *r,
						  const uint8_t measurement[REFERENCES_DIGEST_SIZE],
						  uint64_t policy)
{
	const struct reference_value *found = NULL;

	for (size_t i = 0; i < r->count; i++) {
		const struct reference_value *v = &r->value[i];
		int same = CRYPTO_memcmp(v->digest, measurement, REFERENCES_DIGEST_SIZE) == 0;
		if (same && v->tee == REFERENCE_SNP && found == NULL &&
		    (!v->has_policy || v->policy == policy))
			found = v;
	}
	return found;
}

const struct reference_value *references_find_tdx(const struct references *r,
						  const uint8_t mrtd[REFERENCES_DIGEST_SIZE],
						  const uint8_t *const rtmr[REFERENCES_RTMRS])
{
	const struct reference_value *found = NULL;

	for (size_t i = 0; i < r->count; i++) {
		const struct reference_value *v = &r->value[i];
		int same = v->tee == REFERENCE_TDX;
		same &= CRYPTO_memcmp(v->digest, mrtd, REFERENCES_DIGEST_SIZE) == 0;
		for (unsigned n = 0; n < REFERENCES_RTMRS; n++)
			same &= !v->has_rtmr[n] ||
				CRYPTO_memcmp(v->rtmr[n], rtmr[n], REFERENCES_DIGEST_SIZE) == 0;
		if (same && found == NULL)
			found = v;
	}
	return found;
}

const struct reference_value *
references_find_pcrs(const struct references *r, enum reference_bank bank,
		     const uint8_t pcr[REFERENCES_PCRS][REFERENCES_DIGEST_SIZE])
{
	const struct reference_value *found = NULL;
	size_t size = reference_bank_size(bank);

	for (size_t i = 0; i < r->count; i++) {
		const struct reference_value *v = &r->value[i];
		int same = v->tee == REFERENCE_NONE && v->bank[bank];
		for (unsigned n = 0; n < REFERENCES_PCRS; n++)
			same &= CRYPTO_memcmp(v->pcr[bank][n], pcr[n], size) == 0;
		if (same && found == NULL)
			found = v;
	}
	return found;
}
