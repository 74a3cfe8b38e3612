#include "firmware/ghcb.h"

#include "firmware/layout.h"

/* MSR protocol, GHCB standard §2.3.1: request and response codes in bits 11:0. */
#define CODE_MASK          0xFFFull
#define SEV_INFO_REQUEST   0x002u
#define SEV_INFO_RESPONSE  0x001u
#define REGISTER_REQUEST   0x012u
#define REGISTER_RESPONSE  0x013u
#define PSC_REQUEST        0x014u
#define PSC_RESPONSE       0x015u
#define FEATURES_REQUEST   0x080u
#define FEATURES_RESPONSE  0x081u

#define VERSION            2u
#define FEATURE_SNP        (1ull << 12)
#define FEATURE_AP_CREATION (1ull << 13)

/* Fields of the page, §2.6. */
#define RAX           0x1F8u
#define SW_EXIT_CODE  0x390u
#define SW_EXIT_INFO1 0x398u
#define SW_EXIT_INFO2 0x3A0u
#define SW_SCRATCH    0x3A8u
#define VALID_BITMAP  0x3F0u
#define BUFFER        0x800u
#define VERSION_USAGE 0xFF8u /* bits 31:16 protocol version, 63:32 usage: 0, this very layout */

/* Exit codes, §4.1. */
#define EXIT_IOIO       0x7Bull
#define EXIT_MMIO_READ  0x80000001ull
#define EXIT_MMIO_WRITE 0x80000002ull
#define EXIT_PSC        0x80000010ull

/* EXITINFO1 of an OUT (AMD APM vol. 2 §15.10.2). */
#define IOIO_SIZE_32 (1ull << 6)
#define IOIO_ADDR_64 (1ull << 9)

struct call {
	uint64_t code, info1, info2;
	bool has_buffer, has_rax;
	uint64_t rax;
};

static void store(const struct snp_ops *o, unsigned offset, uint64_t value)
{
	*(volatile uint64_t *)(o->ghcb + offset) = value;
}

static uint64_t load(const struct snp_ops *o, unsigned offset)
{
	return *(volatile uint64_t *)(o->ghcb + offset);
}

/* Nothing of one call is left for the next. */
static void clear(const struct snp_ops *o)
{
	for (unsigned at = 0; at < FW_PAGE; at += sizeof(uint64_t))
		store(o, at, 0);
}

static void put(const struct snp_ops *o, uint64_t valid[2], unsigned offset, uint64_t value)
{
	unsigned bit = offset / 8;

	store(o, offset, value);
	valid[bit / 64] |= 1ull << (bit % 64);
}

/* On a cleared page whose buffer is filled already. */
static enum fw_stop leave(const struct snp_ops *o, const struct call *c, uint64_t *info2)
{
	uint64_t valid[2] = { 0, 0 }, info1;

	put(o, valid, SW_EXIT_CODE, c->code);
	put(o, valid, SW_EXIT_INFO1, c->info1);
	put(o, valid, SW_EXIT_INFO2, c->info2);
	if (c->has_buffer)
		put(o, valid, SW_SCRATCH, FW_GHCB + BUFFER);
	if (c->has_rax)
		put(o, valid, RAX, c->rax);
	store(o, VALID_BITMAP, valid[0]);
	store(o, VALID_BITMAP + 8, valid[1]);
	store(o, VERSION_USAGE, (uint64_t)VERSION << 16);
	o->page_call(o->ctx);
	info1 = load(o, SW_EXIT_INFO1);
	*info2 = load(o, SW_EXIT_INFO2);
	/* 1: raise an exception, 2: input refused. We asked for nothing that may do either. */
	return (uint32_t)info1 == 0 ? STOP_HANDED_OVER : STOP_GHCB_RESPONSE;
}

static enum fw_stop agree(const struct snp_ops *o)
{
	uint64_t r = o->msr_call(o->ctx, SEV_INFO_REQUEST);

	if ((r & CODE_MASK) != SEV_INFO_RESPONSE)
		return STOP_GHCB_RESPONSE;
	if ((r >> 48) < VERSION || (r >> 32 & 0xFFFF) > VERSION)
		return STOP_GHCB_VERSION;
	if ((r >> 24 & 0xFF) != SNP_C_BIT)
		return STOP_SNP_C_BIT;
	r = o->msr_call(o->ctx, FEATURES_REQUEST);
	if ((r & CODE_MASK) != FEATURES_RESPONSE)
		return STOP_GHCB_RESPONSE;
	if ((r & FEATURE_SNP) == 0 || (r & FEATURE_AP_CREATION) == 0)
		return STOP_GHCB_FEATURES;
	return STOP_HANDED_OVER;
}

enum fw_stop ghcb_open(const struct snp_ops *o)
{
	enum fw_stop status = agree(o);
	uint64_t r;

	if (status != STOP_HANDED_OVER)
		return status;
	/* No page of the launch, so it was never valid and CF says so; but a page must not be
	 * given away in any other state, so this does not rest on the plan. */
	o->map(o->ctx, FW_GHCB, false);
	r = o->pvalidate(o->ctx, FW_GHCB, false, false);
	o->unmap(o->ctx, FW_GHCB, false);
	if (PVALIDATE_CODE(r) != 0)
		return STOP_PVALIDATE_FAILED;
	status = ghcb_page_state(o, FW_GHCB, GHCB_SHARED);
	if (status != STOP_HANDED_OVER)
		return status;
	o->share_ghcb(o->ctx);
	clear(o);
	r = o->msr_call(o->ctx, FW_GHCB | REGISTER_REQUEST);
	return r == (FW_GHCB | REGISTER_RESPONSE) ? STOP_HANDED_OVER : STOP_GHCB_REGISTER;
}

enum fw_stop ghcb_page_state(const struct snp_ops *o, uint64_t gpa, unsigned operation)
{
	uint64_t r = o->msr_call(o->ctx, ghcb_psc_entry(gpa, operation, false) | PSC_REQUEST);

	if ((uint32_t)r != PSC_RESPONSE)
		return STOP_GHCB_RESPONSE;
	return r >> 32 == 0 ? STOP_HANDED_OVER : STOP_PSC_REFUSED;
}

/* One call for entries[done..count). What the host says about its progress, bounded, in *next. */
static enum fw_stop change_states(const struct snp_ops *o, const uint64_t *entries, unsigned done,
				  unsigned count, unsigned *next)
{
	const struct call c = { .code = EXIT_PSC, .has_buffer = true };
	uint64_t info2, header;
	enum fw_stop status;
	unsigned current;

	clear(o);
	store(o, BUFFER, done | (uint64_t)(count - 1) << 16);
	for (unsigned i = done; i < count; i++)
		store(o, BUFFER + 8 + 8 * i, entries[i]);
	status = leave(o, &c, &info2);
	if (status != STOP_HANDED_OVER)
		return status;
	if (info2 != 0)
		return STOP_PSC_REFUSED;
	header = load(o, BUFFER);
	current = header & 0xFFFF;
	if (header >> 16 != count - 1 || current < done || current > count)
		return STOP_PSC_PROGRESS;
	*next = current;
	return STOP_HANDED_OVER;
}

enum fw_stop ghcb_page_states(const struct snp_ops *o, const uint64_t *entries, unsigned count)
{
	unsigned done = 0, stalls = 0;

	while (done < count) {
		unsigned next = done;
		enum fw_stop status = change_states(o, entries, done, count, &next);

		if (status != STOP_HANDED_OVER)
			return status;
		if (next == done && ++stalls > GHCB_PSC_STALLS)
			return STOP_PSC_PROGRESS;
		done = next;
	}
	return STOP_HANDED_OVER;
}

enum fw_stop ghcb_mmio_read(const struct snp_ops *o, uint64_t gpa, uint32_t *out)
{
	const struct call c = { .code = EXIT_MMIO_READ, .info1 = gpa, .info2 = sizeof(*out),
				.has_buffer = true };
	enum fw_stop status;
	uint64_t info2;

	clear(o);
	status = leave(o, &c, &info2);
	*out = (uint32_t)load(o, BUFFER);
	return status;
}

enum fw_stop ghcb_mmio_write(const struct snp_ops *o, uint64_t gpa, uint32_t value)
{
	const struct call c = { .code = EXIT_MMIO_WRITE, .info1 = gpa, .info2 = sizeof(value),
				.has_buffer = true };
	uint64_t info2;

	clear(o);
	store(o, BUFFER, value);
	return leave(o, &c, &info2);
}

enum fw_stop ghcb_port_write(const struct snp_ops *o, uint16_t port, uint32_t value)
{
	const struct call c = { .code = EXIT_IOIO,
				.info1 = (uint64_t)port << 16 | IOIO_SIZE_32 | IOIO_ADDR_64,
				.has_rax = true, .rax = value };
	uint64_t info2;

	clear(o);
	return leave(o, &c, &info2);
}
