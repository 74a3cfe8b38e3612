/* Reports: their layout, their signature's form, and each claim against the policy. */
#include "tests/unit/snp_judge.h"

#include "common/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every field starts with the low byte of its own offset (56860 "ATTESTATION_REPORT"). */
static void fields_lie_where_they_lie(void **state)
{
	(void)state;
	uint8_t raw[SNP_REPORT_SIZE];
	struct snp_report r;
	struct err e = { 0 };

	for (unsigned i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i ^ i >> 8);
	memcpy(raw, "\5\0\0\0", 4);
	assert_int_equal(snp_report_parse(raw, sizeof(raw), &r, &e), 0);
	assert_int_equal(r.version, 5);
	assert_int_equal(r.guest_svn, 0x07060504);
	assert_true(r.policy == 0x0f0e0d0c0b0a0908ull);
	assert_int_equal(r.vmpl, 0x33323130);
	assert_int_equal(r.signature_algo, 0x37363534);
	assert_true(r.platform_info == 0x4746454443424140ull);
	assert_int_equal(r.key_info, 0x4b4a4948);
	assert_int_equal(snp_report_signing_key(&r), 2);
	assert_ptr_equal(r.current_tcb, raw + 0x38);
	assert_ptr_equal(r.report_data, raw + 0x50);
	assert_ptr_equal(r.measurement, raw + 0x90);
	assert_ptr_equal(r.host_data, raw + 0xC0);
	assert_ptr_equal(r.id_key_digest, raw + 0xE0);
	assert_ptr_equal(r.author_key_digest, raw + 0x110);
	assert_ptr_equal(r.report_id_ma, raw + 0x160);
	assert_ptr_equal(r.reported_tcb, raw + 0x180);
	assert_ptr_equal(r.chip_id, raw + 0x1A0);
	assert_ptr_equal(r.committed_tcb, raw + 0x1E0);
	assert_ptr_equal(r.launch_tcb, raw + 0x1F0);
	assert_ptr_equal(r.family_id, raw + 0x10);
	assert_ptr_equal(r.image_id, raw + 0x20);
	assert_ptr_equal(r.report_id, raw + 0x140);
	assert_int_equal(r.current.build, raw[0x1E8]);
	assert_int_equal(r.current.minor, raw[0x1E9]);
	assert_int_equal(r.current.major, raw[0x1EA]);
	assert_int_equal(r.committed.build, raw[0x1EC]);
	assert_int_equal(r.committed.minor, raw[0x1ED]);
	assert_int_equal(r.committed.major, raw[0x1EE]);
	assert_true(r.has_mitigation);
	assert_true(r.launch_mitigation == 0xfefffcfdfafbf8f9ull);
	assert_true(r.current_mitigation == 0x0504070601000302ull);
	assert_int_equal(r.family, raw[0x188]);
	assert_int_equal(r.model, raw[0x189]);
	assert_int_equal(r.stepping, raw[0x18A]);
	raw[0] = 2; /* then these bytes are reserved */
	assert_int_equal(snp_report_parse(raw, sizeof(raw), &r, &e), 0);
	assert_false(r.has_cpuid || r.has_mitigation);
	assert_int_equal(snp_report_product(&r), SNP_UNKNOWN);
}

static void sizes(void **state)
{
	(void)state;
	static const size_t odd[] = { 0, 1, 1183 };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		given.report_size = odd[i];
		assert_only("snp.form", EX_MALFORMED);
		assert_int_equal(find("snp.signature")->status, CHECK_SKIPPED);
	}
	struct snp_report r;
	struct err e = { 0 };
	uint8_t longer[SNP_REPORT_SIZE + 1] = { 3 };
	assert_int_equal(snp_report_parse(longer, sizeof(longer), &r, &e), -EX_MALFORMED);
}

static void versions(void **state)
{
	(void)state;
	sign_report(0, "\0", 1);
	assert_only("snp.form", EX_MALFORMED);
	sign_report(0, "\1", 1);
	assert_only("snp.form", EX_MALFORMED);
	for (uint8_t v = 2; v <= 5; v++) {
		sign_report(0, &v, 1);
		assert_int_equal(judge(), EX_OK);
	}
	sign_report(0, "\6", 1);
	assert_only("snp.version", EX_REFUSED);
	assert_string_equal(claim("snp.version"), "6");
	assert_int_equal(strlen(claim("snp.measurement")), 96);
	given.allow_version = 7; /* another one */
	assert_only("snp.version", EX_REFUSED);
	given.allow_version = 6;
	assert_int_equal(judge(), EX_OK);
	assert_non_null(strstr(find("snp.version")->note, "version 5"));
	sign_report(1, "\1", 1);
	assert_only("snp.version", EX_REFUSED);
	given.allow_version = 1; /* never below the first that is known */
	sign_report(0, "\1", 1);
	assert_only("snp.form", EX_MALFORMED);
}

/* What the signature does not cover must be zero; what it is must be a signature. */
static void signature_form(void **state)
{
	(void)state;
	for (unsigned i = SNP_REPORT_SIGNED; i < SNP_REPORT_SIZE; i++) {
		bool integer = (i - SNP_REPORT_SIGNED) % 72 < 48 && i < SNP_REPORT_SIGNED + 144;
		given.report[i] ^= 0x80;
		assert_only("snp.signature", integer ? EX_UNAUTHENTIC : EX_MALFORMED);
		given.report[i] ^= 0x80;
	}
	assert_int_equal(judge(), EX_OK);
	sign_report(0x34, "\2", 1);
	assert_only("snp.signature", EX_MALFORMED);
	snp_judge_renew(NULL);
	memset(given.report + SNP_REPORT_SIGNED, 0, 48);
	assert_only("snp.signature", EX_UNAUTHENTIC);
	snp_judge_renew(NULL);
	memset(given.report + SNP_REPORT_SIGNED + 72, 0, 48);
	assert_only("snp.signature", EX_UNAUTHENTIC);
	memset(given.report + SNP_REPORT_SIGNED, 0xFF, 48);
	assert_only("snp.signature", EX_UNAUTHENTIC);
}

/* The bytes as received are hashed: also those of no field (MANIFEST of the real reports). */
static void every_byte_is_signed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SNP_REPORT_SIGNED; i++) {
		given.report[i] ^= 1;
		enum exit_status v = judge();
		given.report[i] ^= 1;
		if (v != EX_UNAUTHENTIC && v != EX_MALFORMED)
			fail_msg("byte 0x%x changed: verdict %d", i, (int)v);
	}
}

static void debug_is_refused(void **state)
{
	(void)state;
	sign_report(0x0A, "\x0b", 1);
	assert_only("snp.debug", EX_REFUSED);
	policy.allow_debug = true;
	assert_int_equal(judge(), EX_OK);
}

static void migration_is_refused(void **state)
{
	(void)state;
	sign_report(0x0A, "\x07", 1);
	assert_only("snp.migration", EX_REFUSED);
	sign_report(0x160, "\0", 1); /* REPORT_ID_MA of an agent, whatever the policy bit says */
	assert_only("snp.migration", EX_REFUSED);
	policy.allow_migration = true;
	assert_int_equal(judge(), EX_OK);
}

static void guest_policy(void **state)
{
	(void)state;
	sign_report(0x0A, "\x01", 1); /* bit 17 clear */
	assert_only("snp.guest_policy", EX_REFUSED);
	sign_report(0x0B, "\x04", 1); /* bit 26 */
	assert_only("snp.guest_policy", EX_REFUSED);
	sign_report(0x0F, "\x80", 1);
	assert_only("snp.guest_policy", EX_REFUSED);
	snp_judge_renew(NULL);
	policy.allow_smt = false;
	assert_only("snp.smt", EX_REFUSED);
	sign_report(0x0A, "\x02", 1);
	assert_int_equal(judge(), EX_OK);
}

/* With a plan: its measurement and its guest policy, whatever the policy's list holds. */
static void plan_reference(void **state)
{
	(void)state;
	struct snp_reference ref = { .count = 2, .guest_policy = 0x30000 };

	strcpy(ref.machine[1], "cpus 2");
	memcpy(ref.measurement[1], chip.report + 0x90, SNP_MEASUREMENT_SIZE);
	given.reference = &ref;
	memset(policy.measurements.value[0], 0, SNP_MEASUREMENT_SIZE);
	assert_int_equal(judge(), EX_OK);
	assert_non_null(strstr(find("snp.measurement")->note, "cpus 2"));
	ref.guest_policy = 0x20000;
	assert_only("snp.guest_policy", EX_REFUSED);
	ref.guest_policy = 0x30000;
	ref.measurement[1][47] ^= 1;
	assert_only("snp.measurement", EX_REFUSED);
	ref.count = 0;
	assert_only("snp.measurement", EX_REFUSED);
}

static void measurement(void **state)
{
	(void)state;
	policy.measurements.count = 2;
	memcpy(policy.measurements.value[1], policy.measurements.value[0], SNP_MEASUREMENT_SIZE);
	policy.measurements.value[0][0] ^= 1;
	assert_int_equal(judge(), EX_OK); /* any of the list */
	policy.measurements.count = 1;
	assert_only("snp.measurement", EX_REFUSED);
	assert_int_equal(strlen(find("snp.measurement")->have), 96);
	policy.measurements.count = 0;
	assert_int_equal(judge(), EX_OK); /* but nothing says what was booted */
	assert_skipped("snp.measurement");
	assert_non_null(strstr(checks_verdict_name(&result), "no reference values"));
	policy.require_measurement = true;
	assert_only("snp.measurement", EX_REFUSED);
}

static void vmpl(void **state)
{
	(void)state;
	sign_report(0x30, "\1", 1);
	assert_only("snp.vmpl", EX_REFUSED);
	policy.vmpl.value = 1;
	assert_int_equal(judge(), EX_OK);
	sign_report(0x33, "\1", 1);
	assert_only("snp.vmpl", EX_REFUSED);
	policy.vmpl.given = false;
	assert_int_equal(judge(), EX_OK);
	assert_skipped("snp.vmpl");
}

/* Each component for itself: a higher one elsewhere never makes up for a lower one. */
static void tcb_order(void **state)
{
	(void)state;
	static const unsigned below[][2] = { { 0x1E0, 0x180 }, { 0x38, 0x1E0 }, { 0x38, 0x1F0 } };

	for (unsigned i = 0; i < 3; i++) {
		uint8_t tcb[8];
		memcpy(tcb, chip.report + 0x180, 8);
		tcb[6]--;
		tcb[7]++;
		sign_report(below[i][0], tcb, 8);
		judge();
		assert_fails("snp.tcb.order", EX_REFUSED);
		assert_non_null(strstr(find("snp.tcb.order")->note, "\"snp\""));
	}
	uint8_t launch[8];
	memcpy(launch, chip.report + 0x1F0, 8);
	launch[6]++;
	sign_report(0x1F0, launch, 8);
	assert_only("snp.tcb.order", EX_REFUSED);
	uint8_t current[8];
	memcpy(current, chip.report + 0x38, 8);
	current[7]++;
	sign_report(0x38, current, 8); /* newer firmware runs than is reported: usual */
	assert_int_equal(judge(), EX_OK);
}

static void tcb_minimum(void **state)
{
	(void)state;
	policy.min_tcb.given = 1u << SNP_SNP | 1u << SNP_MICROCODE;
	policy.min_tcb.value[SNP_SNP] = 23;
	policy.min_tcb.value[SNP_MICROCODE] = 200;
	assert_int_equal(judge(), EX_OK);
	policy.min_tcb.value[SNP_MICROCODE] = 201;
	assert_only("snp.tcb.minimum", EX_REFUSED);
	assert_string_equal(find("snp.tcb.minimum")->have, "microcode 200");
	assert_string_equal(find("snp.tcb.minimum")->need, "microcode 201");
	policy.min_tcb.value[SNP_MICROCODE] = 200;
	sign_report(0x1F6, "\x16", 1); /* launched under an older SNP firmware */
	assert_only("snp.tcb.minimum", EX_REFUSED);
	assert_non_null(strstr(find("snp.tcb.minimum")->note, "LAUNCH_TCB"));
}

static void values_of_the_policy(void **state)
{
	(void)state;
	policy.host_data = (struct policy_bytes){ .given = true, .size = 32 };
	memset(policy.host_data.value, 'h', 32);
	assert_int_equal(judge(), EX_OK);
	policy.host_data.value[31] ^= 1;
	assert_only("snp.host_data", EX_REFUSED);
	snp_judge_renew(NULL);
	policy.min_guest_svn = 7;
	assert_only("snp.guest_svn", EX_REFUSED);
	sign_report(4, "\7", 1);
	assert_int_equal(judge(), EX_OK);
	snp_judge_renew(NULL);
	policy.id_key_digests = (struct policy_digests){ .count = 1, .size = 48 };
	policy.id_key_digests.value[0][0] = 1;
	assert_only("snp.id_key", EX_REFUSED);
	sign_report(0xE0, "\1", 1);
	assert_int_equal(judge(), EX_OK);
	policy.author_key_digests = (struct policy_digests){ .count = 1, .size = 48 };
	policy.author_key_digests.value[0][47] = 1;
	assert_only("snp.author_key", EX_REFUSED);
}

static void binding(void **state)
{
	(void)state;
	given.report_data[63] ^= 1;
	assert_only("snp.binding", EX_UNAUTHENTIC);
	given.without_data = true;
	assert_int_equal(judge(), EX_OK);
	assert_int_equal(find("snp.binding")->status, CHECK_SKIPPED);
}

/* A table of two blobs at the end: {VCEK, ASK}. */
static size_t make_table(uint8_t *t, uint32_t offset, uint32_t size)
{
	struct writer w = writer_over(t, 200);

	memset(t, 0, 200);
	write_copy(&w, "\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd", 16);
	write_le32(&w, 72);
	write_le32(&w, 10);
	write_copy(&w, "\x4a\xb7\xb3\x79\xbb\xac\x4f\xe4\xa0\x2f\x05\xae\xf3\x27\xc7\x82", 16);
	write_le32(&w, offset);
	write_le32(&w, size);
	return 100;
}

static void cert_table(void **state)
{
	(void)state;
	uint8_t t[200];
	struct snp_cert_table table;
	struct err e = { 0 };
	static const struct {
		uint32_t offset, size;
	} bad[] = { { 71, 5 },		 { 0, 5 },	    { 82, 0 },
		    { 82, 19 },		 { 100, 1 },	    { 81, 5 },
		    { 70, 3 },		 { 0xFFFFFFFF, 5 }, { 82, 0xFFFFFFFF },
		    { 0xFFFFFFF0, 0x20 } };

	assert_int_equal(snp_cert_table_parse(t, make_table(t, 82, 18), &table, &e), 0);
	assert_ptr_equal(table.cert[SNP_CERT_VCEK].data, t + 72);
	assert_int_equal(table.cert[SNP_CERT_ASK].size, 18);
	assert_null(table.cert[SNP_CERT_ARK].data);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t n = make_table(t, bad[i].offset, bad[i].size);
		e = (struct err){ 0 };
		assert_int_equal(snp_cert_table_parse(t, n, &table, &e), -EX_MALFORMED);
	}
	/* The same kind twice; no end; nothing at all. */
	make_table(t, 82, 18);
	memcpy(t + 24, t, 16);
	assert_int_equal(snp_cert_table_parse(t, 100, &table, &e), -EX_MALFORMED);
	assert_int_equal(snp_cert_table_parse(t, 71, &table, &e), -EX_MALFORMED);
	assert_int_equal(snp_cert_table_parse(t, 0, &table, &e), -EX_MALFORMED);
	/* More entries than anyone has. */
	uint8_t many[18 * 24 + 100];
	memset(many, 1, sizeof(many));
	assert_int_equal(snp_cert_table_parse(many, sizeof(many), &table, &e), -EX_MALFORMED);
	/* An empty table is one. */
	memset(t, 0, 24);
	assert_int_equal(snp_cert_table_parse(t, 24, &table, &e), 0);
}

/* What a table's entry is for is what its certificate must be. */
static void table_roles(void **state)
{
	(void)state;
	struct snp_cert_table t = { 0 };
	struct snp_certs certs = { 0 };
	struct err e = { 0 };
	unsigned char *der = NULL;
	int n = i2d_X509(chip.ask, &der);

	assert_true(n > 0);
	t.cert[SNP_CERT_ASK].data = der;
	t.cert[SNP_CERT_ASK].size = (size_t)n;
	assert_int_equal(snp_certs_add_table(&certs, &t, SNP_KEY_VCEK, &e), 0);
	assert_non_null(certs.cert[SNP_ROLE_ASK]);
	snp_certs_free(&certs);
	t.cert[SNP_CERT_VCEK] = t.cert[SNP_CERT_ASK];
	assert_int_equal(snp_certs_add_table(&certs, &t, SNP_KEY_VCEK, &e), -EX_MALFORMED);
	snp_certs_free(&certs);
	e = (struct err){ 0 };
	t.cert[SNP_CERT_ASK].size--; /* cut, then with something behind it */
	assert_int_equal(snp_certs_add(&certs, "cut", der, (size_t)n - 1, &e), -EX_MALFORMED);
	uint8_t *more = calloc(1, (size_t)n + 1);
	assert_non_null(more);
	memcpy(more, der, (size_t)n);
	more[n] = 0x30;
	assert_int_equal(snp_certs_add(&certs, "more", more, (size_t)n + 1, &e), -EX_MALFORMED);
	free(more);
	OPENSSL_free(der);
	snp_certs_free(&certs);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, snp_judge_renew)
	const struct CMUnitTest tests[] = {
		CASE(fields_lie_where_they_lie),
		CASE(sizes),
		CASE(versions),
		CASE(signature_form),
		CASE(every_byte_is_signed),
		CASE(debug_is_refused),
		CASE(migration_is_refused),
		CASE(guest_policy),
		CASE(plan_reference),
		CASE(measurement),
		CASE(vmpl),
		CASE(tcb_order),
		CASE(tcb_minimum),
		CASE(values_of_the_policy),
		CASE(binding),
		CASE(cert_table),
		CASE(table_roles),
	};
	return cmocka_run_group_tests(tests, snp_judge_set_up, snp_judge_tear_down);
}
