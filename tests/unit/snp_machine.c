#include "tests/unit/snp_machine.h"

#include <string.h>

uint64_t snp_machine_load(const struct snp_machine *m, unsigned offset)
{
	uint64_t v;

	memcpy(&v, m->ghcb + offset, sizeof(v));
	return v;
}

void snp_machine_store(struct snp_machine *m, unsigned offset, uint64_t value)
{
	memcpy(m->ghcb + offset, &value, sizeof(value));
}

static void fault(struct snp_machine *m, const char *what)
{
	if (m->fault == NULL)
		m->fault = what;
}

static struct snp_page *page_of(struct snp_machine *m, uint64_t gpa)
{
	static struct snp_page nowhere;

	if (gpa / FW_PAGE < SNP_MACHINE_PAGES)
		return &m->page[gpa / FW_PAGE];
	fault(m, "an address outside the machine");
	return &nowhere;
}

/* As KVM: a page that goes to the host loses its assignment, and so its validation. */
static void change_state(struct snp_machine *m, uint64_t entry)
{
	const uint64_t gpa = entry & 0x000FFFFFFFFFF000ull;
	const unsigned operation = entry >> 52 & 0xF, pages = (entry >> 56 & 1) != 0 ? 512 : 1;

	if (operation != 1 && operation != 2)
		fault(m, "an unknown operation");
	if ((entry >> 57) != 0 || (entry & 0xFFF) != 0)
		fault(m, "reserved bits in an entry");
	for (unsigned i = 0; i < pages; i++) {
		struct snp_page *p = page_of(m, gpa + (uint64_t)i * FW_PAGE);

		if (operation == 2 && p->valid)
			fault(m, "a valid page was given away");
		if (p->private_ != (operation == 1))
			p->valid = 0;
		p->private_ = operation == 1;
	}
}

static uint64_t honest_msr(struct snp_machine *m, uint64_t request)
{
	switch (request & 0xFFF) {
	case 0x002:
		return 2ull << 48 | 1ull << 32 | 51u << 24 | 0x001;
	case 0x080:
		return 3u << 12 | 0x081;
	case 0x012:
		m->registered = request & ~0xFFFull;
		return m->registered | 0x013;
	case 0x014:
		change_state(m, request & ~0xFFFull);
		return 0x015;
	default:
		fault(m, "an unknown request");
		return 0;
	}
}

static uint64_t msr_call(void *ctx, uint64_t request)
{
	struct snp_machine *m = ctx;
	uint64_t answer;

	m->msr_calls++;
	answer = honest_msr(m, request);
	return m->msr_lie == NULL ? answer : m->msr_lie(m, request, answer);
}

static void carry_out(struct snp_machine *m)
{
	uint64_t header = snp_machine_load(m, GHCB_BUFFER);
	unsigned current = header & 0xFFFF, end = header >> 16 & 0xFFFF, done = 0;

	if (end >= 253 || header >> 32 != 0 || current > end) {
		fault(m, "a bad page state change header");
		return;
	}
	for (; current <= end && (m->psc_limit == 0 || done < m->psc_limit); current++, done++) {
		uint64_t entry = snp_machine_load(m, GHCB_BUFFER + 8 + 8 * current);

		change_state(m, entry);
		if (m->entries_seen < sizeof(m->psc_seen) / sizeof(m->psc_seen[0]))
			m->psc_seen[m->entries_seen++] = entry;
	}
	snp_machine_store(m, GHCB_BUFFER, (header & ~0xFFFFull) | current);
}

/* Everything that is not announced as valid must be zero: nothing leaks from call to call. */
static void check_form(struct snp_machine *m)
{
	for (unsigned at = 0; at < GHCB_BUFFER; at += 8) {
		uint64_t valid = snp_machine_load(m, at / 8 < 64 ? 0x3F0 : 0x3F8);

		if (at != 0x3F0 && at != 0x3F8 &&
		    (at >= 0x400 || (valid >> (at / 8 % 64) & 1) == 0) &&
		    snp_machine_load(m, at) != 0)
			fault(m, "a field without its valid bit");
	}
	if (snp_machine_load(m, 0xFF8) != 2u << 16)
		fault(m, "protocol version or usage");
	if (m->registered != FW_GHCB || !m->is_shared)
		fault(m, "a call through a page that is not registered");
}

static void serve(struct snp_machine *m)
{
	const uint64_t code = snp_machine_load(m, 0x390), info1 = snp_machine_load(m, GHCB_INFO1);
	const uint64_t scratch = snp_machine_load(m, 0x3A8);

	if (code != 0x7B && scratch != FW_GHCB + GHCB_BUFFER)
		fault(m, "no shared buffer");
	if (code == 0x80000010) {
		carry_out(m);
	} else if (code == 0x80000001) {
		m->mmio_gpa = info1;
		snp_machine_store(m, GHCB_BUFFER, m->mmio_value);
	} else if (code == 0x80000002) {
		m->mmio_gpa = info1;
		m->mmio_value = (uint32_t)snp_machine_load(m, GHCB_BUFFER);
	} else if (code == 0x7B) {
		m->port = info1;
		m->port_value = snp_machine_load(m, 0x1F8);
	} else {
		fault(m, "an unknown exit code");
	}
}

static void page_call(void *ctx)
{
	struct snp_machine *m = ctx;

	m->page_calls++;
	check_form(m);
	serve(m);
	snp_machine_store(m, 0x3F0, 0);
	snp_machine_store(m, 0x3F8, 0);
	snp_machine_store(m, GHCB_INFO1, 0);
	snp_machine_store(m, GHCB_INFO2, 0);
	if (m->page_lie != NULL)
		m->page_lie(m);
}

static void share_ghcb(void *ctx)
{
	struct snp_machine *m = ctx;

	if (page_of(m, FW_GHCB)->private_)
		fault(m, "the GHCB page is mapped shared while private");
	m->is_shared = true;
	memset(m->ghcb, 0xA5, sizeof(m->ghcb)); /* whatever the host put there */
}

static void map(void *ctx, uint64_t gpa, bool large)
{
	struct snp_machine *m = ctx;

	if (m->mapped != UINT64_MAX || gpa % (large ? 0x200000 : FW_PAGE) != 0)
		fault(m, "two units mapped, or an odd address");
	m->mapped = gpa;
	m->mapped_large = large;
}

static void unmap(void *ctx, uint64_t gpa, bool large)
{
	struct snp_machine *m = ctx;

	if (m->mapped != gpa || m->mapped_large != large)
		fault(m, "another unit unmapped");
	m->mapped = UINT64_MAX;
}

static bool in_reach(const struct snp_machine *m, uint64_t gpa, uint64_t size)
{
	uint64_t room = m->mapped_large ? 0x200000 : FW_PAGE;

	return m->mapped != UINT64_MAX && gpa >= m->mapped && gpa + size <= m->mapped + room;
}

static uint64_t honest_pvalidate(struct snp_machine *m, uint64_t gpa, bool large, bool validate)
{
	const unsigned pages = large ? 512 : 1;
	unsigned changed = 0;

	if (large && m->small_backing)
		return PVALIDATE_SIZEMISMATCH | PVALIDATE_UNCHANGED;
	for (unsigned i = 0; i < pages; i++) {
		struct snp_page *p = page_of(m, gpa + (uint64_t)i * FW_PAGE);

		if (!p->private_)
			return 1; /* FAIL_INPUT; hardware would not even come back */
		changed += p->valid != validate;
		p->valid = validate;
		p->validations = (uint8_t)(p->validations + validate);
	}
	return changed == pages ? 0 : PVALIDATE_UNCHANGED;
}

static uint64_t pvalidate(void *ctx, uint64_t gpa, bool large, bool validate)
{
	struct snp_machine *m = ctx;
	uint64_t answer;

	m->pvalidates++;
	if (!in_reach(m, gpa, large ? 0x200000 : FW_PAGE))
		fault(m, "PVALIDATE of an unmapped page");
	answer = honest_pvalidate(m, gpa, large, validate);
	return m->pvalidate_lie == NULL ? answer : m->pvalidate_lie(m, gpa, large, answer);
}

static void touch(void *ctx, uint64_t gpa, unsigned pages)
{
	struct snp_machine *m = ctx;

	if (!in_reach(m, gpa, (uint64_t)pages * FW_PAGE))
		fault(m, "touch of an unmapped page");
	for (unsigned i = 0; i < pages; i++) {
		struct snp_page *p = page_of(m, gpa + (uint64_t)i * FW_PAGE);

		if (!p->valid)
			fault(m, "touch of an invalid page");
		p->touched = 1;
	}
}

void snp_machine_init(struct snp_machine *m)
{
	memset(m, 0, sizeof(*m));
	m->mapped = UINT64_MAX;
	for (size_t i = 0; i < SNP_MACHINE_PAGES; i++)
		m->page[i].private_ = 1;
	m->ops = (struct snp_ops){ m, m->ghcb, msr_call, page_call, share_ghcb, map, unmap,
				   pvalidate, touch };
}
