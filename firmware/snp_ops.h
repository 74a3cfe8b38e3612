/* What the SEV-SNP part does to the processor, as a table of functions: the image binds them to
 * instructions (snp.c), tests and fuzzers to a scripted or hostile machine. So the protocol
 * files (ghcb.c, accept.c) are pure and run hosted. */
#ifndef PAVISE_FIRMWARE_SNP_OPS_H
#define PAVISE_FIRMWARE_SNP_OPS_H

#include <stdbool.h>
#include <stdint.h>

/* Result of PVALIDATE (AMD APM vol. 3, PVALIDATE): EAX, and CF in bit 32. */
#define PVALIDATE_CODE(r)      ((uint32_t)(r))
#define PVALIDATE_UNCHANGED    (1ull << 32)
#define PVALIDATE_SIZEMISMATCH 6u

struct snp_ops {
	void *ctx;
	/* One page that the host sees and changes at any time. Valid after share_ghcb. */
	volatile uint8_t *ghcb;
	/* Writes the GHCB MSR, VMGEXIT, returns what the MSR holds then. */
	uint64_t (*msr_call)(void *ctx, uint64_t value);
	/* GHCB MSR = FW_GHCB, VMGEXIT. */
	void (*page_call)(void *ctx);
	/* From here on `ghcb` is mapped without the C-bit. */
	void (*share_ghcb)(void *ctx);
	/* Makes one private page of 4 KiB or 2 MiB reachable for pvalidate and touch. */
	void (*map)(void *ctx, uint64_t gpa, bool large);
	void (*unmap)(void *ctx, uint64_t gpa, bool large);
	uint64_t (*pvalidate)(void *ctx, uint64_t gpa, bool large, bool validate);
	/* Reads the first and the last byte of each of `pages` 4 KiB pages. */
	void (*touch)(void *ctx, uint64_t gpa, unsigned pages);
};

#endif
