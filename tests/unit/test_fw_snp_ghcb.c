/* The GHCB protocols against an honest host, and against every lie a host can tell in them. */
#include "firmware/ghcb.h"
#include "tests/unit/snp_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct snp_machine m;

#define HONEST() assert_null(m.fault)

static void opened(void)
{
	snp_machine_init(&m);
	assert_int_equal(ghcb_open(&m.ops), STOP_HANDED_OVER);
}

static void an_honest_host_is_accepted(void **state)
{
	(void)state;
	opened();
	HONEST();
	assert_int_equal(m.registered, FW_GHCB);
	assert_false(m.page[FW_GHCB / FW_PAGE].private_);
	assert_int_equal(m.msr_calls, 4);
	/* PVALIDATE off before the page goes to the host. */
	assert_int_equal(m.pvalidates, 1);
	for (unsigned at = 0; at < FW_PAGE; at++)
		assert_int_equal(m.ghcb[at], 0);
}

static void a_valid_page_is_rescinded_before_it_is_shared(void **state)
{
	(void)state;
	snp_machine_init(&m);
	m.page[FW_GHCB / FW_PAGE].valid = 1;
	assert_int_equal(ghcb_open(&m.ops), STOP_HANDED_OVER);
	HONEST();
}

static uint64_t fixed_lie_request; /* low 12 bits */

static uint64_t fixed_lie(struct snp_machine *host, uint64_t request, uint64_t honest)
{
	return (request & 0xFFF) == fixed_lie_request ? host->lie : honest;
}

static void lies_in_the_msr_protocol(void **state)
{
	static const struct {
		uint64_t request, answer;
		enum fw_stop code;
	} rows[] = {
		/* SEV information: code, version range, C-bit */
		{ 0x002, 0, STOP_GHCB_RESPONSE },
		{ 0x002, 2ull << 48 | 1ull << 32 | 51u << 24 | 0x002, STOP_GHCB_RESPONSE },
		{ 0x002, 1ull << 48 | 1ull << 32 | 51u << 24 | 0x001, STOP_GHCB_VERSION },
		{ 0x002, 9ull << 48 | 3ull << 32 | 51u << 24 | 0x001, STOP_GHCB_VERSION },
		{ 0x002, 2ull << 48 | 1ull << 32 | 47u << 24 | 0x001, STOP_SNP_C_BIT },
		{ 0x002, 2ull << 48 | 1ull << 32 | 0x001, STOP_SNP_C_BIT },
		/* features */
		{ 0x080, 3u << 12 | 0x080, STOP_GHCB_RESPONSE },
		{ 0x080, 0x081, STOP_GHCB_FEATURES },
		{ 0x080, 1u << 12 | 0x081, STOP_GHCB_FEATURES },
		{ 0x080, 2u << 12 | 0x081, STOP_GHCB_FEATURES },
		/* page state change: code, reserved bits, error */
		{ 0x014, 0x014, STOP_GHCB_RESPONSE },
		{ 0x014, 0x1015, STOP_GHCB_RESPONSE },
		{ 0x014, 1ull << 32 | 0x015, STOP_PSC_REFUSED },
		{ 0x014, 1ull << 63 | 0x015, STOP_PSC_REFUSED },
		/* registration: refused, another page, another code */
		{ 0x012, 0xFFFFFFFFFFFFF013, STOP_GHCB_REGISTER },
		{ 0x012, (FW_GHCB + FW_PAGE) | 0x013, STOP_GHCB_REGISTER },
		{ 0x012, FW_GHCB | 0x012, STOP_GHCB_REGISTER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snp_machine_init(&m);
		m.msr_lie = fixed_lie;
		m.lie = rows[i].answer;
		fixed_lie_request = rows[i].request;
		if (ghcb_open(&m.ops) != rows[i].code)
			fail_msg("row %zu: not stopped with 0x%02x", i, (unsigned)rows[i].code);
	}
}

static void a_newer_host_that_still_speaks_version_2_is_fine(void **state)
{
	(void)state;
	snp_machine_init(&m);
	m.msr_lie = fixed_lie;
	fixed_lie_request = 0x002;
	m.lie = 7ull << 48 | 2ull << 32 | 51u << 24 | 0x001;
	assert_int_equal(ghcb_open(&m.ops), STOP_HANDED_OVER);
}

static uint64_t refuse(struct snp_machine *host, uint64_t gpa, bool large, uint64_t honest)
{
	(void)gpa;
	(void)large;
	(void)honest;
	return host->lie;
}

static void a_page_that_cannot_be_rescinded_stays_private(void **state)
{
	(void)state;
	snp_machine_init(&m);
	m.pvalidate_lie = refuse;
	m.lie = 6;
	assert_int_equal(ghcb_open(&m.ops), STOP_PVALIDATE_FAILED);
	assert_true(m.page[FW_GHCB / FW_PAGE].private_);
}

#define BASE 0x400000ull

static void fill(uint64_t *entries, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		entries[i] = ghcb_psc_entry(BASE + (uint64_t)i * FW_PAGE, GHCB_SHARED, false);
}

static void states_change_in_one_call(void **state)
{
	uint64_t entries[GHCB_PSC_MAX];

	(void)state;
	opened();
	fill(entries, GHCB_PSC_MAX);
	assert_int_equal(ghcb_page_states(&m.ops, entries, GHCB_PSC_MAX), STOP_HANDED_OVER);
	HONEST();
	assert_int_equal(m.page_calls, 1);
	assert_int_equal(m.entries_seen, GHCB_PSC_MAX);
	assert_memory_equal(m.psc_seen, entries, sizeof(entries));
}

/* The host stops anywhere and spoils what lies in the page; our entries are what is used. */
static void spoil(struct snp_machine *host)
{
	uint64_t header = snp_machine_load(host, GHCB_BUFFER);

	memset(host->ghcb + GHCB_BUFFER + 8, 0xEE, 2024);
	memset(host->ghcb, 0xEE, 0x390);
	snp_machine_store(host, GHCB_BUFFER, header);
}

static void a_host_may_stop_in_between(void **state)
{
	uint64_t entries[GHCB_PSC_MAX];

	(void)state;
	opened();
	fill(entries, GHCB_PSC_MAX);
	m.psc_limit = 10;
	m.page_lie = spoil;
	assert_int_equal(ghcb_page_states(&m.ops, entries, GHCB_PSC_MAX), STOP_HANDED_OVER);
	HONEST();
	assert_int_equal(m.page_calls, 26);
	assert_int_equal(m.entries_seen, GHCB_PSC_MAX);
	assert_memory_equal(m.psc_seen, entries, sizeof(entries));
}

static void set_header(struct snp_machine *host)
{
	snp_machine_store(host, GHCB_BUFFER, host->lie);
}

static void set_info1(struct snp_machine *host)
{
	snp_machine_store(host, GHCB_INFO1, host->lie);
}

static void set_info2(struct snp_machine *host)
{
	snp_machine_store(host, GHCB_INFO2, host->lie);
}

static void lies_in_a_page_state_change(void **state)
{
	static const struct {
		void (*lie)(struct snp_machine *host);
		uint64_t value;
		enum fw_stop code;
	} rows[] = {
		{ set_info1, 1, STOP_GHCB_RESPONSE },
		{ set_info1, 2, STOP_GHCB_RESPONSE },
		{ set_info1, 0x80000000, STOP_GHCB_RESPONSE },
		{ set_info2, 1, STOP_PSC_REFUSED },
		{ set_info2, 1ull << 32 | 2, STOP_PSC_REFUSED },
		{ set_info2, 0x100ull << 32, STOP_PSC_REFUSED },
		{ set_header, 9u << 16 | 11, STOP_PSC_PROGRESS },    /* beyond the end */
		{ set_header, 9u << 16 | 0xFFFF, STOP_PSC_PROGRESS },
		{ set_header, 8u << 16 | 10, STOP_PSC_PROGRESS },    /* another end */
		{ set_header, 252u << 16 | 10, STOP_PSC_PROGRESS },
		{ set_header, 1ull << 32 | 9u << 16 | 10, STOP_PSC_PROGRESS }, /* reserved */
		{ set_header, 9u << 16, STOP_PSC_PROGRESS },         /* no progress, for ever */
	};
	uint64_t entries[10];

	(void)state;
	fill(entries, 10);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		opened();
		m.page_lie = rows[i].lie;
		m.lie = rows[i].value;
		if (ghcb_page_states(&m.ops, entries, 10) != rows[i].code)
			fail_msg("row %zu: not stopped with 0x%02x", i, (unsigned)rows[i].code);
		assert_true(m.page_calls <= 1 + GHCB_PSC_STALLS);
	}
}

/* 4, then 2: entries 2 and 3 would be changed a second time. */
static void go_back(struct snp_machine *host)
{
	snp_machine_store(host, GHCB_BUFFER, 9u << 16 | (host->page_calls == 1 ? 4 : 2));
}

static void an_index_that_goes_back_stops(void **state)
{
	uint64_t entries[10];

	(void)state;
	opened();
	fill(entries, 10);
	m.page_lie = go_back;
	assert_int_equal(ghcb_page_states(&m.ops, entries, 10), STOP_PSC_PROGRESS);
	assert_int_equal(m.page_calls, 2);
}

/* One step in each sixteen calls: progress must not buy the host more patience. */
static void creep(struct snp_machine *host)
{
	snp_machine_store(host, GHCB_BUFFER, 9u << 16 | host->page_calls / 16);
}

static void patience_is_bounded_for_the_whole_change(void **state)
{
	uint64_t entries[10];

	(void)state;
	opened();
	fill(entries, 10);
	m.page_lie = creep;
	assert_int_equal(ghcb_page_states(&m.ops, entries, 10), STOP_PSC_PROGRESS);
	assert_true(m.page_calls <= 10 + GHCB_PSC_STALLS + 1);
}

static void devices_are_reached(void **state)
{
	uint32_t value = 0;

	(void)state;
	opened();
	m.mmio_value = 0x12345678;
	assert_int_equal(ghcb_mmio_read(&m.ops, 0xFED40030, &value), STOP_HANDED_OVER);
	assert_int_equal(value, 0x12345678);
	assert_int_equal(m.mmio_gpa, 0xFED40030);
	assert_int_equal(ghcb_mmio_write(&m.ops, 0xFED40044, 0xCAFE), STOP_HANDED_OVER);
	assert_int_equal(m.mmio_value, 0xCAFE);
	assert_int_equal(m.mmio_gpa, 0xFED40044);
	assert_int_equal(ghcb_port_write(&m.ops, 0x80, 0x50560000), STOP_HANDED_OVER);
	assert_int_equal(m.port >> 16, 0x80);
	assert_int_equal(m.port & 0x7F, 0x40); /* OUT, 32 bits */
	assert_int_equal(m.port_value, 0x50560000);
	HONEST();
}

static void a_failed_access_stops(void **state)
{
	uint32_t value;

	(void)state;
	opened();
	m.page_lie = set_info1;
	m.lie = 1;
	assert_int_equal(ghcb_mmio_read(&m.ops, 0xFED40030, &value), STOP_GHCB_RESPONSE);
	assert_int_equal(ghcb_mmio_write(&m.ops, 0xFED40030, 0), STOP_GHCB_RESPONSE);
	assert_int_equal(ghcb_port_write(&m.ops, 0x80, 0), STOP_GHCB_RESPONSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_host_is_accepted),
		cmocka_unit_test(a_valid_page_is_rescinded_before_it_is_shared),
		cmocka_unit_test(lies_in_the_msr_protocol),
		cmocka_unit_test(a_newer_host_that_still_speaks_version_2_is_fine),
		cmocka_unit_test(a_page_that_cannot_be_rescinded_stays_private),
		cmocka_unit_test(states_change_in_one_call),
		cmocka_unit_test(a_host_may_stop_in_between),
		cmocka_unit_test(lies_in_a_page_state_change),
		cmocka_unit_test(an_index_that_goes_back_stops),
		cmocka_unit_test(patience_is_bounded_for_the_whole_change),
		cmocka_unit_test(devices_are_reached),
		cmocka_unit_test(a_failed_access_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
