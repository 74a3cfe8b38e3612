/* The firmware's hashes against OpenSSL's, for every length around the block boundaries. */
#include "firmware/sha2.h"

#include <openssl/evp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void compare(const uint8_t *data, size_t size)
{
	struct fw_digests got, want;
	unsigned n = 0;

	fw_digest(data, size, &got);
	assert_int_equal(EVP_Digest(data, size, want.sha256, &n, EVP_sha256(), NULL), 1);
	assert_int_equal(n, 32);
	assert_int_equal(EVP_Digest(data, size, want.sha384, &n, EVP_sha384(), NULL), 1);
	assert_int_equal(n, 48);
	assert_memory_equal(&got, &want, sizeof(got));
}

static void every_short_length(void **state)
{
	uint8_t data[520];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 131 + 7);
	for (size_t n = 0; n <= sizeof(data); n++) {
		/* An exact copy, so that a sanitizer sees a read past the end. */
		uint8_t *exact = malloc(n + (n == 0));

		assert_non_null(exact);
		memcpy(exact, data, n);
		compare(exact, n);
		free(exact);
	}
}

static void long_and_unaligned(void **state)
{
	size_t size = 3 * 1024 * 1024 + 17;
	uint8_t *data = malloc(size);

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i ^ i >> 9);
	compare(data, size);
	compare(data + 1, size - 1);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_short_length),
		cmocka_unit_test(long_and_unaligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
