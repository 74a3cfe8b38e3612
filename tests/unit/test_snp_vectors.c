/* Reports and certificates of real chips, against what was read out of them by other means
 * (expected.json). */
#include "attest/snp/bits.h"
#include "common/bytes.h"
#include "tests/unit/snp_vectors.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *expected_of(json_t *all, const char *name)
{
	char key[128];

	snprintf(key, sizeof(key), "snp/%s", name);
	json_t *j = json_object_get(all, key);
	assert_non_null(j);
	return j;
}

static void same_hex(const json_t *j, const char *key, const uint8_t *have, size_t n)
{
	char text[256];

	hex_encode(have, n, text);
	assert_string_equal(text, json_string_value(json_object_get(j, key)));
}

static void same_number(const json_t *j, const char *key, uint64_t have)
{
	const json_t *v = json_object_get(j, key);
	uint64_t want = json_is_string(v) ? strtoull(json_string_value(v), NULL, 16)
					  : (uint64_t)json_integer_value(v);

	assert_non_null(v);
	assert_true(have == want);
}

static void same_version(const json_t *j, const char *key, struct snp_version have)
{
	char text[16];

	snprintf(text, sizeof(text), "%u.%u.%u", have.major, have.minor, have.build);
	assert_string_equal(text, json_string_value(json_object_get(j, key)));
}

static void real_report_fields(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	json_t *all = vector_expected();

	for (size_t i = 0; i < SNP_VECTORS; i++) {
		const json_t *j = expected_of(all, snp_vectors[i].name);
		struct snp_report r;
		struct err e = { 0 };
		size_t size;
		uint8_t *raw = snp_vector_report(snp_vectors[i].name, &size);
		assert_int_equal(snp_report_parse(raw, size, &r, &e), 0);
		same_number(j, "version", r.version);
		same_number(j, "guest_svn", r.guest_svn);
		same_number(j, "policy", r.policy);
		same_number(j, "vmpl", r.vmpl);
		same_number(j, "sig_algo", r.signature_algo);
		same_number(j, "platform_info", r.platform_info);
		same_number(j, "key_info", r.key_info);
		same_hex(j, "report_data", r.report_data, 64);
		same_hex(j, "measurement", r.measurement, 48);
		same_hex(j, "host_data", r.host_data, 32);
		same_hex(j, "id_key_digest", r.id_key_digest, 48);
		same_hex(j, "author_key_digest", r.author_key_digest, 48);
		same_hex(j, "report_id_ma", r.report_id_ma, 32);
		same_hex(j, "report_id", r.report_id, 32);
		same_hex(j, "family_id", r.family_id, 16);
		same_hex(j, "image_id", r.image_id, 16);
		same_version(j, "current_version", r.current);
		same_version(j, "committed_version", r.committed);
		assert_int_equal(r.has_mitigation, json_object_get(j, "launch_mit_vector") != NULL);
		if (r.has_mitigation) {
			same_number(j, "launch_mit_vector", r.launch_mitigation);
			same_number(j, "current_mit_vector", r.current_mitigation);
		}
		assert_true(r.reserved_zero);
		same_hex(j, "reported_tcb", r.reported_tcb, 8);
		same_hex(j, "current_tcb", r.current_tcb, 8);
		same_hex(j, "committed_tcb", r.committed_tcb, 8);
		same_hex(j, "launch_tcb", r.launch_tcb, 8);
		same_hex(j, "chip_id", r.chip_id, 64);
		assert_int_equal(r.has_cpuid, json_object_get(j, "cpuid_fam") != NULL);
		if (r.has_cpuid) {
			const char *product = json_string_value(json_object_get(j, "product"));
			same_number(j, "cpuid_fam", r.family);
			same_number(j, "cpuid_mod", r.model);
			assert_int_equal(snp_report_product(&r),
					 snp_product_of_name(product) != SNP_UNKNOWN
						 ? snp_product_of_name(product)
						 : SNP_GENOA);
		}
		free(raw);
	}
	json_decref(all);
}

static void same_component(const json_t *tcb, const char *key, const struct snp_vek *v,
			   enum snp_component c)
{
	int byte = snp_tcb_byte(v->product, c);

	assert_int_equal(byte >= 0, json_object_get(tcb, key) != NULL);
	if (byte >= 0)
		same_number(tcb, key, v->tcb[byte]);
}

static void real_certificates(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	json_t *all = vector_expected();

	for (size_t i = 0; i < SNP_VECTORS; i++) {
		const json_t *j = json_object_get(expected_of(all, snp_vectors[i].name), "vek");
		const json_t *tcb = json_object_get(j, "cert_tcb");
		struct snp_certs certs = snp_vector_certs(i, NULL);
		struct snp_vek v;
		struct err e = { 0 };
		if (snp_vek_parse(certs.cert[SNP_ROLE_VEK], &v, &e) < 0)
			fail_msg("%s", e.text);
		assert_string_equal(v.product_name,
				    json_string_value(json_object_get(j, "product_ext")));
		const char *csp = json_string_value(json_object_get(j, "csp_id"));
		assert_int_equal(v.is_vlek, csp != NULL);
		assert_string_equal(v.csp, csp != NULL ? csp : "");
		assert_int_equal(v.hwid_size, json_integer_value(json_object_get(j, "hwid_len")));
		same_component(tcb, "bl", &v, SNP_BOOTLOADER);
		same_component(tcb, "tee", &v, SNP_TEE);
		same_component(tcb, "snp", &v, SNP_SNP);
		same_component(tcb, "ucode", &v, SNP_MICROCODE);
		same_component(tcb, "fmc", &v, SNP_FMC);
		same_component(tcb, "spl4", &v, SNP_SPL4);
		same_component(tcb, "spl7", &v, SNP_SPL7);
		snp_certs_free(&certs);
	}
	json_decref(all);
}

static void real_reports(void **state)
{
	(void)state;
	struct snp_policy permissive;

	if (vectors_present() < 0)
		skip();
	policy_snp_base(POLICY_PERMISSIVE, &permissive);
	for (size_t i = 0; i < SNP_VECTORS; i++) {
		size_t size;
		uint8_t *raw = snp_vector_report(snp_vectors[i].name, &size);
		struct snp_certs certs = snp_vector_certs(i, NULL);
		snp_vector_policy = &permissive;
		enum exit_status v = snp_vector_judge(raw, size, certs, snp_vector_time(&certs));
		snp_vector_policy = NULL;
		if (v != snp_vectors[i].verdict)
			fail_msg("%s: verdict %d", snp_vectors[i].name, (int)v);
		assert_false(snp_result.private_root);
		snp_vector_status("snp.root", CHECK_PASS);
		snp_vector_status("snp.chain.vek", CHECK_PASS);
		snp_vector_status("snp.signature", CHECK_PASS);
		snp_vector_status("snp.vek.tcb", CHECK_PASS);
		snp_vector_status("snp.debug", v == EX_OK ? CHECK_PASS : CHECK_FAIL);
		free(raw);
	}
}

/* The table as the host gave it, PEM inside. */
static void real_cert_table(void **state)
{
	(void)state;
	size_t size, table_size;
	struct snp_certs certs = { 0 }, all;

	if (vectors_present() < 0)
		skip();
	uint8_t *raw = snp_vector_report("genoa-v3-tsm-certtable", &size);
	uint8_t *table = vector_read("snp/genoa-v3-tsm-certtable/certtable.bin", &table_size);
	all = snp_vector_certs(3, NULL);
	struct snp_appraisal a = { .report = raw,
				   .report_size = size,
				   .cert_table = table,
				   .cert_table_size = table_size,
				   .certs = &certs,
				   .now = snp_vector_time(&all),
				   .checks = &snp_result };
	memset(&snp_result, 0, sizeof(snp_result));
	check_snp(&a);
	assert_int_equal(checks_verdict(&snp_result), EX_OK);
	snp_vector_status("snp.certs", CHECK_PASS);
	for (unsigned i = 0; i < SNP_ROLES; i++)
		assert_int_equal(X509_cmp(certs.cert[i], all.cert[i]), 0);
	snp_certs_free(&certs);
	snp_certs_free(&all);
	free(raw);
	free(table);
}

/* Every other chain; the VLEK's chain for a VCEK and the other way round are among them. */
static void real_wrong_chains(void **state)
{
	(void)state;
	static const char *const chains[] = { "milan",	    "milan_vlek", "genoa",
					      "genoa_vlek", "turin",	  "turin_vlek" };

	if (vectors_present() < 0)
		skip();
	for (size_t i = 0; i < SNP_VECTORS; i++)
		for (size_t k = 0; k < 6; k++) {
			size_t size;
			uint8_t *raw = snp_vector_report(snp_vectors[i].name, &size);
			struct snp_certs certs = snp_vector_certs(i, chains[k]);
			bool right = strcmp(chains[k], snp_vectors[i].chain) == 0;
			enum exit_status v =
				snp_vector_judge(raw, size, certs, snp_vector_time(&certs));
			assert_int_equal(v, right ? EX_OK : EX_UNAUTHENTIC);
			snp_vector_status("snp.chain.vek", right ? CHECK_PASS : CHECK_FAIL);
			snp_vector_status("snp.signature", CHECK_PASS);
			/* Product, and ASK or ASVK: only their names tell these apart. */
			bool vlek = strstr(chains[k], "vlek") != NULL;
			bool use = vlek == (strstr(snp_vectors[i].chain, "vlek") != NULL);
			bool product = strncmp(chains[k], snp_vectors[i].chain, 5) == 0;
			snp_vector_status("snp.chain.ask", use ? CHECK_PASS : CHECK_FAIL);
			snp_vector_status("snp.product", product ? CHECK_PASS : CHECK_FAIL);
			free(raw);
		}
}

/* Each chip's key on each other's report. */
static void real_wrong_chips(void **state)
{
	(void)state;
	struct snp_certs certs = { 0 };
	size_t size;

	if (vectors_present() < 0)
		skip();
	for (size_t i = 0; i < SNP_VECTORS; i++)
		for (size_t k = 0; k < SNP_VECTORS; k++) {
			if (i == k)
				continue;
			uint8_t *raw = snp_vector_report(snp_vectors[i].name, &size);
			certs = snp_vector_certs(k, NULL);
			assert_int_equal(
				snp_vector_judge(raw, size, certs, snp_vector_time(&certs)),
				EX_UNAUTHENTIC);
			snp_vector_status("snp.signature", CHECK_FAIL);
			free(raw);
		}
	certs = (struct snp_certs){ 0 };
	snp_vector_add(&certs, "negative/wrong-vcek", "vcek-ask-ark.pem");
	uint8_t *raw = snp_vector_report("negative/wrong-vcek", &size);
	assert_int_equal(snp_vector_judge(raw, size, certs, snp_vector_time(&certs)),
			 EX_UNAUTHENTIC);
	snp_vector_status("snp.vek.tcb", CHECK_PASS);
	snp_vector_status("snp.vek.chip", CHECK_FAIL);
	snp_vector_status("snp.signature", CHECK_FAIL);
	free(raw);
}

/* Made by others to test the two encodings of hwID; their signatures are nobody's. */
static void real_hwid_encodings(void **state)
{
	(void)state;
	static const char *const files[] = { "vcek-invalid-hwid-raw.der",
					     "vcek-invalid-hwid-der.der" };

	if (vectors_present() < 0)
		skip();
	for (size_t i = 0; i < 2; i++) {
		struct snp_certs certs = { 0 };
		struct snp_vek v;
		struct err e = { 0 };
		snp_vector_add(&certs, "milan-v2-azure", files[i]);
		snp_vector_add(&certs, "chains", "milan.pem");
		assert_int_equal(snp_vek_parse(certs.cert[SNP_ROLE_VEK], &v, &e), 0);
		for (uint8_t k = 0; k < SNP_CHIP_ID_SIZE; k++)
			assert_int_equal(v.hwid[k], k);
		assert_int_equal(snp_cert_check_issuer(SNP_ROLE_VEK, certs.cert[SNP_ROLE_VEK],
						       certs.cert[SNP_ROLE_ASK], NULL, &e),
				 -EX_UNAUTHENTIC);
		snp_certs_free(&certs);
	}
	struct snp_certs certs = { 0 };
	struct snp_vek v;
	struct err e = { 0 };
	snp_vector_add(&certs, "cert-only", "turin-vcek.der");
	snp_vector_add(&certs, "chains", "turin.pem");
	assert_int_equal(snp_vek_parse(certs.cert[SNP_ROLE_VEK], &v, &e), 0);
	assert_int_equal(v.hwid_size, 8);
	assert_int_equal(v.product, SNP_TURIN);
	assert_int_equal(snp_cert_check_issuer(SNP_ROLE_VEK, certs.cert[SNP_ROLE_VEK],
					       certs.cert[SNP_ROLE_ASK], NULL, &e),
			 0);
	snp_certs_free(&certs);
}

static void real_validity(void **state)
{
	(void)state;
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *raw = snp_vector_report("milan-v3-vlek-aws-vmpl1", &size);
	struct snp_certs certs = snp_vector_certs(2, NULL);
	time_t from = snp_vector_time(&certs) - 86400;
	assert_int_equal(snp_vector_judge(raw, size, certs, from - 1), EX_COLLATERAL);
	snp_vector_status("snp.validity", CHECK_FAIL);
	assert_int_equal(
		snp_vector_judge(raw, size, snp_vector_certs(2, NULL), from + 366 * 86400L),
		EX_COLLATERAL);
	assert_int_equal(
		snp_vector_judge(raw, size, snp_vector_certs(2, NULL), from + 364 * 86400L), EX_OK);
	free(raw);
}

/* Reserved bytes too: a verifier that writes the report anew before it hashes would miss them. */
static void real_report_bytes(void **state)
{
	(void)state;
	size_t size;
	struct snp_report r;
	struct err e = { 0 };

	if (vectors_present() < 0)
		skip();
	uint8_t *raw = snp_vector_report("turin-v5", &size);
	struct snp_certs certs = snp_vector_certs(5, NULL);
	EVP_PKEY *key = X509_get0_pubkey(certs.cert[SNP_ROLE_VEK]);
	assert_int_equal(snp_report_parse(raw, size, &r, &e), 0);
	assert_int_equal(snp_report_verify(&r, key, &e), 0);
	for (size_t i = 0; i < size; i++) {
		raw[i] ^= 4;
		e = (struct err){ 0 };
		bool taken = snp_report_parse(raw, size, &r, &e) == 0 &&
			     snp_report_verify(&r, key, &e) == 0;
		raw[i] ^= 4;
		if (taken)
			fail_msg("byte 0x%zx changed: taken", i);
	}
	snp_certs_free(&certs);
	free(raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_report_fields),  cmocka_unit_test(real_certificates),
		cmocka_unit_test(real_reports),	       cmocka_unit_test(real_cert_table),
		cmocka_unit_test(real_wrong_chains),   cmocka_unit_test(real_wrong_chips),
		cmocka_unit_test(real_hwid_encodings), cmocka_unit_test(real_validity),
		cmocka_unit_test(real_report_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
