/* Arithmetic on values from outside: each helper says whether the result is exact.
 * A false return leaves *out untouched. */
#ifndef PAVISE_COMMON_CHECKED_H
#define PAVISE_COMMON_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline bool ck_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline bool ck_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

/* Rounds up to a multiple of align, a power of two. */
static inline bool ck_align_up_u64(uint64_t a, uint64_t align, uint64_t *out)
{
	uint64_t r;

	if (!ck_add_u64(a, align - 1, &r))
		return false;
	*out = r & ~(align - 1);
	return true;
}

/* Does [offset, offset + size) lie inside [0, limit)? */
static inline bool ck_range(uint64_t offset, uint64_t size, uint64_t limit)
{
	return offset <= limit && size <= limit - offset;
}

/* Do [a, a + na) and [b, b + nb) share a byte? Both must be free of overflow. */
static inline bool ck_overlap(uint64_t a, uint64_t na, uint64_t b, uint64_t nb)
{
	return na != 0 && nb != 0 && a < b + nb && b < a + na;
}

#endif
