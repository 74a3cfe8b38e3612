/* The simulated platform's quotes and collateral, judged by the library that judges real ones:
 * accepted below the simulated root, and below no other. */
#include "tests/model/tdx_bench.h"

#include "attest/appraise/request.h"
#include "common/bytes.h"
#include "model/certificate.h"
#include "model/tdx_sim/collateral.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY (24L * 3600)

static struct tdx_bench bench;
static uint8_t quote[TDX_SIM_QUOTE_MAX];
static char collateral[COLLATERAL_TEXT_MAX], root_text[4096];
static struct policy policy;
static struct checks result;
static struct request request;

static void make_collateral(time_t now)
{
	const struct tdx_collateral_from from = { .certs = bench.made.certs,
						  .certs_size = bench.made.certs_size,
						  .signing = bench.made.signing,
						  .signing_size = bench.made.signing_size,
						  .key = bench.made.signing_key,
						  .key_size = bench.made.signing_key_size,
						  .now = now };
	struct err e = { 0 };
	size_t size = 0;

	if (tdx_collateral_make(&from, collateral, &size, &e) != 0)
		fail_msg("%s", e.text);
	request.collateral[0] = (struct blob){ (const uint8_t *)collateral, size, "collateral" };
	request.collateral_count = 1;
}

static void make_root(const struct tdx_bench *of)
{
	X509 *root = tdx_chain_certificate(of->made.certs, of->made.certs_size, TDX_CHAIN_ROOT);
	BIO *bio = BIO_new(BIO_s_mem());

	assert_non_null(root);
	assert_int_equal(PEM_write_bio_X509(bio, root), 1);
	int n = BIO_read(bio, root_text, sizeof(root_text));
	assert_true(n > 0);
	request.trust_root = (struct blob){ (const uint8_t *)root_text, (size_t)n, "root" };
	BIO_free(bio);
	X509_free(root);
}

/* A policy that accepts the TD's MRTD and nothing is said of other registers. */
static void make_policy(void)
{
	char text[512], mrtd[97];
	struct err e = { 0 };

	hex_encode(bench.sim.td.mrtd, 48, mrtd);
	snprintf(text, sizeof(text),
		 "{\"format\": \"pavise-policy\", \"version\": 0, "
		 "\"base\": \"recommended\", \"tee\": \"tdx\", "
		 "\"require_nonce\": false, \"tdx\": {\"mrtd\": [\"%s\"]}}", mrtd);
	if (policy_parse("policy", text, strlen(text), &policy, &e) != 0)
		fail_msg("%s", e.text);
}

static int set_up(void **state)
{
	(void)state;
	uint8_t data[64] = { 'd' }, report[TDX_WIRE_REPORT_SIZE];

	tdx_bench_make(&bench);
	tdx_bench_run(&bench);
	assert_int_equal(tdx_report_make(&bench.sim, data, report), 0);
	size_t size = tdx_quote_make(&bench.sim, report, quote);
	assert_true(size > 0);
	request = (struct request){ .kind = REQUEST_TDX, .now = time(NULL) };
	request.evidence = (struct blob){ quote, size, "quote" };
	make_policy();
	request.policy = &policy;
	make_root(&bench);
	make_collateral(request.now);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tdx_bench_free(&bench);
	return 0;
}

static enum exit_status judge(void)
{
	struct err e = { 0 };

	checks_init(&result);
	if (appraise(&request, &result, &e) != 0)
		fail_msg("%s", e.text);
	return checks_verdict(&result);
}

static const struct check *find(const char *id)
{
	static const struct check absent;

	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0)
			return &result.item[i];
	fail_msg("no check %s", id);
	return &absent;
}

static void quote_is_accepted_under_its_root(void **state)
{
	(void)state;
	enum exit_status status = judge();

	for (size_t i = 0; i < result.count; i++)
		if (result.item[i].status == CHECK_FAIL)
			fail_msg("%s: %s", result.item[i].id, result.item[i].note);
	assert_int_equal(status, EX_OK);
	assert_true(result.private_root);
	assert_int_equal(find("tdx.tcb.status")->status, CHECK_PASS);
	assert_int_equal(find("tdx.qe.identity")->status, CHECK_PASS);
	assert_int_equal(find("tdx.revocation")->status, CHECK_PASS);
	assert_int_equal(find("tdx.tcb_info")->status, CHECK_PASS);
}

static void quote_proves_nothing_without_its_root(void **state)
{
	(void)state;
	request.trust_root = (struct blob){ 0 };
	assert_int_equal(judge(), EX_REFUSED); /* as for SEV-SNP: nothing is wrong but trust */
	assert_int_equal(find("tdx.root")->failure, EX_REFUSED);
	assert_int_equal(find("tdx.tcb_info")->failure, EX_REFUSED);
	assert_int_equal(find("tdx.qe_identity")->failure, EX_REFUSED);
}

static void another_platforms_root_does_not_do(void **state)
{
	(void)state;
	struct tdx_bench other;

	tdx_bench_make(&other);
	make_root(&other);
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_int_equal(find("tdx.root")->failure, EX_UNAUTHENTIC);
	tdx_bench_free(&other);
}

static void collateral_ends(void **state)
{
	(void)state;
	make_collateral(request.now - (COLLATERAL_DAYS + 1) * DAY);
	assert_int_equal(judge(), EX_COLLATERAL);
	assert_int_equal(find("tdx.collateral")->failure, EX_COLLATERAL);
	make_collateral(request.now - (COLLATERAL_DAYS - 1) * DAY);
	assert_int_equal(judge(), EX_OK);
}

static void changed_quote_is_not_authentic(void **state)
{
	(void)state;
	quote[48 + 136] ^= 1; /* MRTD */
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_int_equal(find("tdx.signature")->failure, EX_UNAUTHENTIC);
}

/* No certificate can be shown without saying what it is. */
static void every_certificate_says_simulated(void **state)
{
	(void)state;
	ASN1_OBJECT *oid = OBJ_txt2obj(CERTIFICATE_SIMULATED_OID, 1);

	for (unsigned i = 0; i < 4; i++) {
		X509 *x = i < 3 ? tdx_chain_certificate(bench.made.certs, bench.made.certs_size, i)
				: tdx_chain_certificate(bench.made.signing,
							bench.made.signing_size, 0);
		char name[256];

		assert_non_null(x);
		assert_true(X509_get_ext_by_OBJ(x, oid, -1) >= 0);
		X509_NAME_oneline(X509_get_subject_name(x), name, sizeof(name));
		assert_non_null(strstr(name, "SIMULATED"));
		X509_NAME_oneline(X509_get_issuer_name(x), name, sizeof(name));
		assert_non_null(strstr(name, "SIMULATED"));
		X509_free(x);
	}
	assert_null(tdx_chain_certificate(bench.made.certs, bench.made.certs_size, 3));
	ASN1_OBJECT_free(oid);
}

static void foreign_key_and_chain_are_refused(void **state)
{
	(void)state;
	struct tdx_bench other;
	struct err e = { 0 };
	EVP_PKEY *pck = NULL;

	tdx_bench_make(&other);
	assert_int_equal(tdx_chain_load(other.made.pck_key, other.made.pck_key_size,
					(const uint8_t *)bench.made.certs, bench.made.certs_size,
					&pck, &e), -EX_MALFORMED);
	assert_null(pck);
	assert_int_equal(tdx_chain_load((const uint8_t *)"x", 1,
					(const uint8_t *)bench.made.certs, bench.made.certs_size,
					&pck, &e), -EX_MALFORMED);
	assert_int_equal(tdx_chain_load(bench.made.pck_key, bench.made.pck_key_size,
					(const uint8_t *)"y", 1, &pck, &e), -EX_MALFORMED);
	tdx_bench_free(&other);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(quote_is_accepted_under_its_root),
		TEST(quote_proves_nothing_without_its_root),
		TEST(another_platforms_root_does_not_do),
		TEST(collateral_ends),
		TEST(changed_quote_is_not_authentic),
		TEST(every_certificate_says_simulated),
		TEST(foreign_key_and_chain_are_refused),
	};

	return cmocka_run_group_tests_name("tdx_sim_quote", tests, NULL, NULL);
}
