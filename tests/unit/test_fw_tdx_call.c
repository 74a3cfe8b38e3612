/* The calls of a trust domain: what is asked, in which registers, and that no answer of module or
 * host goes unread. */
#include "common/plan.h"
#include "firmware/tdcall.h"
#include "tests/unit/tdx_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIB 0x100000ull

static struct tdx_machine m;

static int start(void **state)
{
	(void)state;
	tdx_machine_init(&m);
	return 0;
}

static int no_mistake(void **state)
{
	(void)state;
	if (m.fault != NULL)
		print_error("%s\n", m.fault);
	return m.fault == NULL ? 0 : -1;
}

static uint64_t failing(struct tdx_machine *host, uint64_t leaf, uint64_t rcx, uint64_t honest)
{
	(void)leaf;
	(void)rcx;
	(void)honest;
	return host->lie;
}

static void the_plans_trust_domain_is_ours(void **state)
{
	(void)state;
	assert_true(PLAN_TDX_ATTRIBUTES == TDX_ATTRIBUTE_SEPT_VE_DISABLE);
	assert_int_equal(tdx_check_domain(&m.ops), STOP_HANDED_OVER);
	assert_int_equal(m.vmcalls, 0);
}

static void other_domains_are_refused(void **state)
{
	static const struct {
		uint64_t gpaw, attributes;
		enum fw_stop want;
	} row[] = {
		{ 52, PLAN_TDX_ATTRIBUTES, STOP_TDX_GPAW },
		{ 0, PLAN_TDX_ATTRIBUTES, STOP_TDX_GPAW },
		{ 48, PLAN_TDX_ATTRIBUTES | 1, STOP_TDX_ATTRIBUTES },
		{ 48, 1, STOP_TDX_ATTRIBUTES },
		{ 48, 0, STOP_TDX_SEPT_VE },
		{ 48, 1ull << 30, STOP_TDX_SEPT_VE },
		{ 48, PLAN_TDX_ATTRIBUTES | 1ull << 29, STOP_TDX_ATTRIBUTES },
		{ 48, PLAN_TDX_ATTRIBUTES | 1ull << 63, STOP_TDX_ATTRIBUTES },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		m.gpaw = row[i].gpaw;
		m.attributes = row[i].attributes;
		assert_int_equal(tdx_check_domain(&m.ops), row[i].want);
	}
	m.module_lie = failing;
	m.lie = 0x8000000000000000ull;
	assert_int_equal(tdx_check_domain(&m.ops), STOP_TDX_ABSENT);
}

static void a_refused_rtmr_stops(void **state)
{
	static const uint64_t codes[] = { 1, 0x8000020000000000ull, 0xC000010000000001ull };

	(void)state;
	assert_int_equal(tdx_rtmr_extend(&m.ops, 1, FW_SCRATCH + 64), STOP_HANDED_OVER);
	assert_int_equal(m.extends, 1);
	m.module_lie = failing;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		m.lie = codes[i];
		assert_int_equal(tdx_rtmr_extend(&m.ops, 0, FW_SCRATCH), STOP_TDX_RTMR);
	}
}

static void mapping_asks_for_private_memory(void **state)
{
	(void)state;
	tdx_machine_share(&m, 8 * MIB, 16 * MIB);
	assert_int_equal(tdvmcall_map_private(&m.ops, 8 * MIB, 16 * MIB), STOP_HANDED_OVER);
	assert_int_equal(m.map_calls, 1);
	for (size_t i = 0; i < TDX_MACHINE_PAGES; i++)
		assert_int_equal(m.is_private[i], 1);
}

static void mapping_goes_on_where_the_host_stopped(void **state)
{
	(void)state;
	tdx_machine_share(&m, 8 * MIB, 16 * MIB);
	m.map_limit = 3ull * FW_PAGE;
	assert_int_equal(tdvmcall_map_private(&m.ops, 8 * MIB, 16 * MIB), STOP_HANDED_OVER);
	assert_int_equal(m.map_calls, (8 * MIB / FW_PAGE + 2) / 3);
	assert_int_equal(m.is_private[16 * MIB / FW_PAGE - 1], 1);
}

/* R10 = RETRY, R11 = lie */
static void retry_at(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	(void)function;
	r->r10 = TDVMCALL_RETRY;
	r->r11 = host->lie;
}

static void progress_that_makes_no_sense_stops(void **state)
{
	static const uint64_t where[] = { 0, 8 * MIB - FW_PAGE, 8 * MIB + 1, 16 * MIB,
					  16 * MIB + FW_PAGE, UINT64_MAX,
					  (1ull << TDX_S_BIT) | 9 * MIB };

	(void)state;
	m.host_lie = retry_at;
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		m.lie = where[i];
		m.map_calls = 0;
		assert_int_equal(tdvmcall_map_private(&m.ops, 8 * MIB, 16 * MIB),
				 STOP_MAP_GPA_PROGRESS);
		assert_int_equal(m.map_calls, 1);
	}
}

static void a_storm_of_retries_ends(void **state)
{
	(void)state;
	m.host_lie = retry_at;
	m.lie = 8 * MIB;
	assert_int_equal(tdvmcall_map_private(&m.ops, 8 * MIB, 16 * MIB), STOP_MAP_GPA_PROGRESS);
	assert_int_equal(m.map_calls, TDVMCALL_STALLS + 1);
	/* One step, then never again. */
	m.lie = 9 * MIB;
	m.map_calls = 0;
	assert_int_equal(tdvmcall_map_private(&m.ops, 8 * MIB, 16 * MIB), STOP_MAP_GPA_PROGRESS);
	assert_int_equal(m.map_calls, TDVMCALL_STALLS + 2);
}

static void status_lie(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	(void)function;
	r->r10 = host->lie;
}

static void every_other_status_stops(void **state)
{
	static const uint64_t codes[] = { 2, 0x8000000000000000ull, 0x8000000000000001ull,
					  0x8000000000000003ull, UINT64_MAX };
	uint32_t value;

	(void)state;
	m.host_lie = status_lie;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		m.lie = codes[i];
		assert_int_equal(tdvmcall_map_private(&m.ops, 0, FW_PAGE), STOP_MAP_GPA_REFUSED);
		assert_int_equal(tdvmcall_mmio_read(&m.ops, TPM_CRB_BASE, &value),
				 STOP_TDVMCALL_RESPONSE);
		assert_int_equal(tdvmcall_mmio_write(&m.ops, TPM_CRB_BASE, 1),
				 STOP_TDVMCALL_RESPONSE);
		assert_int_equal(tdvmcall_port_write(&m.ops, 0x80, 1), STOP_TDVMCALL_RESPONSE);
	}
	m.lie = TDVMCALL_RETRY; /* only MapGPA may ask for it */
	assert_int_equal(tdvmcall_port_write(&m.ops, 0x80, 1), STOP_TDVMCALL_RESPONSE);
}

static uint64_t refuse_call(void *ctx, uint64_t leaf, struct tdx_regs *r)
{
	(void)ctx;
	(void)leaf;
	(void)r;
	return 0xC000010000000000ull;
}

/* The module itself refuses TDG.VP.VMCALL; R10 is still zero then. */
static void a_refused_vmcall_stops(void **state)
{
	const struct tdx_ops refusing = { NULL, refuse_call };
	uint32_t value;

	(void)state;
	assert_int_equal(tdvmcall_map_private(&refusing, 0, FW_PAGE), STOP_TDX_CALL);
	assert_int_equal(tdvmcall_mmio_read(&refusing, TPM_CRB_BASE, &value), STOP_TDX_CALL);
	assert_int_equal(tdvmcall_port_write(&refusing, 0x80, 1), STOP_TDX_CALL);
}

static uint32_t device(struct tdx_machine *host, uint64_t gpa, bool write, uint32_t value)
{
	if (gpa != TPM_CRB_BASE + 0x40)
		return 0;
	if (write)
		host->lie = value;
	return 0x1234567;
}

static void devices_and_ports(void **state)
{
	uint32_t value = 0;

	(void)state;
	m.mmio = device;
	assert_int_equal(tdvmcall_mmio_read(&m.ops, TPM_CRB_BASE + 0x40, &value), STOP_HANDED_OVER);
	assert_int_equal(value, 0x1234567);
	assert_int_equal(tdvmcall_mmio_write(&m.ops, TPM_CRB_BASE + 0x40, 77), STOP_HANDED_OVER);
	assert_int_equal(m.lie, 77);
	assert_int_equal(tdvmcall_port_write(&m.ops, PORT_STOP, STOP_MAGIC), STOP_HANDED_OVER);
	assert_true(m.port == PORT_STOP && m.port_value == STOP_MAGIC);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, no_mistake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_plans_trust_domain_is_ours),
		TEST(other_domains_are_refused),
		TEST(a_refused_rtmr_stops),
		TEST(mapping_asks_for_private_memory),
		TEST(mapping_goes_on_where_the_host_stopped),
		TEST(progress_that_makes_no_sense_stops),
		TEST(a_storm_of_retries_ends),
		TEST(every_other_status_stops),
		TEST(a_refused_vmcall_stops),
		TEST(devices_and_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
