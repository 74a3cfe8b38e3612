/* The simulated TDX module: order of commands, measurement, reports; and the wire of the quote
 * generation service. */
#include "tests/model/tdx_bench.h"

#include "attest/quote/qgs.h"
#include "attest/tdx/tdreport.h"
#include "common/bytes.h"
#include "model/tdx_sim/qgs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct tdx_bench bench;

static int set_up(void **state)
{
	(void)state;
	tdx_bench_make(&bench);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tdx_bench_free(&bench);
	return 0;
}

static uint64_t init_with(const struct tdx_mng_init *p)
{
	return tdx_bench_ask(&bench, TDX_MNG_INIT, p, sizeof(*p));
}

static uint64_t add(uint64_t gpa)
{
	const struct tdx_page_add p = { .gpa = gpa };

	return tdx_bench_ask(&bench, TDX_PAGE_ADD, &p, sizeof(p));
}

static uint64_t extend(uint64_t gpa, uint8_t fill)
{
	struct tdx_mr_extend p = { .gpa = gpa };

	memset(p.data, fill, sizeof(p.data));
	return tdx_bench_ask(&bench, TDX_MR_EXTEND, &p, sizeof(p));
}

static uint64_t finalize(void)
{
	return tdx_bench_ask(&bench, TDX_MR_FINALIZE, NULL, 0);
}

static uint64_t rtmr(uint32_t index, uint8_t fill)
{
	struct tdx_rtmr_extend p = { .index = index };

	memset(p.data, fill, sizeof(p.data));
	return tdx_bench_ask(&bench, TDX_RTMR_EXTEND, &p, sizeof(p));
}

static uint64_t report(uint8_t fill, uint8_t out[TDX_WIRE_REPORT_SIZE])
{
	struct tdx_mr_report p;

	memset(p.report_data, fill, sizeof(p.report_data));
	uint64_t status = tdx_bench_ask(&bench, TDX_MR_REPORT, &p, sizeof(p));
	if (status == TDX_ST_SUCCESS)
		memcpy(out, tdx_bench_payload(&bench), TDX_WIRE_REPORT_SIZE);
	return status;
}

static struct tdx_registers registers(void)
{
	struct tdx_registers r;

	assert_int_equal(tdx_bench_ask(&bench, TDX_MR_READ, NULL, 0), TDX_ST_SUCCESS);
	memcpy(&r, tdx_bench_payload(&bench), sizeof(r));
	return r;
}

static void each_command_has_its_state(void **state)
{
	(void)state;
	const struct tdx_mng_init p = tdx_bench_params();
	uint8_t out[TDX_WIRE_REPORT_SIZE];

	assert_int_equal(add(0), TDX_ST_OP_STATE);
	assert_int_equal(extend(0, 0), TDX_ST_OP_STATE);
	assert_int_equal(finalize(), TDX_ST_OP_STATE);
	assert_int_equal(rtmr(0, 1), TDX_ST_OP_STATE);
	assert_int_equal(report(1, out), TDX_ST_OP_STATE);
	assert_int_equal(init_with(&p), TDX_ST_SUCCESS);
	assert_int_equal(init_with(&p), TDX_ST_OP_STATE);
	assert_int_equal(rtmr(0, 1), TDX_ST_OP_STATE);
	assert_int_equal(report(1, out), TDX_ST_OP_STATE);
	assert_int_equal(add(0x1000), TDX_ST_SUCCESS);
	assert_int_equal(extend(0x1000, 0), TDX_ST_SUCCESS);
	assert_int_equal(finalize(), TDX_ST_SUCCESS);
	assert_int_equal(init_with(&p), TDX_ST_OP_STATE);
	assert_int_equal(add(0x2000), TDX_ST_OP_STATE);
	assert_int_equal(extend(0x1000, 0), TDX_ST_OP_STATE);
	assert_int_equal(finalize(), TDX_ST_OP_STATE);
	assert_int_equal(rtmr(0, 1), TDX_ST_SUCCESS);
	assert_int_equal(report(1, out), TDX_ST_SUCCESS);
}

static void parameters_are_checked(void **state)
{
	(void)state;
	static const struct {
		uint64_t attributes, xfam;
		uint32_t gpaw, max_cpus, operand;
	} table[] = {
		{ BENCH_ATTRIBUTES | 2, BENCH_XFAM, 48, 1, TDX_OP_ATTRIBUTES }, /* reserved */
		{ BENCH_ATTRIBUTES | 1ull << 40, BENCH_XFAM, 48, 1, TDX_OP_ATTRIBUTES },
		{ 1ull << 29 | 1, BENCH_XFAM, 48, 1, TDX_OP_ATTRIBUTES }, /* migratable, debug */
		{ 1ull << 29 | 1ull << 63, BENCH_XFAM, 48, 1, TDX_OP_ATTRIBUTES },
		{ BENCH_ATTRIBUTES, 2, 48, 1, TDX_OP_XFAM },          /* x87 is missing */
		{ BENCH_ATTRIBUTES, 0x1F, 48, 1, TDX_OP_XFAM },       /* MPX */
		{ BENCH_ATTRIBUTES, 0x67, 48, 1, TDX_OP_XFAM },       /* AVX-512 in part */
		{ BENCH_ATTRIBUTES, 0xE3, 48, 1, TDX_OP_XFAM },       /* AVX-512 without AVX */
		{ BENCH_ATTRIBUTES, 0x803, 48, 1, TDX_OP_XFAM },      /* CET in part */
		{ BENCH_ATTRIBUTES, 0x20003, 48, 1, TDX_OP_XFAM },    /* AMX in part */
		{ BENCH_ATTRIBUTES, BENCH_XFAM, 47, 1, TDX_OP_EPTP },
		{ BENCH_ATTRIBUTES, BENCH_XFAM, 48, 0, TDX_OP_MAX_VCPUS },
		{ 2, 0, 0, 0, TDX_OP_ATTRIBUTES }, /* the first one in the module's order */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct tdx_mng_init p = tdx_bench_params();

		p.attributes = table[i].attributes;
		p.xfam = table[i].xfam;
		p.gpaw = table[i].gpaw;
		p.max_cpus = table[i].max_cpus;
		if (init_with(&p) != (TDX_ST_OPERAND_INVALID | table[i].operand))
			fail_msg("case %zu", i);
	}
	tdx_bench_init(&bench); /* none of them began a TD */
}

static void addresses_are_checked(void **state)
{
	(void)state;
	tdx_bench_init(&bench);
	assert_int_equal(add(0x800), TDX_ST_OPERAND_INVALID | TDX_OP_RCX);
	assert_int_equal(add(1ull << 47), TDX_ST_OPERAND_INVALID | TDX_OP_RCX); /* shared */
	assert_int_equal(add(1ull << 63), TDX_ST_OPERAND_INVALID | TDX_OP_RCX);
	assert_int_equal(extend(0x80, 0), TDX_ST_OPERAND_INVALID | TDX_OP_RCX);
	assert_int_equal(extend(1ull << 47, 0), TDX_ST_OPERAND_INVALID | TDX_OP_RCX);
	assert_int_equal(finalize(), TDX_ST_SUCCESS);
	assert_int_equal(rtmr(4, 0), TDX_ST_OPERAND_INVALID | TDX_OP_RDX);
	assert_int_equal(rtmr(UINT32_MAX, 0), TDX_ST_OPERAND_INVALID | TDX_OP_RDX);
}

static void empty_td_is_sha384_of_nothing(void **state)
{
	(void)state;
	uint8_t want[48];

	tdx_bench_run(&bench);
	assert_true(hex_decode("38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
			       "274edebfe76f65fbd51ad2f14898b95b", want, sizeof(want)));
	assert_memory_equal(registers().mrtd, want, sizeof(want));
}

/* A value that other implementations of the measurement give. */
static void one_page_added_is_the_known_value(void **state)
{
	(void)state;
	uint8_t want[48];

	tdx_bench_init(&bench);
	assert_int_equal(add(0), TDX_ST_SUCCESS);
	assert_int_equal(finalize(), TDX_ST_SUCCESS);
	assert_true(hex_decode("8f3e9a8aca6784eab874f7aa4dda5d49104a88047f1f86695ef2a88f5691a90e"
			       "34aac48ce45ffa1f5a23c7d62980d570", want, sizeof(want)));
	assert_memory_equal(registers().mrtd, want, sizeof(want));
}

static void measured_page_is_the_known_value(void **state)
{
	(void)state;
	struct tdx_mr_extend chunk;
	uint8_t want[48];

	for (unsigned i = 0; i < sizeof(chunk.data); i++)
		chunk.data[i] = (uint8_t)i;
	tdx_bench_init(&bench);
	assert_int_equal(add(0xfffff000), TDX_ST_SUCCESS);
	for (chunk.gpa = 0xfffff000; chunk.gpa < 0x100000000; chunk.gpa += 256)
		assert_int_equal(tdx_bench_ask(&bench, TDX_MR_EXTEND, &chunk, sizeof(chunk)),
				 TDX_ST_SUCCESS);
	assert_int_equal(add(0x809000), TDX_ST_SUCCESS);
	assert_int_equal(finalize(), TDX_ST_SUCCESS);
	assert_true(hex_decode("14ec74131df1cfef14ae147c746411a1dfc09b242c8f2c2bf29d2879732f88ec"
			       "7e54676660e809c9676e1b2ee2cca8f8", want, sizeof(want)));
	assert_memory_equal(registers().mrtd, want, sizeof(want));
}

static void mrtd_is_name_address_and_data(void **state)
{
	(void)state;
	uint8_t stream[128 + 128 + 256] = { 0 }, want[48];

	memcpy(stream, "MEM.PAGE.ADD", 12);
	stream[16 + 1] = 0x50;
	memcpy(stream + 128, "MR.EXTEND", 9);
	stream[128 + 16 + 1] = 0x5f;
	memset(stream + 256, 0xab, 256);
	assert_int_equal(EVP_Digest(stream, sizeof(stream), want, NULL, EVP_sha384(), NULL), 1);
	tdx_bench_init(&bench);
	assert_int_equal(add(0x5000), TDX_ST_SUCCESS);
	assert_int_equal(extend(0x5f00, 0xab), TDX_ST_SUCCESS);
	assert_int_equal(finalize(), TDX_ST_SUCCESS);
	assert_memory_equal(registers().mrtd, want, sizeof(want));
}

static void rtmr_is_extended_alone(void **state)
{
	(void)state;
	uint8_t both[96] = { 0 }, want[48];
	static const uint8_t zero[48];

	memset(both + 48, 7, 48);
	assert_int_equal(EVP_Digest(both, sizeof(both), want, NULL, EVP_sha384(), NULL), 1);
	tdx_bench_run(&bench);
	assert_int_equal(rtmr(2, 7), TDX_ST_SUCCESS);
	struct tdx_registers r = registers();
	assert_memory_equal(r.rtmr[2], want, sizeof(want));
	assert_memory_equal(r.rtmr[0], zero, sizeof(zero));
	assert_memory_equal(r.rtmr[1], zero, sizeof(zero));
	assert_memory_equal(r.rtmr[3], zero, sizeof(zero));
}

static void report_says_what_the_td_is(void **state)
{
	(void)state;
	uint8_t raw[TDX_WIRE_REPORT_SIZE] = { 0 }, data[64];
	struct tdx_tdreport r;
	struct err e = { 0 };

	tdx_bench_run(&bench);
	assert_int_equal(rtmr(3, 9), TDX_ST_SUCCESS);
	assert_int_equal(report(0x5a, raw), TDX_ST_SUCCESS);
	if (tdx_tdreport_parse(raw, sizeof(raw), &r, &e) != 0)
		fail_msg("%s", e.text);
	struct tdx_registers now = registers();
	struct tdx_mng_init p = tdx_bench_params();
	memset(data, 0x5a, sizeof(data));
	assert_memory_equal(r.body.report_data, data, sizeof(data));
	assert_memory_equal(r.body.mrtd, now.mrtd, 48);
	assert_memory_equal(r.body.rtmr[3], now.rtmr[3], 48);
	assert_int_equal(r.body.td_attributes, p.attributes);
	assert_int_equal(r.body.xfam, p.xfam);
	assert_memory_equal(r.body.mrconfigid, p.mrconfigid, 48);
	assert_memory_equal(r.body.mrowner, p.mrowner, 48);
	assert_memory_equal(r.body.mrownerconfig, p.mrownerconfig, 48);
	assert_true(tdx_report_check(&bench.sim, raw));
}

/* Every byte counts: no changed report is ours. */
static void changed_reports_are_not_ours(void **state)
{
	(void)state;
	uint8_t raw[TDX_WIRE_REPORT_SIZE] = { 0 };

	tdx_bench_run(&bench);
	assert_int_equal(report(1, raw), TDX_ST_SUCCESS);
	for (unsigned i = 0; i < sizeof(raw); i++) {
		/* Between TEE_TCB_INFO and TDINFO 17 bytes are reserved and in no digest. */
		bool reserved = i >= 256 + 239 && i < 512;
		raw[i] ^= 0x10;
		if (tdx_report_check(&bench.sim, raw) != reserved)
			fail_msg("byte %u", i);
		raw[i] ^= 0x10;
	}
}

static void broken_messages_are_refused(void **state)
{
	(void)state;
	static uint8_t message[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX];
	const struct tdx_header good = { .magic = TDX_WIRE_MAGIC, .command = TDX_PAGE_ADD,
					 .size = 8 };
	struct tdx_header bad[7];
	struct err e = { 0 };
	size_t got;

	for (unsigned i = 0; i < 7; i++)
		bad[i] = good;
	bad[0].magic ^= 1;
	bad[1].command = 0;
	bad[2].command = TDX_MR_READ + 1;
	bad[3].status = 1;
	bad[4].reserved = 1;
	bad[5].size = 7;
	bad[6].size = UINT32_MAX;
	for (unsigned i = 0; i < 7; i++) {
		memcpy(message, &bad[i], sizeof(bad[i]));
		if (tdx_sim_handle(&bench.sim, message, sizeof(good) + 8, bench.answer, &got, &e) !=
			    -EX_MALFORMED || got != 0)
			fail_msg("case %u", i);
	}
	memcpy(message, &good, sizeof(good));
	for (size_t size = 0; size < sizeof(message); size++) {
		int rc = tdx_sim_handle(&bench.sim, message, size, bench.answer, &got, &e);
		assert_int_equal(rc, size == sizeof(good) + 8 ? 0 : -EX_MALFORMED);
	}
	struct tdx_rtmr_extend x = { .index = 0, .reserved = 1 };
	const struct tdx_header h = { .magic = TDX_WIRE_MAGIC, .command = TDX_RTMR_EXTEND,
				      .size = sizeof(x) };
	memcpy(message, &h, sizeof(h));
	memcpy(message + sizeof(h), &x, sizeof(x));
	assert_int_equal(tdx_sim_handle(&bench.sim, message, sizeof(h) + sizeof(x), bench.answer,
					&got, &e), -EX_MALFORMED);
}

/* ---- the quote generation service ---- */

static uint8_t request[TDX_QGS_REQUEST_SIZE], answer[TDX_QGS_ANSWER_MAX];

static void make_request(const uint8_t raw[TDX_WIRE_REPORT_SIZE])
{
	struct writer w = writer_over(request, sizeof(request));

	write_be32(&w, 24 + 1024);
	write_le16(&w, 1);
	write_le16(&w, 1);
	write_le32(&w, 0);
	write_le32(&w, 24 + 1024);
	write_le32(&w, 0);
	write_le32(&w, 1024);
	write_le32(&w, 0);
	write_copy(&w, raw, 1024);
	assert_true(!w.bad && w.pos == sizeof(request));
}

/* The answer's error; its form is checked. */
static uint32_t error_of(const struct tdx_sim *sim, size_t request_size)
{
	size_t size = 0;

	tdx_qgs_answer(sim, request, request_size, answer, &size);
	struct reader r = reader_over(answer, size);
	assert_int_equal(read_be32(&r), size - 4);
	assert_int_equal(read_le16(&r), 1);
	assert_int_equal(read_le16(&r), 1);
	assert_int_equal(read_le32(&r), QGS_GET_QUOTE_RESP);
	assert_int_equal(read_le32(&r), size - 4);
	uint32_t error = read_le32(&r);
	assert_int_equal(read_le32(&r), 0);
	uint32_t quote = read_le32(&r);
	assert_false(r.bad);
	assert_int_equal(quote, reader_left(&r));
	assert_true((quote > 0) == (error == QGS_OK));
	return error;
}

static void service_quotes_our_report(void **state)
{
	(void)state;
	uint8_t raw[TDX_WIRE_REPORT_SIZE] = { 0 };
	struct tdx_quote q;
	struct err e = { 0 };
	size_t size = 0;

	tdx_bench_run(&bench);
	assert_int_equal(report(3, raw), TDX_ST_SUCCESS);
	make_request(raw);
	assert_int_equal(tdx_qgs_request_size(request, 3), 0);
	assert_int_equal(tdx_qgs_request_size(request, 4), sizeof(request));
	assert_int_equal(error_of(&bench.sim, sizeof(request)), QGS_OK);
	tdx_qgs_answer(&bench.sim, request, sizeof(request), answer, &size);
	if (tdx_quote_parse(answer + 28, size - 28, &q, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(q.version, 4);
	assert_memory_equal(q.body.report_data, raw + 128, 64);
	assert_int_equal(tdx_quote_verify(&q, NULL, &e), 0);
}

/* The two ends of the wire were written from the same description, apart from each other. */
static void service_and_relay_agree(void **state)
{
	(void)state;
	uint8_t raw[TDX_WIRE_REPORT_SIZE] = { 0 };
	const uint8_t *quote = NULL;
	size_t size = 0, need = 0, quote_size = 0;
	struct err e = { 0 };

	assert_int_equal(QGS_REQUEST_SIZE, TDX_QGS_REQUEST_SIZE);
	tdx_bench_run(&bench);
	assert_int_equal(report(3, raw), TDX_ST_SUCCESS);
	qgs_request(raw, request);
	assert_int_equal(tdx_qgs_request_size(request, sizeof(request)), sizeof(request));
	tdx_qgs_answer(&bench.sim, request, sizeof(request), answer, &size);
	assert_int_equal(qgs_answer_need(answer, size, &need, &e), 0);
	assert_int_equal(need, size);
	if (qgs_answer(answer, size, &quote, &quote_size, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(quote_size, size - 28);
	raw[0] ^= 1; /* refused, and the relay understands that it is */
	qgs_request(raw, request);
	tdx_qgs_answer(&bench.sim, request, sizeof(request), answer, &size);
	assert_int_equal(qgs_answer_need(answer, size, &need, &e), 0);
	assert_int_equal(qgs_answer(answer, size, &quote, &quote_size, &e), -EX_REFUSED);
}

/* What another process reported is not quoted, whoever brings it. */
static void service_refuses_foreign_reports(void **state)
{
	(void)state;
	uint8_t raw[TDX_WIRE_REPORT_SIZE] = { 0 };
	struct tdx_sim other;

	tdx_bench_run(&bench);
	tdx_bench_other(&bench, &other);
	assert_int_equal(report(3, raw), TDX_ST_SUCCESS);
	make_request(raw);
	assert_int_equal(error_of(&other, sizeof(request)), QGS_UNEXPECTED);
	raw[512 + 16] ^= 1; /* MRTD */
	make_request(raw);
	assert_int_equal(error_of(&bench.sim, sizeof(request)), QGS_UNEXPECTED);
	memset(raw, 0, sizeof(raw));
	make_request(raw);
	assert_int_equal(error_of(&bench.sim, sizeof(request)), QGS_UNEXPECTED);
	tdx_sim_close(&other);
}

static void service_refuses_broken_requests(void **state)
{
	(void)state;
	static const struct {
		unsigned at, error;
	} table[] = {
		{ 4, QGS_INVALID_VERSION },   { 6, QGS_INVALID_VERSION },
		{ 8, QGS_INVALID_TYPE },      { 11, QGS_INVALID_TYPE },
		{ 12, QGS_INVALID_SIZE },     { 3, QGS_INVALID_SIZE },
		{ 16, QGS_INVALID_CODE },     { 20, QGS_INVALID_PARAMETER },
		{ 24, QGS_INVALID_PARAMETER },
	};
	uint8_t raw[TDX_WIRE_REPORT_SIZE] = { 0 };

	tdx_bench_run(&bench);
	assert_int_equal(report(3, raw), TDX_ST_SUCCESS);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		make_request(raw);
		request[table[i].at] ^= 1;
		if (error_of(&bench.sim, sizeof(request)) != table[i].error)
			fail_msg("case %zu", i);
	}
	make_request(raw);
	for (size_t size = 0; size < sizeof(request); size++)
		assert_int_not_equal(error_of(&bench.sim, size), QGS_OK);
	/* A report without a frame, as old clients sent it, has the length 0x81000000. */
	assert_int_equal(tdx_qgs_request_size(raw, sizeof(raw)), -1);
	assert_int_equal(tdx_qgs_request_size((const uint8_t *)"\0\0\0\0", 4), -1);
	assert_int_equal(tdx_qgs_request_size((const uint8_t *)"\0\0\x04\x19", 4), -1);
	assert_int_equal(tdx_qgs_request_size((const uint8_t *)"\0\0\0\x0f", 4), -1);
	assert_int_equal(tdx_qgs_request_size((const uint8_t *)"\0\0\0\x10", 4), 20);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_command_has_its_state),
		TEST(parameters_are_checked),
		TEST(addresses_are_checked),
		TEST(empty_td_is_sha384_of_nothing),
		TEST(one_page_added_is_the_known_value),
		TEST(measured_page_is_the_known_value),
		TEST(mrtd_is_name_address_and_data),
		TEST(rtmr_is_extended_alone),
		TEST(report_says_what_the_td_is),
		TEST(changed_reports_are_not_ours),
		TEST(broken_messages_are_refused),
		TEST(service_quotes_our_report),
		TEST(service_and_relay_agree),
		TEST(service_refuses_foreign_reports),
		TEST(service_refuses_broken_requests),
	};

	return cmocka_run_group_tests_name("tdx_sim", tests, NULL, NULL);
}
