/* Verdicts by a signed bundle of reference values: an SEV-SNP report and a TDX quote, with keys
 * made here. */
#include "attest/appraise/request.h"
#include "attest/measure/bundle_sign.h"
#include "attest/measure/references_value.h"
#include "common/bytes.h"
#include "tests/unit/fake_snp_world.h"
#include "tests/unit/fake_tdx.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SVN 3u

static struct fake_snp_world *world;
static struct fake_tdx *platform;
static struct policy policy;
static struct checks result;
static char key_path[] = "/tmp/pavise-verify-references-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	world = calloc(1, sizeof(*world));
	platform = calloc(1, sizeof(*platform));
	if (world == NULL || platform == NULL)
		return -1;
	fake_snp_world_make(world);
	fake_tdx_make(platform, 4, 2);
	int fd = mkstemp(key_path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (f == NULL || !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL))
		return -1;
	EVP_PKEY_free(key);
	return fclose(f);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(key_path);
	fake_snp_world_free(world);
	fake_tdx_free(platform);
	free(world);
	free(platform);
	return 0;
}

/* The file of a bundle with one value, and its key's digest for the policy. */
static char *bundle_of(const struct reference_value *value, time_t until)
{
	struct references r = { .svn = SVN, .has_not_after = true, .not_after = until, .count = 1 };
	struct err e = { 0 };

	r.value = calloc(1, sizeof(*r.value));
	assert_non_null(r.value);
	r.value[0] = *value;
	r.text = references_write_text(&r);
	assert_non_null(r.text);
	r.text_size = strlen(r.text);
	assert_int_equal(bundle_sign(key_path, &r, &e), 0);
	assert_int_equal(references_key_digest(&r, policy.references_key.value, &e), 0);
	char *file = bundle_file(&r);
	assert_non_null(file);
	references_free(&r);
	return file;
}

static struct request request_of(enum request_kind kind, char *file)
{
	struct request r = { .kind = kind, .policy = &policy, .now = FAKE_SNP_NOW };

	r.references = (struct blob){ (uint8_t *)file, strlen(file), "bundle" };
	if (kind == REQUEST_SNP) {
		r.evidence = (struct blob){ world->chip.report, SNP_REPORT_SIZE, "report" };
		r.cert_table = (struct blob){ world->chip.table, world->chip.table_size, "table" };
	} else {
		r.evidence = (struct blob){ platform->quote, platform->quote_size, "quote" };
	}
	return r;
}

/* The bundle is the policy's; what else the policies judge is not the subject here. */
static void policy_of(enum evidence_tee tee)
{
	policy_built_in(POLICY_PERMISSIVE, &policy);
	policy.any_tee = false;
	policy.tee = tee;
	strcpy(policy.references, "bundle");
	policy.references_key.given = true;
	policy.references_key.size = REFERENCES_DIGEST_SIZE;
	policy.min_svn = SVN;
}

static enum check_status status_of(const char *id)
{
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0)
			return result.item[i].status;
	fail_msg("no check %s", id);
	return CHECK_SKIPPED;
}

static enum exit_status failure_of(const char *id)
{
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0 && result.item[i].status == CHECK_FAIL)
			return result.item[i].failure;
	return EX_OK;
}

static void judge(const struct request *r)
{
	struct err e = { 0 };

	memset(&result, 0, sizeof(result));
	if (appraise(r, &result, &e) < 0)
		fail_msg("%s", e.text);
}

/* What a bundle can be refused for; the value then counts for nothing. */
static void judge_bundles(struct request *r, const char *id, char *file)
{
	judge(r);
	assert_int_equal(status_of("reference.bundle"), CHECK_PASS);
	assert_int_equal(status_of(id), CHECK_PASS);
	assert_false(result.no_reference);

	policy.references_key.value[0] ^= 1;
	judge(r);
	assert_int_equal(failure_of("reference.bundle"), EX_UNAUTHENTIC);
	assert_int_equal(status_of(id), CHECK_SKIPPED);
	policy.references_key.value[0] ^= 1;

	policy.min_svn = SVN + 1;
	judge(r);
	assert_int_equal(failure_of("reference.bundle"), EX_REFUSED);
	assert_int_equal(status_of(id), CHECK_SKIPPED);
	policy.min_svn = SVN;

	r->now++;
	judge(r);
	assert_int_equal(failure_of("reference.bundle"), EX_COLLATERAL);
	assert_int_equal(status_of(id), CHECK_SKIPPED);
	r->now--;

	char *label = strstr(file, "one machine");
	assert_non_null(label);
	*label = 'O';
	judge(r);
	assert_int_equal(failure_of("reference.bundle"), EX_UNAUTHENTIC);
	assert_int_equal(status_of(id), CHECK_SKIPPED);
	*label = 'o';

	struct err e = { 0 };
	r->references.data = NULL;
	assert_int_equal(appraise(r, &result, &e), -EX_USAGE_ERROR);
	r->references = (struct blob){ (const uint8_t *)"{}", 2, "bundle" };
	struct err form = { 0 };
	assert_int_equal(appraise(r, &result, &form), -EX_MALFORMED);
}

static void snp_values(void **state)
{
	(void)state;
	const uint8_t *report = world->chip.report;
	struct reference_value v = { .tee = REFERENCE_SNP,
				     .label = "one machine",
				     .has_policy = true };
	struct reader at_policy = reader_over(report + 8, 8);

	memcpy(v.digest, report + 0x90, sizeof(v.digest));
	v.policy = read_le64(&at_policy);
	policy_of(EVIDENCE_SNP);
	char *file = bundle_of(&v, FAKE_SNP_NOW);
	struct request r = request_of(REQUEST_SNP, file);
	judge_bundles(&r, "snp.measurement", file);
	free(file);

	for (unsigned i = 0; i < 3; i++) {
		struct reference_value other = v;
		other.digest[i == 0 ? 47 : 0] ^= i < 2;
		other.policy ^= i == 2;
		file = bundle_of(&other, FAKE_SNP_NOW);
		r = request_of(REQUEST_SNP, file);
		judge(&r);
		assert_int_equal(status_of("reference.bundle"), CHECK_PASS);
		assert_int_equal(failure_of("snp.measurement"), EX_REFUSED);
		free(file);
	}
}

static void tdx_values(void **state)
{
	(void)state;
	struct reference_value v = { .tee = REFERENCE_TDX, .label = "one machine" };

	memcpy(v.digest, platform->body + FAKE_TDX_MRTD, sizeof(v.digest));
	policy_of(EVIDENCE_TDX);
	char *file = bundle_of(&v, FAKE_TDX_NOW);
	struct request r = request_of(REQUEST_TDX, file);
	r.now = FAKE_TDX_NOW;
	judge_bundles(&r, "tdx.mrtd", file);
	free(file);

	v.digest[0] ^= 1;
	file = bundle_of(&v, FAKE_TDX_NOW);
	r = request_of(REQUEST_TDX, file);
	judge(&r);
	assert_int_equal(failure_of("tdx.mrtd"), EX_REFUSED);
	free(file);
}

/* A value that says RTMRs is one machine's: another with its MRTD is refused. */
static void tdx_machines(void **state)
{
	(void)state;
	struct reference_value v = { .tee = REFERENCE_TDX,
				     .label = "one machine",
				     .has_rtmr = { true, true } };

	memcpy(v.digest, platform->body + FAKE_TDX_MRTD, sizeof(v.digest));
	memcpy(v.rtmr[0], platform->body + FAKE_TDX_RTMR0, sizeof(v.rtmr[0]));
	memcpy(v.rtmr[1], platform->body + FAKE_TDX_RTMR0 + 48, sizeof(v.rtmr[1]));
	policy_of(EVIDENCE_TDX);
	char *file = bundle_of(&v, FAKE_TDX_NOW);
	struct request r = request_of(REQUEST_TDX, file);
	r.now = FAKE_TDX_NOW;
	judge_bundles(&r, "tdx.mrtd", file);
	r = request_of(REQUEST_TDX, file);
	r.now = FAKE_TDX_NOW;
	judge(&r);
	assert_int_equal(status_of("tdx.rtmr.0"), CHECK_PASS);
	assert_int_equal(status_of("tdx.rtmr.1"), CHECK_PASS);
	free(file);

	v.rtmr[0][0] ^= 1;
	file = bundle_of(&v, FAKE_TDX_NOW);
	r = request_of(REQUEST_TDX, file);
	r.now = FAKE_TDX_NOW;
	judge(&r);
	assert_int_equal(failure_of("tdx.mrtd"), EX_REFUSED);
	assert_int_equal(failure_of("tdx.rtmr.0"), EX_REFUSED);
	assert_int_equal(status_of("tdx.rtmr.1"), CHECK_PASS);
	free(file);
}

static void parse(const char *keys, int status)
{
	char text[1024];
	struct err e = { 0 };

	snprintf(text, sizeof(text), "{\"format\":\"pavise-policy\",\"version\":0,%s}", keys);
	if (policy_parse("policy", text, strlen(text), &policy, &e) != status)
		fail_msg("%s: %s", keys, e.text);
}

#define D                                                                                          \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabb" \
	"ccddeeff"
#define SNP "\"tee\":\"sev-snp\",\"snp\":{},"
#define BUNDLE "\"references\":\"a.ref\",\"references_key\":\"" D "\""

static void policies(void **state)
{
	(void)state;
	parse(SNP BUNDLE ",\"min_svn\":4294967295", 0);
	assert_string_equal(policy.references, "a.ref");
	assert_true(policy.references_key.given && policy.references_key.value[47] == 0xFF);
	assert_int_equal(policy.min_svn, UINT32_MAX);
	parse("\"tee\":\"tdx\"," BUNDLE, 0);
	parse("\"tee\":\"tdx\",\"tdx\":{\"mrtd\":[\"" D "\"]}," BUNDLE, -EX_MALFORMED);
	parse(SNP "\"plan\":\"p\"," BUNDLE, -EX_MALFORMED);
	parse("\"tee\":\"sev-snp\",\"snp\":{\"measurements\":[\"" D "\"]}," BUNDLE, -EX_MALFORMED);
	parse(SNP "\"references\":\"a.ref\"", -EX_MALFORMED);
	parse(SNP "\"references\":\"\",\"references_key\":\"" D "\"", -EX_MALFORMED);
	parse(SNP "\"references\":\"a\",\"references_key\":\"00\"", -EX_MALFORMED);
	parse(SNP "\"plan\":\"p\",\"references_key\":\"" D "\"", -EX_MALFORMED);
	parse(SNP "\"plan\":\"p\",\"min_svn\":1", -EX_MALFORMED);
	parse(SNP BUNDLE ",\"min_svn\":4294967296", -EX_MALFORMED);
	parse("\"base\":\"strict\"," BUNDLE, -EX_MALFORMED); /* of which kind of machine? */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_values),
		cmocka_unit_test(tdx_values),
		cmocka_unit_test(tdx_machines),
		cmocka_unit_test(policies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
