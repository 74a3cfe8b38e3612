#include "firmware/accept.h"

void accept_init(struct accept *a, const struct snp_ops *ops, bool touch)
{
	a->ops = ops;
	a->touch = touch;
}

/* Notes the page or unit down; refuses it when it is noted already. */
static enum fw_stop mark(struct accept *a, uint64_t at)
{
	uint8_t *bits = at < ACCEPT_LARGE ? a->small : a->large;
	uint64_t index = at / (at < ACCEPT_LARGE ? FW_PAGE : ACCEPT_LARGE);
	uint8_t bit = (uint8_t)(1u << (index % 8));

	if (at >= ACCEPT_RAM_MAX)
		return STOP_RAM_LARGE;
	if ((bits[index / 8] & bit) != 0)
		return STOP_ACCEPT_TWICE;
	bits[index / 8] |= bit;
	return STOP_HANDED_OVER;
}

enum fw_stop accept_launched(struct accept *a, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += FW_PAGE) {
		enum fw_stop status = mark(a, at);

		if (status != STOP_HANDED_OVER)
			return status;
	}
	return STOP_HANDED_OVER;
}

/* EAX first: CF means something only when the instruction did its work. */
static enum fw_stop judge(uint64_t result)
{
	if (PVALIDATE_CODE(result) == PVALIDATE_SIZEMISMATCH)
		return STOP_PVALIDATE_SIZE;
	if (PVALIDATE_CODE(result) != 0)
		return STOP_PVALIDATE_FAILED;
	return (result & PVALIDATE_UNCHANGED) != 0 ? STOP_PVALIDATE_UNCHANGED : STOP_HANDED_OVER;
}

static enum fw_stop validate_small(const struct snp_ops *o, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += FW_PAGE) {
		enum fw_stop status = judge(o->pvalidate(o->ctx, at, false, true));

		if (status != STOP_HANDED_OVER)
			return status;
	}
	return STOP_HANDED_OVER;
}

static enum fw_stop validate(const struct accept *a, uint64_t gpa, bool large)
{
	const struct snp_ops *o = a->ops;
	const uint64_t size = large ? ACCEPT_LARGE : FW_PAGE;
	enum fw_stop status;

	o->map(o->ctx, gpa, large);
	status = judge(o->pvalidate(o->ctx, gpa, large, true));
	/* The host backs it with small pages: that is its business. Small ones must fit. */
	if (status == STOP_PVALIDATE_SIZE && large)
		status = validate_small(o, gpa, gpa + size);
	if (status == STOP_HANDED_OVER && a->touch)
		o->touch(o->ctx, gpa, (unsigned)(size / FW_PAGE));
	o->unmap(o->ctx, gpa, large);
	return status;
}

enum fw_stop accept_flush(struct accept *a)
{
	enum fw_stop status;

	if (a->count == 0)
		return STOP_HANDED_OVER;
	status = ghcb_page_states(a->ops, a->batch, a->count);
	for (unsigned i = 0; i < a->count && status == STOP_HANDED_OVER; i++) {
		uint64_t gpa = a->batch[i] & (ACCEPT_RAM_MAX - FW_PAGE);

		status = validate(a, gpa, (a->batch[i] & GHCB_PSC_LARGE) != 0);
	}
	a->count = 0;
	return status;
}

enum fw_stop accept_range(struct accept *a, uint64_t from, uint64_t to)
{
	uint64_t at = from;

	while (at < to) {
		bool large = at >= ACCEPT_LARGE;
		enum fw_stop status = mark(a, at);

		if (status == STOP_HANDED_OVER && a->count == GHCB_PSC_MAX)
			status = accept_flush(a);
		if (status != STOP_HANDED_OVER)
			return status;
		a->batch[a->count++] = ghcb_psc_entry(at, GHCB_PRIVATE, large);
		at += large ? ACCEPT_LARGE : FW_PAGE;
	}
	return STOP_HANDED_OVER;
}

enum fw_stop accept_ghcb(struct accept *a)
{
	enum fw_stop status = mark(a, FW_GHCB);

	if (status == STOP_HANDED_OVER)
		status = ghcb_page_state(a->ops, FW_GHCB, GHCB_PRIVATE);
	return status == STOP_HANDED_OVER ? validate(a, FW_GHCB, false) : status;
}
