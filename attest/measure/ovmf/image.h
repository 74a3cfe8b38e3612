/* An OVMF image for SEV-SNP: what QEMU reads of it before a launch. */
#ifndef PAVISE_ATTEST_MEASURE_OVMF_IMAGE_H
#define PAVISE_ATTEST_MEASURE_OVMF_IMAGE_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define OVMF_IMAGE_MAX (64u << 20) /* bytes; QEMU takes 16 MiB at most */
#define OVMF_SECTIONS_MAX 64u
#define OVMF_SECTION_BYTES_MAX (256u << 20) /* of all sections: OVMF has less than 1 MiB */

/* Section types of the SEV metadata (EDK2 OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm). */
enum ovmf_section_type {
	OVMF_SEC_MEM = 1,
	OVMF_SECRETS = 2,
	OVMF_CPUID = 3,
	OVMF_SVSM_CAA = 4,
	OVMF_KERNEL_HASHES = 0x10,
};

struct ovmf_section {
	uint32_t base; /* guest-physical, a multiple of 4096 */
	uint32_t size; /* bytes, a multiple of 4096, not 0 */
	enum ovmf_section_type type;
};

struct ovmf_image {
	const uint8_t *data;		   /* the file, borrowed */
	size_t size;			   /* bytes, a multiple of 4096 */
	uint64_t base;			   /* guest-physical: it ends at 4 GiB */
	uint32_t ap_reset;		   /* EIP of processors but the first */
	uint32_t hashes_base, hashes_size; /* area of the hash table; 0, 0: none */
	struct ovmf_section section[OVMF_SECTIONS_MAX];
	size_t section_count;
};

/* Reads and checks table and metadata. -EX_MALFORMED for whatever QEMU or KVM would refuse, and
 * for section types that are not listed above; `object` names the file. */
int ovmf_image_open(const char *object, const uint8_t *data, size_t size, struct ovmf_image *out,
		    struct err *e);

/* Can QEMU put the hashes of a kernel where this image looks for them? -EX_USAGE_ERROR when it has
 * no section for them, -EX_MALFORMED when they do not fit in. */
int ovmf_takes_kernel(const char *object, const struct ovmf_image *image, struct err *e);

/* "SEC_MEM", …; NULL for a number that is none. */
const char *ovmf_section_name(uint32_t type);

#endif
