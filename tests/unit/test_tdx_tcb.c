/* attest/tdx: Intel's signed answers and what they say; what a platform is called by them:
 * test_tdx_tcb_match.c. */
#include "attest/tdx/qe_identity.h"
#include "attest/tdx/signed_json.h"
#include "attest/tdx/tcb_info.h"
#include "attest/tdx/tcb_match.h"
#include "tests/unit/fake_tcb.h"

#include <openssl/ec.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char text[FAKE_TCB_TEXT], answer[FAKE_TCB_TEXT];
static struct tcb_info info;
static struct qe_identity qe;

/* ---- the answer and its signature --------------------------------------------------------- */

static int split(const char *json, struct signed_json *out)
{
	struct err e = { 0 };

	return signed_json_split("answer", json, strlen(json), "tcbInfo", out, &e);
}

#define SIG                                                                                        \
	"\"signature\":\"11111111111111111111111111111111111111111111111111111111111111111111"     \
	"111111111111111111111111111111111111111111111111111111111111\""

static void test_split(void **state)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"{\"tcbInfo\":{}}",
		"{" SIG "}",
		"{\"tcbInfo\":{}," SIG "",
		"{\"tcbInfo\":{}," SIG "}x",
		"{\"tcbInfo\":{}," SIG "}\1",
		"{\"tcbInfo\":{}," SIG ",}",
		"{\"tcbInfo\":{}," SIG ",\"x\":1}",
		"{\"x\":1,\"tcbInfo\":{}," SIG "}",
		"{\"tcbInfo\":{},\"tcbInfo\":{}}",
		"{" SIG "," SIG "}",
		"{\"tcbInf\":{}," SIG "}",
		"{\"tcb\\u0049nfo\":{}," SIG "}",
		"{\"tcbInfo\":[]," SIG "}",
		"{\"tcbInfo\":\"{}\"," SIG "}",
		"{\"tcbInfo\":{]}," SIG "}",
		"{\"tcbInfo\":{[}," SIG "}",
		"{\"tcbInfo\":{\"a}," SIG "}",
		"{\"tcbInfo\":{{{{{{{{{{{{{{{{{}}}}}}}}}}}}}}}}}," SIG "}",
		"{\"tcbInfo\":{},\"signature\":\"11\"}",
		"{\"tcbInfo\":{},\"signature\":1}",
		"[{\"tcbInfo\":{}," SIG "}]",
		"{\"tcbInfo\" {}," SIG "}",
	};
	struct signed_json s;

	(void)state;
	/* White space around the value is not the value's; brackets in strings are text. */
	assert_int_equal(
		split("\n{ \"tcbInfo\" :\t{\"a\": \"}]\\\"\", \"b\": [{ }]} ,\r\n" SIG "}\n", &s),
		0);
	static const char body[] = "{\"a\": \"}]\\\"\", \"b\": [{ }]}";
	assert_int_equal(s.body_size, sizeof(body) - 1);
	assert_memory_equal(s.body, body, s.body_size);
	assert_int_equal(s.signature[63], 0x11);
	assert_int_equal(split("{" SIG ",\"tcbInfo\":{}}", &s), 0);
	assert_int_equal(s.body_size, 2);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (split(wrong[i], &s) != -EX_MALFORMED)
			fail_msg("accepted: %s", wrong[i]);
		assert_null(s.body);
	}
	/* A string that ends in the middle of an escape, at the very end. */
	struct err e = { 0 };
	assert_int_equal(signed_json_split("answer", "{\"tcbInfo\\", 10, "tcbInfo", &s, &e),
			 -EX_MALFORMED);
}

static void test_signature_is_over_the_text(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	struct fake_tcb f = fake_tcb();
	struct signed_json s;
	struct err e = { 0 };

	(void)state;
	fake_tcb_info(&f, text, sizeof(text));
	fake_signed("tcbInfo", text, key, answer, sizeof(answer));
	assert_int_equal(split(answer, &s), 0);
	assert_int_equal(signed_json_verify("answer", &s, key, &e), 0);
	assert_int_equal(signed_json_verify("answer", &s, other, &e), -EX_UNAUTHENTIC);
	/* The same value, written with one more blank. */
	char *comma = strchr(answer + 12, ',');
	memmove(comma + 2, comma + 1, strlen(comma + 1) + 1);
	comma[1] = ' ';
	assert_int_equal(split(answer, &s), 0);
	assert_int_equal(signed_json_verify("answer", &s, key, &e), -EX_UNAUTHENTIC);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* ---- what they say ------------------------------------------------------------------------ */

static int parse(const char *json)
{
	struct err e = { 0 };
	int r = tcb_info_parse("TCB info", json, strlen(json), &info, &e);

	assert_true((r < 0) == (info.document == NULL));
	return r;
}

static int parse_fake(const struct fake_tcb *f)
{
	fake_tcb_info(f, text, sizeof(text));
	return parse(text);
}

/* The fake text with the first `from` replaced. */
static int parse_replaced(const char *from, const char *to)
{
	struct fake_tcb f = fake_tcb();

	fake_tcb_info(&f, text, sizeof(text));
	char *at = strstr(text, from);
	assert_non_null(at);
	snprintf(answer, sizeof(answer), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	return parse(answer);
}

static void test_tcb_info(void **state)
{
	struct fake_tcb f = fake_tcb();

	(void)state;
	assert_int_equal(parse_fake(&f), 0);
	assert_memory_equal(info.fmspc, "\x00\x90\x6E\xD5\x00\x00", 6);
	assert_int_equal(info.evaluation, 17);
	assert_int_equal(info.next_update, 1801440000); /* 2027-02-01 */
	assert_int_equal(info.levels, 2);
	assert_int_equal(info.level[0].sgx[15], 9);
	assert_int_equal(info.level[0].tdx[2], 7);
	assert_int_equal(info.level[1].pce_svn, 5);
	assert_int_equal(info.level[1].verdict.status, TCB_OUT_OF_DATE);
	assert_int_equal(json_array_size(info.level[1].verdict.advisories), 2);
	assert_non_null(tcb_info_module(&info, 1));
	assert_null(tcb_info_module(&info, 0));
	assert_int_equal(tcb_info_module(&info, 1)->levels, 2);
	tcb_info_free(&info);
}

static void test_tcb_info_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} wrong[] = {
		{ "\"id\":\"TDX\"", "\"id\":\"SGX\"" },
		{ "\"version\":3", "\"version\":2" },
		{ "\"version\":3", "\"version\":4" },
		{ "\"version\":3", "\"version\":\"3\"" },
		{ "\"tcbType\":0", "\"tcbType\":1" },
		{ "\"version\":3", "\"version\":3,\"version\":3" },
		{ "\"svn\":9", "\"svn\":256" },
		{ "\"svn\":9", "\"svn\":65473" },
		{ "\"svn\":9", "\"svn\":-1" },
		{ "\"svn\":9", "\"svn\":9.0" },
		{ "\"svn\":9", "\"svn\":9,\"svn\":9" },
		{ "{\"svn\":9}", "{\"svn\":9},{\"svn\":9}" },
		{ ",{\"svn\":9}", "" },
		{ "{\"svn\":9}", "[]" },
		{ "\"pcesvn\":13", "\"pcesvn\":65536" },
		{ "\"isvsvn\":5", "\"isvsvn\":65536" },
		{ "00906ED50000", "00906ED5000" },
		{ "00906ED50000", "00906ED500000" },
		{ "2027-01-01T00:00:00Z", "2027-01-01" },
		{ "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"uptodate\"" },
		{ "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"NotSupported\"" },
		{ "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"TDRelaunchAdvised\"" },
		/* Of a module: the first one. */
		{ "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"ConfigurationNeeded\"" },
		{ "\"TDX_01\"", "\"TDX_1\"" },
		{ "\"TDX_01\"", "\"SGX_01\"" },
		{ "\"TDX_01\"", "\"TDX_0x\"" },
		{ "TEST-SA-2", "TEST SA" },
		{ "TEST-SA-2", "\\u0007" },
		{ "TEST-SA-2", "TEST-SA-2-TEST-SA-2-TEST-SA-2-TEST" },
		{ "\"TEST-SA-2\"", "2" },
		{ "\"tcbEvaluationDataNumber\":17,", "" },
		{ "\"tcbEvaluationDataNumber\":17,", "\"tcbEvaluationDataNumber\":17,\"more\":0," },
		{ "\"isvsvn\":5", "\"isvsvn\":5,\"more\":0" },
		{ "\"pcesvn\":13", "\"pcesvn\":13,\"more\":0" },
		{ "\"tcbDate\"", "\"more\":0,\"tcbDate\"" },
		{ "\"mrsigner\"", "\"more\":0,\"mrsigner\"" },
		{ "\"attributesMask\":\"FF", "\"attributesMask\":\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parse_replaced(wrong[i].from, wrong[i].to) != -EX_MALFORMED)
			fail_msg("accepted: %s", wrong[i].to);
	/* No level, too many of them, two identities of one module. */
	struct fake_tcb f = fake_tcb();
	f.levels = 0;
	assert_int_equal(parse_fake(&f), -EX_MALFORMED);
	assert_int_equal(parse("[]"), -EX_MALFORMED);
	f = fake_tcb();
	fake_tcb_info(&f, text, sizeof(text));
	char *from = strstr(text, "[{\"id\":\"TDX_01\""), *to = strstr(from, "}],\"tcbLevels\"");
	snprintf(answer, sizeof(answer), "%.*s%.*s,%s", (int)(to + 1 - text), text, 0, "",
		 from + 1);
	char *case_too = strstr(answer + (to - text), "TDX_01");
	memcpy(case_too, "tdx", 3);
	assert_int_equal(parse(answer), -EX_MALFORMED);
}

/* What Intel writes beside a component's number may grow. */
static void test_components_are_annotated(void **state)
{
	(void)state;
	assert_int_equal(parse_replaced("\"svn\":9", "\"svn\":9,\"note\":\"x\""), 0);
	tcb_info_free(&info);
}

static int parse_qe(const struct fake_qe *f)
{
	struct err e = { 0 };
	size_t n = fake_qe_identity(f, text, sizeof(text));
	int r = qe_identity_parse("QE identity", text, n, &qe, &e);

	assert_true((r < 0) == (qe.document == NULL));
	return r;
}

static void test_qe_identity(void **state)
{
	struct fake_qe f = fake_qe();

	(void)state;
	assert_int_equal(parse_qe(&f), 0);
	assert_int_equal(qe.isv_prod_id, 2);
	assert_int_equal(qe.levels, 2);
	assert_int_equal(qe.attributes_mask[0], 0xFB);
	qe_identity_free(&qe);
	f.id = "QE";
	assert_int_equal(parse_qe(&f), -EX_MALFORMED);
	f = fake_qe();
	f.version = 3;
	assert_int_equal(parse_qe(&f), -EX_MALFORMED);
	f = fake_qe();
	f.extra = "\"more\":1,";
	assert_int_equal(parse_qe(&f), -EX_MALFORMED);
	f.extra = "\"isvprodid\":2,";
	assert_int_equal(parse_qe(&f), -EX_MALFORMED);
	f = fake_qe();
	f.levels = 0;
	assert_int_equal(parse_qe(&f), -EX_MALFORMED);
	f = fake_qe();
	f.level[0].status = "SWHardeningNeeded";
	assert_int_equal(parse_qe(&f), -EX_MALFORMED);
	f = fake_qe();
	f.next = "soon";
	assert_int_equal(parse_qe(&f), -EX_MALFORMED);
}

static void test_qe_report(void **state)
{
	struct fake_qe f = fake_qe();
	uint8_t misc[4] = { 0 }, attributes[16] = { 0x15, 0, 0, 0, 0, 0, 0, 0, 0xE7 }, signer[32];
	struct qe_claims c = { misc, attributes, signer, 2, 4 };
	struct err e = { 0 };

	(void)state;
	memset(signer, 0x11, sizeof(signer));
	assert_int_equal(parse_qe(&f), 0);
	/* Bits outside the mask (0x04, XFRM) are free. */
	assert_int_equal(qe_identity_check(&qe, &c, &e), 0);
	attributes[0] = 0x13; /* DEBUG */
	assert_int_equal(qe_identity_check(&qe, &c, &e), -EX_UNAUTHENTIC);
	attributes[0] = 0x10;
	assert_int_equal(qe_identity_check(&qe, &c, &e), -EX_UNAUTHENTIC);
	attributes[0] = 0x11;
	misc[0] = 1;
	assert_int_equal(qe_identity_check(&qe, &c, &e), -EX_UNAUTHENTIC);
	misc[0] = 0;
	signer[31] ^= 1;
	assert_int_equal(qe_identity_check(&qe, &c, &e), -EX_UNAUTHENTIC);
	signer[31] ^= 1;
	c.isv_prod_id = 1;
	assert_int_equal(qe_identity_check(&qe, &c, &e), -EX_UNAUTHENTIC);
	c.isv_prod_id = 2;
	assert_int_equal(qe_identity_check(&qe, &c, &e), 0);
	qe_identity_free(&qe);
}

static void test_module_of_the_quote(void **state)
{
	struct fake_tcb f = fake_tcb();
	uint8_t svn[16] = { 5, 1 }, signer[48] = { 0 }, attributes[8] = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(parse_fake(&f), 0);
	assert_int_equal(tcb_check_module(&info, svn, signer, attributes, &e), 0);
	svn[1] = 0;
	assert_int_equal(tcb_check_module(&info, svn, signer, attributes, &e), 0);
	attributes[7] = 0x80;
	assert_int_equal(tcb_check_module(&info, svn, signer, attributes, &e), -EX_UNAUTHENTIC);
	attributes[7] = 0;
	signer[0] = 1;
	assert_int_equal(tcb_check_module(&info, svn, signer, attributes, &e), -EX_UNAUTHENTIC);
	signer[0] = 0;
	svn[1] = 2;
	assert_int_equal(tcb_check_module(&info, svn, signer, attributes, &e), -EX_COLLATERAL);
	tcb_info_free(&info);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_signature_is_over_the_text),
		cmocka_unit_test(test_tcb_info),
		cmocka_unit_test(test_tcb_info_refused),
		cmocka_unit_test(test_components_are_annotated),
		cmocka_unit_test(test_qe_identity),
		cmocka_unit_test(test_qe_report),
		cmocka_unit_test(test_module_of_the_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
