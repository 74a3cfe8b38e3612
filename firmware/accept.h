/* Which memory was taken from the host: each page exactly once. A page validated or accepted twice
 * could be two pages in turn (the host swaps what lies behind), so our own record decides, not
 * what the host, the RMP or the TDX module says. Pure; how a page is taken: accept_snp.h,
 * accept_tdx.h. */
#ifndef PAVISE_FIRMWARE_ACCEPT_H
#define PAVISE_FIRMWARE_ACCEPT_H

#include "firmware/layout.h"
#include "firmware/stop.h"

#include <stdbool.h>

#define ACCEPT_LARGE   0x200000ull
/* What the record has room for: page tables of ring 0 reach as far. */
#define ACCEPT_RAM_MAX (512ull << 30)

/* All zero: nothing is taken. */
struct accept_record {
	uint8_t small[ACCEPT_LARGE / FW_PAGE / 8];        /* a bit for each 4 KiB page */
	uint8_t large[ACCEPT_RAM_MAX / ACCEPT_LARGE / 8]; /* from 2 MiB on, for each 2 MiB */
};

/* Notes a page (below 2 MiB) or a unit of 2 MiB down. STOP_HANDED_OVER (0), STOP_ACCEPT_TWICE when
 * it is noted already, STOP_RAM_LARGE. */
enum fw_stop accept_mark(struct accept_record *r, uint64_t at);

/* [from, to) below 2 MiB, page aligned, is ours already: it was part of the launch. */
enum fw_stop accept_launched(struct accept_record *r, uint64_t from, uint64_t to);

/* Takes a page or a unit. STOP_HANDED_OVER (0) or the code to stop with. */
typedef enum fw_stop accept_take(void *ctx, uint64_t gpa, bool large);

/* Calls take for [from, to): below 2 MiB for each page, from there for each unit of 2 MiB, after it
 * was noted down. What accept_mark and take return. */
enum fw_stop accept_each(struct accept_record *r, uint64_t from, uint64_t to, accept_take *take,
			 void *ctx);

/* The same for all RAM of a checked boot block above FW_RESERVED_END, but not for
 * [FW_STAGING, staging_end). */
enum fw_stop accept_ram(struct accept_record *r, const struct fw_boot_block *b,
			uint64_t staging_end, accept_take *take, void *ctx);

#endif
