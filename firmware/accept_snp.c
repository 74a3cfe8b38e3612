#include "firmware/accept_snp.h"

void accept_snp_init(struct accept_snp *a, const struct snp_ops *ops, bool touch)
{
	a->ops = ops;
	a->touch = touch;
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

static enum fw_stop validate(const struct accept_snp *a, uint64_t gpa, bool large)
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

enum fw_stop accept_snp_flush(struct accept_snp *a)
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

static enum fw_stop add(void *ctx, uint64_t gpa, bool large)
{
	struct accept_snp *a = ctx;
	enum fw_stop status = a->count == GHCB_PSC_MAX ? accept_snp_flush(a) : STOP_HANDED_OVER;

	if (status == STOP_HANDED_OVER)
		a->batch[a->count++] = ghcb_psc_entry(gpa, GHCB_PRIVATE, large);
	return status;
}

enum fw_stop accept_snp_range(struct accept_snp *a, uint64_t from, uint64_t to)
{
	return accept_each(&a->record, from, to, add, a);
}

enum fw_stop accept_snp_ram(struct accept_snp *a, const struct fw_boot_block *b,
			    uint64_t staging_end)
{
	enum fw_stop status = accept_ram(&a->record, b, staging_end, add, a);

	return status == STOP_HANDED_OVER ? accept_snp_flush(a) : status;
}

enum fw_stop accept_snp_ghcb(struct accept_snp *a)
{
	enum fw_stop status = accept_mark(&a->record, FW_GHCB);

	if (status == STOP_HANDED_OVER)
		status = ghcb_page_state(a->ops, FW_GHCB, GHCB_PRIVATE);
	return status == STOP_HANDED_OVER ? validate(a, FW_GHCB, false) : status;
}
