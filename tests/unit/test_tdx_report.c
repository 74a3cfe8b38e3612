/* TDREPORT: its layout, its two digests, what is refused. */
#include "attest/tdx/tdreport.h"
#include "common/bytes.h"
#include "tests/unit/vectors.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t raw[TDX_TDREPORT_SIZE];
static struct tdx_tdreport report;

/* TDX module ABI: SHA-384 of bytes 256 to 494 at 32, of 512 to 1023 at 80. */
static void seal(void)
{
	assert_int_equal(EVP_Digest(raw + 256, 239, raw + 32, NULL, EVP_sha384(), NULL), 1);
	assert_int_equal(EVP_Digest(raw + 512, 512, raw + 80, NULL, EVP_sha384(), NULL), 1);
}

static int set_up(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i ^ i >> 8);
	memcpy(raw, "\x81\0\1\0", 4);
	seal();
	return 0;
}

static int parse(void)
{
	struct err e = { 0 };

	return tdx_tdreport_parse(raw, sizeof(raw), &report, &e);
}

static void fields_lie_where_they_lie(void **state)
{
	(void)state;
	const struct tdx_body *b = &report.body;

	assert_int_equal(parse(), 0);
	assert_int_equal(report.version, 1);
	assert_ptr_equal(report.cpu_svn, raw + 16);
	assert_ptr_equal(b->report_data, raw + 128);
	assert_ptr_equal(report.mac, raw + 224);
	assert_true(report.valid == 0x0607040502030001ull);
	assert_ptr_equal(b->tee_tcb_svn, raw + 264);
	assert_ptr_equal(b->mrseam, raw + 280);
	assert_ptr_equal(b->mrsignerseam, raw + 328);
	assert_ptr_equal(b->seam_attributes, raw + 376);
	assert_ptr_equal(b->tee_tcb_svn2, raw + 384);
	assert_true(b->td_attributes == 0x0504070601000302ull);
	assert_true(b->xfam == 0x0d0c0f0e09080b0aull);
	assert_ptr_equal(b->mrtd, raw + 528);
	assert_ptr_equal(b->mrconfigid, raw + 576);
	assert_ptr_equal(b->mrowner, raw + 624);
	assert_ptr_equal(b->mrownerconfig, raw + 672);
	for (size_t i = 0; i < TDX_RTMRS; i++)
		assert_ptr_equal(b->rtmr[i], raw + 720 + 48 * i);
	assert_ptr_equal(b->mrservicetd, raw + 912);
	raw[2] = 0; /* TD 1.0 defines neither */
	assert_int_equal(parse(), 0);
	assert_null(b->tee_tcb_svn2);
	assert_null(b->mrservicetd);
}

/* Every byte of the two structures is under one of the digests. */
static void every_digested_byte(void **state)
{
	(void)state;
	for (unsigned i = 256; i < sizeof(raw); i++) {
		if (i >= 495 && i < 512)
			continue;
		raw[i] ^= 0x80;
		assert_int_equal(parse(), -EX_UNAUTHENTIC);
		raw[i] ^= 0x80;
	}
	for (unsigned i = 32; i < 128; i++) {
		raw[i] ^= 1;
		assert_int_equal(parse(), -EX_UNAUTHENTIC);
		raw[i] ^= 1;
	}
	assert_int_equal(parse(), 0);
}

static void other_kinds(void **state)
{
	(void)state;
	static const struct {
		unsigned at;
		uint8_t value;
	} odd[] = { { 0, 0 }, { 0, 0x80 }, { 1, 1 }, { 2, 2 }, { 3, 1 } };
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		uint8_t old = raw[odd[i].at];
		raw[odd[i].at] = odd[i].value;
		assert_int_equal(parse(), -EX_MALFORMED);
		raw[odd[i].at] = old;
	}
	assert_int_equal(tdx_tdreport_parse(raw, 1023, &report, &e), -EX_MALFORMED);
	assert_int_equal(tdx_tdreport_parse(raw, 0, &report, &e), -EX_MALFORMED);
}

static void same_hex(const json_t *v, const uint8_t *have, size_t n)
{
	char text[2 * 64 + 1];

	hex_encode(have, n, text);
	assert_string_equal(text, json_string_value(v));
}

static void real_tdreport(void **state)
{
	(void)state;
	struct err e = { 0 };
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *data = vector_read("tdx/tdreport/tdreport.bin", &size);
	json_t *all = vector_expected();
	const json_t *j = json_object_get(all, "tdx/tdreport");
	assert_int_equal(tdx_tdreport_parse(data, size, &report, &e), 0);
	assert_true(report.valid == 0x301ff);
	same_hex(json_object_get(j, "mrtd"), report.body.mrtd, 48);
	same_hex(json_object_get(j, "reportdata"), report.body.report_data, 64);
	same_hex(json_object_get(j, "tee_tcb_svn"), report.body.tee_tcb_svn, 16);
	for (size_t i = 0; i < TDX_RTMRS; i++)
		same_hex(json_array_get(json_object_get(j, "rtmr"), i), report.body.rtmr[i], 48);
	json_decref(all);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fields_lie_where_they_lie, set_up),
		cmocka_unit_test_setup(every_digested_byte, set_up),
		cmocka_unit_test_setup(other_kinds, set_up),
		cmocka_unit_test(real_tdreport),
	};

	return cmocka_run_group_tests_name("tdx_report", tests, NULL, NULL);
}
