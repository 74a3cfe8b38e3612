/* The key of a data disk, wrapped for one agent (docs/PROTOCOL.key), and HPKE below it. */
#include "attest/key/wrapped_key.h"
#include "common/bytes.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* RFC 9180 appendix A.3.1: published numbers, nobody's keys. */
#define SK_E "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb"
#define PK_E                                                                                       \
	"04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5" \
	"b7f951c0900be863c403ce65c9bfcb9382657222d18c4"
#define SK_R "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2"
#define PK_R                                                                                       \
	"04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e53" \
	"9c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0"
#define SEALED_A31                                                                                 \
	"5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434"
#define PLAIN_A31 "Beauty is truth, truth beauty"

static EVP_PKEY *key_pair(const char *secret, const char *point)
{
	uint8_t sk[32], pk[65];
	EVP_PKEY *key = NULL;

	assert_true(hex_decode(secret, sk, 32) && hex_decode(point, pk, 65));
	BIGNUM *d = BN_bin2bn(sk, 32, NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	assert_int_equal(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0),
			 1);
	assert_int_equal(OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, pk, 65), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d), 1);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(d);
	return key;
}

static const struct hpke_context a31 = { .aead = &HPKE_AES_128_GCM,
					 .info = "Ode on a Grecian Urn",
					 .info_size = 20,
					 .aad = "Count-0",
					 .aad_size = 7 };

static void hpke_as_published(void **state)
{
	(void)state;
	EVP_PKEY *sender = key_pair(SK_E, PK_E), *recipient = key_pair(SK_R, PK_R);
	uint8_t enc[HPKE_ENC], want_enc[HPKE_ENC], out[64], want[45];
	const size_t n = sizeof(PLAIN_A31) - 1;
	struct err e = { 0 };

	assert_true(hex_decode(PK_E, want_enc, 65) && hex_decode(SEALED_A31, want, 45));
	assert_int_equal(hpke_seal(&a31, sender, recipient, (const uint8_t *)PLAIN_A31, n, enc, out,
				   &e), 0);
	assert_memory_equal(enc, want_enc, 65);
	assert_memory_equal(out, want, 45);
	assert_int_equal(hpke_open(&a31, recipient, want_enc, want, 45, out, &e), 0);
	assert_memory_equal(out, PLAIN_A31, n);
	EVP_PKEY_free(sender);
	EVP_PKEY_free(recipient);
}

static const struct data_key secret = { .flags = WRAPPED_KEY_CREATE,
					.key = "a key of 32 bytes, not random .." };

static void round_trip(void **state)
{
	(void)state;
	EVP_PKEY *agent = EVP_EC_gen("P-256");
	uint8_t one[WRAPPED_KEY], two[WRAPPED_KEY];
	struct data_key got;
	struct err e = { 0 };

	assert_int_equal(wrapped_key_make(&secret, agent, one, &e), 0);
	assert_int_equal(wrapped_key_make(&secret, agent, two, &e), 0);
	assert_memory_not_equal(one, two, WRAPPED_KEY);
	assert_int_equal(wrapped_key_open(one, sizeof(one), agent, &got, &e), 0);
	assert_memory_equal(&got, &secret, sizeof(got));
	for (size_t i = 0; i + DATA_KEY <= WRAPPED_KEY; i++)
		assert_memory_not_equal(one + i, secret.key, DATA_KEY);
	EVP_PKEY_free(agent);
}

static void for_one_agent_alone(void **state)
{
	(void)state;
	EVP_PKEY *agent = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	const struct data_key none = { 0 };
	uint8_t wrapped[WRAPPED_KEY];
	struct data_key got;
	struct err e = { 0 };

	assert_int_equal(wrapped_key_make(&secret, agent, wrapped, &e), 0);
	assert_int_equal(wrapped_key_open(wrapped, sizeof(wrapped), other, &got, &e),
			 -EX_UNAUTHENTIC);
	assert_memory_equal(&got, &none, sizeof(got));
	EVP_PKEY_free(agent);
	EVP_PKEY_free(other);
}

/* The flag is part of what is authenticated: "open" cannot be made "create". */
static void every_bit_counts(void **state)
{
	(void)state;
	EVP_PKEY *agent = EVP_EC_gen("P-256");
	const struct data_key none = { 0 };
	uint8_t wrapped[WRAPPED_KEY];
	struct data_key got;

	struct err made = { 0 };
	assert_int_equal(wrapped_key_make(&secret, agent, wrapped, &made), 0);
	for (size_t bit = 0; bit < 8 * sizeof(wrapped); bit++) {
		struct err e = { 0 };
		wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(wrapped_key_open(wrapped, WRAPPED_KEY, agent, &got, &e), 0);
		assert_memory_equal(&got, &none, sizeof(got));
		wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	EVP_PKEY_free(agent);
}

static void wrong_sizes(void **state)
{
	(void)state;
	EVP_PKEY *agent = EVP_EC_gen("P-256");
	uint8_t wrapped[WRAPPED_KEY + 1] = { 0 };
	struct data_key got;
	struct err made = { 0 };

	assert_int_equal(wrapped_key_make(&secret, agent, wrapped, &made), 0);
	for (size_t n = 0; n <= sizeof(wrapped); n++) {
		struct err e = { 0 };
		int want = n == WRAPPED_KEY ? 0 : -EX_MALFORMED;
		assert_int_equal(wrapped_key_open(wrapped, n, agent, &got, &e), want);
	}
	EVP_PKEY_free(agent);
}

static void other_kinds_of_keys(void **state)
{
	(void)state;
	EVP_PKEY *p384 = EVP_EC_gen("P-384"), *rsa = EVP_RSA_gen(1024);
	uint8_t wrapped[WRAPPED_KEY];
	struct err e = { 0 };

	assert_int_equal(wrapped_key_make(&secret, p384, wrapped, &e), -EX_MALFORMED);
	assert_int_equal(wrapped_key_make(&secret, rsa, wrapped, &e), -EX_MALFORMED);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(rsa);
}

/* What is derived has to stay what it is: disks were made with it. Computed from the document with
 * another implementation of HKDF. */
static void derived_values(void **state)
{
	(void)state;
	uint8_t id[DATA_KEY_ID], disk[DATA_DISK_KEY];
	char text[2 * DATA_DISK_KEY + 1];
	struct err e = { 0 };

	assert_int_equal(data_key_id(secret.key, id, &e), 0);
	hex_encode(id, sizeof(id), text);
	assert_string_equal(
		text, "1ec10e06808aa50eb5e0d40d229c9f67982ff755f1dfa8da433223a2795c9ddb");
	assert_int_equal(data_key_disk(secret.key, disk, &e), 0);
	hex_encode(disk, sizeof(disk), text);
	assert_string_equal(text, 
		"9e15fe06c32c7778dff92a25a5ece8c9bc71338c39dc263f4eb013e3226fd047"
		"faed0f8a5ddd9c8a44163fe0c660aeb7aadd3de5704240c7ca3148e713cff4a3"
		"5992df163ad60615cd3f95cc0e060684cba582a8c4a9f86865853ba2fc9afbf3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hpke_as_published), cmocka_unit_test(round_trip),
		cmocka_unit_test(for_one_agent_alone), cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(wrong_sizes), cmocka_unit_test(other_kinds_of_keys),
		cmocka_unit_test(derived_values),
	};

	return cmocka_run_group_tests_name("image_key", tests, NULL, NULL);
}
