/* SHA-256 (FIPS 180-4 §6.2). Written out plainly: it must be short, constant in time
 * for a given length, and run with general registers only. Where a processor has instructions for
 * it, sha256ni.c does the blocks. */
#include "firmware/sha2.h"

#include <stdbool.h>
#include <string.h>

#define BLOCK 64u /* bytes */
#define ROUNDS 64u

/* FIPS 180-4 §4.2: fractions of the cube roots of the first 64 primes. */
const uint32_t fw_sha256_constants[ROUNDS] = {
	0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u,
	0x923f82a4u, 0xab1c5ed5u, 0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u,
	0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u, 0xe49b69c1u, 0xefbe4786u,
	0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
	0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u,
	0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u,
	0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, 0xa2bfe8a1u, 0xa81a664bu,
	0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
	0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au,
	0x5b9cca4fu, 0x682e6ff3u, 0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u,
	0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
};

/* FIPS 180-4 §5.3: fractions of the square roots of the first eight primes. */
static const uint32_t initial[8] = {
	0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
	0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
};

static uint32_t ror(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_be(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static void store_be(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

static void compress(uint32_t h[8], const uint8_t *block)
{
	uint32_t w[16], s[8];

	memcpy(s, h, sizeof(s));
	for (unsigned i = 0; i < 16; i++)
		w[i] = load_be(block + i * sizeof(w[0]));
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t a = s[0], e = s[4], t1, t2;

		if (i >= 16) {
			uint32_t x = w[(i + 1) % 16], y = w[(i + 14) % 16];

			w[i % 16] += w[(i + 9) % 16] +
				     (ror(x, 7) ^ ror(x, 18) ^ x >> 3) +
				     (ror(y, 17) ^ ror(y, 19) ^ y >> 10);
		}
		t1 = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
		     ((e & s[5]) ^ (~e & s[6])) + fw_sha256_constants[i] + w[i % 16];
		t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
		     ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
		for (unsigned j = 7; j > 0; j--)
			s[j] = s[j - 1];
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] += s[i];
}

/* Not inlined, so that a test can tell which of the two ways an image goes. */
static __attribute__((noinline)) void plain_blocks(uint32_t h[8], const uint8_t *data, size_t blocks)
{
	for (size_t i = 0; i < blocks; i++)
		compress(h, data + i * BLOCK);
}

static void blocks(uint32_t h[8], const uint8_t *data, size_t n, bool ni)
{
	if (ni)
		fw_sha256_blocks_ni(h, data, n);
	else
		plain_blocks(h, data, n);
}

static void hash(const void *data, size_t size, uint8_t out[32], bool ni)
{
	const size_t whole = size / BLOCK, left = size % BLOCK;
	uint8_t tail[2 * BLOCK] = { 0 };
	uint32_t h[8];
	size_t end;

	memcpy(h, initial, sizeof(h));
	if (whole != 0)
		blocks(h, data, whole, ni);
	if (left != 0)
		memcpy(tail, (const uint8_t *)data + whole * BLOCK, left);
	tail[left] = 0x80;
	end = left + 1 + 8 <= BLOCK ? BLOCK : 2 * BLOCK;
	/* The length in bits; sizes of 2^61 bytes and more do not occur. */
	for (unsigned i = 0; i < 8; i++)
		tail[end - 1 - i] = (uint8_t)((uint64_t)size << 3 >> (8 * i));
	blocks(h, tail, end / BLOCK, ni);
	for (unsigned i = 0; i < 32 / sizeof(h[0]); i++)
		store_be(out + i * sizeof(h[0]), h[i]);
}

void fw_sha256(const void *data, size_t size, uint8_t out[32])
{
	hash(data, size, out, false);
}

void fw_sha256_ni(const void *data, size_t size, uint8_t out[32])
{
	hash(data, size, out, true);
}
