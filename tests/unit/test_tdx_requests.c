/* Quotes of real platforms with the collateral of their time, as whole requests: the status that
 * Intel's algorithm gives them (expected.json), and what each built-in policy makes of it. */
#include "attest/appraise/request.h"
#include "common/rfc3339.h"
#include "tests/unit/tdx_judge.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const json_t *expected_of(json_t *all, const char *name)
{
	char key[128];

	snprintf(key, sizeof(key), "tdx/%s", name);
	const json_t *j = json_object_get(all, key);
	assert_non_null(j);
	return j;
}

static time_t time_of(const char *text)
{
	int64_t t = 0;

	assert_true(rfc3339_parse(text, &t));
	return (time_t)t;
}

static const struct {
	const char *name, *time; /* below tdx/; inside its window */
	const char *files[8];	 /* below tdx/ */
	const char *before, *after;
	enum exit_status recommended;
} bundles[] = {
	{ "v4-uptodate",
	  "2025-07-01T00:00:00Z",
	  { "v4-uptodate/collateral.json" },
	  "2025-06-19T10:32:26Z",
	  "2025-07-19T10:00:36Z",
	  EX_OK },
	{ "v5-uptodate",
	  "2026-04-01T00:00:00Z",
	  { "v5-uptodate/tcb_info.json", "v5-uptodate/qe_identity.json",
	    "v5-uptodate/tcb_signing_chain.pem", "v5-uptodate/qe_identity_signing_chain.pem",
	    "v5-uptodate/root_ca_crl.der", "v5-uptodate/pck_crl_platform.der" },
	  "2026-03-16T22:34:04Z",
	  "2026-04-15T22:06:10Z",
	  EX_OK },
	{ "v4-platform-outofdate-module-uptodate",
	  "2025-03-01T00:00:00Z",
	  { "v4-platform-outofdate-module-uptodate/tcb_info.json",
	    "v4-platform-outofdate-module-uptodate/qe_identity.json",
	    "v4-platform-outofdate-module-uptodate/tcb_signing_chain.pem",
	    "v4-platform-outofdate-module-uptodate/root_ca_crl.der",
	    "v4-platform-outofdate-module-uptodate/pck_crl_platform.der" },
	  "2025-02-13T03:50:40Z",
	  "2025-03-15T03:39:01Z",
	  EX_REFUSED },
	{ "v4-debug-td-outofdate",
	  "2026-04-01T00:00:00Z",
	  { "v4-debug-td-outofdate/tcb_info.json", "v5-uptodate/qe_identity.json",
	    "v5-uptodate/tcb_signing_chain.pem", "v5-uptodate/root_ca_crl.der",
	    "v5-uptodate/pck_crl_platform.der" },
	  "2026-03-16T22:34:04Z",
	  "2026-04-15T22:16:04Z",
	  EX_REFUSED },
};
#define BUNDLES (sizeof(bundles) / sizeof(bundles[0]))

static struct request request;
static struct policy request_policy;

static void take(struct blob *out, const char *name)
{
	size_t size;
	uint8_t *data = vector_read(name, &size);

	*out = (struct blob){ .data = data, .size = size, .name = name };
}

static void open_request(size_t i)
{
	char path[256];

	request = (struct request){ .kind = REQUEST_TDX,
				    .policy = &request_policy,
				    .now = time_of(bundles[i].time) };
	snprintf(path, sizeof(path), "tdx/%s/quote.bin", bundles[i].name);
	take(&request.evidence, path);
	request.evidence.name = "quote";
	for (size_t k = 0; bundles[i].files[k] != NULL; k++) {
		snprintf(path, sizeof(path), "tdx/%s", bundles[i].files[k]);
		take(&request.collateral[request.collateral_count], path);
		request.collateral[request.collateral_count++].name = bundles[i].files[k];
	}
}

static void close_request(void)
{
	free((void *)(uintptr_t)request.evidence.data);
	for (size_t k = 0; k < request.collateral_count; k++)
		free((void *)(uintptr_t)request.collateral[k].data);
}

static enum exit_status ask(enum policy_base base)
{
	struct err e = { 0 };

	policy_built_in(base, &request_policy);
	memset(&result, 0, sizeof(result));
	if (appraise(&request, &result, &e) < 0)
		fail_msg("%s", e.text);
	assert_false(result.overflow);
	return checks_verdict(&result);
}

/* The status and its advisories, as by Intel's algorithm; not before, not after the window. */
static void real_tdx_statuses(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	json_t *all = vector_expected();
	for (size_t i = 0; i < BUNDLES; i++) {
		const json_t *want =
			json_object_get(expected_of(all, bundles[i].name), "collateral");
		const json_t *ids = json_object_get(want, "advisory_ids");
		const char *status = json_string_value(json_object_get(want, "final_tcb_status"));
		open_request(i);
		assert_int_equal(ask(POLICY_RECOMMENDED), bundles[i].recommended);
		assert_string_equal(find("tdx.tcb.status")->have, status);
		assert_string_equal(claim("tdx.tcb.status"), status);
		for (size_t k = 0; k < json_array_size(ids); k++)
			assert_non_null(strstr(find("tdx.tcb.status")->advisory,
					       json_string_value(json_array_get(ids, k))));
		assert_passes("tdx.revocation");
		assert_passes("tdx.collateral");
		assert_passes("tdx.qe.identity");
		request.now = time_of(bundles[i].before);
		assert_int_equal(ask(POLICY_RECOMMENDED), EX_COLLATERAL);
		request.now = time_of(bundles[i].after);
		assert_int_equal(ask(POLICY_RECOMMENDED), EX_COLLATERAL);
		close_request();
	}
	json_decref(all);
}

/* What each built-in makes of a good quote of an UpToDate platform, and of none of the
 * collateral. */
static void real_tdx_policies(void **state)
{
	(void)state;
	struct err e = { 0 };

	if (vectors_present() < 0)
		skip();
	open_request(0);
	assert_int_equal(ask(POLICY_NONE), EX_OK);
	assert_string_equal(checks_verdict_name(&result), "authentic, not appraised");
	assert_int_equal(ask(POLICY_PERMISSIVE), EX_OK);
	assert_int_equal(ask(POLICY_STRICT), EX_REFUSED); /* no nonce, no reference values */
	assert_int_equal(find("freshness")->status, CHECK_FAIL);
	assert_int_equal(find("tdx.mrtd")->status, CHECK_FAIL);
	size_t files = request.collateral_count;
	request.collateral_count = 0;
	assert_int_equal(ask(POLICY_RECOMMENDED), EX_COLLATERAL);
	assert_int_equal(ask(POLICY_PERMISSIVE), EX_OK);
	assert_int_equal(ask(POLICY_NONE), EX_OK);
	/* Without a policy the refusal is that. */
	request.policy = NULL;
	memset(&result, 0, sizeof(result));
	assert_int_equal(appraise(&request, &result, &e), 0);
	assert_int_equal(checks_verdict(&result), EX_REFUSED);
	assert_int_equal(find("policy.given")->status, CHECK_FAIL);
	request.collateral_count = files;
	close_request();
}

/* Collateral of another kind of platform; a text put together anew: the same JSON, another text. */
static void real_tdx_collateral(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	open_request(3);
	struct blob *tcb = &request.collateral[0], right = *tcb;
	take(tcb, "tdx/v5-uptodate/tcb_info.json");
	assert_int_equal(ask(POLICY_RECOMMENDED), EX_COLLATERAL);
	assert_int_equal(find("tdx.tcb_info")->status, CHECK_FAIL);
	free((void *)(uintptr_t)tcb->data);
	json_t *j = json_loadb((const char *)right.data, right.size, 0, NULL);
	assert_non_null(j);
	char *text = json_dumps(j, JSON_INDENT(1));
	tcb->data = (uint8_t *)text;
	tcb->size = strlen(text);
	assert_int_equal(ask(POLICY_RECOMMENDED), EX_UNAUTHENTIC);
	assert_int_equal(find("tdx.tcb_info")->status, CHECK_FAIL);
	free(text);
	json_decref(j);
	*tcb = right;
	close_request();
}

static void real_tdx_nonce(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	open_request(2); /* its REPORTDATA is zero */
	static const uint8_t zeros[32], other[32] = { 1 };
	request.nonce = zeros;
	request.nonce_size = sizeof(zeros);
	ask(POLICY_NONE);
	assert_passes("freshness");
	assert_passes("tdx.binding");
	request.nonce = other;
	assert_int_equal(ask(POLICY_NONE), EX_UNAUTHENTIC);
	assert_int_equal(find("freshness")->status, CHECK_FAIL);
	assert_int_equal(find("tdx.binding")->status, CHECK_FAIL);
	close_request();
}

static int ask_own(enum exit_status *verdict)
{
	struct err e = { 0 };

	policy_built_in(POLICY_PERMISSIVE, &request_policy);
	memset(&result, 0, sizeof(result));
	int r = appraise(&request, &result, &e);
	*verdict = checks_verdict(&result);
	return r;
}

/* What comes with a quote: a root alone, collateral among other files. */
static void request_files(void **state)
{
	(void)state;
	uint8_t roots[4096];
	unsigned char *der = NULL;
	enum exit_status verdict;
	size_t crl_size;

	tdx_judge_set_up(state);
	int n = i2d_X509(tdx.chain.cert[TDX_ROLE_ROOT], &der);
	assert_true(n > 0 && (size_t)n * 2 <= sizeof(roots));
	memcpy(roots, der, (size_t)n);
	memcpy(roots + n, der, (size_t)n);
	request = (struct request){ .kind = REQUEST_TDX,
				    .policy = &request_policy,
				    .now = FAKE_TDX_NOW,
				    .evidence = { tdx.quote, tdx.quote_size, "quote" },
				    .trust_root = { roots, (size_t)n, "root" } };
	assert_int_equal(ask_own(&verdict), 0);
	assert_int_equal(verdict, EX_OK);
	request.trust_root.size = (size_t)n * 2; /* two of them */
	assert_int_equal(ask_own(&verdict), -EX_MALFORMED);
	request.trust_root.size = (size_t)n - 1;
	assert_int_equal(ask_own(&verdict), -EX_MALFORMED);
	request.trust_root.size = (size_t)n;
	/* A file that is no collateral does no harm beside one that is, but not alone. */
	request.collateral[0] = (struct blob){ (const uint8_t *)"hello", 5, "readme" };
	request.collateral_count = 1;
	assert_int_equal(ask_own(&verdict), 0);
	assert_fails("tdx.collateral", EX_MALFORMED);
	unsigned char *crl =
		fake_tdx_crl(&tdx, TDX_ROLE_CA, tdx.key[TDX_ROLE_CA], 0, -1000, 1000, &crl_size);
	request.collateral[1] = (struct blob){ crl, crl_size, "list" };
	request.collateral_count = 2;
	assert_int_equal(ask_own(&verdict), 0);
	assert_int_equal(verdict, EX_OK);
	/* Nor does what breaks its form stop the rest, but it is told. */
	request.collateral[0] = (struct blob){ (const uint8_t *)"{\"tcbInfo\":{", 12, "cut" };
	assert_int_equal(ask_own(&verdict), 0);
	assert_int_equal(find("tdx.collateral")->status, CHECK_FAIL);
	assert_passes("tdx.signature");
	OPENSSL_free(crl);
	OPENSSL_free(der);
	tdx_judge_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_tdx_statuses),   cmocka_unit_test(real_tdx_policies),
		cmocka_unit_test(real_tdx_collateral), cmocka_unit_test(real_tdx_nonce),
		cmocka_unit_test(request_files),
	};

	return cmocka_run_group_tests_name("tdx_requests", tests, NULL, NULL);
}
