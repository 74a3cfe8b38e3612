/* Appraisal of an SEV-SNP guest's evidence: report, certificates, agent key and a host's vTPM. */
#include "tests/unit/fake_snp_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LABEL "host-vtpm (untrusted by the guest owner): "

static struct fake_snp_world *world, *pristine;
static struct checks result;
static uint8_t nonce[32];

static int set_up(void **state)
{
	(void)state;
	world = calloc(1, sizeof(*world));
	pristine = calloc(1, sizeof(*pristine));
	if (world == NULL || pristine == NULL)
		return -1;
	fake_snp_world_make(world);
	memcpy(pristine, world, sizeof(*world));
	memset(nonce, 'n', sizeof(nonce));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_snp_world_free(world);
	free(world);
	free(pristine);
	return 0;
}

static int renew(void **state)
{
	(void)state;
	memcpy(world, pristine, sizeof(*world));
	return 0;
}

static enum exit_status judge(void)
{
	return fake_snp_world_judge(world, &world->plain.policy, nonce, sizeof(nonce), &result);
}

static const struct check *find(const char *id)
{
	static const struct check absent;

	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0)
			return &result.item[i];
	fail_msg("check %s is not in the result", id);
	return &absent;
}

static void assert_fails(const char *id, enum exit_status failure)
{
	const struct check *k = find(id);

	assert_int_equal(k->status, CHECK_FAIL);
	assert_int_equal(k->failure, failure);
}

static void good_is_affirmed(void **state)
{
	(void)state;
	enum exit_status v = judge();

	for (size_t i = 0; i < result.count; i++)
		if (result.item[i].status == CHECK_FAIL)
			print_message("%s: %s\n", result.item[i].id, result.item[i].note);
	assert_int_equal(v, EX_OK);
	assert_string_equal(checks_verdict_name(&result), "affirming (simulated or private root)");
	assert_int_equal(find("snp.binding")->status, CHECK_PASS);
	assert_int_equal(find("quote.signature")->status, CHECK_PASS);
	assert_int_equal(find("reference.pcrs")->status, CHECK_SKIPPED);
	assert_non_null(strstr(find("tee.evidence")->note, "simulated"));
}

static void root_must_be_trusted(void **state)
{
	(void)state;
	world->trust_root = NULL;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("snp.root", EX_REFUSED);
	world->trust_root = world->chip.ask; /* any other */
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_fails("snp.root", EX_UNAUTHENTIC);
}

/* One changed bit in any byte: never affirmed. */
static void flip_each(const char *what, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8);
		p[i] ^= bit;
		enum exit_status v = judge();
		p[i] ^= bit;
		if (v == EX_OK || v > EX_COLLATERAL)
			fail_msg("%s byte %zu flipped: verdict %d", what, i, (int)v);
	}
	assert_int_equal(judge(), EX_OK);
}

static void every_byte_counts(void **state)
{
	(void)state;
	struct evidence *ev = &world->plain.evidence;

	flip_each("report", ev->report, ev->report_size);
	flip_each("certificate table", ev->cert_table, ev->cert_table_size);
	flip_each("nonce", ev->nonce, ev->nonce_size);
	flip_each("agent key", ev->public_key, ev->public_key_size);
	flip_each("ak", ev->ak_public, ev->ak_public_size);
	flip_each("quote", ev->quote, ev->quote_size);
}

static void cut_anywhere(void **state)
{
	(void)state;
	struct evidence *ev = &world->plain.evidence;

	for (size_t n = 0; n < SNP_REPORT_SIZE; n += 37) {
		ev->report_size = n;
		assert_int_equal(judge(), EX_MALFORMED);
	}
	ev->report_size = SNP_REPORT_SIZE;
	for (size_t n = 0; n < world->chip.table_size; n += 37) {
		ev->cert_table_size = n;
		enum exit_status v = judge();
		assert_true(v == (n == 0 ? EX_COLLATERAL : EX_MALFORMED));
	}
}

/* The same report for another nonce, agent key or vTPM. */
static void replayed(void **state)
{
	(void)state;
	struct evidence *ev = &world->plain.evidence;

	memset(ev->nonce, 'o', 32);
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_fails("freshness", EX_UNAUTHENTIC);
	assert_fails("snp.binding", EX_UNAUTHENTIC);
	renew(NULL);
	ev->has_vtpm = false; /* the vTPM left out */
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_fails("snp.binding", EX_UNAUTHENTIC);
	fake_snp_world_sign(world);
	assert_int_equal(judge(), EX_OK);
	assert_int_equal(find("vtpm.present")->status, CHECK_SKIPPED);
}

/* Nothing that the host's vTPM says makes up for the report, everything it says is labelled. */
static void host_vtpm(void **state)
{
	(void)state;
	struct evidence *ev = &world->plain.evidence;

	world->plain.policy.snp.measurements.value[0][0] ^= 1;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("snp.measurement", EX_REFUSED);
	assert_int_equal(find("quote.pcr_digest")->status, CHECK_PASS);
	unsigned labelled = 0;
	for (size_t i = 0; i < result.count; i++) {
		const char *id = result.item[i].id;
		bool vtpm = strncmp(id, "vtpm.", 5) == 0 || strncmp(id, "ak.", 3) == 0 ||
			    strncmp(id, "quote.", 6) == 0 || strncmp(id, "log.", 4) == 0 ||
			    strncmp(id, "reference.", 10) == 0;
		bool label = strncmp(result.item[i].note, LABEL, strlen(LABEL)) == 0;
		assert_int_equal(vtpm, label);
		labelled += label;
	}
	assert_true(labelled >= 14);
	renew(NULL);
	/* Other PCR values, well quoted: the log does not lead to them, and that counts. */
	ev->pcrs[0].value[0][0] ^= 1;
	fake_world_sign(&world->plain);
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_fails("log.replay.sha256.0", EX_UNAUTHENTIC);
}

static void kinds_of_machine(void **state)
{
	(void)state;
	struct policy snp = world->plain.policy;
	struct policy plain = { .has_plan = true,
				.cpus = { 2 },
				.cpus_count = 1,
				.pci_slots = { 2 },
				.pci_slots_count = 1,
				.memory = { 512u << 20 },
				.memory_count = 1,
				.bank = { true, true } };

	/* A policy of plain machines says nothing of a measurement. */
	world->plain.policy = plain;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("tee.evidence", EX_REFUSED);
	assert_int_equal(find("snp.measurement")->status, CHECK_SKIPPED);
	/* A vTPM's word alone, where a report is wanted. */
	world->plain.evidence.tee = EVIDENCE_PLAIN;
	assert_int_equal(judge(), EX_OK);
	world->plain.policy = snp;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("tee.evidence", EX_REFUSED);
	world->plain.policy.has_plan = true;
	assert_int_equal(judge(), EX_REFUSED);
}

static void no_policy(void **state)
{
	(void)state;
	assert_int_equal(fake_snp_world_judge(world, NULL, nonce, sizeof(nonce), &result),
			 EX_REFUSED);
	assert_fails("policy.given", EX_REFUSED);
	assert_int_equal(find("snp.signature")->status, CHECK_PASS);
	assert_int_equal(fake_snp_world_judge(world, &world->plain.policy, NULL, 0, &result),
			 EX_REFUSED);
	assert_fails("freshness", EX_REFUSED);
}

static void debug_is_refused(void **state)
{
	(void)state;
	world->chip.report[0x0A] |= 0x08;
	fake_snp_world_sign(world);
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("snp.debug", EX_REFUSED);
	world->plain.policy.snp.allow_debug = true;
	assert_int_equal(judge(), EX_OK);
}

/* Through JSON and back; a replaced character is never affirmed. But for the host's: its claims,
 * and what no digest covers of its log (which log.* judge, and tests of plain machines compare). */
static void json_round_trip(void **state)
{
	(void)state;
	char *text = fake_snp_world_json(world);
	size_t size = strlen(text);
	struct evidence *back = calloc(1, sizeof(*back));
	struct err e = { 0 };

	assert_non_null(back);
	assert_int_equal(evidence_parse("text", text, size, back, &e), 0);
	assert_memory_equal(back->report, world->plain.evidence.report, EVIDENCE_PART_MAX);
	assert_memory_equal(back->cert_table, world->plain.evidence.cert_table, EVIDENCE_TABLE_MAX);
	assert_string_equal(back->tee_provider, "simulated");
	const char *log = strstr(text, "\"event_log\"");
	assert_non_null(log);
	size = (size_t)(log - text);
	for (size_t i = 0; i < size; i += 11) {
		char old = text[i];
		text[i] = old == 'A' ? 'B' : 'A';
		e = (struct err){ 0 };
		if (evidence_parse("text", text, strlen(text), back, &e) == 0) {
			memcpy(&world->plain.evidence, back, sizeof(*back));
			bool same = memcmp(back, &pristine->plain.evidence,
					   offsetof(struct evidence, claim_vm)) == 0;
			if (judge() == EX_OK && !same)
				fail_msg("character %zu ('%c') changed: affirmed", i, old);
		} else {
			assert_int_equal(e.status, EX_MALFORMED);
		}
		text[i] = old;
	}
	free(back);
	free(text);
}

#define HEX48                                                                                      \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabb" \
	"ccddeeff"
#define HEAD "{\"format\":\"pavise-policy\",\"version\":0,\"tee\":\"sev-snp\","
#define LIST "\"measurements\":[\"" HEX48 "\"]"

static int parse(const char *text, struct policy *p)
{
	struct err e = { 0 };

	return policy_parse("policy", text, strlen(text), p, &e);
}

static void policy_text(void **state)
{
	(void)state;
	static struct policy p;
	static const char *const bad[] = {
		HEAD "\"snp\":{}}",
		HEAD "\"plan\":\"p\"}",
		HEAD "\"plan\":\"p\",\"snp\":{" LIST "}}",
		HEAD "\"plan\":\"p\",\"snp\":{},\"banks\":[\"sha256\"]}",
		HEAD "\"plan\":\"p\",\"snp\":{},\"reference\":{}}",
		HEAD "\"plan\":\"\",\"snp\":{}}",
		HEAD "\"snp\":{" LIST ",\"allow_debgu\":false}}",
		HEAD "\"snp\":{" LIST ",\"allow_debug\":0}}",
		HEAD "\"snp\":{" LIST ",\"vmpl\":4}}",
		HEAD "\"snp\":{" LIST ",\"vmpl\":-1}}",
		HEAD "\"snp\":{" LIST ",\"host_data\":\"00\"}}",
		HEAD "\"snp\":{" LIST ",\"min_guest_svn\":4294967296}}",
		HEAD "\"snp\":{" LIST ",\"min_tcb\":{\"snp\":256}}}",
		HEAD "\"snp\":{" LIST ",\"min_tcb\":{\"ucode\":1}}}",
		HEAD "\"snp\":{" LIST ",\"min_tcb\":{\"spl4\":1}}}",
		HEAD "\"snp\":{" LIST ",\"min_tcb\":[1]}}",
		HEAD "\"snp\":{\"measurements\":[]}}",
		HEAD "\"snp\":{\"measurements\":[\"00\"]}}",
		HEAD "\"snp\":{" LIST ",\"id_key_digests\":[1]}}",
		HEAD "\"snp\":{" LIST "," LIST "}}",
		"{\"format\":\"pavise-policy\",\"version\":0,\"tee\":\"none\",\"plan\":\"p\","
		"\"cpus\":[1],\"memory\":[\"64M\"],\"pci_slots\":[1],\"banks\":[\"sha256\"],"
		"\"snp\":{}}",
		"{\"format\":\"pavise-policy\",\"version\":0,\"tee\":\"tdx\",\"snp\":{" LIST "}}",
		"{\"format\":\"pavise-policy\",\"version\":0,\"tee\":\"sgx\",\"snp\":{" LIST "}}",
	};

	assert_int_equal(parse(HEAD "\"snp\":{" LIST "}}", &p), 0);
	assert_int_equal(p.tee, EVIDENCE_SNP);
	assert_true(p.require_nonce && p.snp.allow_smt);
	assert_false(p.snp.allow_debug || p.snp.allow_migration || p.snp.host_data.given);
	assert_true(p.snp.vmpl.given && p.snp.vmpl.value == 0);
	assert_int_equal(p.snp.measurements.count, 1);
	assert_int_equal(p.snp.measurements.value[0][1], 0x11);
	assert_int_equal(parse(HEAD "\"plan\":\"web.plan\",\"require_nonce\":false,\"snp\":{"
				    "\"allow_debug\":true,\"allow_migration\":true,"
				    "\"allow_smt\":false,\"vmpl\":3,\"min_guest_svn\":7,"
				    "\"min_tcb\":{\"fmc\":0,\"microcode\":255}}}",
			       &p),
			 0);
	assert_true(p.has_plan && p.snp.allow_debug && p.snp.allow_migration);
	assert_false(p.snp.allow_smt || p.require_nonce);
	assert_true(p.snp.vmpl.given && p.snp.vmpl.value == 3);
	assert_int_equal(p.snp.min_guest_svn, 7);
	assert_int_equal(p.snp.min_tcb.given, 1u << SNP_FMC | 1u << SNP_MICROCODE);
	assert_int_equal(p.snp.min_tcb.value[SNP_MICROCODE], 255);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], &p) != -EX_MALFORMED)
			fail_msg("taken: %s", bad[i]);
}

#define HEX32 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Every key of the section, with another value than the base's. */
static void policy_keys(void **state)
{
	(void)state;
	static struct policy p;
	static const char *const bad[] = {
		"\"products\":[\"venice\"]",
		"\"denied_products\":\"milan\"",
		"\"chip_ids\":[\"0011223344556677\"]",
		"\"signing_keys\":[\"ark\"]",
		"\"providers\":[\"\"]",
		"\"providers\":[1]",
		"\"providers\":[]",
		"\"min_tcb_current\":{\"spl4\":1}",
		"\"min_firmware\":\"1.55\"",
		"\"min_firmware\":{\"major\":256}",
		"\"min_guest_abi\":{\"build\":1}",
		"\"launch_mitigations\":3",
		"\"current_mitigations\":\"3\"",
		"\"require_platform\":[\"bit6\"]",
		"\"forbid_guest_policy\":[\"tsme\"]",
		"\"family_id\":\"00\"",
		"\"migration_agents\":[\"00\"]",
		"\"allow_provisional\":1",
		"\"require_revocation\":\"yes\"",
	};
	char text[1024];

	assert_int_equal(
		parse(HEAD
		      "\"base\":\"strict\",\"snp\":{" LIST ",\"require_revocation\":false,"
		      "\"allow_expired\":true,\"products\":[\"turin\"],"
		      "\"denied_products\":[\"milan\",\"genoa\"],"
		      "\"chip_ids\":[\"" HEX32 HEX32 "\"],\"signing_keys\":[\"vlek\"],"
		      "\"providers\":[\"CN=a.example\",\"CN=b.example\"],"
		      "\"min_tcb_reported\":{\"snp\":1},\"min_tcb_launch\":{\"tee\":2},"
		      "\"min_tcb_committed\":{\"fmc\":3},\"min_tcb_current\":"
		      "{\"bootloader\":4},\"min_firmware\":{\"major\":1,\"build\":39},"
		      "\"min_committed_firmware\":{\"minor\":55},\"allow_provisional\":true,"
		      "\"launch_mitigations\":\"0x8000000000000001\","
		      "\"current_mitigations\":\"0xB\","
		      "\"require_platform\":[\"ecc\",\"sev_tio\"],\"forbid_platform\":[\"smt\"],"
		      "\"require_guest_policy\":[\"page_swap_disable\"],"
		      "\"forbid_guest_policy\":[\"smt\"],\"min_guest_abi\":{\"major\":1},"
		      "\"migration_agents\":[\"" HEX32 "\"],\"vmpl\":null,"
		      "\"family_id\":\"00112233445566778899aabbccddeeff\","
		      "\"image_id\":\"00112233445566778899aabbccddeeff\"}}",
		      &p),
		0);
	const struct snp_policy *s = &p.snp;
	assert_true(s->require_measurement && s->allow_expired && s->allow_provisional);
	assert_false(s->require_revocation || s->allow_smt || s->vmpl.given);
	assert_int_equal(s->products.set, 1u << (SNP_TURIN - SNP_MILAN));
	assert_int_equal(s->denied_products.set, 3);
	assert_int_equal(s->signing_keys.set, 1u << SNP_KEY_VLEK);
	assert_int_equal(s->chip_ids.value[0][63], 0xff);
	assert_int_equal(s->providers.count, 2);
	assert_string_equal(s->providers.value[1], "CN=b.example");
	assert_int_equal(s->min_of[SNP_TCB_REPORTED].value[SNP_SNP], 1);
	assert_int_equal(s->min_of[SNP_TCB_LAUNCH].value[SNP_TEE], 2);
	assert_int_equal(s->min_of[SNP_TCB_COMMITTED].value[SNP_FMC], 3);
	assert_int_equal(s->min_of[SNP_TCB_CURRENT].value[SNP_BOOTLOADER], 4);
	assert_int_equal(s->min_firmware.value[SNP_VERSION_BUILD], 39);
	assert_int_equal(s->min_committed_firmware.value[SNP_VERSION_MINOR], 55);
	assert_true(s->launch_mitigations == 0x8000000000000001ull);
	assert_true(s->current_mitigations == 0xB);
	assert_int_equal(s->require_platform.set, 1u << 2 | 1u << 6);
	assert_int_equal(s->forbid_platform.set, 1);
	assert_int_equal(s->require_guest_policy.set, 1u << 8);
	assert_int_equal(s->min_guest_abi.value[SNP_VERSION_MAJOR], 1);
	assert_int_equal(s->migration_agents.size, 32);
	assert_true(s->family_id.given && s->image_id.value[15] == 0xff);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), HEAD "\"snp\":{" LIST ",%s}}", bad[i]);
		if (parse(text, &p) != -EX_MALFORMED)
			fail_msg("taken: %s", bad[i]);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, renew)
	const struct CMUnitTest tests[] = {
		CASE(good_is_affirmed),
		CASE(root_must_be_trusted),
		CASE(replayed),
		CASE(host_vtpm),
		CASE(kinds_of_machine),
		CASE(no_policy),
		CASE(debug_is_refused),
		CASE(policy_text),
		CASE(policy_keys),
		CASE(every_byte_counts),
		CASE(cut_anywhere),
		CASE(json_round_trip),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
