#include "attest/tpm/quote.h"

#include "common/bytes.h"
#include "tests/unit/fake_tpm.h"
#include "tests/unit/vectors.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	uint16_t scheme, hash;
} schemes[] = {
	{ TPM_ALG_RSASSA, TPM_ALG_SHA256 }, { TPM_ALG_RSAPSS, TPM_ALG_SHA256 },
	{ TPM_ALG_ECDSA, TPM_ALG_SHA256 },  { TPM_ALG_RSASSA, TPM_ALG_SHA384 },
	{ TPM_ALG_RSAPSS, TPM_ALG_SHA384 }, { TPM_ALG_ECDSA, TPM_ALG_SHA384 },
};
#define SCHEME_COUNT (sizeof(schemes) / sizeof(schemes[0]))

static struct pcr_values values[EXPECT_BANKS];
static uint8_t quote[4096], signature[4096];

/* Verifies a signature through key and signature as a verifier gets them: as bytes. */
static int verify_bytes(const uint8_t *public_area, size_t public_size, size_t quote_size,
			size_t signature_size)
{
	struct tpm_public key;
	struct tpm_signature sig;
	struct err e = { 0 };
	int r = tpm_public_parse(public_area, public_size, &key, &e);

	if (r == 0)
		r = tpm_signature_parse(signature, signature_size, &sig, &e);
	if (r == 0)
		r = tpm_signature_verify(key.key, &sig, quote, quote_size, &e);
	tpm_public_free(&key);
	return r;
}

static void every_scheme(void **state)
{
	(void)state;
	static const uint8_t extra[32] = { 1, 2, 3 };

	values[0].given = values[1].given = 0xFF;
	for (size_t i = 0; i < SCHEME_COUNT; i++) {
		struct fake_tpm t;
		fake_tpm_make(&t, schemes[i].scheme, schemes[i].hash, TPMA_AK_SET);
		size_t n = fake_tpm_quote(&t, extra, sizeof(extra), values, quote);
		size_t m = fake_tpm_sign(&t, quote, n, signature);
		assert_int_equal(verify_bytes(t.public_area, t.public_size, n, m), 0);
		quote[n - 1] ^= 1;
		assert_int_equal(verify_bytes(t.public_area, t.public_size, n, m), -EX_UNAUTHENTIC);
		quote[n - 1] ^= 1;
		signature[m - 1] ^= 1;
		assert_int_equal(verify_bytes(t.public_area, t.public_size, n, m), -EX_UNAUTHENTIC);
		signature[m - 1] ^= 1;
		/* The same bytes claimed to be of another scheme or hash. */
		signature[1] = schemes[i].scheme == TPM_ALG_RSASSA ? 0x16 : 0x14;
		assert_int_not_equal(verify_bytes(t.public_area, t.public_size, n, m), 0);
		signature[1] = (uint8_t)schemes[i].scheme;
		signature[3] = schemes[i].hash == TPM_ALG_SHA256 ? 0x0c : 0x0b;
		assert_int_equal(verify_bytes(t.public_area, t.public_size, n, m), -EX_UNAUTHENTIC);
		fake_tpm_free(&t);
	}
}

static void fields(void **state)
{
	(void)state;
	static const uint8_t extra[5] = "chall";
	struct fake_tpm t;
	struct tpm_quote q;
	struct err e = { 0 };

	values[0].given = 0xFF;
	values[1].given = 0x0F;
	fake_tpm_make(&t, TPM_ALG_ECDSA, TPM_ALG_SHA256, TPMA_AK_SET);
	size_t n = fake_tpm_quote(&t, extra, sizeof(extra), values, quote);
	fake_tpm_free(&t);
	assert_int_equal(tpm_quote_parse(quote, n, &q, &e), 0);
	assert_int_equal(q.magic, 0xff544347);
	assert_int_equal(q.type, 0x8018);
	assert_int_equal(q.extra_size, 5);
	assert_memory_equal(q.extra_data, extra, 5);
	assert_int_equal(q.selection_count, 2);
	assert_int_equal(q.selection[0].alg, TPM_ALG_SHA256);
	assert_int_equal(q.selection[0].pcrs, 0xFF);
	assert_int_equal(q.selection[1].pcrs, 0x0F);
	assert_int_equal(q.pcr_digest_size, 32);
	assert_int_equal(q.reset_count, 7);
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *exact = malloc(cut + 1);
		assert_non_null(exact);
		memcpy(exact, quote, cut);
		assert_int_equal(tpm_quote_parse(exact, cut, &q, &e), -EX_MALFORMED);
		free(exact);
	}
	assert_int_equal(tpm_quote_parse(quote, n + 1, &q, &e), -EX_MALFORMED);
}

static void public_area_refused(const uint8_t *good, size_t size, size_t at, uint8_t value)
{
	uint8_t bytes[1024];
	struct tpm_public p;
	struct err e = { 0 };

	memcpy(bytes, good, size);
	bytes[at] = value;
	assert_int_equal(tpm_public_parse(bytes, size, &p, &e), -EX_MALFORMED);
	tpm_public_free(&p);
}

/* Offsets in an ECC TPMT_PUBLIC without policy: type 0, nameAlg 2, attributes 4, policy 8,
 * symmetric 10, scheme 12, hash 14, curve 16, kdf 18, x 20, y 54. */
static void bad_public_areas(void **state)
{
	(void)state;
	struct fake_tpm t;
	struct tpm_public p;
	struct err e = { 0 };

	fake_tpm_make(&t, TPM_ALG_ECDSA, TPM_ALG_SHA256, TPMA_AK_SET);
	assert_int_equal(tpm_public_parse(t.public_area, t.public_size, &p, &e), 0);
	assert_int_equal(tpm_public_check_ak(&p, &e), 0);
	assert_int_equal(p.bits, 256);
	tpm_public_free(&p);
	public_area_refused(t.public_area, t.public_size, 1, 0x08);  /* keyed hash */
	public_area_refused(t.public_area, t.public_size, 11, 0x06); /* AES */
	public_area_refused(t.public_area, t.public_size, 17, 0x05); /* P-521 */
	public_area_refused(t.public_area, t.public_size, 19, 0x20); /* KDF1 */
	public_area_refused(t.public_area, t.public_size, 60,
			    t.public_area[60] ^ 1); /* off curve */
	for (size_t n = 0; n < t.public_size; n++) {
		assert_int_equal(tpm_public_parse(t.public_area, n, &p, &e), -EX_MALFORMED);
		tpm_public_free(&p);
	}
	fake_tpm_free(&t);
}

static void check_pcr_digest(const struct tpm_quote *q, const uint8_t *pcrs, size_t size)
{
	uint8_t digest[32];

	assert_int_equal(EVP_Digest(pcrs, size, digest, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(q->pcr_digest_size, 32);
	assert_memory_equal(q->pcr_digest, digest, 32);
}

static void real_azure_quote(void **state)
{
	(void)state;
	struct tpm_quote q;
	struct err e = { 0 };
	size_t attest_size, sig_size, pem_size, pcrs_size;

	if (vectors_present() < 0)
		skip();
	uint8_t *attest = vector_read("tpm/quote-azure/attest.bin", &attest_size);
	uint8_t *sig = vector_read("tpm/quote-azure/sig.bin", &sig_size);
	uint8_t *pem = vector_read("tpm/quote-azure/akpub.pem", &pem_size);
	uint8_t *pcrs = vector_read("tpm/quote-azure/pcrs.bin", &pcrs_size);
	BIO *bio = BIO_new_mem_buf(pem, (int)pem_size);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	assert_non_null(key);
	assert_int_equal(tpm_quote_parse(attest, attest_size, &q, &e), 0);
	assert_int_equal(q.type, TPM_ST_ATTEST_QUOTE);
	assert_int_equal(q.extra_size, 9);
	assert_memory_equal(q.extra_data, "challenge", 9);
	assert_int_equal(q.selection[0].pcrs, 0xFFFFFF);
	check_pcr_digest(&q, pcrs, pcrs_size);
	struct tpm_signature s = {
		.alg = TPM_ALG_RSASSA, .hash = TPM_ALG_SHA256, .rsa = sig, .rsa_size = sig_size
	};
	assert_int_equal(tpm_signature_verify(key, &s, attest, attest_size, &e), 0);
	attest[10] ^= 1;
	assert_int_equal(tpm_signature_verify(key, &s, attest, attest_size, &e), -EX_UNAUTHENTIC);
	EVP_PKEY_free(key);
	BIO_free(bio);
	free(attest);
	free(sig);
	free(pem);
	free(pcrs);
}

static void real_swtpm_quote(void **state)
{
	(void)state;
	static uint8_t spki[1024], sig[1024], pcrs[24 * 32];
	struct tpm_signature s;
	struct tpm_quote q;
	struct err e = { 0 };
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *text = vector_read("tpm/quote-swtpm/evidence.json", &size);
	json_t *j = json_loadb((const char *)text, size, 0, NULL);
	assert_non_null(j);
	json_t *quoted = json_object_get(j, "tpm_quote");
	const char *field = json_string_value(json_object_get(j, "ak_public"));
	const unsigned char *p = spki;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)vector_base64(field, spki, sizeof(spki)));
	assert_non_null(key);
	field = json_string_value(json_object_get(quoted, "message"));
	size_t n = vector_base64(field, quote, sizeof(quote));
	field = json_string_value(json_object_get(quoted, "signature"));
	size_t m = vector_base64(field, sig, sizeof(sig));
	json_t *list = json_object_get(quoted, "pcrs");
	assert_int_equal(json_array_size(list), 24);
	for (size_t i = 0; i < 24; i++)
		assert_true(
			hex_decode(json_string_value(json_array_get(list, i)), pcrs + 32 * i, 32));
	assert_int_equal(tpm_quote_parse(quote, n, &q, &e), 0);
	assert_int_equal(q.extra_size, 64);
	check_pcr_digest(&q, pcrs, sizeof(pcrs));
	assert_int_equal(tpm_signature_parse(sig, m, &s, &e), 0);
	assert_int_equal(s.alg, TPM_ALG_RSASSA);
	assert_int_equal(tpm_signature_verify(key, &s, quote, n, &e), 0);
	quote[20] ^= 1;
	assert_int_equal(tpm_signature_verify(key, &s, quote, n, &e), -EX_UNAUTHENTIC);
	EVP_PKEY_free(key);
	json_decref(j);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scheme),	    cmocka_unit_test(fields),
		cmocka_unit_test(bad_public_areas), cmocka_unit_test(real_azure_quote),
		cmocka_unit_test(real_swtpm_quote),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
