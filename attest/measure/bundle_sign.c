#include "attest/measure/bundle_sign.h"

#include "common/file.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define KEY_FILE_MAX 16384u /* bytes */

/* Never asks: a tool that scripts call must not wait for somebody to type. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int read_key(const char *path, EVP_PKEY **out, struct err *e)
{
	void *data = NULL;
	size_t size = 0;
	int r = file_read("key", path, KEY_FILE_MAX, 0, &data, &size, e);

	if (r < 0)
		return r;
	BIO *bio = BIO_new_mem_buf(data, (int)size);
	*out = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	OPENSSL_cleanse(data, size);
	free(data);
	if (*out == NULL)
		return err_set(e, EX_MALFORMED,
			       "key %s: no private key in PEM, or an encrypted one: make one with "
			       "\"openssl genpkey -algorithm ed25519\"",
			       path);
	return 0;
}

static const EVP_MD *digest_of(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha384();
}

static int sign(EVP_PKEY *key, struct references *r, struct err *e)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int good = context != NULL;

	r->signature_size = sizeof(r->signature);
	good = good && EVP_DigestSignInit(context, NULL, digest_of(key), NULL, key) > 0 &&
	       EVP_DigestSign(context, r->signature, &r->signature_size, (const uint8_t *)r->text,
			      r->text_size) > 0;
	EVP_MD_CTX_free(context);
	return good ? 0
		    : err_set(e, EX_MALFORMED,
			      "key: cannot sign with it: ECDSA P-384 or "
			      "Ed25519 is needed");
}

int bundle_sign(const char *path, struct references *r, struct err *e)
{
	EVP_PKEY *key = NULL;
	uint8_t *p = r->key;
	int status = read_key(path, &key, e);

	if (status < 0)
		return status;
	int size = i2d_PUBKEY(key, NULL);
	if (size <= 0 || (size_t)size > sizeof(r->key) || i2d_PUBKEY(key, &p) != size)
		status = err_set(e, EX_MALFORMED,
				 "key %s: of another kind: ECDSA P-384 or Ed25519 is needed", path);
	else
		r->key_size = (size_t)size;
	if (status == 0)
		status = sign(key, r, e);
	EVP_PKEY_free(key);
	/* Also says whether it is a kind of key that readers take. */
	return status < 0 ? status : references_verify(path, r, NULL, e);
}

static char *base64(const uint8_t *data, size_t size)
{
	unsigned char *text = malloc((size + 2) / 3 * 4 + 1);

	if (text != NULL)
		EVP_EncodeBlock(text, data, (int)size);
	return (char *)text;
}

char *bundle_file(const struct references *r)
{
	char *key = base64(r->key, r->key_size);
	char *signature = base64(r->signature, r->signature_size);
	json_t *j = key == NULL || signature == NULL
			    ? NULL
			    : json_pack("{s:s, s:i, s:s, s:s, s:s}", "format", "pavise-references",
					"version", 0, "key", key, "signed", r->text, "signature",
					signature);
	char *text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(1));

	json_decref(j);
	free(key);
	free(signature);
	return text;
}
