/* Quotes of real platforms, against what was read out of them by other means (expected.json). */
#include "attest/appraise/check_tdx.h"
#include "common/bytes.h"
#include "common/rfc3339.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct checks result;
static struct log_policy log_policy;

static const struct {
	const char *name, *time; /* within the validity of its certificates and collateral */
	bool is_intel;
} vectors[] = {
	{ "v4-uptodate", "2025-07-01T00:00:00Z", true },
	{ "v5-uptodate", "2026-04-01T00:00:00Z", true },
	{ "v4-platform-outofdate-module-uptodate", "2025-03-01T00:00:00Z", true },
	{ "v4-debug-td-outofdate", "2026-04-01T00:00:00Z", true },
	{ "v4-gce-ccel", "2025-01-01T00:00:00Z", true },
	{ "v4-untrusted-root", "2025-01-01T00:00:00Z", false },
};
#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static uint8_t *read_of(size_t i, const char *file, size_t *size)
{
	char path[256];

	snprintf(path, sizeof(path), "tdx/%s/%s", vectors[i].name, file);
	return vector_read(path, size);
}

static const json_t *expected_of(json_t *all, size_t i)
{
	char key[128];

	snprintf(key, sizeof(key), "tdx/%s", vectors[i].name);
	const json_t *j = json_object_get(all, key);
	assert_non_null(j);
	return j;
}

static time_t time_of(size_t i)
{
	int64_t t = 0;

	assert_true(rfc3339_parse(vectors[i].time, &t));
	return (time_t)t;
}

static enum exit_status judge(const struct tdx_appraisal *how)
{
	struct tdx_appraisal a = *how;

	memset(&result, 0, sizeof(result));
	a.checks = &result;
	a.log = &log_policy;
	a.unjudged = "policy none: not judged";
	check_tdx(&a);
	assert_false(result.overflow);
	return checks_verdict(&result);
}

static const struct check *find(const char *id)
{
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0)
			return &result.item[i];
	fail_msg("check %s is not in the result", id);
	abort();
}

static void assert_status(const char *id, enum check_status status)
{
	if (find(id)->status != status)
		fail_msg("%s: status %d: %s", id, (int)find(id)->status, find(id)->note);
}

static const char *claim(const char *name)
{
	for (size_t i = 0; i < result.claim_count; i++)
		if (strcmp(result.claim[i].name, name) == 0)
			return result.claim[i].value;
	fail_msg("claim %s is not in the result", name);
	abort();
}

static void same_claims(const json_t *j)
{
	static const char *const names[][2] = { { "tdx.tee_tcb_svn", "tee_tcb_svn" },
						{ "tdx.mrseam", "mrseam" },
						{ "tdx.mrsignerseam", "mrsignerseam" },
						{ "tdx.seam_attributes", "seamattr" },
						{ "tdx.td_attributes", "tdattr" },
						{ "tdx.xfam", "xfam" },
						{ "tdx.mrtd", "mrtd" },
						{ "tdx.mrconfigid", "mrconfigid" },
						{ "tdx.mrowner", "mrowner" },
						{ "tdx.mrownerconfig", "mrownerconfig" },
						{ "tdx.report_data", "reportdata" },
						{ "tdx.qe.vendor", "vendor" },
						{ "tdx.pck.fmspc", "fmspc" },
						{ "tdx.pck.pce_id", "pceid" },
						{ "tdx.tee_tcb_svn2", "tee_tcb_svn2" },
						{ "tdx.mrservicetd", "mrservicetd" } };
	char name[16], text[24];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *v = json_object_get(j, names[i][1]);
		if (v != NULL)
			assert_string_equal(claim(names[i][0]), json_string_value(v));
	}
	for (size_t i = 0; i < TDX_RTMRS; i++) {
		snprintf(name, sizeof(name), "tdx.rtmr%zu", i);
		assert_string_equal(claim(name), json_string_value(json_array_get(
							 json_object_get(j, "rtmr"), i)));
	}
	snprintf(text, sizeof(text), "%lld",
		 (long long)json_integer_value(json_object_get(j, "trailing_bytes")));
	assert_string_equal(claim("tdx.trailing_bytes"), text);
	snprintf(text, sizeof(text), "%lld",
		 (long long)json_integer_value(json_object_get(j, "version")));
	assert_string_equal(claim("tdx.version"), text);
	snprintf(text, sizeof(text), "%lld",
		 (long long)json_integer_value(json_object_get(j, "pck_pcesvn")));
	assert_string_equal(claim("tdx.pck.pce_svn"), text);
	const json_t *svn = json_object_get(j, "pck_cpusvn");
	for (size_t i = 0; i < json_array_size(svn); i++) {
		snprintf(text, sizeof(text), "%02x",
			 (unsigned)json_integer_value(json_array_get(svn, i)));
		assert_memory_equal(claim("tdx.pck.tcb_components") + 2 * i, text, 2);
	}
}

/* Authentic, every field as expected; a root that is not Intel's is the only thing wrong. */
static void real_tdx_quotes(void **state)
{
	(void)state;
	static const char *const signatures[] = {
		"tdx.chain.root", "tdx.chain.ca",     "tdx.chain.pck",	"tdx.validity",
		"tdx.pck.form",	  "tdx.qe.signature", "tdx.qe.binding", "tdx.signature",
		"tdx.qe.vendor",  "tdx.module",
	};

	if (vectors_present() < 0)
		skip();
	json_t *all = vector_expected();
	for (size_t i = 0; i < VECTORS; i++) {
		size_t size;
		uint8_t *quote = read_of(i, "quote.bin", &size);
		struct tdx_appraisal a = { .quote = quote, .quote_size = size, .now = time_of(i) };
		assert_int_equal(judge(&a), vectors[i].is_intel ? EX_OK : EX_REFUSED);
		assert_status("tdx.root", vectors[i].is_intel ? CHECK_PASS : CHECK_FAIL);
		for (size_t k = 0; k < sizeof(signatures) / sizeof(signatures[0]); k++)
			assert_status(signatures[k], CHECK_PASS);
		same_claims(expected_of(all, i));
		a.now = 0; /* 1970 */
		judge(&a);
		assert_status("tdx.validity", CHECK_FAIL);
		free(quote);
	}
	json_decref(all);
}

/* Its private root given, the pre-production platform is authentic under that one. */
static void real_tdx_root(void **state)
{
	(void)state;
	size_t size;
	struct tdx_quote q;
	struct tdx_chain chain;
	struct err e = { 0 };

	if (vectors_present() < 0)
		skip();
	uint8_t *quote = read_of(5, "quote.bin", &size);
	assert_int_equal(tdx_quote_parse(quote, size, &q, &e), 0);
	assert_int_equal(tdx_chain_parse(q.certs, q.certs_size, NULL, &chain, &e), 0);
	struct tdx_appraisal a = { .quote = quote,
				   .quote_size = size,
				   .trust_root = chain.cert[TDX_ROLE_ROOT],
				   .now = time_of(5) };
	assert_int_equal(judge(&a), EX_OK);
	assert_true(result.private_root);
	tdx_chain_free(&chain);
	free(quote);
}

static void real_tdx_debug(void **state)
{
	(void)state;
	struct tdx_policy policy;
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *quote = read_of(3, "quote.bin", &size);
	struct tdx_appraisal a = {
		.quote = quote, .quote_size = size, .now = time_of(3), .policy = &policy
	};
	policy_tdx_base(POLICY_PERMISSIVE, &policy);
	assert_int_equal(judge(&a), EX_REFUSED);
	assert_status("tdx.debug", CHECK_FAIL);
	policy.allow_debug = true;
	assert_int_equal(judge(&a), EX_OK);
	free(quote);
}

static void real_sgx_quote(void **state)
{
	(void)state;
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *quote = vector_read("tdx/negative/sgx-quote-v3.bin", &size);
	struct tdx_appraisal a = { .quote = quote, .quote_size = size, .now = time_of(0) };
	assert_int_equal(judge(&a), EX_MALFORMED);
	assert_non_null(strstr(find("tdx.form")->note, "not a TDX quote"));
	free(quote);
}

static void real_tdx_logs(void **state)
{
	(void)state;
	struct tdx_policy policy;
	size_t size, log_size;

	if (vectors_present() < 0)
		skip();
	policy_tdx_base(POLICY_PERMISSIVE, &policy);
	policy_log_base(POLICY_PERMISSIVE, &log_policy);
	log_policy.rtmrs = 0xF;
	uint8_t *quote = read_of(4, "quote.bin", &size), *log = read_of(4, "ccel.bin", &log_size);
	struct tdx_appraisal a = { .quote = quote,
				   .quote_size = size,
				   .now = time_of(4),
				   .policy = &policy,
				   .ccel = log,
				   .ccel_size = log_size };
	size_t data_size;
	uint8_t *data = read_of(4, "report_data.bin", &data_size);
	assert_int_equal(data_size, 64);
	a.report_data = data;
	assert_int_equal(judge(&a), EX_OK);
	assert_status("tdx.binding", CHECK_PASS);
	assert_status("log.separators", CHECK_PASS);
	/* The same log with a separator written twice is another one, and refused as such. */
	uint8_t *twice = vector_read("tdx/ccel-dup-separator/ccel.bin", &a.ccel_size);
	a.ccel = twice;
	judge(&a);
	assert_status("log.separators", CHECK_FAIL);
	assert_status("log.replay.rtmr0", CHECK_FAIL);
	assert_status("log.replay.rtmr2", CHECK_PASS); /* its RTMR2 is the same */
	free(twice);
	free(data);
	free(quote);
	free(log);
	/* What Linux extended into RTMR2 is not in the log. */
	a.report_data = NULL;
	a.quote = quote = read_of(5, "quote.bin", &a.quote_size);
	a.ccel = log = read_of(5, "ccel.bin", &a.ccel_size);
	judge(&a);
	assert_status("log.replay.rtmr0", CHECK_PASS);
	assert_status("log.replay.rtmr1", CHECK_PASS);
	assert_status("log.replay.rtmr2", CHECK_FAIL);
	assert_status("log.replay.rtmr3", CHECK_PASS);
	log_policy.rtmrs = 0x3;
	judge(&a);
	assert_status("log.replay.rtmr2", CHECK_SKIPPED);
	free(quote);
	free(log);
}

/* No byte of a quote can change without a check that fails: all that is signed, and all that says
 * who signed. */
static void real_tdx_bytes(void **state)
{
	(void)state;
	size_t size;
	struct tdx_quote q;
	struct err e = { 0 };

	if (vectors_present() < 0)
		skip();
	uint8_t *quote = read_of(1, "quote.bin", &size);
	assert_int_equal(tdx_quote_parse(quote, size, &q, &e), 0);
	struct tdx_appraisal a = { .quote = quote, .quote_size = size, .now = time_of(1) };
	size_t end = (size_t)(q.certs - quote);
	for (size_t i = 0; i < end; i++) {
		quote[i] ^= 0x10;
		if (judge(&a) == EX_OK)
			fail_msg("byte %zu may be anything", i);
		quote[i] ^= 0x10;
	}
	for (size_t i = end; i < end + q.certs_size; i += 5) {
		quote[i] ^= 0x10;
		if (judge(&a) == EX_OK)
			fail_msg("byte %zu (0x%02x) of the certificates may be anything", i - end,
				 quote[i]);
		quote[i] ^= 0x10;
	}
	assert_int_equal(judge(&a), EX_OK);
	free(quote);
}

static void set_u32(uint8_t *p, size_t v)
{
	struct writer w = writer_over(p, 4);

	write_le32(&w, (uint32_t)v);
}

/* A certificate that Intel's root issued for another use, in the place of the PCK CA: only its name
 * and its being no CA tell. */
static void real_tdx_other_use(void **state)
{
	(void)state;
	static uint8_t forged[16384];
	struct writer w = writer_over(forged, sizeof(forged));
	struct tdx_quote q;
	struct err e = { 0 };
	size_t size, chain_size;

	if (vectors_present() < 0)
		skip();
	uint8_t *quote = read_of(1, "quote.bin", &size);
	uint8_t *chain = read_of(1, "tcb_signing_chain.pem", &chain_size);
	assert_int_equal(tdx_quote_parse(quote, size, &q, &e), 0);
	const uint8_t *ca = memmem(q.certs + 1, q.certs_size - 1, "-----BEGIN", 10);
	assert_non_null(ca);
	write_copy(&w, quote, (size_t)(ca - quote)); /* up to and with the PCK certificate */
	write_copy(&w, chain, chain_size);	     /* TCB signing, root */
	assert_false(w.bad);
	size_t certs = (size_t)(q.certs - quote), outer = (size_t)(q.qe_report - quote);
	set_u32(forged + certs - 4, w.pos - certs);
	set_u32(forged + outer - 4, w.pos - outer);
	set_u32(forged + q.signed_size, w.pos - q.signed_size - 4);
	struct tdx_appraisal a = { .quote = forged, .quote_size = w.pos, .now = time_of(1) };
	assert_int_equal(judge(&a), EX_UNAUTHENTIC);
	assert_status("tdx.certs", CHECK_PASS);
	assert_status("tdx.root", CHECK_PASS);
	assert_status("tdx.chain.ca", CHECK_FAIL);
	assert_non_null(strstr(find("tdx.chain.ca")->note, "another use"));
	assert_status("tdx.chain.pck", CHECK_FAIL);
	free(quote);
	free(chain);
}

/* The quote inside an Azure machine's evidence, whose REPORTDATA is bound to its vTPM. */
static void real_azure_td_quote(void **state)
{
	(void)state;
	static uint8_t quote[16384];
	size_t size;
	char *text;

	if (vectors_present() < 0)
		skip();
	uint8_t *file = vector_read("tdx/azure-vtpm/evidence.json", &size);
	json_t *j = json_loadb((const char *)file, size, 0, NULL);
	assert_non_null(j);
	text = strdup(json_string_value(json_object_get(j, "td_quote")));
	assert_non_null(text);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	char padded[24000];
	snprintf(padded, sizeof(padded), "%s%s", text, &"===="[4 - (4 - strlen(text) % 4) % 4]);
	struct tdx_appraisal a = { .quote = quote,
				   .quote_size = vector_base64(padded, quote, sizeof(quote)),
				   .now = time_of(0) };
	assert_int_equal(judge(&a), EX_OK);
	free(text);
	free(file);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_tdx_quotes),    cmocka_unit_test(real_tdx_root),
		cmocka_unit_test(real_tdx_debug),     cmocka_unit_test(real_sgx_quote),
		cmocka_unit_test(real_tdx_logs),      cmocka_unit_test(real_tdx_bytes),
		cmocka_unit_test(real_tdx_other_use), cmocka_unit_test(real_azure_td_quote),
	};

	return cmocka_run_group_tests_name("tdx_vectors", tests, NULL, NULL);
}
