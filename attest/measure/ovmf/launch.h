/* The launch digest of an SEV-SNP guest that QEMU starts with OVMF. QEMU adds (target/i386/sev.c)
 * the image page by page, the sections of its metadata in their order, then a VMSA for each
 * processor, the first at the reset vector. */
#ifndef PAVISE_ATTEST_MEASURE_OVMF_LAUNCH_H
#define PAVISE_ATTEST_MEASURE_OVMF_LAUNCH_H

#include "attest/measure/ovmf/image.h"
#include "attest/measure/snp/digest.h"
#include "common/err.h"
#include "firmware/layout.h"

#include <stdbool.h>
#include <stdint.h>

#define OVMF_CPUS_MAX 4096u /* QEMU's own limit on SMP for q35 */

/* One processor's start. */
struct ovmf_vcpu {
	uint32_t eip;	    /* of the reset vector */
	uint32_t signature; /* CPUID Fn0000_0001_EAX, in RDX after a reset */
	uint64_t features;  /* SEV_FEATURES */
	bool no_fpu;	    /* MXCSR and the x87 control word are 0, as KVM before about 6.9 left
			     * them, and not their reset values */
};

struct ovmf_launch {
	const char *name; /* of the firmware file, for texts */
	const struct ovmf_image *image;
	const uint8_t *firmware_digest; /* the launch digest after the image's pages, instead of
					 * them; NULL: hash them */
	const uint8_t *hashes;		/* FW_HASH_TABLE_SIZE bytes; NULL: no kernel is measured */
	uint32_t cpus;			/* 1..OVMF_CPUS_MAX */
	struct ovmf_vcpu vcpu;		/* of all; eip is not read */
	snp_step_fn *each;		/* NULL, or told of every page */
	void *arg;
};

/* Fills the page KVM makes of such a processor. */
void ovmf_vmsa_fill(const struct ovmf_vcpu *v, uint8_t out[SNP_PAGE_SIZE]);

/* Instruction pointer of processor number `cpu` (0: the first). */
uint32_t ovmf_eip(const struct ovmf_image *image, uint32_t cpu);

/* The digest, whole; *after_firmware is that after the image's pages. -EX_USAGE_ERROR when the
 * image takes no kernel hashes, -EX_INTERNAL when libcrypto fails. */
int ovmf_measure(const struct ovmf_launch *l, uint8_t after_firmware[SNP_DIGEST_SIZE],
		 uint8_t ld[SNP_DIGEST_SIZE], struct err *e);

/* Its first two parts, on an open digest: the image's pages, then the sections; *number counts the
 * pages. */
int ovmf_add_firmware(const struct ovmf_launch *l, struct snp_digest *d, uint32_t *number,
		      struct err *e);
int ovmf_add_sections(const struct ovmf_launch *l, struct snp_digest *d, uint32_t *number,
		      struct err *e);

#endif
