/* TDX quotes: their layout, every declared length, every signature, and what is refused. */
#include "tests/unit/tdx_judge.h"

#include "common/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tdx_quote quote;

static int parse(void)
{
	struct err e = { 0 };

	return tdx_quote_parse(tdx.quote, tdx.quote_size, &quote, &e);
}

static void good_is_taken(void **state)
{
	(void)state;
	static const struct {
		uint16_t version, body;
		size_t signed_size;
	} kinds[] = { { 4, 2, 48 + 584 }, { 5, 2, 54 + 584 }, { 5, 3, 54 + 648 } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		tdx_judge_renew(kinds[i].version, kinds[i].body);
		enum exit_status v = judge();
		for (size_t n = 0; n < result.count; n++)
			if (result.item[n].status == CHECK_FAIL)
				print_message("%s: %s\n", result.item[n].id, result.item[n].note);
		assert_int_equal(v, EX_OK);
		assert_false(result.overflow);
		assert_true(result.private_root);
		assert_int_equal(parse(), 0);
		assert_int_equal(quote.signed_size, kinds[i].signed_size);
	}
}

/* Every list of checks has the same ids in the same order, whatever the quote is. */
static void every_check_is_in_every_list(void **state)
{
	(void)state;
	static struct checks good;

	judge();
	good = result;
	tdx.quote[0] = 9;
	judge();
	assert_int_equal(result.count, good.count);
	for (size_t i = 0; i < good.count; i++)
		assert_string_equal(result.item[i].id, good.item[i].id);
	fake_tdx_sign(&tdx);
	memset(tdx.quote + tdx.at_certs, 'x', 8); /* no chain */
	judge();
	assert_int_equal(result.count, good.count);
	for (size_t i = 0; i < good.count; i++)
		assert_string_equal(result.item[i].id, good.item[i].id);
	given.policy = NULL;
	judge();
	assert_int_equal(result.count, good.count);
	for (size_t i = 0; i < good.count; i++)
		assert_string_equal(result.item[i].id, good.item[i].id);
}

/* Where each field of the body lies (appendix A.3.2), by bytes that tell their own offset. */
static void fields_lie_where_they_lie(void **state)
{
	(void)state;
	static const unsigned mr[] = { 16, 64, 136, 184, 232, 280, 328, 376, 424, 472, 600 };

	tdx_judge_renew(5, TDX_BODY_TD_1_5);
	for (unsigned i = 0; i < sizeof(tdx.body); i++)
		tdx.body[i] = (uint8_t)(i ^ i >> 8);
	for (unsigned i = 0; i < sizeof(tdx.qe_report); i++)
		tdx.qe_report[i] = (uint8_t)(i ^ i >> 8);
	fake_tdx_sign(&tdx);
	assert_int_equal(parse(), 0);
	const struct tdx_body *b = &quote.body;
	const uint8_t *have[] = { b->mrseam,  b->mrsignerseam,	b->mrtd,       b->mrconfigid,
				  b->mrowner, b->mrownerconfig, b->rtmr[0],    b->rtmr[1],
				  b->rtmr[2], b->rtmr[3],	b->mrservicetd };
	for (size_t i = 0; i < sizeof(mr) / sizeof(mr[0]); i++)
		assert_memory_equal(have[i], tdx.body + mr[i], 48);
	assert_memory_equal(b->tee_tcb_svn, tdx.body, 16);
	assert_memory_equal(b->seam_attributes, tdx.body + 112, 8);
	assert_true(b->td_attributes == 0x7f7e7d7c7b7a7978ull);
	assert_true(b->xfam == 0x8786858483828180ull);
	assert_memory_equal(b->report_data, tdx.body + 520, 64);
	assert_memory_equal(b->tee_tcb_svn2, tdx.body + 584, 16);
	struct tdx_qe_report qe;
	tdx_qe_report_read(&quote, &qe);
	assert_memory_equal(qe.cpu_svn, tdx.qe_report, 16);
	assert_memory_equal(qe.misc_select, tdx.qe_report + 16, 4);
	assert_memory_equal(qe.attributes, tdx.qe_report + 48, 16);
	assert_memory_equal(qe.mrenclave, tdx.qe_report + 64, 32);
	assert_memory_equal(qe.mrsigner, tdx.qe_report + 128, 32);
	assert_int_equal(qe.isv_prod_id, 0x0001);
	assert_int_equal(qe.isv_svn, 0x0203);
	assert_memory_equal(qe.report_data, tdx.qe_report + 320, 64);
	tdx_judge_renew(5, TDX_BODY_TD_1_0);
	assert_int_equal(parse(), 0);
	assert_null(quote.body.tee_tcb_svn2);
	assert_null(quote.body.mrservicetd);
}

static void set_length(size_t at, bool is_u16, uint64_t v)
{
	struct writer w = writer_over(tdx.quote + at, is_u16 ? 2 : 4);

	if (is_u16)
		write_le16(&w, (uint16_t)v);
	else
		write_le32(&w, (uint32_t)v);
}

/* Each declared length one off, none, all: with and without bytes behind the quote, which a wrong
 * length could reach into. */
static void declared_lengths(void **state)
{
	(void)state;
	for (unsigned trailing = 0; trailing <= 70; trailing += 70) {
		tdx.trailing = trailing;
		fake_tdx_sign(&tdx);
		const struct {
			size_t at;
			bool is_u16;
		} lengths[] = { { tdx.at_signature_size, false },
				{ tdx.at_outer_size, false },
				{ tdx.at_auth_size, true },
				{ tdx.at_inner_size, false } };
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct reader r = reader_over(tdx.quote + lengths[i].at, 4);
			uint32_t right = lengths[i].is_u16 ? read_le16(&r) : read_le32(&r);
			const uint32_t wrong[] = { right + 1,  right - 1,  0,
						   0xFFFFFFFF, 0x7FFFFFFF, right + 0x10000 };
			for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
				if (lengths[i].is_u16 && (uint16_t)wrong[k] == right)
					continue;
				set_length(lengths[i].at, lengths[i].is_u16, wrong[k]);
				assert_only("tdx.form", EX_MALFORMED);
			}
			set_length(lengths[i].at, lengths[i].is_u16, right);
			assert_int_equal(judge(), EX_OK);
		}
	}
}

/* All lengths grown together reach into the chain's end, or behind it: still not taken. */
static void grown_together(void **state)
{
	(void)state;
	tdx.trailing = 8;
	fake_tdx_sign(&tdx);
	const size_t at[] = { tdx.at_signature_size, tdx.at_outer_size, tdx.at_inner_size };
	for (size_t i = 0; i < 3; i++)
		tdx.quote[at[i]]++;
	/* One more NUL behind PEM is still PEM: form and chain hold, nothing signed has changed. */
	assert_int_equal(judge(), EX_OK);
	assert_string_equal(claim("tdx.trailing_bytes"), "7");
	tdx.quote[tdx.quote_size - 8] = 'x';
	assert_only("tdx.certs", EX_MALFORMED);
}

static void cut_anywhere(void **state)
{
	(void)state;
	size_t whole = tdx.quote_size;

	for (size_t n = 0; n < whole; n++) {
		/* An own copy, so that a sanitizer sees a read behind its end. */
		uint8_t *copy = malloc(n + 1);
		struct err e = { 0 };
		assert_non_null(copy);
		memcpy(copy, tdx.quote, n);
		assert_int_equal(tdx_quote_parse(copy, n, &quote, &e), -EX_MALFORMED);
		assert_true(e.text[0] != '\0');
		free(copy);
	}
	assert_int_equal(tdx_quote_parse(tdx.quote, whole, &quote, &(struct err){ 0 }), 0);
}

static void trailing_bytes(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 39, 70, 3065 };
	char text[24];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		tdx.trailing = sizes[i];
		fake_tdx_sign(&tdx);
		if (sizes[i] > 0)
			memset(tdx.quote + tdx.quote_size - sizes[i], 'x', sizes[i]);
		assert_int_equal(judge(), EX_OK);
		snprintf(text, sizeof(text), "%zu", sizes[i]);
		assert_string_equal(claim("tdx.trailing_bytes"), text);
		assert_string_equal(find("tdx.trailing")->have, text);
	}
}

static void assert_refused(size_t at, uint8_t value, const char *sentence)
{
	uint8_t old = tdx.quote[at];

	tdx.quote[at] = value;
	assert_only("tdx.form", EX_MALFORMED);
	if (strstr(find("tdx.form")->note, sentence) == NULL)
		fail_msg("\"%s\" is not in: %s", sentence, find("tdx.form")->note);
	assert_skipped("tdx.signature");
	tdx.quote[at] = old;
}

static void other_kinds(void **state)
{
	(void)state;
	assert_refused(0, 3, "not a TDX quote");
	assert_refused(0, 0, "version 0");
	assert_refused(0, 6, "version 6");
	assert_refused(1, 1, "version 260");
	assert_refused(2, 3, "key type 3");
	assert_refused(2, 0, "key type 0");
	assert_refused(4, 0, "not a TDX quote");
	assert_refused(5, 1, "not a TDX quote");
	assert_refused(tdx.at_outer_size - 2, 5, "type 5");
	assert_refused(tdx.at_inner_size - 2, 6, "type 6");
	assert_refused(tdx.at_inner_size - 2, 1, "type 1");
	tdx_judge_renew(5, TDX_BODY_TD_1_5);
	assert_refused(48, 1, "SGX enclave");
	assert_refused(48, 4, "body type 4");
	assert_refused(48, 0, "body type 0");
	assert_refused(49, 1, "body type 259");
	assert_refused(48, 2, "declares 648");
	assert_refused(50, 0x87, "declares 647");
	assert_refused(53, 0xFF, "declares");
	tdx_judge_renew(5, TDX_BODY_TD_1_0);
	assert_refused(48, 3, "declares 584");
}

/* Each signed byte: header and body, descriptor included, under the attestation key. */
static void every_signed_byte(void **state)
{
	(void)state;
	struct err e = { 0 };

	tdx_judge_renew(5, TDX_BODY_TD_1_5);
	assert_int_equal(parse(), 0);
	for (size_t i = 0; i < quote.signed_size; i += i < 60 ? 1 : 7) {
		tdx.quote[i] ^= 1;
		assert_int_equal(tdx_quote_verify(&quote, NULL, &e), -EX_UNAUTHENTIC);
		tdx.quote[i] ^= 1;
	}
	assert_int_equal(tdx_quote_verify(&quote, NULL, &e), 0);
}

static void tampered_parts(void **state)
{
	(void)state;
	const size_t report = tdx.at_outer_size + 4;
	const struct {
		size_t at;
		const char *id;
	} parts[] = {
		{ 48 + FAKE_TDX_MROWNER, "tdx.signature" },
		{ tdx.at_signature_size + 4, "tdx.signature" },	 /* r */
		{ tdx.at_signature_size + 67, "tdx.signature" }, /* s */
		{ report + 64, "tdx.qe.signature" },		 /* MRENCLAVE */
		{ report + 384 + 5, "tdx.qe.signature" },	 /* the signature itself */
		{ tdx.at_auth_size + 2, "tdx.qe.binding" },	 /* authentication data */
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		tdx.quote[parts[i].at] ^= 1;
		assert_only(parts[i].id, EX_UNAUTHENTIC);
		tdx.quote[parts[i].at] ^= 1;
		assert_int_equal(judge(), EX_OK);
	}
}

/* Another attestation key, which signs well but which no quoting enclave vouches for. */
static void foreign_attestation_key(void **state)
{
	(void)state;
	EVP_PKEY *own = tdx.ak;

	tdx.ak = EVP_EC_gen("P-256");
	tdx.keep_report_data = true;
	fake_tdx_sign(&tdx);
	assert_only("tdx.qe.binding", EX_UNAUTHENTIC);
	EVP_PKEY_free(own);
}

/* The upper half of the QE's REPORTDATA is zero; signed all the same, it is refused. */
static void qe_report_data_tail(void **state)
{
	(void)state;
	tdx.keep_report_data = true;
	tdx.qe_report[320 + 63] = 1;
	fake_tdx_sign(&tdx);
	assert_only("tdx.qe.binding", EX_UNAUTHENTIC);
	assert_non_null(strstr(find("tdx.qe.binding")->note, "upper half"));
}

static void odd_signatures(void **state)
{
	(void)state;
	static const uint8_t order[32] = { 0xFF, 0xFF, 0xFF, 0xFF, 0,	 0,    0,    0,
					   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
					   0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84,
					   0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51 };
	size_t r = tdx.at_signature_size + 4, s = r + 32;

	memset(tdx.quote + r, 0, 32);
	assert_only("tdx.signature", EX_UNAUTHENTIC);
	fake_tdx_sign(&tdx);
	memset(tdx.quote + s, 0, 32);
	assert_only("tdx.signature", EX_UNAUTHENTIC);
	fake_tdx_sign(&tdx);
	memcpy(tdx.quote + r, order, 32);
	assert_only("tdx.signature", EX_UNAUTHENTIC);
	fake_tdx_sign(&tdx);
	memset(tdx.quote + r, 0xFF, 64);
	assert_only("tdx.signature", EX_UNAUTHENTIC);
}

/* X ‖ Y that is no point of the curve. */
static void key_off_the_curve(void **state)
{
	(void)state;
	tdx.quote[tdx.at_signature_size + 4 + 64] ^= 1;
	judge();
	assert_fails("tdx.signature", EX_UNAUTHENTIC);
	assert_non_null(strstr(find("tdx.signature")->note, "point"));
	assert_fails("tdx.qe.binding", EX_UNAUTHENTIC);
}

static void other_vendor(void **state)
{
	(void)state;
	tdx.header[12] ^= 1;
	fake_tdx_sign(&tdx);
	assert_only("tdx.qe.vendor", EX_UNAUTHENTIC);
}

/* QE authentication data of any size is hashed as it is. */
static void auth_data_sizes(void **state)
{
	(void)state;
	tdx.qe_auth_size = 0;
	fake_tdx_sign(&tdx);
	assert_int_equal(judge(), EX_OK);
	tdx.qe_auth_size = 17;
	fake_tdx_sign(&tdx);
	assert_int_equal(judge(), EX_OK);
}

static void claims_are_made(void **state)
{
	(void)state;
	judge();
	assert_string_equal(claim("tdx.version"), "4");
	assert_string_equal(claim("tdx.td_attributes"), "0000001000000000");
	assert_string_equal(claim("tdx.td_attributes.set"), "SEPT_VE_DISABLE");
	assert_string_equal(claim("tdx.xfam"), "e702060000000000");
	assert_string_equal(claim("tdx.pck.fmspc"), "b0c06f000000");
	assert_string_equal(claim("tdx.pck.pce_svn"), "11");
	assert_string_equal(claim("tdx.qe.isv_prod_id"), "2");
	assert_string_equal(claim("tdx.qe.isv_svn"), "4");
	assert_false(has_claim("tdx.mrservicetd")); /* not defined before TD 1.5 */
	assert_false(has_claim("tdx.tee_tcb_svn2"));
	tdx_judge_renew(5, TDX_BODY_TD_1_5);
	judge();
	assert_true(has_claim("tdx.mrservicetd"));
	assert_true(has_claim("tdx.tee_tcb_svn2"));
	sign_body(FAKE_TDX_ATTRIBUTES, "\x21\0\0\xF8\0\0\0\xC0", 8);
	judge();
	assert_string_equal(claim("tdx.td_attributes.set"),
			    "DEBUG bit5 LASS SEPT_VE_DISABLE MIGRATABLE PKS KL TPA PERFMON");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tdx_judge_set_up, tdx_judge_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_is_taken),
		TEST(every_check_is_in_every_list),
		TEST(fields_lie_where_they_lie),
		TEST(declared_lengths),
		TEST(grown_together),
		TEST(cut_anywhere),
		TEST(trailing_bytes),
		TEST(other_kinds),
		TEST(every_signed_byte),
		TEST(tampered_parts),
		TEST(foreign_attestation_key),
		TEST(qe_report_data_tail),
		TEST(odd_signatures),
		TEST(key_off_the_curve),
		TEST(other_vendor),
		TEST(auth_data_sizes),
		TEST(claims_are_made),
	};

	return cmocka_run_group_tests_name("tdx_quote", tests, NULL, NULL);
}
