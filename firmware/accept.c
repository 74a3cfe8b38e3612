#include "firmware/accept.h"

enum fw_stop accept_mark(struct accept_record *r, uint64_t at)
{
	uint8_t *bits = at < ACCEPT_LARGE ? r->small : r->large;
	uint64_t index = at / (at < ACCEPT_LARGE ? FW_PAGE : ACCEPT_LARGE);
	uint8_t bit = (uint8_t)(1u << (index % 8));

	if (at >= ACCEPT_RAM_MAX)
		return STOP_RAM_LARGE;
	if ((bits[index / 8] & bit) != 0)
		return STOP_ACCEPT_TWICE;
	bits[index / 8] |= bit;
	return STOP_HANDED_OVER;
}

enum fw_stop accept_launched(struct accept_record *r, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += FW_PAGE) {
		enum fw_stop status = accept_mark(r, at);

		if (status != STOP_HANDED_OVER)
			return status;
	}
	return STOP_HANDED_OVER;
}

enum fw_stop accept_each(struct accept_record *r, uint64_t from, uint64_t to, accept_take *take,
			 void *ctx)
{
	uint64_t at = from;

	while (at < to) {
		bool large = at >= ACCEPT_LARGE;
		enum fw_stop status = accept_mark(r, at);

		if (status == STOP_HANDED_OVER)
			status = take(ctx, at, large);
		if (status != STOP_HANDED_OVER)
			return status;
		at += large ? ACCEPT_LARGE : FW_PAGE;
	}
	return STOP_HANDED_OVER;
}

enum fw_stop accept_ram(struct accept_record *r, const struct fw_boot_block *b,
			uint64_t staging_end, accept_take *take, void *ctx)
{
	enum fw_stop status = accept_each(r, FW_RESERVED_END, FW_STAGING, take, ctx);

	if (status == STOP_HANDED_OVER)
		status = accept_each(r, staging_end, b->ram[1].base + b->ram[1].size, take, ctx);
	for (uint32_t i = 2; i < b->ram_count && status == STOP_HANDED_OVER; i++)
		status = accept_each(r, b->ram[i].base, b->ram[i].base + b->ram[i].size, take, ctx);
	return status;
}
