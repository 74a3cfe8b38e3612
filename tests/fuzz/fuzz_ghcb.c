/* The GHCB protocols and the taking of memory against a host that answers with the fuzzer's bytes.
 * Whatever it says: a bounded number of calls, no protocol mistake of ours, and memory that counts
 * as taken was validated once and lies in the range.
 *
 * Input: a byte of options, then for each answer a byte (0: honest; else the next bytes are it). */
#include "firmware/accept_snp.h"
#include "tests/unit/snp_machine.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

#define MIB 0x100000ull
#define FROM (MIB + 0xF0000)
#define TO   (12 * MIB)

static struct snp_machine m;
static struct accept_snp a;
static const uint8_t *input;
static size_t left;

static uint64_t take(unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && left > 0; i++, left--)
		v |= (uint64_t)*input++ << (8 * i);
	return v;
}

static uint64_t msr_lie(struct snp_machine *host, uint64_t request, uint64_t honest)
{
	(void)host;
	(void)request;
	switch (take(1)) {
	case 0:
		return honest;
	case 1:
		return honest ^ 1ull << (take(1) % 64);
	default:
		return take(8);
	}
}

static void page_lie(struct snp_machine *host)
{
	uint64_t header = snp_machine_load(host, GHCB_BUFFER);

	switch (take(1)) {
	case 0:
		return;
	case 1:
		snp_machine_store(host, GHCB_INFO1, take(8));
		return;
	case 2:
		snp_machine_store(host, GHCB_INFO2, take(8));
		return;
	case 3:
		snp_machine_store(host, GHCB_BUFFER, take(8));
		return;
	case 4: /* less progress than there was: the changes happen again, which is harmless */
		snp_machine_store(host, GHCB_BUFFER, (header & ~0xFFFFull) | take(2));
		return;
	default:
		host->ghcb[take(2) % FW_PAGE] = (uint8_t)take(1);
		return;
	}
}

static uint64_t pvalidate_lie(struct snp_machine *host, uint64_t gpa, bool large, uint64_t honest)
{
	(void)host;
	(void)gpa;
	(void)large;
	switch (take(1)) {
	case 1:
		return take(4);
	case 2:
		return honest | PVALIDATE_UNCHANGED;
	default:
		return honest;
	}
}

static enum fw_stop run(void)
{
	enum fw_stop status = ghcb_open(&m.ops);
	uint32_t value;

	if (status != STOP_HANDED_OVER)
		return status;
	accept_snp_init(&a, &m.ops, true);
	status = accept_snp_range(&a, FROM, TO);
	if (status == STOP_HANDED_OVER)
		status = accept_snp_flush(&a);
	if (status != STOP_HANDED_OVER)
		return status;
	ghcb_mmio_read(&m.ops, 0xFED40030, &value);
	ghcb_mmio_write(&m.ops, 0xFED40030, value);
	status = ghcb_port_write(&m.ops, 0x80, 0);
	return status == STOP_HANDED_OVER ? accept_snp_ghcb(&a) : status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct snp_machine fresh;
	enum fw_stop status;

	if (fresh.ops.ghcb == NULL)
		snp_machine_init(&fresh);
	memcpy(&m, &fresh, offsetof(struct snp_machine, page) + TO / FW_PAGE * sizeof(m.page[0]));
	m.ops.ctx = &m;
	m.ops.ghcb = m.ghcb;
	memset(&a, 0, sizeof(a));
	input = data;
	left = size;
	m.small_backing = (take(1) & 1) != 0;
	m.psc_limit = (unsigned)take(1);
	m.msr_lie = msr_lie;
	m.page_lie = page_lie;
	m.pvalidate_lie = pvalidate_lie;

	status = run();
	REQUIRE(m.msr_calls <= 5);
	REQUIRE(m.page_calls <= 2 * (GHCB_PSC_MAX + GHCB_PSC_STALLS) + 3);
	REQUIRE(m.pvalidates <= 2 + 21 * 513);
	if (status != STOP_HANDED_OVER)
		return 0;
	for (uint64_t at = 0; at < TO; at += FW_PAGE) {
		const struct snp_page *p = &m.page[at / FW_PAGE];
		bool ours = at >= FROM || at == FW_GHCB;

		REQUIRE(at != FW_GHCB || at < FROM);
		REQUIRE(p->validations <= 1 && (ours || p->validations == 0));
	}
	return 0;
}
