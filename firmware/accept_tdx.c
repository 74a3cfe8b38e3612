#include "firmware/accept_tdx.h"

#include "firmware/tdcall.h"

static enum fw_stop take(void *ctx, uint64_t gpa, bool large)
{
	const struct tdx_ops *o = ((const struct accept_tdx *)ctx)->ops;
	enum fw_stop status = tdx_page_accept(o, gpa, large);

	if (status != STOP_TDX_ACCEPT_SIZE || !large)
		return status;
	/* The host backs it with small pages: that is its business. Small ones must fit. */
	status = STOP_HANDED_OVER;
	for (uint64_t at = gpa; at < gpa + ACCEPT_LARGE && status == STOP_HANDED_OVER;
	     at += FW_PAGE)
		status = tdx_page_accept(o, at, false);
	return status;
}

enum fw_stop accept_tdx_range(struct accept_tdx *a, uint64_t from, uint64_t to)
{
	return accept_each(&a->record, from, to, take, a);
}

enum fw_stop accept_tdx_shared(struct accept_tdx *a, uint64_t from, uint64_t to)
{
	enum fw_stop status = tdvmcall_map_private(a->ops, from, to);

	return status == STOP_HANDED_OVER ? accept_tdx_range(a, from, to) : status;
}

enum fw_stop accept_tdx_ram(struct accept_tdx *a, const struct fw_boot_block *b,
			    uint64_t staging_end)
{
	return accept_ram(&a->record, b, staging_end, take, a);
}
