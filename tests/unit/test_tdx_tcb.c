/* attest/tdx: Intel's signed answers, what they say, and what a platform is called by them. */
#include "attest/tdx/qe_identity.h"
#include "attest/tdx/signed_json.h"
#include "attest/tdx/tcb_info.h"
#include "attest/tdx/tcb_match.h"
#include "common/bytes.h"
#include "tests/unit/fake_tcb.h"
#include "tests/unit/vectors.h"

#include <openssl/ec.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- what a platform is called ------------------------------------------------------------ */

/* Every platform status with every status that software can have; columns UpToDate, OutOfDate,
 * Revoked, NotSupported. */
static void test_convergence(void **state)
{
	static const enum tcb_status software[] = { TCB_UP_TO_DATE, TCB_OUT_OF_DATE, TCB_REVOKED,
						    TCB_NOT_SUPPORTED };
	static const struct {
		enum tcb_status platform, late;
	} row[] = {
		{ TCB_UP_TO_DATE, TCB_OUT_OF_DATE },
		{ TCB_SW_HARDENING_NEEDED, TCB_OUT_OF_DATE },
		{ TCB_CONFIGURATION_NEEDED, TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
		{ TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED, TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
		{ TCB_OUT_OF_DATE, TCB_OUT_OF_DATE },
		{ TCB_OUT_OF_DATE_CONFIGURATION_NEEDED, TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
		{ TCB_TD_RELAUNCH_ADVISED, TCB_OUT_OF_DATE },
		{ TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
		  TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
		{ TCB_REVOKED, TCB_REVOKED },
		{ TCB_NOT_SUPPORTED, TCB_NOT_SUPPORTED },
	};

	(void)state;
	assert_int_equal(sizeof(row) / sizeof(row[0]), TCB_STATUSES);
	for (size_t i = 0; i < TCB_STATUSES; i++) {
		enum tcb_status p = row[i].platform;
		enum tcb_status want[] = { p, row[i].late, TCB_REVOKED,
					   p == TCB_REVOKED ? TCB_REVOKED : TCB_NOT_SUPPORTED };
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(tcb_converge(p, software[k]), want[k]);
	}
	for (int s = 0; s < TCB_STATUSES; s++)
		assert_int_equal(tcb_status_may_be_allowed((enum tcb_status)s),
				 s != TCB_REVOKED && s != TCB_NOT_SUPPORTED);
}

struct machine {
	uint8_t sgx[16], svn[16], svn2[16];
	uint16_t pce;
	unsigned qe_svn;
	bool has_svn2;
};

static struct machine latest(void)
{
	struct machine m = { .pce = 13, .qe_svn = 4, .svn = { 5, 1, 7 }, .svn2 = { 5, 1, 7 } };

	memset(m.sgx, 9, sizeof(m.sgx));
	return m;
}

static struct tcb_result match(const struct fake_tcb *f, const struct fake_qe *q,
			       const struct machine *m)
{
	struct tcb_platform p = { m->sgx, m->pce, m->svn, m->has_svn2 ? m->svn2 : NULL };
	struct tcb_result r;

	assert_int_equal(parse_fake(f), 0);
	if (q != NULL)
		assert_int_equal(parse_qe(q), 0);
	tcb_match(&info, &p, q != NULL ? &qe : NULL, (uint16_t)m->qe_svn, &r);
	tcb_info_free(&info);
	if (q != NULL)
		qe_identity_free(&qe);
	return r;
}

static void test_levels(void **state)
{
	struct fake_tcb f = fake_tcb();
	struct fake_qe q = fake_qe();
	struct machine m = latest();
	struct tcb_result r = match(&f, &q, &m);
	char have[512];

	(void)state;
	assert_int_equal(r.status, TCB_UP_TO_DATE);
	assert_int_equal(r.platform.level, 0);
	assert_true(r.module.judged && r.qe.judged);
	assert_string_equal(r.advisories, "");
	assert_int_equal(r.shortfalls, 0);
	/* One number too low, each in turn. */
	for (unsigned i = 0; i < 16; i++) {
		m = latest();
		m.sgx[i] = 8;
		r = match(&f, &q, &m);
		assert_int_equal(r.status, TCB_OUT_OF_DATE);
		assert_int_equal(r.platform.level, 1);
		assert_int_equal(r.shortfalls, 1);
		assert_int_equal(r.shortfall[0].have, 8);
		assert_int_equal(r.shortfall[0].need, 9);
	}
	tcb_shortfall_text(&r, have, sizeof(have));
	assert_string_equal(have, "sgx component 15: have 8, need 9");
	m = latest();
	m.pce = 12;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	m.svn[2] = 6;
	r = match(&f, &q, &m);
	assert_int_equal(r.platform.status, TCB_OUT_OF_DATE);
	assert_string_equal(r.advisories, "TEST-SA-1 TEST-SA-2");
	tcb_shortfall_text(&r, have, sizeof(have));
	assert_string_equal(have, "PCE SVN: have 12, need 13; tdx component 2: have 6, need 7");
	tcb_shortfall_text(&r, have, 20);
	assert_int_equal(strlen(have), 19);
	m.sgx[3] = 2;
	r = match(&f, &q, &m);
	assert_int_equal(r.status, TCB_NOT_SUPPORTED);
	assert_int_equal(r.platform.level, -1);
}

/* Without a major version the first two TDX components count as all others. */
static void test_module_of_major_version_0(void **state)
{
	struct fake_tcb f = fake_tcb();
	struct machine m = latest();

	(void)state;
	m.svn[1] = 0;
	struct tcb_result r = match(&f, NULL, &m);
	assert_int_equal(r.status, TCB_UP_TO_DATE);
	assert_false(r.module.judged);
	assert_false(r.qe.judged);
	m.svn[0] = 4;
	r = match(&f, NULL, &m);
	assert_int_equal(r.status, TCB_OUT_OF_DATE);
	m.svn[0] = 2;
	r = match(&f, NULL, &m);
	assert_int_equal(r.status, TCB_NOT_SUPPORTED);
	/* With one, they do not. */
	m = latest();
	f.level[0].tdx[0] = f.level[0].tdx[1] = 200;
	r = match(&f, NULL, &m);
	assert_int_equal(r.status, TCB_UP_TO_DATE);
}

static void test_module_and_qe(void **state)
{
	struct fake_tcb f = fake_tcb();
	struct fake_qe q = fake_qe();
	struct machine m = latest();
	struct tcb_result r;

	(void)state;
	m.svn[0] = 4;
	r = match(&f, &q, &m);
	assert_int_equal(r.platform.status, TCB_UP_TO_DATE);
	assert_int_equal(r.module.status, TCB_OUT_OF_DATE);
	assert_int_equal(r.status, TCB_OUT_OF_DATE);
	assert_string_equal(r.advisories, "TEST-SA-2 TEST-SA-3");
	assert_string_equal(r.shortfall[0].component, "module TDX_01 SVN");
	assert_int_equal(r.date, 1735689600); /* 2025-01-01 */
	m.svn[0] = 2;
	assert_int_equal(match(&f, &q, &m).status, TCB_NOT_SUPPORTED);
	/* A module that no identity is about. */
	m = latest();
	m.svn[1] = 2;
	r = match(&f, &q, &m);
	assert_int_equal(r.status, TCB_NOT_SUPPORTED);
	/* The platform's OutOfDate is not lost behind an UpToDate module. */
	m = latest();
	m.sgx[0] = 6;
	r = match(&f, &q, &m);
	assert_int_equal(r.module.status, TCB_UP_TO_DATE);
	assert_int_equal(r.status, TCB_OUT_OF_DATE);
	/* The quoting enclave. */
	m = latest();
	m.qe_svn = 3;
	r = match(&f, &q, &m);
	assert_int_equal(r.qe.status, TCB_OUT_OF_DATE);
	assert_int_equal(r.status, TCB_OUT_OF_DATE);
	assert_string_equal(r.advisories, "TEST-SA-4");
	assert_string_equal(r.shortfall[0].component, "QE SVN");
	m.qe_svn = 1;
	assert_int_equal(match(&f, &q, &m).status, TCB_NOT_SUPPORTED);
	q.level[1].status = "Revoked";
	m.qe_svn = 2;
	assert_int_equal(match(&f, &q, &m).status, TCB_REVOKED);
}

/* Advisories of two parts come once each; those that do not fit are not silently gone. */
static void test_many_advisories(void **state)
{
	char list[2048] = "[";
	struct fake_tcb f = fake_tcb();
	struct machine m = latest();

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s\"TEST-SA-%05u\"%s",
			 i > 0 ? "," : "", i, i == 59 ? "]" : "");
	f.level[1].advisories = list;
	m.sgx[0] = 3;
	struct tcb_result r = match(&f, NULL, &m);
	assert_true(r.more_advisories);
	assert_true(strlen(r.advisories) < TCB_ADVISORY_TEXT);
	assert_non_null(strstr(r.advisories, "TEST-SA-00000 TEST-SA-00001"));
}

/* The guest was started before the module was updated: nothing but a start is missing. */
static void test_relaunch(void **state)
{
	struct fake_tcb f = fake_tcb();
	struct fake_qe q = fake_qe();
	struct machine m = latest();

	(void)state;
	m.svn[0] = 3;
	m.has_svn2 = true;
	assert_int_equal(match(&f, &q, &m).status, TCB_TD_RELAUNCH_ADVISED);
	assert_int_equal(match(&f, NULL, &m).status, TCB_TD_RELAUNCH_ADVISED);
	m.has_svn2 = false;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	/* The loader was late, too, and no longer is. */
	m.has_svn2 = true;
	m.svn[2] = 2;
	assert_int_equal(match(&f, &q, &m).status, TCB_TD_RELAUNCH_ADVISED);
	/* What is loaded now is not the latest either. */
	m.svn2[2] = 6;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	m.svn2[2] = 7;
	m.svn2[0] = 4;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	/* A module that the list does not know, or one without a major version. */
	m.svn2[0] = 9;
	m.svn2[1] = 2;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	m.svn2[1] = 0;
	assert_int_equal(match(&f, &q, &m).status, TCB_TD_RELAUNCH_ADVISED);
	m.svn2[0] = 4;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	/* The processor is late: no start helps. */
	m = latest();
	m.svn[0] = 3;
	m.has_svn2 = true;
	m.sgx[4] = 4;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	/* So is the quoting enclave. */
	m = latest();
	m.svn[0] = 3;
	m.has_svn2 = true;
	m.qe_svn = 2;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	/* The module is fine, the platform's TDX part is not. */
	m = latest();
	m.has_svn2 = true;
	m.svn[2] = 2;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	m = latest();
	m.svn[0] = 3;
	m.has_svn2 = true;
	f.level[0].status = "ConfigurationNeeded";
	assert_int_equal(match(&f, &q, &m).status, TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED);
	m.svn[2] = 2;
	m.qe_svn = 2;
	assert_int_equal(match(&f, &q, &m).status, TCB_OUT_OF_DATE);
	/* Revoked is the last word. */
	m.qe_svn = 4;
	f.level[1].status = "Revoked";
	assert_int_equal(match(&f, &q, &m).status, TCB_REVOKED);
	m.svn[2] = 7;
	f.level[0].status = "Revoked";
	assert_int_equal(match(&f, &q, &m).status, TCB_REVOKED);
}

/* ---- real platforms ----------------------------------------------------------------------- */

static void parse_vector(const char *name, const char *key, bool is_qe)
{
	struct signed_json s;
	struct err e = { 0 };
	size_t n;
	uint8_t *data = vector_read(name, &n);

	assert_int_equal(signed_json_split(name, (char *)data, n, key, &s, &e), 0);
	int r = is_qe ? qe_identity_parse(name, s.body, s.body_size, &qe, &e)
		      : tcb_info_parse(name, s.body, s.body_size, &info, &e);
	if (r < 0)
		fail_msg("%s", e.text);
	free(data);
}

/* The JSON form: texts and signatures apart. */
static void parse_vector_form(const char *name)
{
	struct err e = { 0 };
	size_t n;
	uint8_t *data = vector_read(name, &n);
	json_t *j = json_loadb((char *)data, n, 0, NULL);
	const char *tcb = json_string_value(json_object_get(j, "tcb_info"));
	const char *id = json_string_value(json_object_get(j, "qe_identity"));

	assert_int_equal(tcb_info_parse("TCB info", tcb, strlen(tcb), &info, &e), 0);
	assert_int_equal(qe_identity_parse("QE", id, strlen(id), &qe, &e), 0);
	json_decref(j);
	free(data);
}

static enum tcb_status named(const json_t *j)
{
	const char *name = json_string_value(j);

	for (int i = 0; name != NULL && i < TCB_STATUSES; i++)
		if (strcmp(name, tcb_status_names[i]) == 0)
			return (enum tcb_status)i;
	return TCB_STATUSES;
}

static void judge_vector(const json_t *all, const char *folder, const char *name, unsigned qe_svn)
{
	const json_t *v = json_object_get(all, folder), *c = json_object_get(v, "collateral");
	const json_t *svn2 = json_object_get(v, "tee_tcb_svn2");
	const json_t *ids = json_object_get(c, "advisory_ids");
	struct machine m = { .qe_svn = qe_svn };
	struct tcb_result r;
	char advisories[512] = "";
	size_t i;

	assert_true(hex_decode(json_string_value(json_object_get(v, "tee_tcb_svn")), m.svn, 16));
	m.has_svn2 = svn2 != NULL && hex_decode(json_string_value(svn2), m.svn2, 16);
	for (i = 0; i < 16; i++)
		m.sgx[i] = (uint8_t)json_integer_value(
			json_array_get(json_object_get(v, "pck_cpusvn"), i));
	m.pce = (uint16_t)json_integer_value(json_object_get(v, "pck_pcesvn"));
	struct tcb_platform p = { m.sgx, m.pce, m.svn, m.has_svn2 ? m.svn2 : NULL };
	tcb_match(&info, &p, &qe, (uint16_t)m.qe_svn, &r);
	if (r.status != named(json_object_get(c, "final_tcb_status")))
		fail_msg("%s: %s", name, tcb_status_names[r.status]);
	const json_t *level = json_object_get(c, "platform_level");
	assert_int_equal(r.platform.level, json_integer_value(json_array_get(level, 0)));
	assert_int_equal(r.platform.status, named(json_array_get(level, 1)));
	assert_int_equal(r.module.judged, !json_is_null(json_object_get(c, "tdx_module_status")));
	for (i = 0; i < json_array_size(ids); i++)
		snprintf(advisories + strlen(advisories), sizeof(advisories) - strlen(advisories),
			 "%s%s", i > 0 ? " " : "", json_string_value(json_array_get(ids, i)));
	assert_string_equal(r.advisories, advisories);
	tcb_info_free(&info);
	qe_identity_free(&qe);
}

static void test_real_platforms(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	json_t *all = vector_expected();
	/* The report of each quoting enclave says SVN 4 or more. */
	parse_vector_form("tdx/v4-uptodate/collateral.json");
	judge_vector(all, "tdx/v4-uptodate", "v4-uptodate", 4);
	parse_vector("tdx/v5-uptodate/tcb_info.json", "tcbInfo", false);
	parse_vector("tdx/v5-uptodate/qe_identity.json", "enclaveIdentity", true);
	judge_vector(all, "tdx/v5-uptodate", "v5-uptodate", 4);
	parse_vector("tdx/v4-platform-outofdate-module-uptodate/tcb_info.json", "tcbInfo", false);
	parse_vector("tdx/v4-platform-outofdate-module-uptodate/qe_identity.json",
		     "enclaveIdentity", true);
	judge_vector(all, "tdx/v4-platform-outofdate-module-uptodate", "v4-platform-outofdate", 4);
	parse_vector("tdx/v4-debug-td-outofdate/tcb_info.json", "tcbInfo", false);
	parse_vector("tdx/v5-uptodate/qe_identity.json", "enclaveIdentity", true);
	judge_vector(all, "tdx/v4-debug-td-outofdate", "v4-debug-td-outofdate", 4);
	json_decref(all);
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
		cmocka_unit_test(test_convergence),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_module_of_major_version_0),
		cmocka_unit_test(test_module_and_qe),
		cmocka_unit_test(test_many_advisories),
		cmocka_unit_test(test_relaunch),
		cmocka_unit_test(test_real_platforms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
