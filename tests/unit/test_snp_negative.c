/* What is wrong with a real report or its certificates, one thing at a time; and real reports under
 * policies. The signed ones that no key of ours could make are in test_snp_chain.c and _report.c.
 */
#include "tests/unit/snp_vectors.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MILAN 1u /* index of milan-v2-azure */
#define VLEK 2u
#define TURIN 5u

static const char *claim(const char *name)
{
	for (size_t i = 0; i < snp_result.claim_count; i++)
		if (strcmp(snp_result.claim[i].name, name) == 0)
			return snp_result.claim[i].value;
	return "(no claim)";
}

static void assert_failure(const char *id, enum exit_status failure)
{
	const struct check *k = snp_vector_check(id);

	if (k->status != CHECK_FAIL || k->failure != failure)
		fail_msg("%s: status %d, failure %d: %s", id, (int)k->status, (int)k->failure,
			 k->note);
}

/* Vector i with n bytes of its report replaced. */
static enum exit_status judge_changed(size_t i, size_t at, const void *bytes, size_t n)
{
	size_t size;
	uint8_t *raw = snp_vector_report(snp_vectors[i].name, &size);
	struct snp_certs certs = snp_vector_certs(i, NULL);

	memcpy(raw + at, bytes, n);
	enum exit_status v = snp_vector_judge(raw, size, certs, snp_vector_time(&certs));
	free(raw);
	return v;
}

/* Every signed byte, of every report: reserved areas, too. */
static void real_any_byte(void **state)
{
	(void)state;
	struct snp_report r;
	struct err e = { 0 };

	if (vectors_present() < 0)
		skip();
	for (size_t i = 0; i < SNP_VECTORS; i++) {
		size_t size;
		uint8_t *raw = snp_vector_report(snp_vectors[i].name, &size);
		struct snp_certs certs = snp_vector_certs(i, NULL);
		EVP_PKEY *key = X509_get0_pubkey(certs.cert[SNP_ROLE_VEK]);
		for (size_t k = i % 3; k < SNP_REPORT_SIGNED; k += 3) {
			raw[k] ^= (uint8_t)(1u << k % 8);
			if (snp_report_parse(raw, size, &r, &e) == 0 &&
			    snp_report_verify(&r, key, &e) == 0)
				fail_msg("%s: byte 0x%zx changed: taken", snp_vectors[i].name, k);
			raw[k] ^= (uint8_t)(1u << k % 8);
		}
		snp_certs_free(&certs);
		free(raw);
	}
}

static void real_signature_values(void **state)
{
	(void)state;
	static const uint8_t zero[48];
	/* The order of P-384 (SEC 2, section 2.5.1), little-endian. */
	static const uint8_t order[48] = {
		0x73, 0x29, 0xc5, 0xcc, 0x6a, 0x19, 0xec, 0xec, 0x7a, 0xa7, 0xb0, 0x48,
		0xb2, 0x0d, 0x1a, 0x58, 0xdf, 0x2d, 0x37, 0xf4, 0x81, 0x4d, 0x63, 0xc7,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};

	if (vectors_present() < 0)
		skip();
	for (unsigned at = 0; at <= 72; at += 72) {
		assert_int_equal(judge_changed(TURIN, SNP_REPORT_SIGNED + at, zero, 48),
				 EX_UNAUTHENTIC);
		assert_failure("snp.signature", EX_UNAUTHENTIC);
		assert_int_equal(judge_changed(TURIN, SNP_REPORT_SIGNED + at, order, 48),
				 EX_UNAUTHENTIC);
		/* The wide fields' upper bytes. */
		for (unsigned k = 48; k < 72; k++) {
			judge_changed(TURIN, SNP_REPORT_SIGNED + at + k, "\1", 1);
			assert_failure("snp.signature", EX_MALFORMED);
		}
	}
	judge_changed(TURIN, 0x34, "\2", 1);
	assert_failure("snp.signature", EX_MALFORMED);
}

static void real_signing_keys(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	assert_int_equal(judge_changed(MILAN, 0x48, "\4", 1), EX_UNAUTHENTIC);
	assert_failure("snp.vek.kind", EX_UNAUTHENTIC);
	assert_failure("snp.chain.ask", EX_UNAUTHENTIC); /* SEV-Milan issues no VLEK */
	assert_int_equal(judge_changed(VLEK, 0x48, "\0", 1), EX_UNAUTHENTIC);
	assert_failure("snp.vek.kind", EX_UNAUTHENTIC);
	assert_failure("snp.chain.ask", EX_UNAUTHENTIC);
	assert_int_equal(judge_changed(MILAN, 0x48, "\x1c", 1), EX_UNAUTHENTIC);
	assert_failure("snp.vek.kind", EX_UNAUTHENTIC);
	assert_failure("snp.signature", EX_UNAUTHENTIC);
	assert_string_equal(claim("snp.key_info.signing_key"), "none");
}

static void real_versions_and_sizes(void **state)
{
	(void)state;
	size_t size;

	if (vectors_present() < 0)
		skip();
	assert_int_equal(judge_changed(TURIN, 0, "\0", 1), EX_MALFORMED);
	assert_int_equal(judge_changed(TURIN, 0, "\1", 1), EX_MALFORMED);
	judge_changed(TURIN, 0, "\6", 1);
	assert_failure("snp.version", EX_REFUSED);
	assert_failure("snp.signature", EX_UNAUTHENTIC);
	uint8_t *raw = snp_vector_report(snp_vectors[TURIN].name, &size);
	struct snp_certs certs = snp_vector_certs(TURIN, NULL);
	time_t now = snp_vector_time(&certs);
	assert_int_equal(snp_vector_judge(raw, size - 1, certs, now), EX_MALFORMED);
	assert_failure("snp.form", EX_MALFORMED);
	free(raw);
}

/* The ASVK under a VCEK and the other way round, the chain of another product: said which. */
static void real_wrong_chain_says_which(void **state)
{
	(void)state;
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *raw = snp_vector_report(snp_vectors[MILAN].name, &size);
	struct snp_certs certs = snp_vector_certs(MILAN, "milan_vlek");
	snp_vector_judge(raw, size, certs, snp_vector_time(&certs));
	const struct check *k = snp_vector_check("snp.chain.vek");
	assert_string_equal(k->have, "SEV-VLEK-Milan");
	assert_string_equal(k->need, "SEV-Milan");
	assert_string_equal(k->component, "ASK");
	certs = snp_vector_certs(MILAN, "genoa");
	snp_vector_judge(raw, size, certs, snp_vector_time(&certs));
	k = snp_vector_check("snp.chain.vek");
	assert_string_equal(k->have, "SEV-Genoa");
	assert_non_null(strstr(k->next, "SEV-Milan"));
	free(raw);
}

/* The usual mistakes with a VCEK: that of CURRENT_TCB, that of another chip. */
static void real_wrong_vcek_says_why(void **state)
{
	(void)state;
	struct snp_certs certs = { 0 };
	size_t size;

	if (vectors_present() < 0)
		skip();
	snp_vector_add(&certs, "negative/wrong-vcek", "vcek-ask-ark.pem");
	uint8_t *raw = snp_vector_report("negative/wrong-vcek", &size);
	assert_int_equal(snp_vector_judge(raw, size, certs, snp_vector_time(&certs)),
			 EX_UNAUTHENTIC);
	const struct check *k = snp_vector_check("snp.signature");
	assert_non_null(strstr(k->note, "another chip"));
	assert_null(strstr(k->note, "another TCB"));
	k = snp_vector_check("snp.vek.chip");
	assert_string_equal(k->component, "hwID");
	assert_non_null(strstr(k->next, "fetch the VCEK of Milan, hwID "));
	assert_non_null(strstr(k->next, "ucodeSPL="));
	free(raw);
	/* A report that claims to report its committed TCB, above the certificate's. */
	judge_changed(VLEK, 0x187, "\xda", 1);
	k = snp_vector_check("snp.vek.tcb");
	assert_string_equal(k->component, "microcode");
	assert_non_null(strstr(k->next, "ask the provider for the VLEK of Milan"));
	uint8_t current[8] = { 3, 0, 0, 0, 0, 0, 8, 0x73 };
	judge_changed(MILAN, 0x38, current, 8);
	uint8_t reported[8] = { 3, 0, 0, 0, 0, 0, 8, 0x72 };
	judge_changed(MILAN, 0x180, reported, 8);
	k = snp_vector_check("snp.vek.tcb");
	assert_non_null(strstr(k->note, "it is of COMMITTED_TCB"));
}

/* Azure's paravisor wraps the report ("HCLA", 32 bytes before it). */
static void real_azure_paravisor(void **state)
{
	(void)state;
	size_t size, pem_size;
	struct snp_certs certs = { 0 };
	struct err e = { 0 };

	if (vectors_present() < 0)
		skip();
	uint8_t *blob = vector_read("tpm/azure-snp-vtpm/hcl-report.bin", &size);
	uint8_t *pem = vector_read("tpm/azure-snp-vtpm/vcek.pem", &pem_size);
	assert_true(size > 0x20 + SNP_REPORT_SIZE);
	assert_int_equal(snp_certs_add(&certs, "vcek.pem", pem, pem_size, &e), 0);
	assert_int_equal(
		snp_vector_judge(blob + 0x20, SNP_REPORT_SIZE, certs, snp_vector_time(&certs)),
		EX_OK);
	assert_string_equal(claim("snp.version"), "2");
	/* The blob itself is no report. */
	certs = (struct snp_certs){ 0 };
	assert_int_equal(snp_vector_judge(blob, size, certs, 0), EX_MALFORMED);
	free(blob);
	free(pem);
}

static size_t bytes_of_base64url(const char *text, uint8_t *out, size_t max)
{
	static char padded[8192];
	size_t n = strlen(text);

	assert_true(n + 4 < sizeof(padded));
	for (size_t i = 0; i < n; i++)
		padded[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
	while (n % 4 != 0)
		padded[n++] = '=';
	padded[n] = '\0';
	return vector_base64(padded, out, max);
}

static void real_azure_evidence(void **state)
{
	(void)state;
	static uint8_t blob[8192], vek[4096];
	struct snp_certs certs = { 0 };
	struct err e = { 0 };
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *text = vector_read("tpm/azure-snp-vtpm/evidence.json", &size);
	json_t *j = json_loadb((const char *)text, size, 0, NULL);
	assert_non_null(j);
	assert_true(bytes_of_base64url(json_string_value(json_object_get(j, "hcl_report")), blob,
				       sizeof(blob)) > 0x20 + SNP_REPORT_SIZE);
	size_t vek_size =
		bytes_of_base64url(json_string_value(json_object_get(j, "vcek")), vek, sizeof(vek));
	assert_int_equal(snp_certs_add(&certs, "vcek", vek, vek_size, &e), 0);
	snp_vector_add(&certs, "chains", "milan.pem");
	assert_int_equal(
		snp_vector_judge(blob + 0x20, SNP_REPORT_SIZE, certs, snp_vector_time(&certs)),
		EX_OK);
	assert_string_equal(claim("snp.version"), "3");
	json_decref(j);
	free(text);
}

/* The built-in policies on real reports. No reference values: "strict" wants them. */
static void real_built_in_policies(void **state)
{
	(void)state;
	static const enum exit_status recommended[SNP_VECTORS] = {
		EX_REFUSED, EX_OK, EX_REFUSED, EX_OK, EX_OK, EX_OK, EX_OK,
	};
	struct snp_policy p;
	size_t size;

	if (vectors_present() < 0)
		skip();
	for (size_t i = 0; i < SNP_VECTORS; i++)
		for (int base = 0; base < POLICY_BASES; base++) {
			policy_snp_base((enum policy_base)base, &p);
			snp_vector_policy = base == POLICY_NONE ? NULL : &p;
			uint8_t *raw = snp_vector_report(snp_vectors[i].name, &size);
			struct snp_certs certs = snp_vector_certs(i, NULL);
			enum exit_status v =
				snp_vector_judge(raw, size, certs, snp_vector_time(&certs));
			enum exit_status want = base == POLICY_NONE	    ? EX_OK
						: base == POLICY_STRICT	    ? EX_COLLATERAL
						: base == POLICY_PERMISSIVE ? snp_vectors[i].verdict
									    : recommended[i];
			snp_vector_policy = NULL;
			free(raw);
			if (v != want)
				fail_msg("%s, policy %d: verdict %d", snp_vectors[i].name, base,
					 (int)v);
		}
}

/* Bits of the platform, by what the firmware can tell. */
static void real_platforms(void **state)
{
	(void)state;
	static const struct {
		const char *alias, *ecc, *tio, *unknown;
	} want[SNP_VECTORS] = {
		{ "(no claim)", "(no claim)", "(no claim)", "(no claim)" }, /* 1.49, version 2 */
		{ "(no claim)", "(no claim)", "(no claim)", "(no claim)" }, /* 1.52, version 2 */
		{ "on", "on", "(no claim)", "(no claim)" },
		{ "on", "on", "(no claim)", "(no claim)" },
		{ "on", "on", "off", "(no claim)" },
		{ "on", "on", "off", "0x40" }, /* bit 6, which 56860 reserves */
		{ "on", "on", "off", "(no claim)" },
	};
	struct snp_policy p;
	size_t size;

	if (vectors_present() < 0)
		skip();
	policy_snp_base(POLICY_PERMISSIVE, &p);
	p.require_platform = (struct policy_words){ .given = true, .set = 1u << 5 };
	for (size_t i = 0; i < SNP_VECTORS; i++) {
		uint8_t *raw = snp_vector_report(snp_vectors[i].name, &size);
		struct snp_certs certs = snp_vector_certs(i, NULL);
		snp_vector_policy = &p;
		snp_vector_judge(raw, size, certs, snp_vector_time(&certs));
		snp_vector_policy = NULL;
		assert_string_equal(claim("snp.platform_info.alias_check_complete"), want[i].alias);
		assert_string_equal(claim("snp.platform_info.ecc"), want[i].ecc);
		assert_string_equal(claim("snp.platform_info.sev_tio"), want[i].tio);
		assert_string_equal(claim("snp.platform_info.unknown"), want[i].unknown);
		snp_vector_status("snp.platform", i < 2 ? CHECK_FAIL : CHECK_PASS);
		free(raw);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_any_byte),
		cmocka_unit_test(real_signature_values),
		cmocka_unit_test(real_signing_keys),
		cmocka_unit_test(real_versions_and_sizes),
		cmocka_unit_test(real_wrong_chain_says_which),
		cmocka_unit_test(real_wrong_vcek_says_why),
		cmocka_unit_test(real_azure_paravisor),
		cmocka_unit_test(real_azure_evidence),
		cmocka_unit_test(real_built_in_policies),
		cmocka_unit_test(real_platforms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
