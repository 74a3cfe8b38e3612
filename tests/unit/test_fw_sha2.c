/* The firmware's hashes against OpenSSL's, for every length around the block boundaries. */
#include "firmware/sha2.h"

#include <cpuid.h>
#include <openssl/evp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool has_instructions(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & 1u << 29) != 0;
}

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
	if (!has_instructions())
		return;
	memset(got.sha256, 0, sizeof(got.sha256));
	fw_sha256_ni(data, size, got.sha256);
	assert_memory_equal(got.sha256, want.sha256, sizeof(want.sha256));
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

/* Random content, length and alignment; it fails with the seed's number in the first bytes. */
static void both_ways_agree(void **state)
{
	uint8_t data[4096 + 16];
	uint8_t plain[32], fast[32];

	(void)state;
	if (!has_instructions()) {
		print_message("# SKIP this processor has no SHA instructions\n");
		skip();
	}
	for (unsigned i = 0; i < 2000; i++) {
		uint16_t size;

		assert_int_equal(getentropy(&size, sizeof(size)), 0);
		size %= sizeof(data) - 16;
		for (size_t at = 0; at < sizeof(data); at += 257)
			assert_int_equal(getentropy(data + at, sizeof(data) - at < 256 ?
						    sizeof(data) - at : 256), 0);
		fw_sha256(data + i % 16, size, plain);
		fw_sha256_ni(data + i % 16, size, fast);
		assert_memory_equal(plain, fast, sizeof(plain));
	}
}

/* XMM 0 to 15 as FXSAVE writes them: nothing of what was hashed is left there. */
static void no_trace_in_registers(void **state)
{
	static _Alignas(16) uint8_t image[512];
	static const uint8_t zero[16 * 16];
	uint8_t data[640], out[32];

	(void)state;
	if (!has_instructions()) {
		print_message("# SKIP this processor has no SHA instructions\n");
		skip();
	}
	memset(data, 0xA5, sizeof(data));
	memset(image, 0xEE, sizeof(image));
	{
		uint32_t h[8] = { 0 };

		fw_sha256_blocks_ni(h, data, sizeof(data) / 64);
		__asm__ volatile("fxsave %0" : "=m"(image));
		memcpy(out, h, sizeof(out));
	}
	assert_memory_equal(image + 160, zero, sizeof(zero));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_short_length),
		cmocka_unit_test(long_and_unaligned),
		cmocka_unit_test(both_ways_agree),
		cmocka_unit_test(no_trace_in_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
