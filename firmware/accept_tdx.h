/* Taking memory from the host of a trust domain: TDG.MEM.PAGE.ACCEPT, after a MapGPA where it was
 * shared. Ring 0, pure over tdx_ops. */
#ifndef PAVISE_FIRMWARE_ACCEPT_TDX_H
#define PAVISE_FIRMWARE_ACCEPT_TDX_H

#include "firmware/accept.h"
#include "firmware/tdx_ops.h"

/* All zero but ops: nothing is taken. */
struct accept_tdx {
	const struct tdx_ops *ops;
	struct accept_record record;
};

/* Takes [from, to), private already: below 2 MiB in pages, from there in 2 MiB units.
 * STOP_HANDED_OVER (0), or STOP_ACCEPT_TWICE, STOP_RAM_LARGE, STOP_TDX_ACCEPT*. */
enum fw_stop accept_tdx_range(struct accept_tdx *a, uint64_t from, uint64_t to);

/* The same for what is shared now; STOP_MAP_GPA_*, STOP_TDX_CALL as well. */
enum fw_stop accept_tdx_shared(struct accept_tdx *a, uint64_t from, uint64_t to);

/* Takes what accept_ram says. */
enum fw_stop accept_tdx_ram(struct accept_tdx *a, const struct fw_boot_block *b,
			    uint64_t staging_end);

#endif
