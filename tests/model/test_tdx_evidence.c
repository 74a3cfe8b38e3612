/* Evidence of a trust domain on the simulated platform, from its plan to the verdict: what is
 * accepted, and every way in which it is not. */
#include "tests/model/td_world.h"

#include "attest/appraise/request.h"
#include "attest/collateral/survey.h"
#include "attest/x509/cert.h"
#include "common/bytes.h"
#include "model/tdx_sim/collateral.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEPT_VE_DISABLE (1ull << 28)
#define HEAD "{\"format\": \"pavise-policy\", \"version\": 0, \"base\": \"recommended\", "
#define TDX HEAD "\"tee\": \"tdx\", "
#define ANY_MACHINE TDX "\"plan\": \"web.plan\"}"
#define ONE_MACHINE                                                                                \
	TDX "\"plan\": \"web.plan\", \"cpus\": [1, 2], \"memory\": [\"512M\"], \"pci_slots\": [2]}"

static const struct machine machine = { .memory = 512u << 20, .cpus = 2, .pci_slots = 2 };

static struct td_world world;
static char collateral[COLLATERAL_TEXT_MAX], root[4096];
static struct policy policy;
static struct checks result;
static struct request request;
static char *json;

static void set_policy(const char *text)
{
	struct err e = { 0 };

	if (policy_parse("policy", text, strlen(text), &policy, &e) != 0)
		fail_msg("%s", e.text);
	request.policy = &policy;
}

static void give_root(void)
{
	const struct tdx_chain_made *c = &world.bench.made;
	X509 *x = tdx_chain_certificate(c->certs, c->certs_size, TDX_CHAIN_ROOT);
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	int n = BIO_read(bio, root, sizeof(root));
	assert_true(n > 0);
	request.trust_root = (struct blob){ (const uint8_t *)root, (size_t)n, "root" };
	BIO_free(bio);
	X509_free(x);
}

static void give_collateral(void)
{
	const struct tdx_chain_made *c = &world.bench.made;
	const struct tdx_collateral_from from = { .certs = c->certs,
						  .certs_size = c->certs_size,
						  .signing = c->signing,
						  .signing_size = c->signing_size,
						  .key = c->signing_key,
						  .key_size = c->signing_key_size,
						  .now = request.now };
	struct err e = { 0 };
	size_t size = 0;

	assert_int_equal(tdx_collateral_make(&from, collateral, &size, &e), 0);
	request.collateral[0] = (struct blob){ (const uint8_t *)collateral, size, "collateral" };
	request.collateral_count = 1;
}

static void start(const struct machine *m, uint64_t attributes)
{
	td_world_free(&world);
	td_world_make(&world, m, attributes);
	request = (struct request){ .kind = REQUEST_BUNDLE, .now = time(NULL) };
	request.nonce = world.nonce;
	request.nonce_size = sizeof(world.nonce);
	set_policy(ONE_MACHINE);
	give_root();
	give_collateral();
}

static int set_up(void **state)
{
	(void)state;
	start(&machine, SEPT_VE_DISABLE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	td_world_free(&world);
	free(json);
	json = NULL;
	return 0;
}

static int try_judge(struct err *e)
{
	if (request.kind == REQUEST_BUNDLE) {
		free(json);
		json = td_world_json(&world);
		request.evidence = (struct blob){ (const uint8_t *)json, strlen(json), "evidence" };
	}
	request.plan = (struct blob){ world.plan, world.plan_size, "web.plan" };
	checks_init(&result);
	return appraise(&request, &result, e);
}

static enum exit_status judge(void)
{
	struct err e = { 0 };

	if (try_judge(&e) != 0)
		fail_msg("%s", e.text);
	return checks_verdict(&result);
}

static const struct check *find(const char *id)
{
	static const struct check absent;
	const struct check *found = NULL;

	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0) {
			assert_null(found); /* a check has one outcome */
			found = &result.item[i];
		}
	if (found == NULL)
		fail_msg("no check %s", id);
	return found != NULL ? found : &absent;
}

static void assert_status(const char *id, enum check_status status)
{
	if (find(id)->status != status)
		fail_msg("%s: %s: %s", id, check_status_name(find(id)->status), find(id)->note);
}

/* The verdict, and exactly these failures ("" at the end of ids). */
static void assert_refused(enum exit_status verdict, const char *const *ids)
{
	enum exit_status have = judge();
	size_t failures = 0, told = 0;

	for (size_t i = 0; i < result.count; i++)
		failures += result.item[i].status == CHECK_FAIL;
	for (; *ids != NULL; ids++, told++)
		assert_status(*ids, CHECK_FAIL);
	for (size_t i = 0; failures != told && i < result.count; i++)
		if (result.item[i].status == CHECK_FAIL)
			print_message("%s: %s\n", result.item[i].id, result.item[i].note);
	assert_int_equal(failures, told);
	assert_int_equal(have, verdict);
}
#define REFUSED(verdict, ...) assert_refused(verdict, (const char *const[]){ __VA_ARGS__, NULL })

static void assert_affirmed(void)
{
	enum exit_status verdict = judge();

	for (size_t i = 0; i < result.count; i++)
		if (result.item[i].status == CHECK_FAIL)
			fail_msg("%s: %s", result.item[i].id, result.item[i].note);
	assert_int_equal(verdict, EX_OK);
}

/* ---- what is accepted ---- */

static void module_and_plan_agree(void **state)
{
	(void)state;
	assert_memory_equal(world.bench.sim.td.mrtd, world.measured.mrtd, MRTD_SIZE);
	assert_memory_equal(world.bench.sim.td.rtmr[0], world.expected.rtmr[0], MRTD_SIZE);
	assert_memory_equal(world.bench.sim.td.rtmr[1], world.expected.rtmr[1], MRTD_SIZE);
}

static void stated_machine_is_affirmed(void **state)
{
	(void)state;
	assert_affirmed();
	assert_true(result.private_root);
	assert_false(result.no_reference);
	assert_non_null(strstr(checks_verdict_name(&result), "simulated or private root"));
	assert_status("tee.evidence", CHECK_PASS);
	assert_status("freshness", CHECK_PASS);
	assert_status("tdx.binding", CHECK_PASS);
	assert_status("tdx.mrtd", CHECK_PASS);
	assert_status("tdx.rtmr.0", CHECK_PASS);
	assert_status("tdx.rtmr.1", CHECK_PASS);
	assert_status("tdx.rtmr.2", CHECK_SKIPPED);
	assert_status("tdx.rtmr.3", CHECK_SKIPPED);
	assert_status("reference.machine", CHECK_PASS);
	assert_string_equal(find("reference.machine")->have,
			    "cpus 2, memory 512M, pci_slots 2");
	assert_status("reference.log", CHECK_PASS);
	assert_status("log.replay.rtmr0", CHECK_PASS);
	assert_status("vtpm.present", CHECK_SKIPPED);
}

/* Nothing that the strict built-in policy asks for is missing on the simulated platform. */
static void strict_policy_can_be_met(void **state)
{
	(void)state;
	set_policy("{\"format\": \"pavise-policy\", \"version\": 0, \"base\": \"strict\", "
		   "\"tee\": \"tdx\", \"plan\": \"web.plan\"}");
	assert_affirmed();
	world.log_size = 0;
	REFUSED(EX_REFUSED, "log.form");
}

static void log_is_not_needed(void **state)
{
	(void)state;
	world.log_size = 0;
	assert_affirmed();
	assert_status("tdx.rtmr.0", CHECK_PASS);
	assert_status("reference.log", CHECK_SKIPPED);
	set_policy(ANY_MACHINE);
	assert_affirmed();
	assert_status("tdx.rtmr.0", CHECK_SKIPPED);
	assert_status("tdx.rtmr.1", CHECK_PASS);
}

/* Without a machine in the policy the host may choose it, and nothing else. */
static void any_machine_is_affirmed(void **state)
{
	(void)state;
	static const struct machine machines[] = {
		{ .memory = 512u << 20, .cpus = 2, .pci_slots = 2 },
		{ .memory = 1024u << 20, .cpus = 4, .pci_slots = 7, .no_tpm = true },
	};

	for (size_t i = 0; i < 2; i++) {
		start(&machines[i], SEPT_VE_DISABLE);
		set_policy(ANY_MACHINE);
		assert_affirmed();
		assert_status("tdx.rtmr.0", CHECK_PASS);
		assert_status("reference.machine", CHECK_SKIPPED);
		assert_status("reference.log", CHECK_PASS);
	}
}

static void machine_without_tpm_is_found(void **state)
{
	(void)state;
	start(&(struct machine){ .memory = 512u << 20, .cpus = 1, .pci_slots = 2, .no_tpm = true },
	      SEPT_VE_DISABLE);
	assert_affirmed();
	assert_string_equal(find("reference.machine")->have,
			    "cpus 1, memory 512M, pci_slots 2, no vTPM");
}

/* The same quote alone, with its log beside it. */
static void quote_alone_is_judged_by_the_plan(void **state)
{
	(void)state;
	request.kind = REQUEST_TDX;
	request.nonce = NULL;
	request.evidence = (struct blob){ world.quote, world.quote_size, "quote" };
	assert_affirmed();
	assert_status("tdx.mrtd", CHECK_PASS);
	assert_status("tdx.rtmr.0", CHECK_PASS);
	assert_status("reference.log", CHECK_SKIPPED);
	request.ccel = (struct blob){ world.log, world.log_size, "CCEL" };
	assert_affirmed();
	assert_status("reference.log", CHECK_PASS);
	td_world_other_plan(&world);
	REFUSED(EX_REFUSED, "tdx.mrtd", "tdx.rtmr.0", "tdx.rtmr.1", "reference.machine",
		"reference.log");
}

/* ---- what is refused ---- */

static void unnamed_root_is_refused(void **state)
{
	(void)state;
	request.trust_root = (struct blob){ 0 };
	REFUSED(EX_REFUSED, "tdx.root", "tdx.tcb_info", "tdx.qe_identity");
}

static void another_root_is_not_authentic(void **state)
{
	(void)state;
	struct td_world mine = world;

	memset(&world, 0, sizeof(world));
	td_world_make(&world, &machine, SEPT_VE_DISABLE);
	give_root();
	td_world_free(&world);
	world = mine;
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_int_equal(find("tdx.root")->failure, EX_UNAUTHENTIC);
}

/* `pavise collateral check`: nothing is missing under the simulated platform's own root. */
static void collateral_is_complete(void **state)
{
	static struct collateral c;
	static struct survey survey;
	const struct tdx_chain_made *made = &world.bench.made;
	X509 *x = tdx_chain_certificate(made->certs, made->certs_size, TDX_CHAIN_ROOT);
	uint8_t digest[48];
	struct collateral_trust t = { .root = digest, .now = request.now };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(cert_key_digest(x, digest), 0);
	X509_free(x);
	assert_int_equal(collateral_add(&c, "collateral", request.collateral[0].data,
					request.collateral[0].size, &e), 0);
	survey_make(&c, &t, &survey);
	assert_int_equal(survey.gaps, 0);
	assert_int_equal(survey_status(&c, &survey), EX_OK);
	assert_true(survey.private_root);
	t.root = NULL;
	survey_make(&c, &t, &survey);
	assert_int_not_equal(survey_status(&c, &survey), EX_OK);
	collateral_free(&c);
}

static void missing_collateral_is_told(void **state)
{
	(void)state;
	request.collateral_count = 0;
	REFUSED(EX_COLLATERAL, "tdx.tcb_info", "tdx.qe_identity", "tdx.tcb.status");
	request.now += (COLLATERAL_DAYS + 1) * 86400L;
	give_collateral();
	request.now += (COLLATERAL_DAYS + 1) * 86400L;
	REFUSED(EX_COLLATERAL, "tdx.collateral");
}

static void another_nonce_is_not_fresh(void **state)
{
	(void)state;
	static const uint8_t other[TD_NONCE_SIZE];

	request.nonce = other;
	REFUSED(EX_UNAUTHENTIC, "freshness");
}

/* The quote of one exchange in the evidence of another. */
static void quote_binds_nonce_and_key(void **state)
{
	(void)state;
	world.nonce[0] ^= 1;
	REFUSED(EX_UNAUTHENTIC, "tdx.binding");
	world.nonce[0] ^= 1;
	td_world_other_key(&world);
	REFUSED(EX_UNAUTHENTIC, "tdx.binding");
}

static void other_files_are_refused(void **state)
{
	(void)state;
	td_world_other_plan(&world);
	REFUSED(EX_REFUSED, "tdx.mrtd", "tdx.rtmr.0", "tdx.rtmr.1", "reference.machine",
		"reference.log");
	set_policy(ANY_MACHINE);
	REFUSED(EX_REFUSED, "tdx.mrtd", "tdx.rtmr.0", "tdx.rtmr.1", "reference.log");
	world.log_size = 0;
	REFUSED(EX_REFUSED, "tdx.mrtd", "tdx.rtmr.1");
}

static void other_machines_are_refused(void **state)
{
	(void)state;
	start(&(struct machine){ .memory = 512u << 20, .cpus = 3, .pci_slots = 2 },
	      SEPT_VE_DISABLE);
	REFUSED(EX_REFUSED, "tdx.rtmr.0", "reference.machine", "reference.log");
	assert_non_null(strstr(find("reference.log")->note, "pavise-boot-block"));
}

/* Something ran before the log was shown: it extended a register, and says so or not. */
static void further_events_are_refused(void **state)
{
	(void)state;
	struct tdx_rtmr_extend x = { .index = 0, .data = { 'x' } };

	set_policy(ANY_MACHINE);
	assert_int_equal(tdx_bench_ask(&world.bench, TDX_RTMR_EXTEND, &x, sizeof(x)), 0);
	td_world_quote(&world);
	REFUSED(EX_UNAUTHENTIC, "tdx.rtmr.0", "log.replay.rtmr0");
	struct writer w = writer_over(world.log + world.expected.log_size, 70);
	write_le32(&w, FW_CC_MR_RTMR0);
	write_le32(&w, FW_EV_IPL);
	write_le32(&w, 1);
	write_le16(&w, FW_ALG_SHA384);
	write_copy(&w, x.data, sizeof(x.data));
	write_le32(&w, 1);
	write_copy(&w, "x", 1);
	assert_false(w.bad);
	REFUSED(EX_REFUSED, "tdx.rtmr.0", "reference.log");
	assert_non_null(strstr(find("reference.log")->note, "more events"));
}

/* The two digests that are the host's choice count in the replay all the same. */
static void changed_logs_are_refused(void **state)
{
	(void)state;
	static const char *const names[] = { "pavise-boot-block", "pavise-acpi",
					     "pavise-hash-page" };

	set_policy(ANY_MACHINE);
	for (size_t i = 0; i < 3; i++) {
		uint8_t *name = memmem(world.log, world.log_size, names[i], strlen(names[i]));
		assert_non_null(name);
		name[-5] ^= 1; /* the last byte of its digest */
		assert_int_equal(judge(), EX_UNAUTHENTIC);
		assert_status("log.replay.rtmr0", CHECK_FAIL);
		assert_status("tdx.rtmr.0", CHECK_FAIL);
		assert_status("reference.log", i < 2 ? CHECK_PASS : CHECK_FAIL);
		name[-5] ^= 1;
		name[0] ^= 1; /* its text */
		REFUSED(EX_REFUSED, "tdx.rtmr.0", "reference.log");
		name[0] ^= 1;
	}
	assert_affirmed();
	world.log[0] = 9;
	assert_int_not_equal(judge(), EX_OK);
}

static void debugged_guests_are_refused(void **state)
{
	(void)state;
	start(&machine, SEPT_VE_DISABLE | 1);
	REFUSED(EX_REFUSED, "tdx.debug");
}

static void later_registers_are_the_policys(void **state)
{
	(void)state;
	static const char zeros[] = "00000000000000000000000000000000000000000000000000000000000000"
				    "0000000000000000000000000000000000";
	struct tdx_rtmr_extend x = { .index = 2, .data = { 'x' } };
	char text[512];

	snprintf(text, sizeof(text), TDX "\"plan\": \"p\", \"tdx\": {\"rtmr2\": [\"%s\"]}}", zeros);
	set_policy(text);
	assert_affirmed();
	assert_status("tdx.rtmr.2", CHECK_PASS);
	assert_int_equal(tdx_bench_ask(&world.bench, TDX_RTMR_EXTEND, &x, sizeof(x)), 0);
	td_world_quote(&world);
	REFUSED(EX_UNAUTHENTIC, "tdx.rtmr.2", "log.replay.rtmr2");
}

static void other_kinds_are_refused(void **state)
{
	(void)state;
	set_policy(HEAD "\"tee\": \"sev-snp\"}");
	REFUSED(EX_REFUSED, "tee.evidence");
	assert_string_equal(find("tee.evidence")->have, "tdx");
	set_policy(HEAD "\"require_nonce\": true}"); /* any kind, and no reference values */
	assert_affirmed();
	assert_true(result.no_reference);
	policy_built_in(POLICY_NONE, &policy);
	assert_affirmed();
	assert_true(result.only_authentic);
	request.policy = NULL;
	REFUSED(EX_REFUSED, "policy.given");
}

/* ---- what breaks its form ---- */

static void broken_evidence_is_malformed(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to;
	} table[] = {
		{ "\"quote\"", "\"report\"" },
		{ "\"cc_log\"", "\"cert_table\"" },
		{ "\"simulated\"", "\"software\"" },
		{ "\"tdx\"", "\"tdy\"" },
		{ "\"tdx\"", "\"none\"" },
		{ "\"tdx\"", "\"sev-snp\"" },
		{ "\"quote\":\"", "\"quote\":\"!" },
	};
	static char text[1 << 20];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *whole = td_world_json(&world), *at = strstr(whole, table[i].from);
		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - whole), whole, table[i].to,
			 at + strlen(table[i].from));
		free(whole);
		request.evidence = (struct blob){ (uint8_t *)text, strlen(text), "evidence" };
		struct err e = { 0 };
		checks_init(&result);
		assert_int_equal(appraise(&request, &result, &e), 0);
		if (checks_verdict(&result) != EX_MALFORMED)
			fail_msg("case %zu", i);
		assert_status("evidence.form", CHECK_FAIL);
	}
	world.quote_size = 100;
	REFUSED(EX_MALFORMED, "tdx.form");
}

static void broken_policies_are_malformed(void **state)
{
	(void)state;
	static const char *const table[] = {
		TDX "\"plan\": \"p\", \"tdx\": {\"mrtd\": [\"%s\"]}}",
		TDX "\"plan\": \"p\", \"tdx\": {\"rtmr0\": [\"%s\"]}}",
		TDX "\"plan\": \"p\", \"tdx\": {\"rtmr1\": [\"%s\"]}}",
		TDX "\"plan\": \"p\", \"references\": \"r\", \"references_key\": \"%s\"}",
		TDX "\"cpus\": [1]}",
		TDX "\"plan\": \"p\", \"cpus\": [1]}",
		TDX "\"plan\": \"p\", \"cpus\": [1], \"memory\": [\"1G\"]}",
		TDX "\"plan\": \"p\", \"banks\": [\"sha256\"]}",
		TDX "\"plan\": \"\"}",
	};
	char digest[97], text[1024];

	memset(digest, '0', 96);
	digest[96] = '\0';
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct err e = { 0 };
		const char *at = strstr(table[i], "%s");

		snprintf(text, sizeof(text), "%.*s%s%s",
			 at != NULL ? (int)(at - table[i]) : (int)strlen(table[i]), table[i],
			 at != NULL ? digest : "", at != NULL ? at + 2 : "");
		if (policy_parse("policy", text, strlen(text), &policy, &e) != -EX_MALFORMED)
			fail_msg("case %zu", i);
	}
}

/* A mistake of the policy, not of the evidence. */
static void impossible_machines_are_malformed(void **state)
{
	(void)state;
	struct err e = { 0 };

	set_policy(TDX "\"plan\": \"p\", \"cpus\": [5], \"memory\": [\"512M\"], "
		       "\"pci_slots\": [2]}");
	assert_int_equal(try_judge(&e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "cpus"));
	set_policy(ANY_MACHINE);
	world.plan[0] ^= 1;
	assert_int_equal(try_judge(&e), -EX_MALFORMED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(module_and_plan_agree),
		TEST(stated_machine_is_affirmed),
		TEST(strict_policy_can_be_met),
		TEST(log_is_not_needed),
		TEST(any_machine_is_affirmed),
		TEST(machine_without_tpm_is_found),
		TEST(quote_alone_is_judged_by_the_plan),
		TEST(unnamed_root_is_refused),
		TEST(another_root_is_not_authentic),
		TEST(collateral_is_complete),
		TEST(missing_collateral_is_told),
		TEST(another_nonce_is_not_fresh),
		TEST(quote_binds_nonce_and_key),
		TEST(other_files_are_refused),
		TEST(other_machines_are_refused),
		TEST(further_events_are_refused),
		TEST(changed_logs_are_refused),
		TEST(debugged_guests_are_refused),
		TEST(later_registers_are_the_policys),
		TEST(other_kinds_are_refused),
		TEST(broken_evidence_is_malformed),
		TEST(broken_policies_are_malformed),
		TEST(impossible_machines_are_malformed),
	};

	return cmocka_run_group_tests_name("tdx_evidence", tests, NULL, NULL);
}
