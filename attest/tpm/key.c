#include "attest/tpm/key.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define PEM_MARK "-----BEGIN "

static int bad(const char *cause, struct err *e)
{
	return err_set(e, EX_MALFORMED, "attestation key: %s", cause);
}

static bool is_pem(const uint8_t *data, size_t size)
{
	const size_t n = strlen(PEM_MARK);

	for (size_t i = 0; i + n <= size; i++)
		if (memcmp(data + i, PEM_MARK, n) == 0)
			return true;
	return false;
}

static X509 *whole_cert(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	X509 *cert = d2i_X509(NULL, &p, (long)size);

	if (cert != NULL && p != data + size) {
		X509_free(cert);
		cert = NULL;
	}
	ERR_clear_error();
	return cert;
}

static EVP_PKEY *whole_spki(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)size);

	if (key != NULL && p != data + size) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	ERR_clear_error();
	return key;
}

/* Appends to list, which owns it then. */
static int add_cert(const char *what, STACK_OF(X509) * list, X509 *cert, struct err *e)
{
	if (cert == NULL)
		return err_set(e, EX_MALFORMED, "%s: a certificate that does not parse", what);
	if (sk_X509_num(list) >= (int)TPM_KEY_CERTS_MAX || sk_X509_push(list, cert) <= 0) {
		X509_free(cert);
		return err_set(e, EX_MALFORMED, "%s: more than %u certificates", what,
			       TPM_KEY_CERTS_MAX);
	}
	return 0;
}

/* What a PEM file holds: certificates go to list, one public key to *key; any other block is an
 * error, above all a private key. */
static int read_pem(const char *what, const uint8_t *data, size_t size, STACK_OF(X509) * list,
		    EVP_PKEY **key, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(data, (int)size);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long n = 0;
	int r = bio == NULL ? err_set(e, EX_INTERNAL, "%s: out of memory", what) : 0;

	while (r == 0 && PEM_read_bio(bio, &name, &header, &der, &n)) {
		if (strcmp(name, PEM_STRING_X509) == 0) {
			r = add_cert(what, list, whole_cert(der, (size_t)n), e);
		} else if (key != NULL && *key == NULL && strcmp(name, PEM_STRING_PUBLIC) == 0) {
			*key = whole_spki(der, (size_t)n);
			if (*key == NULL)
				r = err_set(e, EX_MALFORMED, "%s: a public key that does not parse",
					    what);
		} else {
			r = err_set(e, EX_MALFORMED, "%s: a PEM block of the wrong kind", what);
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

int tpm_certs_parse(const char *what, const uint8_t *data, size_t size, STACK_OF(X509) * list,
		    struct err *e)
{
	int before = sk_X509_num(list);

	if (size > TPM_KEY_FILE_MAX)
		return err_set(e, EX_MALFORMED, "%s: larger than %u bytes", what, TPM_KEY_FILE_MAX);
	if (!is_pem(data, size))
		return add_cert(what, list, whole_cert(data, size), e);
	int r = read_pem(what, data, size, list, NULL, e);
	if (r == 0 && sk_X509_num(list) == before)
		return err_set(e, EX_MALFORMED, "%s: no certificate in it", what);
	return r;
}

static int take_area(const uint8_t *data, size_t size, struct tpm_key *k, struct err *e)
{
	int r = tpm_public_parse(data, size, &k->area, e);

	k->form = TPM_KEY_AREA;
	if (r < 0)
		return r;
	if (!EVP_PKEY_up_ref(k->area.key) ||
	    !EVP_Digest(data, size, k->area_sha256, NULL, EVP_sha256(), NULL))
		return err_set(e, EX_INTERNAL, "attestation key: libcrypto refuses to hash");
	k->key = k->area.key;
	return 0;
}

static int take_cert_key(struct tpm_key *k, struct err *e)
{
	k->form = TPM_KEY_CERTIFICATE;
	k->key = X509_get_pubkey(sk_X509_value(k->certs, 0));
	ERR_clear_error();
	return k->key != NULL ? 0 : bad("its certificate has a key that libcrypto refuses", e);
}

static int take_pem(const uint8_t *data, size_t size, struct tpm_key *k, struct err *e)
{
	int r = read_pem("attestation key", data, size, k->certs, &k->key, e);

	if (r < 0)
		return r;
	if ((k->key != NULL) == (sk_X509_num(k->certs) != 0))
		return bad("PEM with neither or both of a public key and certificates", e);
	k->form = TPM_KEY_SPKI;
	return k->key != NULL ? 0 : take_cert_key(k, e);
}

static int take_der(const uint8_t *data, size_t size, struct tpm_key *k, struct err *e)
{
	X509 *cert = whole_cert(data, size);

	if (cert != NULL) {
		int r = add_cert("attestation key", k->certs, cert, e);
		return r < 0 ? r : take_cert_key(k, e);
	}
	k->form = TPM_KEY_SPKI;
	k->key = whole_spki(data, size);
	return k->key != NULL ? 0 : bad("neither a public area, a public key nor a certificate", e);
}

static int digest_spki(struct tpm_key *k, struct err *e)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k->key, &der);
	bool ok = n > 0 && EVP_Digest(der, (size_t)n, k->spki_sha256, NULL, EVP_sha256(), NULL);

	OPENSSL_free(der);
	return ok ? 0 : err_set(e, EX_INTERNAL, "attestation key: libcrypto refuses to encode it");
}

static int begin(struct tpm_key *out, struct err *e)
{
	*out = (struct tpm_key){ .certs = sk_X509_new_null() };
	return out->certs != NULL ? 0 : err_set(e, EX_INTERNAL, "attestation key: out of memory");
}

int tpm_key_parse_area(const uint8_t *data, size_t size, struct tpm_key *out, struct err *e)
{
	int r = begin(out, e);

	if (r == 0)
		r = take_area(data, size, out, e);
	return r < 0 ? r : digest_spki(out, e);
}

int tpm_key_parse(const uint8_t *data, size_t size, struct tpm_key *out, struct err *e)
{
	int r = begin(out, e);

	if (r < 0)
		return r;
	if (size == 0 || size > TPM_KEY_FILE_MAX)
		return bad("empty or larger than 64 KiB", e);
	if (is_pem(data, size)) {
		r = take_pem(data, size, out, e);
	} else if (data[0] == 0x30) { /* SEQUENCE; no public area begins so */
		r = take_der(data, size, out, e);
	} else {
		tpm_unwrap(&data, &size);
		r = take_area(data, size, out, e);
	}
	return r < 0 ? r : digest_spki(out, e);
}

void tpm_key_free(struct tpm_key *k)
{
	EVP_PKEY_free(k->key);
	k->key = NULL;
	tpm_public_free(&k->area);
	sk_X509_pop_free(k->certs, X509_free);
	k->certs = NULL;
}

int tpm_key_check(const struct tpm_key *k, struct err *e)
{
	int bits = EVP_PKEY_get_bits(k->key);
	char group[32] = "";

	if (k->form == TPM_KEY_AREA)
		return tpm_public_check_ak(&k->area, e);
	if (EVP_PKEY_is_a(k->key, "RSA")) {
		if (bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX)
			return 0;
		return err_set(e, EX_UNAUTHENTIC, "attestation key: RSA of %d bits, not %d to %d",
			       bits, RSA_BITS_MIN, RSA_BITS_MAX);
	}
	if (EVP_PKEY_is_a(k->key, "EC"))
		EVP_PKEY_get_group_name(k->key, group, sizeof(group), NULL);
	ERR_clear_error();
	if (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0)
		return 0;
	return err_set(e, EX_UNAUTHENTIC,
		       "attestation key: neither RSA nor on NIST P-256 or P-384");
}

static X509 *own_cert(const struct tpm_key *k, STACK_OF(X509) * untrusted)
{
	if (k->form == TPM_KEY_CERTIFICATE)
		return sk_X509_value(k->certs, 0);
	for (int i = 0; untrusted != NULL && i < sk_X509_num(untrusted); i++) {
		X509 *cert = sk_X509_value(untrusted, i);
		if (EVP_PKEY_eq(X509_get0_pubkey(cert), k->key) == 1)
			return cert;
	}
	return NULL;
}

static int chain_error(int error, struct err *e)
{
	bool expired =
		error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;

	return err_set(e, expired ? EX_COLLATERAL : EX_UNAUTHENTIC,
		       "attestation key: its certificate does not lead to the trusted root: %s",
		       X509_verify_cert_error_string(error));
}

/* The root is the relying party's choice, self-signed or not: it ends the chain. Level 2 refuses
 * signatures over SHA-1 and RSA keys below 2048 bits. */
static int verify_chain(X509 *cert, STACK_OF(X509) * untrusted, X509 *root, time_t now,
			struct err *e)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int r;

	if (store != NULL && ctx != NULL && X509_STORE_add_cert(store, root) &&
	    X509_STORE_CTX_init(ctx, store, cert, untrusted)) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
		X509_VERIFY_PARAM_set_auth_level(param, 2);
		X509_VERIFY_PARAM_set_time(param, now);
		r = X509_verify_cert(ctx) == 1 ? 0 : chain_error(X509_STORE_CTX_get_error(ctx), e);
	} else {
		r = err_set(e, EX_INTERNAL, "attestation key: libcrypto cannot verify chains");
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return r;
}

int tpm_key_chain(const struct tpm_key *k, STACK_OF(X509) * untrusted, X509 *root, time_t now,
		  struct err *e)
{
	X509 *cert = own_cert(k, untrusted);
	STACK_OF(X509) *all = sk_X509_dup(k->certs);
	int r = 0;

	for (int i = 0; all != NULL && untrusted != NULL && i < sk_X509_num(untrusted); i++)
		r |= sk_X509_push(all, sk_X509_value(untrusted, i)) <= 0;
	if (cert == NULL)
		r = err_set(e, EX_COLLATERAL, "attestation key: no certificate holds this key");
	else if (all == NULL || r != 0)
		r = err_set(e, EX_INTERNAL, "attestation key: out of memory");
	else
		r = verify_chain(cert, all, root, now, e);
	sk_X509_free(all);
	return r;
}
