/* The platform under a TDX quote, judged by TCB info and QE identity of a made-up Intel: what is
 * proven, of this platform, in date; each status against what the policy accepts. */
#include "tests/unit/fake_tcb.h"
#include "tests/unit/tdx_judge.h"

#include "attest/tdx/tcb_info.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY 86400l

static struct collateral collateral;
static struct fake_tcb tcb;
static struct fake_qe qe;
static EVP_PKEY *signer_key;
static struct fake_tdx_how signer;

static void add(const char *name, const void *data, size_t size)
{
	struct err e = { 0 };

	if (collateral_add(&collateral, name, data, size, &e) != 0)
		fail_msg("%s: %s", name, e.text);
	given.collateral = &collateral;
}

static void drop(void)
{
	collateral_free(&collateral);
	given.collateral = NULL;
}

static void add_cert(X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	assert_true(n > 0);
	add("certificate", der, (size_t)n);
	OPENSSL_free(der);
}

static void add_chain(void)
{
	X509 *cert = fake_tdx_cert(&signer);

	add_cert(cert);
	add_cert(tdx.chain.cert[TDX_ROLE_ROOT]);
	X509_free(cert);
}

static void add_tcb(void)
{
	static char body[FAKE_TCB_TEXT], text[FAKE_TCB_TEXT + 256];

	fake_tcb_info(&tcb, body, sizeof(body));
	add("tcb.json", text, fake_signed("tcbInfo", body, signer_key, text, sizeof(text)));
}

static void add_qe(void)
{
	static char body[FAKE_TCB_TEXT], text[FAKE_TCB_TEXT + 256];

	fake_qe_identity(&qe, body, sizeof(body));
	add("qe.json", text, fake_signed("enclaveIdentity", body, signer_key, text, sizeof(text)));
}

static void renew(void)
{
	drop();
	add_chain();
	add_tcb();
	add_qe();
}

static struct fake_tdx_how how_signer(void)
{
	struct fake_tdx_how how = fake_tdx_how(&tdx, TDX_ROLE_PCK);

	how.subject = "Intel SGX TCB Signing";
	how.issuer = "Test Root CA";
	how.key = signer_key;
	how.issuer_key = tdx.key[TDX_ROLE_ROOT];
	how.serial = 200;
	how.is_pck = false;
	return how;
}

/* A platform that is UpToDate in all three. */
static int set_up(void **state)
{
	tdx_judge_set_up(state);
	policy.require_collateral = true;
	signer_key = EVP_EC_gen("P-256");
	signer = how_signer();
	tcb = fake_tcb();
	qe = fake_qe();
	tcb.fmspc = "B0C06F000000";
	for (unsigned i = 0; i < 16; i++) {
		tcb.level[0].sgx[i] = (uint8_t)(i * 17); /* just the PCK's */
		tcb.level[1].sgx[i] = 0;
	}
	tcb.level[0].pce_svn = 11;
	memcpy(tcb.level[0].tdx, "\7\0\3", 3); /* of TEE_TCB_SVN 6, 1, 3 only the last counts */
	memcpy(tcb.level[1].tdx, "\0\0\0", 3);
	memset(tdx.qe_report + 128, 0x11, 32); /* MRSIGNER of fake_qe_identity() */
	tdx.qe_report[48] = 0x11;	       /* ATTRIBUTES */
	fake_tdx_sign(&tdx);
	renew();
	return 0;
}

static int tear_down(void **state)
{
	drop();
	EVP_PKEY_free(signer_key);
	return tdx_judge_tear_down(state);
}

static void good_is_taken(void **state)
{
	(void)state;
	enum exit_status v = judge();

	for (size_t n = 0; n < result.count; n++)
		if (result.item[n].status == CHECK_FAIL)
			print_message("%s: %s\n", result.item[n].id, result.item[n].note);
	assert_int_equal(v, EX_OK);
	assert_string_equal(find("tdx.tcb.status")->have, "UpToDate");
	assert_string_equal(claim("tdx.tcb.status"), "UpToDate");
	assert_string_equal(claim("tdx.tcb.module"), "UpToDate");
	assert_string_equal(claim("tdx.tcb.evaluation"), "17");
	given.policy = NULL; /* none: proven and claimed, not judged */
	assert_int_equal(judge(), EX_OK);
	assert_passes("tdx.tcb_info");
	assert_passes("tdx.qe.identity");
	assert_skipped("tdx.tcb.status");
	assert_string_equal(claim("tdx.tcb.status"), "UpToDate");
}

static void words_are_intels(void **state)
{
	(void)state;
	for (unsigned i = 0; tdx_status_words[i] != NULL; i++)
		assert_string_equal(tdx_status_words[i], tcb_status_names[i]);
	assert_string_equal(tcb_status_names[8], "Revoked"); /* which no policy can name */
}

static void missing_parts(void **state)
{
	(void)state;
	drop();
	add_chain();
	add_qe();
	judge();
	assert_fails("tdx.tcb_info", EX_COLLATERAL);
	assert_fails("tdx.tcb.status", EX_COLLATERAL);
	assert_passes("tdx.qe.identity");
	drop();
	add_chain();
	add_tcb();
	judge();
	assert_fails("tdx.qe_identity", EX_COLLATERAL);
	assert_fails("tdx.tcb.status", EX_COLLATERAL);
	policy.require_collateral = false;
	assert_int_equal(judge(), EX_OK); /* what is there is judged */
	assert_string_equal(find("tdx.tcb.platform")->have, "UpToDate");
	assert_skipped("tdx.tcb.qe");
	policy.require_collateral = true;
	drop();
	add_tcb();
	add_qe(); /* nobody who signed */
	judge();
	assert_fails("tdx.tcb_info", EX_COLLATERAL);
	assert_fails("tdx.qe_identity", EX_COLLATERAL);
	policy.require_collateral = false;
	assert_int_equal(judge(), EX_OK); /* not demanded, and what is unproven says nothing */
	assert_skipped("tdx.tcb_info");
	assert_skipped("tdx.qe_identity");
	assert_skipped("tdx.tcb.status");
}

static void other_platform(void **state)
{
	(void)state;
	tcb.fmspc = "00906ED50000";
	renew();
	judge();
	assert_fails("tdx.tcb_info", EX_COLLATERAL);
	assert_string_equal(find("tdx.tcb_info")->need, "b0c06f000000");
	tcb.fmspc = "B0C06F000000"; /* beside the right one it does no harm */
	add_tcb();
	assert_int_equal(judge(), EX_OK);
}

static void other_signers(void **state)
{
	(void)state;
	EVP_PKEY *own = signer_key, *other = EVP_EC_gen("P-256");

	/* A key that no certificate has. */
	drop();
	add_chain();
	signer_key = other;
	add_tcb();
	add_qe();
	signer_key = own;
	judge();
	assert_fails("tdx.tcb_info", EX_UNAUTHENTIC);
	assert_fails("tdx.qe_identity", EX_UNAUTHENTIC);
	assert_skipped("tdx.qe.identity");
	/* A certificate of the right name that the root has not signed. */
	signer.issuer_key = other;
	renew();
	judge();
	assert_fails("tdx.tcb_info", EX_UNAUTHENTIC);
	/* The platform's own PCK may not speak of platforms. */
	signer = how_signer();
	signer.subject = "Test PCK Certificate";
	renew();
	assert_int_not_equal(judge(), EX_OK);
	assert_int_equal(find("tdx.tcb_info")->status, CHECK_FAIL);
	/* Another root altogether, as good as it looks. */
	struct fake_tdx_how root = fake_tdx_how(&tdx, TDX_ROLE_ROOT);
	root.key = root.issuer_key = other;
	X509 *fake_root = fake_tdx_cert(&root);
	signer = how_signer();
	signer.issuer_key = other;
	X509 *cert = fake_tdx_cert(&signer);
	drop();
	add_cert(cert);
	add_cert(fake_root);
	add_tcb();
	add_qe();
	judge();
	assert_fails("tdx.tcb_info", EX_UNAUTHENTIC);
	given.policy = NULL;
	judge();
	assert_fails("tdx.tcb_info", EX_UNAUTHENTIC);
	X509_free(cert);
	X509_free(fake_root);
	EVP_PKEY_free(other);
}

static void signer_revoked(void **state)
{
	(void)state;
	size_t size;
	unsigned char *der = fake_tdx_crl(&tdx, TDX_ROLE_ROOT, tdx.key[TDX_ROLE_ROOT], 200, -DAY,
					  30 * DAY, &size);

	add("root.crl", der, size);
	judge();
	assert_fails("tdx.tcb_info", EX_UNAUTHENTIC);
	assert_fails("tdx.qe_identity", EX_UNAUTHENTIC);
	OPENSSL_free(der);
}

static void dates(void **state)
{
	(void)state;
	given.now = FAKE_TDX_NOW + 30 * DAY; /* after 2027-02-01 */
	assert_only("tdx.collateral", EX_COLLATERAL);
	given.now = FAKE_TDX_NOW - 30 * DAY;
	assert_only("tdx.collateral", EX_COLLATERAL);
	given.policy = NULL;
	assert_only("tdx.collateral", EX_COLLATERAL);
	given.policy = &policy;
	policy.require_collateral = false;
	assert_int_equal(judge(), EX_OK);
	assert_skipped("tdx.collateral");
	policy.require_collateral = true;
	given.now = FAKE_TDX_NOW;
	qe.next = "2027-01-10T00:00:00Z"; /* one of the two */
	renew();
	assert_only("tdx.collateral", EX_COLLATERAL);
	qe.next = NULL;
	signer.to = -DAY;
	renew();
	assert_only("tdx.collateral", EX_COLLATERAL);
}

/* The level that the platform meets gets every status in turn. */
static void statuses(void **state)
{
	(void)state;
	policy.tcb_status.set = 0;
	assert_int_equal(judge(), EX_REFUSED);
	for (unsigned i = 0; i < TCB_REVOKED; i++) {
		if (i == TCB_TD_RELAUNCH_ADVISED ||
		    i == TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED)
			continue; /* follows from others, no level says it */
		tcb.level[0].status = tcb_status_names[i];
		renew();
		policy.tcb_status.set = 1u << i | 1; /* module and QE are UpToDate */
		assert_int_equal(judge(), EX_OK);
		assert_string_equal(find("tdx.tcb.status")->have, tcb_status_names[i]);
		policy.tcb_status.set = ~(1u << i);
		assert_int_equal(judge(), EX_REFUSED);
		assert_fails("tdx.tcb.platform", EX_REFUSED);
		assert_fails("tdx.tcb.status", EX_REFUSED);
	}
	tcb.level[0].status = "Revoked";
	renew();
	policy.tcb_status.set = ~0u;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("tdx.tcb.status", EX_REFUSED);
	tcb.levels = 1; /* and no level at all */
	tcb.level[0].pce_svn = 12;
	renew();
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("tdx.tcb.status", EX_REFUSED);
}

static void bases(void **state)
{
	(void)state;
	static const struct {
		const char *status;
		bool strict, recommended;
	} rows[] = { { "UpToDate", true, true },
		     { "SWHardeningNeeded", false, true },
		     { "ConfigurationNeeded", false, false },
		     { "OutOfDate", false, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tcb.level[0].status = rows[i].status;
		renew();
		policy_tdx_base(POLICY_STRICT, &policy);
		judge();
		assert_int_equal(find("tdx.tcb.status")->status,
				 rows[i].strict ? CHECK_PASS : CHECK_FAIL);
		policy_tdx_base(POLICY_RECOMMENDED, &policy);
		judge();
		assert_int_equal(find("tdx.tcb.status")->status,
				 rows[i].recommended ? CHECK_PASS : CHECK_FAIL);
		policy_tdx_base(POLICY_PERMISSIVE, &policy);
		judge();
		assert_passes("tdx.tcb.status");
	}
}

/* Each of the three parts drags the whole down, and nothing makes up for it. */
static void parts_converge(void **state)
{
	(void)state;
	tcb.level[0].pce_svn = 12; /* the platform meets the second level only */
	renew();
	judge();
	assert_fails("tdx.tcb.platform", EX_REFUSED);
	assert_passes("tdx.tcb.module");
	assert_passes("tdx.tcb.qe");
	assert_fails("tdx.tcb.status", EX_REFUSED);
	assert_string_equal(find("tdx.tcb.status")->have, "OutOfDate");
	assert_string_equal(find("tdx.tcb.status")->component, "platform");
	assert_non_null(strstr(find("tdx.tcb.status")->note, "PCE SVN: have 11, need 12"));
	assert_non_null(strstr(find("tdx.tcb.status")->advisory, "TEST-SA-1"));
	assert_true(find("tdx.tcb.status")->next[0] != '\0');
	tcb.level[0].pce_svn = 11;
	tcb.module[0].svn = 7;
	renew();
	judge();
	assert_passes("tdx.tcb.platform");
	assert_fails("tdx.tcb.module", EX_REFUSED);
	assert_fails("tdx.tcb.status", EX_REFUSED);
	assert_string_equal(find("tdx.tcb.status")->component, "module");
	tcb.module[0].svn = 5;
	qe.level[0].svn = 5;
	renew();
	judge();
	assert_fails("tdx.tcb.qe", EX_REFUSED);
	assert_fails("tdx.tcb.status", EX_REFUSED);
	assert_string_equal(find("tdx.tcb.status")->component, "qe");
	assert_non_null(strstr(find("tdx.tcb.status")->advisory, "TEST-SA-4"));
}

static void quoting_enclave(void **state)
{
	(void)state;
	static const unsigned at[] = { 16, 48, 128, 256 }; /* MISCSELECT … ISVPRODID */

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		tdx.qe_report[at[i]] ^= 1;
		fake_tdx_sign(&tdx);
		assert_only("tdx.qe.identity", EX_UNAUTHENTIC);
		given.policy = NULL;
		assert_only("tdx.qe.identity", EX_UNAUTHENTIC);
		given.policy = &policy;
		tdx.qe_report[at[i]] ^= 1;
	}
}

static void module_identity(void **state)
{
	(void)state;
	sign_body(FAKE_TDX_MRSIGNERSEAM, "\1", 1);
	assert_only("tdx.module", EX_UNAUTHENTIC);
	sign_body(FAKE_TDX_MRSIGNERSEAM, "\0", 1);
	sign_body(FAKE_TDX_SEAM_ATTRIBUTES + 7, "\x80", 1);
	assert_only("tdx.module", EX_UNAUTHENTIC);
	sign_body(FAKE_TDX_SEAM_ATTRIBUTES + 7, "\0", 1);
	tcb.module_id = "TDX_03"; /* of another major version only */
	renew();
	judge();
	assert_fails("tdx.module", EX_COLLATERAL);
}

static void minimums(void **state)
{
	(void)state;
	policy.min_tcb_evaluation = 17;
	assert_int_equal(judge(), EX_OK);
	assert_passes("tdx.tcb.evaluation");
	policy.min_tcb_evaluation = 18;
	assert_only("tdx.tcb.evaluation", EX_COLLATERAL);
	policy.min_tcb_evaluation = 0;
	policy.min_tcb_date.given = true;
	policy.min_tcb_date.value = 1780272000; /* 2026-06-01, the levels' */
	assert_int_equal(judge(), EX_OK);
	assert_passes("tdx.tcb.date");
	policy.min_tcb_date.value++;
	assert_only("tdx.tcb.date", EX_REFUSED);
}

static void unreadable(void **state)
{
	(void)state;
	struct err fault = { 0 };

	err_set(&fault, EX_MALFORMED, "x.json: cut");
	given.collateral_error = &fault;
	assert_only("tdx.collateral", EX_MALFORMED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_is_taken),  TEST(words_are_intels), TEST(missing_parts),
		TEST(other_platform), TEST(other_signers),    TEST(signer_revoked),
		TEST(dates),	      TEST(statuses),	      TEST(bases),
		TEST(parts_converge), TEST(quoting_enclave),  TEST(module_identity),
		TEST(minimums),	      TEST(unreadable),
	};

	return cmocka_run_group_tests_name("tdx_platform", tests, NULL, NULL);
}
