/* The compression function of SHA-256 (FIPS 180-4) by the processor's SHA instructions (Intel SDM
 * vol. 2, SHA256RNDS2, SHA256MSG1, SHA256MSG2). The only vector code of the image: compiled apart,
 * called in ring 3 alone, and it leaves no trace in a register. */
#include "firmware/sha2.h"

#include <string.h>

typedef unsigned v4 __attribute__((vector_size(16))); /* sums wrap */
typedef int v4si __attribute__((vector_size(16)));    /* as the compiler's functions have it */
typedef char v16 __attribute__((vector_size(16)));

#define BLOCK  64u /* bytes */
#define GROUPS 16u /* of four rounds */

/* The compiler's own registers are gone when this runs: everything is stored. */
static inline void clear_vectors(void)
{
	__asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\t"
			 "pxor %%xmm2, %%xmm2\n\tpxor %%xmm3, %%xmm3\n\t"
			 "pxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\t"
			 "pxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\t"
			 "pxor %%xmm8, %%xmm8\n\tpxor %%xmm9, %%xmm9\n\t"
			 "pxor %%xmm10, %%xmm10\n\tpxor %%xmm11, %%xmm11\n\t"
			 "pxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\t"
			 "pxor %%xmm14, %%xmm14\n\tpxor %%xmm15, %%xmm15"
			 :
			 :
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
			   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

/* Four words of the message schedule from the sixteen before them, oldest first (§6.2.2). */
__attribute__((target("sha,sse4.1")))
static inline v4 schedule(v4 a, v4 b, v4 c, v4 d)
{
	v4 sum = (v4)__builtin_ia32_sha256msg1((v4si)a, (v4si)b) +
		 __builtin_shufflevector(c, d, 1, 2, 3, 4);

	return (v4)__builtin_ia32_sha256msg2((v4si)sum, (v4si)d);
}

/* Two rounds, with the two lower words of wk. */
__attribute__((target("sha,sse4.1")))
static inline v4 rounds(v4 old, v4 other, v4 wk)
{
	return (v4)__builtin_ia32_sha256rnds2((v4si)old, (v4si)other, (v4si)wk);
}

__attribute__((target("sha,sse4.1")))
void fw_sha256_blocks_ni(uint32_t h[8], const uint8_t *data, size_t blocks)
{
	v4 low, high, abef, cdgh, m[4];

	/* The instructions want the words of the state as F E B A and H G D C, lowest first. */
	memcpy(&low, h, sizeof(low));
	memcpy(&high, h + 4, sizeof(high));
	abef = __builtin_shufflevector(low, high, 5, 4, 1, 0);
	cdgh = __builtin_shufflevector(low, high, 7, 6, 3, 2);
	for (const uint8_t *p = data; p < data + blocks * BLOCK; p += BLOCK) {
		const v4 old_abef = abef, old_cdgh = cdgh;

		for (unsigned i = 0; i < GROUPS; i++) {
			v4 *w = &m[i % 4], k;

			if (i < 4) {
				v16 bytes;

				memcpy(&bytes, p + sizeof(bytes) * i, sizeof(bytes));
				*w = (v4)__builtin_shufflevector(bytes, bytes, 3, 2, 1, 0, 7, 6, 5,
								 4, 11, 10, 9, 8, 15, 14, 13, 12);
			} else {
				*w = schedule(*w, m[(i + 1) % 4], m[(i + 2) % 4], m[(i + 3) % 4]);
			}
			memcpy(&k, fw_sha256_constants + (size_t)4 * i, sizeof(k));
			k += *w;
			cdgh = rounds(cdgh, abef, k);
			k = __builtin_shufflevector(k, k, 2, 3, 2, 3);
			abef = rounds(abef, cdgh, k);
		}
		abef += old_abef;
		cdgh += old_cdgh;
	}
	low = __builtin_shufflevector(abef, cdgh, 3, 2, 7, 6);
	high = __builtin_shufflevector(abef, cdgh, 1, 0, 5, 4);
	memcpy(h, &low, sizeof(low));
	memcpy(h + 4, &high, sizeof(high));
	clear_vectors();
}
