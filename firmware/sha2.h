/* The two hashes of every measurement, over memory the caller owns. Pure: hosted programs
 * compile the same files. */
#ifndef PAVISE_FIRMWARE_SHA2_H
#define PAVISE_FIRMWARE_SHA2_H

#include <stddef.h>
#include <stdint.h>

struct fw_digests {
	uint8_t sha256[32];
	uint8_t sha384[48];
};

/* size in bytes; data may be NULL when size is 0. */
void fw_sha256(const void *data, size_t size, uint8_t out[32]);
void fw_sha384(const void *data, size_t size, uint8_t out[48]);

/* The same as fw_sha256 by the SHA instructions: the processor must have them (CPUID 7 EBX[29]) and
 * let them run (CR4.OSFXSR). Leaves every XMM register zero. */
void fw_sha256_ni(const void *data, size_t size, uint8_t out[32]);

/* Both. */
static inline void fw_digest(const void *data, size_t size, struct fw_digests *out)
{
	fw_sha256(data, size, out->sha256);
	fw_sha384(data, size, out->sha384);
}

/* Between sha256.c and sha256ni.c: the round constants (FIPS 180-4 §4.2), and the state h after
 * `blocks` blocks of 64 bytes. */
extern const uint32_t fw_sha256_constants[64];
void fw_sha256_blocks_ni(uint32_t h[8], const uint8_t *data, size_t blocks);

#endif
