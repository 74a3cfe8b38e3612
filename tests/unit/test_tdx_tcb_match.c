/* attest/tdx: what a platform is called by Intel's TCB info and QE identity. */
#include "attest/tdx/qe_identity.h"
#include "attest/tdx/signed_json.h"
#include "attest/tdx/tcb_info.h"
#include "attest/tdx/tcb_match.h"
#include "common/bytes.h"
#include "tests/unit/fake_tcb.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char text[FAKE_TCB_TEXT];
static struct tcb_info info;
static struct qe_identity qe;

static int parse_fake(const struct fake_tcb *f)
{
	struct err e = { 0 };

	fake_tcb_info(f, text, sizeof(text));
	return tcb_info_parse("TCB info", text, strlen(text), &info, &e);
}

static int parse_qe(const struct fake_qe *f)
{
	struct err e = { 0 };
	size_t n = fake_qe_identity(f, text, sizeof(text));

	return qe_identity_parse("QE identity", text, n, &qe, &e);
}

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
