/* The functions a compiler may call on its own (GCC manual, "Standards": freestanding), and the
 * bulk work of ring 3. Eight bytes at a time: where ring 0 is emulated, each step costs the same
 * whatever its width. */
#include "firmware/bulk.h"

#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	for (; n >= sizeof(word); n -= sizeof(word), d += sizeof(word), s += sizeof(word))
		*(word *)d = *(const word *)s;
	while (n-- > 0)
		*d++ = *s++;
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint8_t *d = to;
	uint64_t pattern = 0x0101010101010101u * (uint8_t)c;

	for (; n >= sizeof(word); n -= sizeof(word), d += sizeof(word))
		*(word *)d = pattern;
	while (n-- > 0)
		*d++ = (uint8_t)c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n > 0; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != 0)
		n++;
	return n;
}

void bulk_copy(void *to, const void *from, uint64_t size)
{
	memcpy(to, from, size);
}

void bulk_zero(void *to, uint64_t size)
{
	memset(to, 0, size);
}

void bulk_digest(const void *data, uint64_t size, struct fw_digests *out, uint64_t sha)
{
	if (sha == 0) {
		fw_digest(data, size, out);
		return;
	}
	fw_sha256_ni(data, size, out->sha256);
	fw_sha384(data, size, out->sha384);
}
