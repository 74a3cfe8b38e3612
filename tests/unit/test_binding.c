#include "attest/binding.h"

#include "common/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t nonce[64], key[91], ak[120];

static struct binding sample(void)
{
	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)i;
	memset(key, 'k', sizeof(key));
	memset(ak, 'a', sizeof(ak));
	return (struct binding){ .nonce = nonce,
				 .nonce_size = 32,
				 .public_key = key,
				 .public_key_size = sizeof(key),
				 .ak_public = ak,
				 .ak_public_size = sizeof(ak) };
}

/* Expected values: a second program, from the text of PROTOCOL.evidence alone
 * (python3 hashlib: prefix, tags, big-endian lengths). */
static void known_answer(void **state)
{
	(void)state;
	struct binding b = sample();
	struct err e = { 0 };
	uint8_t short_digest[32], long_digest[64];
	char hex[129];

	assert_int_equal(binding_sha256(&b, short_digest, &e), 0);
	hex_encode(short_digest, sizeof(short_digest), hex);
	assert_string_equal(hex,
			    "142d41cfedfb72527e53e950b85b1a09ea516b7fbd98908755388a8c742e267a");
	assert_int_equal(binding_sha512(&b, long_digest, &e), 0);
	hex_encode(long_digest, sizeof(long_digest), hex);
	assert_string_equal(hex,
			    "545507300cc22ac3e8c09579ba124c1e7bbc7a54f740a036ceb2e8954a967d7d"
			    "61220dbfa665bc0632ed590f04cd8434ca77e50ac341aca5189e2f02a2747984");
	b.ak_public = NULL;
	assert_int_equal(binding_sha256(&b, short_digest, &e), 0);
	hex_encode(short_digest, sizeof(short_digest), hex);
	assert_string_equal(hex,
			    "255ee0bf9e7c07e55542233606c9c6c45661a1853616a1a0f63de4d37bd02507");
}

/* Bytes moved from one part to its neighbour, or any byte changed, must change the digest. */
static void parts_are_separate(void **state)
{
	(void)state;
	struct binding b = sample();
	struct err e = { 0 };
	uint8_t before[32], after[32];

	assert_int_equal(binding_sha256(&b, before, &e), 0);
	b.nonce_size = 33;
	assert_int_equal(binding_sha256(&b, after, &e), 0);
	assert_memory_not_equal(before, after, 32);
	b.nonce_size = 32;
	for (size_t i = 0; i < sizeof(key); i++) {
		key[i] ^= 1;
		assert_int_equal(binding_sha256(&b, after, &e), 0);
		assert_memory_not_equal(before, after, 32);
		key[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(ak); i++) {
		ak[i] ^= 1;
		assert_int_equal(binding_sha256(&b, after, &e), 0);
		assert_memory_not_equal(before, after, 32);
		ak[i] ^= 1;
	}
}

static void bounds(void **state)
{
	(void)state;
	struct binding b = sample();
	uint8_t out[32];
	static const size_t bad_nonce[] = { 0, 15, 65 };

	for (size_t i = 0; i < 3; i++) {
		struct err e = { 0 };
		b.nonce_size = bad_nonce[i];
		assert_int_equal(binding_sha256(&b, out, &e), -EX_MALFORMED);
	}
	b = sample();
	struct err e = { 0 };
	b.public_key_size = 0;
	assert_int_equal(binding_sha256(&b, out, &e), -EX_MALFORMED);
	b = sample();
	b.ak_public_size = BINDING_PART_MAX + 1;
	assert_int_equal(binding_sha256(&b, out, &e), -EX_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answer),
		cmocka_unit_test(parts_are_separate),
		cmocka_unit_test(bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
