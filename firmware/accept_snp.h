/* Taking memory from the host of an SEV-SNP guest: page state change to private, then PVALIDATE.
 * Ring 0, pure over snp_ops. */
#ifndef PAVISE_FIRMWARE_ACCEPT_SNP_H
#define PAVISE_FIRMWARE_ACCEPT_SNP_H

#include "firmware/accept.h"
#include "firmware/ghcb.h"
#include "firmware/snp_ops.h"

struct accept_snp {
	const struct snp_ops *ops;
	bool touch;                   /* see accept_snp_init */
	unsigned count;
	uint64_t batch[GHCB_PSC_MAX];
	struct accept_record record;
};

/* *a must be zero. touch: read first and last cache line of each page after its validation, so
 * that no line of the host's key stays in a cache (AMD-SB-3023; needless when CPUID
 * 8000_001F EBX[31], COHERENCY_SFW_NO, is set). */
void accept_snp_init(struct accept_snp *a, const struct snp_ops *ops, bool touch);

/* Takes [from, to): below 2 MiB in pages, from there in 2 MiB units. Works in batches; the last
 * one waits for accept_snp_flush. STOP_HANDED_OVER (0), or STOP_ACCEPT_TWICE, STOP_RAM_LARGE,
 * STOP_PSC_*, STOP_PVALIDATE_*, STOP_GHCB_RESPONSE. */
enum fw_stop accept_snp_range(struct accept_snp *a, uint64_t from, uint64_t to);
enum fw_stop accept_snp_flush(struct accept_snp *a);

/* Takes what accept_ram says, the last batch too. */
enum fw_stop accept_snp_ram(struct accept_snp *a, const struct fw_boot_block *b,
			    uint64_t staging_end);

/* Takes the GHCB page itself back, by the MSR protocol. Nothing can be flushed after it. */
enum fw_stop accept_snp_ghcb(struct accept_snp *a);

#endif
