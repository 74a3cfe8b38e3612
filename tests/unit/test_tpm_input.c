/* The forms in which files hold keys, signatures and PCR values. */
#include "attest/tpm/key.h"
#include "attest/tpm/pcrs.h"

#include "common/bytes.h"
#include "tests/unit/fake_ca.h"
#include "tests/unit/fake_tpm.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(const void *data, size_t size, struct tpm_key *out)
{
	uint8_t *exact = malloc(size + 1);
	struct err e = { 0 };

	assert_non_null(exact);
	memcpy(exact, data, size);
	int r = tpm_key_parse(exact, size, out, &e);
	free(exact);
	return r;
}

static void key_is(const void *data, size_t size, enum tpm_key_form form, EVP_PKEY *want)
{
	struct tpm_key k;
	struct err e = { 0 };

	assert_int_equal(parse(data, size, &k), 0);
	assert_int_equal(k.form, form);
	assert_int_equal(EVP_PKEY_eq(k.key, want), 1);
	assert_int_equal(tpm_key_check(&k, &e), 0);
	tpm_key_free(&k);
}

static void key_refused(const void *data, size_t size)
{
	struct tpm_key k;

	assert_int_equal(parse(data, size, &k), -EX_MALFORMED);
	tpm_key_free(&k);
}

static size_t to_pem(uint8_t *out, size_t size, EVP_PKEY *key, X509 *a, X509 *b)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_non_null(bio);
	if (key != NULL)
		assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	if (a != NULL)
		assert_int_equal(PEM_write_bio_X509(bio, a), 1);
	if (b != NULL)
		assert_int_equal(PEM_write_bio_X509(bio, b), 1);
	int n = BIO_read(bio, out, (int)size);
	BIO_free(bio);
	assert_true(n > 0 && (size_t)n < size);
	return (size_t)n;
}

static void key_forms(void **state)
{
	(void)state;
	uint8_t bytes[8192], *der = NULL;
	struct fake_tpm t;
	struct fake_ca ca;

	fake_ca_make(&ca);
	fake_tpm_make(&t, TPM_ALG_ECDSA, TPM_ALG_SHA256, TPMA_AK_SET);
	X509 *cert = fake_ca_certify(&ca, t.key);
	key_is(t.public_area, t.public_size, TPM_KEY_AREA, t.key);
	bytes[0] = 0;
	bytes[1] = (uint8_t)t.public_size;
	memcpy(bytes + 2, t.public_area, t.public_size);
	key_is(bytes, t.public_size + 2, TPM_KEY_AREA, t.key);
	key_refused(bytes, t.public_size + 1);
	int n = i2d_PUBKEY(t.key, &der);
	key_is(der, (size_t)n, TPM_KEY_SPKI, t.key);
	key_refused(der, (size_t)n - 1);
	memcpy(bytes, der, (size_t)n);
	bytes[n] = 0;
	key_refused(bytes, (size_t)n + 1);
	OPENSSL_free(der);
	der = NULL;
	n = i2d_X509(cert, &der);
	key_is(der, (size_t)n, TPM_KEY_CERTIFICATE, t.key);
	OPENSSL_free(der);
	size_t m = to_pem(bytes, sizeof(bytes), t.key, NULL, NULL);
	key_is(bytes, m, TPM_KEY_SPKI, t.key);
	m = to_pem(bytes, sizeof(bytes), NULL, cert, ca.issuer);
	key_is(bytes, m, TPM_KEY_CERTIFICATE, t.key);
	m = to_pem(bytes, sizeof(bytes), t.key, cert, NULL);
	key_refused(bytes, m); /* which one is meant? */
	key_refused("-----BEGIN NOTHING-----\n", 24);
	key_refused("", 0);
	key_refused("text", 4);
	X509_free(cert);
	fake_tpm_free(&t);
	fake_ca_free(&ca);
}

/* A private key in a file of public ones is a mistake that has to be told. */
static void key_private(void **state)
{
	(void)state;
	uint8_t bytes[8192];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	int n = BIO_read(bio, bytes, sizeof(bytes));
	key_refused(bytes, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static void key_strength(void **state)
{
	(void)state;
	EVP_PKEY *keys[3] = { EVP_RSA_gen(1024), EVP_EC_gen("P-521"),
			      EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };

	for (size_t i = 0; i < 3; i++) {
		struct err e = { 0 };
		struct tpm_key k;
		uint8_t *der = NULL;
		int n = i2d_PUBKEY(keys[i], &der);
		assert_int_equal(parse(der, (size_t)n, &k), 0);
		assert_int_equal(tpm_key_check(&k, &e), -EX_UNAUTHENTIC);
		tpm_key_free(&k);
		OPENSSL_free(der);
		EVP_PKEY_free(keys[i]);
	}
}

static int chain(const struct tpm_key *k, STACK_OF(X509) * more, X509 *root, time_t now)
{
	struct err e = { 0 };

	return tpm_key_chain(k, more, root, now, &e);
}

static void key_chains(void **state)
{
	(void)state;
	struct fake_ca ca, other;
	struct fake_tpm t, stranger;
	struct tpm_key area, unknown;
	STACK_OF(X509) *more = sk_X509_new_null();

	fake_ca_make(&ca);
	fake_ca_make(&other);
	fake_tpm_make(&t, TPM_ALG_ECDSA, TPM_ALG_SHA256, TPMA_AK_SET);
	fake_tpm_make(&stranger, TPM_ALG_ECDSA, TPM_ALG_SHA256, TPMA_AK_SET);
	X509 *cert = fake_ca_certify(&ca, t.key);
	sk_X509_push(more, ca.issuer);
	sk_X509_push(more, cert);
	assert_int_equal(parse(t.public_area, t.public_size, &area), 0);
	assert_int_equal(parse(stranger.public_area, stranger.public_size, &unknown), 0);
	assert_int_equal(chain(&area, more, ca.root, FAKE_CA_NOW), 0);
	assert_int_equal(chain(&area, more, other.root, FAKE_CA_NOW), -EX_UNAUTHENTIC);
	assert_int_equal(chain(&area, more, ca.root, FAKE_CA_UNTIL + 60), -EX_COLLATERAL);
	assert_int_equal(chain(&area, more, ca.root, FAKE_CA_FROM - 60), -EX_COLLATERAL);
	/* A certificate of another key does not vouch for this one. */
	assert_int_equal(chain(&unknown, more, ca.root, FAKE_CA_NOW), -EX_COLLATERAL);
	assert_int_equal(chain(&area, NULL, ca.root, FAKE_CA_NOW), -EX_COLLATERAL);
	sk_X509_pop(more);
	sk_X509_set(more, 0, cert);
	assert_int_equal(chain(&area, more, ca.root, FAKE_CA_NOW), -EX_UNAUTHENTIC);
	assert_int_equal(chain(&area, more, ca.issuer, FAKE_CA_NOW), 0);
	tpm_key_free(&area);
	tpm_key_free(&unknown);
	sk_X509_free(more);
	X509_free(cert);
	fake_tpm_free(&t);
	fake_tpm_free(&stranger);
	fake_ca_free(&ca);
	fake_ca_free(&other);
}

static void certificates(void **state)
{
	(void)state;
	uint8_t bytes[8192];
	struct fake_ca ca;
	struct err e = { 0 };
	STACK_OF(X509) *list = sk_X509_new_null();

	fake_ca_make(&ca);
	size_t n = to_pem(bytes, sizeof(bytes), NULL, ca.issuer, ca.root);
	assert_int_equal(tpm_certs_parse("chain", bytes, n, list, &e), 0);
	assert_int_equal(sk_X509_num(list), 2);
	n = to_pem(bytes, sizeof(bytes), ca.root_key, NULL, NULL);
	assert_int_equal(tpm_certs_parse("chain", bytes, n, list, &e), -EX_MALFORMED);
	for (int i = 0; i < 3; i++) {
		n = to_pem(bytes, sizeof(bytes), NULL, ca.issuer, ca.root);
		assert_int_equal(tpm_certs_parse("chain", bytes, n, list, &e), 0);
	}
	assert_int_equal(tpm_certs_parse("chain", bytes, n, list, &e), -EX_MALFORMED);
	assert_int_equal(tpm_certs_parse("chain", (const uint8_t *)"x", 1, list, &e),
			 -EX_MALFORMED);
	sk_X509_pop_free(list, X509_free);
	fake_ca_free(&ca);
}

static int raw(const uint8_t *data, size_t size, const struct fake_tpm *t, const uint8_t *signed_by)
{
	struct tpm_signature s;
	struct err e = { 0 };
	int r = tpm_signature_take_raw(data, size, t->key, t->scheme, t->hash, &s, &e);

	return r < 0 ? r : tpm_signature_verify(t->key, &s, signed_by, 5, &e);
}

/* r and s as DER, and one after the other, from a TPMT_SIGNATURE with both of 32 bytes. */
static void raw_ecdsa(void **state)
{
	(void)state;
	static const uint8_t text[] = "quote";
	uint8_t sig[4096], both[64], der[80] = { 0x30, 0 };
	struct fake_tpm t;
	size_t at = 2;

	fake_tpm_make(&t, TPM_ALG_ECDSA, TPM_ALG_SHA256, TPMA_AK_SET);
	fake_tpm_sign(&t, text, 5, sig);
	memcpy(both, sig + 6, 32);
	memcpy(both + 32, sig + 40, 32);
	assert_int_equal(raw(both, 64, &t, text), 0);
	assert_int_equal(raw(both, 63, &t, text), -EX_MALFORMED);
	for (unsigned i = 0; i < 2; i++) { /* with a zero byte before: an INTEGER is signed */
		der[at++] = 2;
		der[at++] = 33;
		der[at++] = 0;
		memcpy(der + at, both + (size_t)32 * i, 32);
		at += 32;
	}
	der[1] = (uint8_t)(at - 2);
	assert_int_equal(raw(der, at, &t, text), 0);
	der[at - 1] ^= 1;
	assert_int_equal(raw(der, at, &t, text), -EX_UNAUTHENTIC);
	assert_int_equal(raw(der, at - 1, &t, text), -EX_MALFORMED);
	der[2] = 3;
	assert_int_equal(raw(der, at, &t, text), -EX_MALFORMED);
	fake_tpm_free(&t);
}

static void raw_rsa(void **state)
{
	(void)state;
	static const uint16_t schemes[] = { TPM_ALG_RSASSA, TPM_ALG_RSAPSS };
	static const uint8_t text[] = "quote";
	uint8_t sig[4096];

	for (size_t i = 0; i < 2; i++) {
		struct fake_tpm t;
		fake_tpm_make(&t, schemes[i], TPM_ALG_SHA384, TPMA_AK_SET);
		size_t n = fake_tpm_sign(&t, text, 5, sig);
		assert_int_equal(raw(sig + 6, n - 6, &t, text), 0);
		assert_int_equal(raw(sig + 6, n - 7, &t, text), -EX_MALFORMED);
		sig[n - 1] ^= 1;
		assert_int_equal(raw(sig + 6, n - 6, &t, text), -EX_UNAUTHENTIC);
		fake_tpm_free(&t);
	}
}

static int pcrs(const void *data, size_t size, const struct tpm_quote *q, struct tpm_pcrs *out)
{
	uint8_t *exact = malloc(size + 1);
	struct err e = { 0 };

	assert_non_null(exact);
	memcpy(exact, data, size);
	int r = tpm_pcrs_parse(exact, size, q, out, &e);
	free(exact);
	return r;
}

static const struct tpm_quote two_pcrs = { .selection_count = 1,
					   .selection = { { TPM_ALG_SHA256, 0x81 } } };

static void pcrs_json(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"{",
		"{\"sha256\": 1}",
		"{\"sha257\": {}}",
		"{\"sha256\": {\"24\": \"00\"}}",
		"{\"sha256\": {\"00\": \"00\"}}",
		"{\"sha256\": {\"0\": \"00\"}}",
		"{\"sha256\": [0]}",
		"{\"sha256\": {}, \"sha256\": {}}",
		"[]",
	};
	static struct tpm_pcrs p;
	char text[1024], hex[65];

	memset(hex, 'a', 64);
	hex[64] = '\0';
	snprintf(text, sizeof(text), " {\"sha256\": {\"0\": \"%s\", \"7\": \"%s\"}}", hex, hex);
	assert_int_equal(pcrs(text, strlen(text), &two_pcrs, &p), 0);
	assert_int_equal(tpm_pcrs_bank(&p, TPM_ALG_SHA256)->given, 0x81);
	assert_int_equal(p.bank[0].value[7][31], 0xaa);
	assert_null(tpm_pcrs_bank(&p, TPM_ALG_SHA1));
	snprintf(text, sizeof(text), "{\"pcrs\": {\"sha256\": [\"%s\"]}}", hex);
	assert_int_equal(pcrs(text, strlen(text), &two_pcrs, &p), 0);
	assert_int_equal(tpm_pcrs_bank(&p, TPM_ALG_SHA256)->given, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pcrs(bad[i], strlen(bad[i]), &two_pcrs, &p), -EX_MALFORMED);
}

static void pcrs_raw(void **state)
{
	(void)state;
	static struct tpm_pcrs p;
	uint8_t data[24 * 32], want[32], got[32];
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i / 32 + 1);
	data[0] = '{'; /* a digest may begin so */
	assert_int_equal(pcrs(data, 64, &two_pcrs, &p), 0);
	assert_int_equal(p.bank[0].given, 0x81);
	assert_int_equal(p.bank[0].value[7][0], 2);
	EVP_Digest(data, 64, want, NULL, EVP_sha256(), NULL);
	assert_int_equal(tpm_pcrs_digest(&p, &two_pcrs, TPM_ALG_SHA256, got, &e), 0);
	assert_memory_equal(got, want, 32);
	assert_int_equal(pcrs(data, sizeof(data), &two_pcrs, &p), 0);
	assert_int_equal(p.bank[0].given, 0xFFFFFF);
	assert_int_equal(p.bank[0].value[7][0], 8);
	assert_int_equal(pcrs(data, 65, &two_pcrs, &p), -EX_MALFORMED);
	assert_int_equal(pcrs(data, 0, &two_pcrs, &p), -EX_MALFORMED);
	/* A value that is quoted and not given. */
	memset(&p, 0, sizeof(p));
	assert_int_equal(tpm_pcrs_digest(&p, &two_pcrs, TPM_ALG_SHA256, got, &e), -EX_UNAUTHENTIC);
	/* A bank that nobody here can hash. */
	struct tpm_quote strange = { .selection_count = 1, .selection = { { 0x1234, 1 } } };
	assert_int_equal(pcrs(data, 32, &strange, &p), -EX_MALFORMED);
}

static void unwraps(void **state)
{
	(void)state;
	static const uint8_t wrapped[] = { 0, 2, 0xaa, 0xbb };
	const uint8_t *p = wrapped;
	size_t n = sizeof(wrapped);

	tpm_unwrap(&p, &n);
	assert_int_equal(n, 2);
	assert_ptr_equal(p, wrapped + 2);
	p = wrapped;
	n = 3;
	tpm_unwrap(&p, &n);
	assert_int_equal(n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_forms),	cmocka_unit_test(key_private),
		cmocka_unit_test(key_strength), cmocka_unit_test(key_chains),
		cmocka_unit_test(certificates), cmocka_unit_test(raw_ecdsa),
		cmocka_unit_test(raw_rsa),	cmocka_unit_test(pcrs_json),
		cmocka_unit_test(pcrs_raw),	cmocka_unit_test(unwraps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
