/* What a TDX quote claims of its guest, against the policy: each rule alone, each built-in base. */
#include "tests/unit/tdx_judge.h"

#include "attest/appraise/policy.h"
#include "common/bytes.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void set_attributes(uint64_t v)
{
	uint8_t le[8];
	struct writer w = writer_over(le, sizeof(le));

	write_le64(&w, v);
	sign_body(FAKE_TDX_ATTRIBUTES, le, sizeof(le));
}

static void set_xfam(uint64_t v)
{
	uint8_t le[8];
	struct writer w = writer_over(le, sizeof(le));

	write_le64(&w, v);
	sign_body(FAKE_TDX_XFAM, le, sizeof(le));
}

static void debug(void **state)
{
	(void)state;
	static const enum policy_base bases[] = { POLICY_STRICT, POLICY_RECOMMENDED,
						  POLICY_PERMISSIVE };

	for (unsigned bit = 0; bit < 8; bit++) { /* DEBUG, and what else is in TUD */
		set_attributes(TDX_ATTR_SEPT_VE_DISABLE | 1ull << bit);
		assert_only("tdx.debug", EX_REFUSED);
	}
	set_attributes(TDX_ATTR_SEPT_VE_DISABLE | TDX_ATTR_DEBUG);
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		policy_tdx_base(bases[i], &policy);
		judge();
		assert_fails("tdx.debug", EX_REFUSED);
	}
	policy.allow_debug = true;
	judge();
	assert_passes("tdx.debug");
}

static void migration(void **state)
{
	(void)state;
	set_attributes(TDX_ATTR_SEPT_VE_DISABLE | TDX_ATTR_MIGRATABLE);
	assert_only("tdx.migration", EX_REFUSED);
	policy.allow_migration = true;
	assert_int_equal(judge(), EX_OK);
	policy.allow_migration = false;
	/* A service TD is bound: known from TD 1.5 on. */
	tdx_judge_renew(5, TDX_BODY_TD_1_5);
	assert_int_equal(judge(), EX_OK);
	sign_body(FAKE_TDX_MRSERVICETD + 47, "\1", 1);
	assert_only("tdx.migration", EX_REFUSED);
}

static void sept_ve(void **state)
{
	(void)state;
	set_attributes(0);
	judge();
	assert_skipped("tdx.sept_ve");
	policy.require_sept_ve_disable = true;
	assert_only("tdx.sept_ve", EX_REFUSED);
	set_attributes(TDX_ATTR_SEPT_VE_DISABLE);
	judge();
	assert_passes("tdx.sept_ve");
}

static void attributes(void **state)
{
	(void)state;
	set_attributes(TDX_ATTR_SEPT_VE_DISABLE | 1ull << 40); /* a bit of the future */
	assert_int_equal(judge(), EX_OK);
	policy_tdx_base(POLICY_STRICT, &policy);
	judge();
	assert_fails("tdx.attributes", EX_REFUSED);
	assert_non_null(strstr(find("tdx.attributes")->note, "0x10000000000"));
	set_attributes(TDX_ATTR_SEPT_VE_DISABLE | TDX_ATTR_PKS | TDX_ATTR_LASS | TDX_ATTR_PERFMON |
		       TDX_ATTR_KL | TDX_ATTR_TPA);
	judge();
	assert_passes("tdx.attributes");
	policy.attributes_allowed &= ~TDX_ATTR_PERFMON;
	judge();
	assert_fails("tdx.attributes", EX_REFUSED);
}

static void xfam(void **state)
{
	(void)state;
	set_xfam(0x2); /* without x87 */
	assert_only("tdx.xfam", EX_REFUSED);
	set_xfam(TDX_XFAM_KNOWN | 1ull << 40);
	assert_int_equal(judge(), EX_OK);
	policy.xfam_allowed = TDX_XFAM_KNOWN;
	assert_only("tdx.xfam", EX_REFUSED);
	set_xfam(TDX_XFAM_KNOWN);
	assert_int_equal(judge(), EX_OK);
	policy.xfam_required = 1ull << 18;
	assert_int_equal(judge(), EX_OK);
	set_xfam(3);
	assert_only("tdx.xfam", EX_REFUSED);
}

static void module(void **state)
{
	(void)state;
	sign_body(FAKE_TDX_MRSIGNERSEAM + 47, "\1", 1);
	assert_only("tdx.module", EX_UNAUTHENTIC);
	sign_body(FAKE_TDX_MRSIGNERSEAM + 47, "\0", 1);
	sign_body(FAKE_TDX_SEAM_ATTRIBUTES, "\1", 1);
	assert_only("tdx.module", EX_UNAUTHENTIC);
}

static struct policy_digests *list_of(size_t i)
{
	struct policy_digests *all[] = { &policy.mrseam,     &policy.mrtd,    &policy.rtmr[0],
					 &policy.rtmr[1],    &policy.rtmr[2], &policy.rtmr[3],
					 &policy.mrconfigid, &policy.mrowner, &policy.mrownerconfig,
					 &policy.mrservicetd };

	return all[i];
}

/* Each list: absent, with the value as first or last of several, without it. */
static void reference_values(void **state)
{
	(void)state;
	static const struct {
		const char *id;
		unsigned at;
	} values[] = {
		{ "tdx.mrseam", FAKE_TDX_MRSEAM },
		{ "tdx.mrtd", FAKE_TDX_MRTD },
		{ "tdx.rtmr.0", FAKE_TDX_RTMR0 },
		{ "tdx.rtmr.1", FAKE_TDX_RTMR0 + 48 },
		{ "tdx.rtmr.2", FAKE_TDX_RTMR0 + 96 },
		{ "tdx.rtmr.3", FAKE_TDX_RTMR0 + 144 },
		{ "tdx.config_id", FAKE_TDX_MRCONFIGID },
		{ "tdx.owner", FAKE_TDX_MROWNER },
		{ "tdx.owner_config", FAKE_TDX_MROWNERCONFIG },
		{ "tdx.service_td", FAKE_TDX_MRSERVICETD },
	};

	tdx_judge_renew(5, TDX_BODY_TD_1_5);
	policy.mrtd.count = 0;
	policy.allow_migration = true;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct policy_digests *list = list_of(i);
		judge();
		assert_skipped(values[i].id);
		list->size = TDX_DIGEST_SIZE;
		list->count = 3;
		memset(list->value, 'x', sizeof(list->value));
		assert_only(values[i].id, EX_REFUSED);
		memcpy(list->value[2], tdx.body + values[i].at, TDX_DIGEST_SIZE);
		assert_int_equal(judge(), EX_OK);
		assert_passes(values[i].id);
		list->value[2][47] ^= 1;
		assert_only(values[i].id, EX_REFUSED);
		list->count = 0;
	}
	/* What the quote does not have cannot be what the policy wants. */
	tdx_judge_renew(4, TDX_BODY_TD_1_0);
	policy.mrservicetd.count = 1;
	memset(policy.mrservicetd.value, 0, sizeof(policy.mrservicetd.value));
	assert_only("tdx.service_td", EX_REFUSED);
	assert_string_equal(find("tdx.service_td")->have, "not defined");
}

static void binding(void **state)
{
	(void)state;
	report_data[63] ^= 1;
	assert_only("tdx.binding", EX_UNAUTHENTIC);
	given.policy = NULL; /* authenticity */
	assert_only("tdx.binding", EX_UNAUTHENTIC);
	given.policy = &policy;
	given.report_data = NULL;
	assert_int_equal(judge(), EX_OK);
	assert_skipped("tdx.binding");
}

static void bases(void **state)
{
	(void)state;
	policy_tdx_base(POLICY_STRICT, &policy);
	judge();
	assert_fails("tdx.mrtd", EX_REFUSED); /* no reference value */
	assert_fails("tdx.revocation", EX_COLLATERAL);
	assert_fails("tdx.tcb.status", EX_COLLATERAL);
	policy_tdx_base(POLICY_RECOMMENDED, &policy);
	assert_int_equal(judge(), EX_COLLATERAL);
	assert_skipped("tdx.mrtd");
	assert_skipped("tdx.revocation");
	assert_fails("tdx.tcb.status", EX_COLLATERAL);
	assert_fails("tdx.tcb_info", EX_COLLATERAL);
	assert_fails("tdx.qe_identity", EX_COLLATERAL);
	assert_non_null(strstr(find("tdx.tcb_info")->next, "b0c06f000000"));
	policy_tdx_base(POLICY_PERMISSIVE, &policy);
	assert_int_equal(judge(), EX_OK);
	assert_skipped("tdx.tcb.status");
}

/* Every key of the object "tdx", and none beside them. */
static void policy_file(void **state)
{
	(void)state;
#define HEAD "{\"format\":\"pavise-policy\",\"version\":0,\"tee\":\"tdx\",\"tdx\":{"
	static const char text[] =
		HEAD "\"allow_debug\":true,\"allow_migration\":true,"
		     "\"require_sept_ve_disable\":true,\"attributes_allowed\":\"0x10000000\","
		     "\"xfam_allowed\":\"0x602e7\",\"xfam_required\":\"0x7\","
		     "\"require_mrtd\":true,"
		     "\"require_collateral\":false,"
		     "\"require_revocation\":true,"
		     "\"tcb_status\":[\"UpToDate\",\"TDRelaunchAdvised\"],"
		     "\"min_tcb_date\":\"2026-06-01T00:00:00Z\",\"min_tcb_evaluation\":18}}";
	static const char *const wrong[] = {
		HEAD "\"allow-debug\":true}}",
		HEAD "\"tcb_status\":[\"Revoked\"]}}",
		HEAD "\"tcb_status\":[\"uptodate\"]}}",
		HEAD "\"mrtd\":[\"00\"]}}",
		HEAD "\"xfam_allowed\":7}}",
	};
#undef HEAD
	struct policy p;
	struct err e = { 0 };

	if (policy_parse("policy", text, strlen(text), &p, &e) < 0)
		fail_msg("%s", e.text);
	const struct tdx_policy *t = &p.tdx;
	assert_true(t->allow_debug && t->allow_migration && t->require_sept_ve_disable);
	assert_true(t->attributes_allowed == TDX_ATTR_SEPT_VE_DISABLE);
	assert_true(t->xfam_allowed == 0x602e7 && t->xfam_required == 7);
	assert_true(t->require_mrtd);
	assert_true(!t->require_collateral && t->require_revocation);
	assert_int_equal(t->tcb_status.set, 1u << 0 | 1u << 6);
	assert_true(t->min_tcb_date.given && t->min_tcb_date.value == 1780272000);
	assert_true(t->min_tcb_evaluation == 18);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(policy_parse("policy", wrong[i], strlen(wrong[i]), &p, &e),
				 -EX_MALFORMED);
}

/* "none": nothing is judged that is not authenticity. */
static void without_policy(void **state)
{
	(void)state;
	static const char *const judged[] = { "tdx.tcb.status", "tdx.debug",	  "tdx.migration",
					      "tdx.sept_ve",	"tdx.attributes", "tdx.xfam",
					      "tdx.mrtd",	"tdx.rtmr.3" };

	set_attributes(TDX_ATTR_DEBUG | TDX_ATTR_MIGRATABLE);
	given.policy = NULL;
	assert_int_equal(judge(), EX_OK);
	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
		assert_skipped(judged[i]);
		assert_string_equal(find(judged[i])->note, "policy none: not judged");
	}
	assert_passes("tdx.signature");
	assert_passes("tdx.module");
}

/* ---- event logs ---- */

static uint8_t log_bytes[4096];
static struct writer log_end;
static uint8_t replayed[5][48]; /* by the log's index */

static void begin_log(uint16_t alg, uint16_t size)
{
	log_end = writer_over(log_bytes, sizeof(log_bytes));
	memset(replayed, 0, sizeof(replayed));
	write_le32(&log_end, 0);
	write_le32(&log_end, 3);
	write_zeros(&log_end, 20);
	write_le32(&log_end, 16 + 8 + 4 + 4 + 1);
	write_copy(&log_end, "Spec ID Event03", 16);
	write_le32(&log_end, 0);
	write_copy(&log_end, "\0\2\0\2", 4);
	write_le32(&log_end, 1);
	write_le16(&log_end, alg);
	write_le16(&log_end, size);
	write_u8(&log_end, 0);
}

static void log_data(uint32_t index, uint32_t type, const void *data, uint32_t size)
{
	uint8_t chain[96], digest[48];

	assert_int_equal(EVP_Digest(data, size, digest, NULL, EVP_sha384(), NULL), 1);
	write_le32(&log_end, index);
	write_le32(&log_end, type);
	write_le32(&log_end, 1);
	write_le16(&log_end, 0xC);
	write_copy(&log_end, digest, sizeof(digest));
	write_le32(&log_end, size);
	write_copy(&log_end, data, size);
	if (type == 3 || index > 4)
		return;
	memcpy(chain, replayed[index], 48);
	memcpy(chain + 48, digest, 48);
	assert_int_equal(
		EVP_Digest(chain, sizeof(chain), replayed[index], NULL, EVP_sha384(), NULL), 1);
}

static void log_event(uint32_t index, uint32_t type, const char *text)
{
	log_data(index, type, text, (uint32_t)strlen(text));
}

static void good_log(void)
{
	begin_log(0xC, 48);
	log_event(1, 0x80000008, "firmware");
	log_data(1, 4, "\0\0\0\0", 4);
	log_data(2, 4, "\0\0\0\0", 4);
	log_event(2, 0x80000003, "kernel");
	log_event(3, 0xD, "command line");
	log_event(0xFFFFFFFF, 0xD, "nothing");
}

/* The quote's RTMRs are what the log leads to. */
static void sign_log(void)
{
	memcpy(tdx.body + FAKE_TDX_RTMR0, replayed[1], sizeof(replayed) - 48);
	fake_tdx_sign(&tdx);
	given.ccel = log_bytes;
	given.ccel_size = log_end.pos;
}

static void log_replays(void **state)
{
	(void)state;
	good_log();
	sign_log();
	assert_int_equal(judge(), EX_OK);
	assert_passes("log.form");
	assert_passes("log.replay.rtmr0");
	assert_passes("log.replay.rtmr1");
	assert_passes("log.replay.rtmr2");
	assert_passes("log.separators");
	/* Padding, as ACPI tables have it. */
	memset(log_bytes + log_end.pos, 0xFF, 500);
	given.ccel_size += 500;
	assert_int_equal(judge(), EX_OK);
	given.policy = NULL; /* that the log is the quote's is authenticity */
	judge();
	assert_passes("log.replay.rtmr0");
	assert_skipped("log.separators");
}

static void log_register_by_register(void **state)
{
	(void)state;
	good_log();
	sign_log();
	for (unsigned i = 0; i < 4; i++) {
		char id[32];
		snprintf(id, sizeof(id), "log.replay.rtmr%u", i);
		tdx.body[FAKE_TDX_RTMR0 + 48 * i] ^= 1; /* extended without a word */
		fake_tdx_sign(&tdx);
		log_policy.rtmrs = 0xF;
		assert_only(id, EX_UNAUTHENTIC);
		log_policy.rtmrs = 0xF & ~(1u << i);
		assert_int_equal(judge(), EX_OK);
		assert_skipped(id);
		policy_log_base(POLICY_RECOMMENDED, &log_policy); /* RTMR0-2 */
		assert_int_equal(judge(), i < 3 ? EX_UNAUTHENTIC : EX_OK);
		tdx.body[FAKE_TDX_RTMR0 + 48 * i] ^= 1;
	}
}

static void log_separators(void **state)
{
	(void)state;
	good_log();
	log_data(1, 4, "\0\0\0\0", 4);
	sign_log();
	assert_only("log.separators", EX_REFUSED);
	log_policy.allow_separators = true;
	assert_int_equal(judge(), EX_OK);
}

static void log_forms(void **state)
{
	(void)state;
	log_policy.require = true;
	assert_only("log.form", EX_REFUSED);
	good_log();
	sign_log();
	assert_int_equal(judge(), EX_OK);
	/* Another bank only. */
	begin_log(0xB, 32);
	given.ccel_size = log_end.pos;
	assert_only("log.replay", EX_REFUSED);
	/* A register that TDs do not have. */
	good_log();
	log_event(5, 0xD, "x");
	sign_log();
	assert_only("log.replay", EX_MALFORMED);
	/* A tail that is no event. */
	good_log();
	sign_log();
	memcpy(log_bytes + log_end.pos, "\1\0\0\0\4\0\0\0\xFF\xFF\xFF\xFF", 12);
	given.ccel_size += 12;
	assert_only("log.form", EX_MALFORMED);
	log_policy.allow_opaque_tail = true;
	assert_int_equal(judge(), EX_OK);
	given.ccel = (const uint8_t *)"x";
	given.ccel_size = 1;
	assert_only("log.form", EX_MALFORMED);
	given.ccel_size = 0;
	assert_only("log.form", EX_MALFORMED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tdx_judge_set_up, tdx_judge_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(debug),
		TEST(migration),
		TEST(sept_ve),
		TEST(attributes),
		TEST(xfam),
		TEST(module),
		TEST(reference_values),
		TEST(binding),
		TEST(bases),
		TEST(policy_file),
		TEST(without_policy),
		TEST(log_replays),
		TEST(log_register_by_register),
		TEST(log_separators),
		TEST(log_forms),
	};

	return cmocka_run_group_tests_name("tdx_guest", tests, NULL, NULL);
}
