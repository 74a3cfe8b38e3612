/* Taking memory from the host: page state change to private, then PVALIDATE, each page exactly
 * once. A page validated twice could be two pages in turn (the host swaps what lies behind), so
 * our own record decides, not what the host or the RMP says. Ring 0, pure over snp_ops. */
#ifndef PAVISE_FIRMWARE_ACCEPT_H
#define PAVISE_FIRMWARE_ACCEPT_H

#include "firmware/ghcb.h"
#include "firmware/layout.h"
#include "firmware/snp_ops.h"
#include "firmware/stop.h"

#define ACCEPT_LARGE   0x200000ull
/* What the record has room for: page tables of ring 0 reach as far. */
#define ACCEPT_RAM_MAX (512ull << 30)

struct accept {
	const struct snp_ops *ops;
	bool touch;                                            /* see accept_init */
	unsigned count;
	uint64_t batch[GHCB_PSC_MAX];
	uint8_t small[ACCEPT_LARGE / FW_PAGE / 8];             /* a bit for each 4 KiB page */
	uint8_t large[ACCEPT_RAM_MAX / ACCEPT_LARGE / 8];      /* from 2 MiB on, for each 2 MiB */
};

/* *a must be zero. touch: read first and last cache line of each page after its validation, so
 * that no line of the host's key stays in a cache (AMD-SB-3023; needless when CPUID
 * 8000_001F EBX[31], COHERENCY_SFW_NO, is set). */
void accept_init(struct accept *a, const struct snp_ops *ops, bool touch);

/* [from, to) below 2 MiB, page aligned, is ours already: it was part of the launch. */
enum fw_stop accept_launched(struct accept *a, uint64_t from, uint64_t to);

/* Takes [from, to): below 2 MiB in pages, from there in 2 MiB units. Works in batches; the last
 * one waits for accept_flush. STOP_HANDED_OVER (0), or STOP_ACCEPT_TWICE, STOP_RAM_LARGE,
 * STOP_PSC_*, STOP_PVALIDATE_*, STOP_GHCB_RESPONSE. */
enum fw_stop accept_range(struct accept *a, uint64_t from, uint64_t to);
enum fw_stop accept_flush(struct accept *a);

/* Takes the GHCB page itself back, by the MSR protocol. Nothing can be flushed after it. */
enum fw_stop accept_ghcb(struct accept *a);

#endif
