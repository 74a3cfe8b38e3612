/* Bundles of reference values as a verifier takes them: keys made here, good bundles, and each of
 * the ways in which one is not to be believed. */
#include "attest/measure/bundle_sign.h"
#include "attest/measure/references.h"
#include "attest/measure/references_value.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOT_AFTER 1800000000 /* seconds since the epoch */

/* A private key in a file of its own; unlink and free the path. */
static char *key_file(const char *type, const char *group)
{
	char *path = strdup("/tmp/pavise-references-XXXXXX");
	assert_non_null(path);
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	EVP_PKEY *key = group == NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type)
				      : EVP_PKEY_Q_keygen(NULL, NULL, type, group);

	assert_true(f != NULL && key != NULL);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	EVP_PKEY_free(key);
	return path;
}

/* One value of each kind, and a second SEV-SNP guest without guest policy. */
static void fill(struct references *r)
{
	*r = (struct references){
		.svn = 7, .has_not_after = true, .not_after = NOT_AFTER, .count = 4
	};
	r->value = calloc(r->count, sizeof(*r->value));
	assert_non_null(r->value);
	r->value[0] = (struct reference_value){ .tee = REFERENCE_SNP,
						.label = "first",
						.has_policy = true,
						.policy = 0x30000,
						.cpus = 2 };
	memset(r->value[0].digest, 0x11, REFERENCES_DIGEST_SIZE);
	r->value[1] = (struct reference_value){ .tee = REFERENCE_SNP, .label = "any policy" };
	memset(r->value[1].digest, 0x22, REFERENCES_DIGEST_SIZE);
	r->value[2] = (struct reference_value){ .tee = REFERENCE_TDX, .label = "trust domain" };
	memset(r->value[2].digest, 0x33, REFERENCES_DIGEST_SIZE);
	r->value[3] = (struct reference_value){ .tee = REFERENCE_NONE,
						.label = "plain",
						.cpus = 4,
						.memory = 1u << 30,
						.pci_slots = 2,
						.bank = { true, false } };
	memset(r->value[3].pcr[REFERENCE_SHA256], 0x44, sizeof(r->value[3].pcr[0]));
}

/* The file of a bundle with this text, signed by the key. */
static char *signed_file(const char *key, const char *text)
{
	struct references r = { .text = strdup(text), .text_size = strlen(text) };
	struct err e = { 0 };
	int status = bundle_sign(key, &r, &e);

	/* bundle_sign reads the values in the end: a text that breaks the form is signed by then.
	 */
	if (status != 0 && status != -EX_MALFORMED)
		fail_msg("%s", e.text);
	char *file = bundle_file(&r);
	assert_non_null(file);
	references_free(&r);
	return file;
}

static char *good_text(void)
{
	struct references r;

	fill(&r);
	char *text = references_write_text(&r);
	assert_non_null(text);
	references_free(&r);
	return text;
}

/* The status of the first step that fails. */
static int open_bundle(const char *file, const uint8_t *pinned, struct references *r)
{
	struct err e = { 0 };
	int status = references_parse("bundle", (const uint8_t *)file, strlen(file), r, &e);

	assert_int_equal(r->count, 0);
	if (status == 0)
		status = references_verify("bundle", r, pinned, &e);
	if (status < 0) {
		assert_int_equal(r->count, 0);
		assert_non_null(strstr(e.text, "bundle"));
	}
	return status;
}

/* By MRTD with RTMRs of zeros. */
static const struct reference_value *find_td(const struct references *r, const uint8_t *mrtd)
{
	static const uint8_t zeros[REFERENCES_DIGEST_SIZE];
	const uint8_t *const rtmr[] = { zeros, zeros };

	return references_find_tdx(r, mrtd, rtmr);
}

static void finds_what_was_signed(const char *type, const char *group)
{
	char *key = key_file(type, group), *text = good_text(), *file = signed_file(key, text);
	uint8_t digest[REFERENCES_DIGEST_SIZE], pinned[REFERENCES_DIGEST_SIZE];
	uint8_t pcr[REFERENCES_PCRS][REFERENCES_DIGEST_SIZE];
	struct references r;
	struct err e = { 0 };

	assert_int_equal(open_bundle(file, NULL, &r), 0);
	assert_string_equal(r.text, text);
	assert_int_equal(references_key_digest(&r, pinned, &e), 0);
	references_free(&r);
	assert_int_equal(open_bundle(file, pinned, &r), 0);
	assert_true(r.count == 4 && r.svn == 7 && r.has_not_after && r.not_after == NOT_AFTER);
	memset(digest, 0x11, sizeof(digest));
	assert_ptr_equal(references_find_snp(&r, digest, 0x30000), &r.value[0]);
	assert_null(references_find_snp(&r, digest, 0xB0000));
	assert_null(find_td(&r, digest));
	digest[47] ^= 1;
	assert_null(references_find_snp(&r, digest, 0x30000));
	memset(digest, 0x22, sizeof(digest));
	assert_ptr_equal(references_find_snp(&r, digest, 0xB0000), &r.value[1]);
	memset(digest, 0x33, sizeof(digest));
	assert_ptr_equal(find_td(&r, digest), &r.value[2]);
	assert_null(references_find_snp(&r, digest, 0x30000));
	memset(pcr, 0x44, sizeof(pcr));
	assert_ptr_equal(references_find_pcrs(&r, REFERENCE_SHA256, pcr), &r.value[3]);
	assert_null(references_find_pcrs(&r, REFERENCE_SHA384, pcr));
	pcr[7][31] ^= 1;
	assert_null(references_find_pcrs(&r, REFERENCE_SHA256, pcr));
	references_free(&r);
	unlink(key);
	free(key);
	free(text);
	free(file);
}

static void ed25519_bundles(void **state)
{
	(void)state;
	finds_what_was_signed("ED25519", NULL);
}

static void p384_bundles(void **state)
{
	(void)state;
	finds_what_was_signed("EC", "P-384");
}

static void other_keys_are_refused(void **state)
{
	(void)state;
	char *key = key_file("ED25519", NULL), *text = good_text(), *file = signed_file(key, text);
	uint8_t pinned[REFERENCES_DIGEST_SIZE];
	struct references r;
	struct err e = { 0 };

	assert_int_equal(open_bundle(file, NULL, &r), 0);
	assert_int_equal(references_key_digest(&r, pinned, &e), 0);
	references_free(&r);
	for (size_t i = 0; i < sizeof(pinned); i += 47) {
		pinned[i] ^= 0x80;
		assert_int_equal(open_bundle(file, pinned, &r), -EX_UNAUTHENTIC);
		references_free(&r);
		pinned[i] ^= 0x80;
	}
	/* Kinds that nobody verifies. */
	static const char *const group[] = { "P-256", "P-521" };
	for (size_t i = 0; i < 2; i++) {
		char *weak = key_file("EC", group[i]);
		struct references w = { .text = strdup(text), .text_size = strlen(text) };
		assert_int_equal(bundle_sign(weak, &w, &e), -EX_MALFORMED);
		assert_int_equal(w.count, 0);
		references_free(&w);
		unlink(weak);
		free(weak);
	}
	unlink(key);
	free(key);
	free(text);
	free(file);
}

/* Any changed byte of key, text or signature costs the bundle. */
static void changed_bytes_are_refused(void **state)
{
	(void)state;
	char *key = key_file("EC", "P-384"), *text = good_text(), *file = signed_file(key, text);
	uint8_t pinned[REFERENCES_DIGEST_SIZE];
	struct references r;
	struct err e = { 0 };

	assert_int_equal(open_bundle(file, NULL, &r), 0);
	assert_int_equal(references_key_digest(&r, pinned, &e), 0);
	uint8_t *const part[] = { r.key, (uint8_t *)r.text, r.signature };
	const size_t size[] = { r.key_size, r.text_size, r.signature_size };
	for (size_t p = 0; p < 3; p++)
		for (size_t i = 0; i < size[p]; i++) {
			struct err why = { 0 };
			part[p][i] ^= 1;
			assert_int_equal(references_verify("bundle", &r, pinned, &why),
					 -EX_UNAUTHENTIC);
			part[p][i] ^= 1;
		}
	assert_int_equal(references_verify("bundle", &r, pinned, &e), 0);
	r.text_size--;
	assert_int_equal(references_verify("bundle", &r, pinned, &e), -EX_UNAUTHENTIC);
	r.text_size++;
	r.key_size++; /* a byte behind the key is not the key */
	assert_int_equal(references_verify("bundle", &r, NULL, &e), -EX_MALFORMED);
	references_free(&r);
	unlink(key);
	free(key);
	free(text);
	free(file);
}

static void expiry_and_version(void **state)
{
	(void)state;
	struct references r = { .svn = 7, .has_not_after = true, .not_after = NOT_AFTER };

	struct err e = { 0 };
	assert_int_equal(references_check("bundle", &r, NOT_AFTER, 7, &e), 0);
	assert_int_equal(references_check("bundle", &r, 0, 0, &e), 0);
	assert_int_equal(references_check("bundle", &r, NOT_AFTER + 1, 7, &e), -EX_COLLATERAL);
	assert_non_null(strstr(e.text, "2027-01-15T08:00:00Z"));
	assert_int_equal(references_check("bundle", &r, NOT_AFTER, 8, &e), -EX_REFUSED);
	r.has_not_after = false;
	assert_int_equal(references_check("bundle", &r, NOT_AFTER + 1, 7, &e), 0);
}

#define D                                                                                          \
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"   \
	"0000000000"
#define V "{\"tee\":\"tdx\",\"label\":\"a\",\"mrtd\":\"" D "\"}"
#define HEAD "{\"format\":\"pavise-reference-values\",\"version\":0,\"svn\":1,"
#define ONE(value) HEAD "\"values\":[" value "]}"

static void signed_texts_keep_the_form(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int taken;
	} row[] = {
		{ ONE(V), 1 },
		{ ONE(V "," V), 1 },
		{ HEAD "\"not_after\":\"2027-01-01T00:00:00Z\",\"values\":[" V "]}", 1 },
		{ ONE("{\"tee\":\"sev-snp\",\"label\":\"\",\"measurement\":\"" D "\"}"), 1 },
		{ ONE("{\"tee\":\"sev-snp\",\"label\":\"\",\"measurement\":\"" D
		      "\",\"policy\":\"0xffffffffffffffff\"}"),
		  1 },
		{ ONE(""), 0 },
		{ ONE("1"), 0 },
		{ HEAD "\"values\":{}}", 0 },
		{ HEAD "\"values\":[" V "],\"more\":1}", 0 },
		{ HEAD "\"svn\":2,\"values\":[" V "]}", 0 },
		{ HEAD "\"not_after\":\"2027-02-30T00:00:00Z\",\"values\":[" V "]}", 0 },
		{ HEAD "\"not_after\":1,\"values\":[" V "]}", 0 },
		{ "{\"format\":\"pavise-references\",\"version\":0,\"svn\":1,\"values\":[" V "]}",
		  0 },
		{ "{\"format\":\"pavise-reference-values\",\"version\":1,\"svn\":1,\"values\":[" V
		  "]}",
		  0 },
		{ "{\"format\":\"pavise-reference-values\",\"version\":0,\"values\":[" V "]}", 0 },
		{ "{\"format\":\"pavise-reference-values\",\"version\":0,\"svn\":4294967296,"
		  "\"values\":[" V "]}",
		  0 },
		{ "[]", 0 },
		{ "", 0 },
		{ ONE("{\"tee\":\"sgx\",\"label\":\"a\",\"mrtd\":\"" D "\"}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"a\",\"cpus\":1,\"mrtd\":\"" D
		      "\",\"rtmr1\":\"" D "\"}"),
		  1 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"a\",\"mrtd\":\"" D "\",\"rtmr0\":null}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"a\",\"mrtd\":\"" D "\",\"rtmr0\":\"00\"}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"a\",\"mrtd\":\"" D "\",\"rtmr2\":\"" D "\"}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"mrtd\":\"" D "\"}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"a\"}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"a\",\"mrtd\":\"00\"}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"a\",\"measurement\":\"" D "\"}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"\\u001b[2J\",\"mrtd\":\"" D "\"}"), 0 },
		{ ONE("{\"tee\":\"tdx\",\"label\":\"" D "\",\"mrtd\":\"" D "\"}"), 0 },
		{ ONE("{\"tee\":\"sev-snp\",\"label\":\"\",\"measurement\":\"" D
		      "\",\"policy\":\"30000\"}"),
		  0 },
		{ ONE("{\"tee\":\"sev-snp\",\"label\":\"\",\"measurement\":\"" D
		      "\",\"policy\":\"0x\"}"),
		  0 },
		{ ONE("{\"tee\":\"sev-snp\",\"label\":\"\",\"measurement\":\"" D
		      "\",\"policy\":\"0x10000000000000000\"}"),
		  0 },
		{ ONE("{\"tee\":\"sev-snp\",\"label\":\"\",\"measurement\":\"" D
		      "\",\"cpus\":65537}"),
		  0 },
		{ ONE("{\"tee\":\"none\",\"label\":\"\"}"), 0 },
		{ ONE("{\"tee\":\"none\",\"label\":\"\",\"pcrs\":{}}"), 0 },
		{ ONE("{\"tee\":\"none\",\"label\":\"\",\"pcrs\":{\"sha1\":{}}}"), 0 },
		{ ONE("{\"tee\":\"none\",\"label\":\"\",\"pcrs\":{\"sha384\":{\"0\":\"" D "\"}}}"),
		  0 },
	};
	char *key = key_file("ED25519", NULL);

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct references r;
		char *file = signed_file(key, row[i].text);
		int status = open_bundle(file, NULL, &r);
		if (status != (row[i].taken ? 0 : -EX_MALFORMED))
			fail_msg("row %zu gave %d", i, status);
		references_free(&r);
		free(file);
	}
	unlink(key);
	free(key);
}

/* A trust domain's value counts with the RTMRs that it says, and with any where it says none. */
static void rtmrs(void **state)
{
	(void)state;
	enum { VALUES = 4 };
	struct reference_value value[VALUES] = { 0 };
	struct references r = { .svn = 1, .value = value, .count = VALUES }, again;
	static const uint8_t a[REFERENCES_DIGEST_SIZE] = { 1 }, b[REFERENCES_DIGEST_SIZE] = { 2 };
	static const uint8_t c[REFERENCES_DIGEST_SIZE] = { 3 };
	static const uint8_t *const mrtd[VALUES] = { a, a, a, b };

	for (size_t i = 0; i < VALUES; i++) {
		value[i].tee = REFERENCE_TDX;
		value[i].memory = 512u << 20;
		value[i].cpus = (uint32_t)i + 1;
		memcpy(value[i].digest, mrtd[i], sizeof(value[i].digest));
		value[i].has_rtmr[0] = i < 3;
		value[i].has_rtmr[1] = i < 2;
		memcpy(value[i].rtmr[0], i < 1 ? a : b, sizeof(value[i].rtmr[0]));
		memcpy(value[i].rtmr[1], c, sizeof(value[i].rtmr[1]));
	}
	char *key = key_file("ED25519", NULL), *text = references_write_text(&r);
	char *file = signed_file(key, text);
	assert_int_equal(open_bundle(file, NULL, &again), 0);
	assert_int_equal(again.count, VALUES);
	assert_int_equal(again.value[1].cpus, 2);
	assert_int_equal(again.value[1].memory, 512u << 20);
	const struct {
		const uint8_t *mrtd, *rtmr[REFERENCES_RTMRS];
		int found; /* -1: none */
	} row[] = {
		{ a, { a, c }, 0 },  { a, { b, c }, 1 },  { a, { b, a }, 2 }, { a, { a, a }, -1 },
		{ a, { c, c }, -1 }, { b, { a, c }, 3 },  { b, { c, b }, 3 }, { c, { a, c }, -1 },
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct reference_value *v =
			references_find_tdx(&again, row[i].mrtd, row[i].rtmr);
		assert_ptr_equal(v, row[i].found < 0 ? NULL : &again.value[row[i].found]);
	}
	references_free(&again);
	free(file);
	free(text);
	unlink(key);
	free(key);
}

/* More values than a bundle holds, and text beyond its bound. */
static void bounds(void **state)
{
	(void)state;
	char *key = key_file("ED25519", NULL);
	struct references r;

	for (size_t n = REFERENCES_VALUES_MAX; n <= REFERENCES_VALUES_MAX + 1; n++) {
		struct references many = { .svn = 1, .count = n };
		many.value = calloc(n, sizeof(*many.value));
		assert_non_null(many.value);
		for (size_t i = 0; i < n; i++)
			many.value[i].tee = REFERENCE_TDX;
		char *text = references_write_text(&many);
		char *file = signed_file(key, text);
		assert_int_equal(open_bundle(file, NULL, &r),
				 n == REFERENCES_VALUES_MAX ? 0 : -EX_MALFORMED);
		references_free(&r);
		references_free(&many);
		free(text);
		free(file);
	}
	char *blanks = malloc(REFERENCES_TEXT_MAX + 2);
	assert_non_null(blanks);
	memset(blanks, ' ', REFERENCES_TEXT_MAX + 1);
	blanks[REFERENCES_TEXT_MAX + 1] = '\0';
	char *file = signed_file(key, blanks);
	struct err e = { 0 };
	assert_int_equal(references_parse("bundle", (const uint8_t *)file, strlen(file), &r, &e),
			 -EX_MALFORMED);
	assert_non_null(strstr(e.text, "signed text"));
	references_free(&r);
	free(file);
	free(blanks);
	unlink(key);
	free(key);
}

static void outer_forms(void **state)
{
	(void)state;
	static const char *const row[] = {
		"",
		"[]",
		"{}",
		"{\"format\":\"pavise-references\",\"version\":0}",
		"{\"format\":\"pavise-references\",\"version\":0,\"key\":\"AA==\",\"signed\":"
		"\"a\"}",
		"{\"format\":\"pavise-references\",\"version\":1,\"key\":\"AA==\",\"signed\":\"a\","
		"\"signature\":\"AA==\"}",
		"{\"format\":\"pavise-reference\",\"version\":0,\"key\":\"AA==\",\"signed\":\"a\","
		"\"signature\":\"AA==\"}",
		"{\"format\":\"pavise-references\",\"version\":0,\"key\":\"A\",\"signed\":\"a\","
		"\"signature\":\"AA==\"}",
		"{\"format\":\"pavise-references\",\"version\":0,\"key\":\"AA==\",\"signed\":1,"
		"\"signature\":\"AA==\"}",
		"{\"format\":\"pavise-references\",\"version\":0,\"key\":\"AA==\",\"signed\":\"a\","
		"\"signature\":\"AA==\",\"more\":1}",
		/* Taken apart, but its key is none. */
		"{\"format\":\"pavise-references\",\"version\":0,\"key\":\"AA==\",\"signed\":\"a\","
		"\"signature\":\"AA==\"}",
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct references r;
		if (open_bundle(row[i], NULL, &r) != -EX_MALFORMED)
			fail_msg("row %zu was taken", i);
		references_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ed25519_bundles),
		cmocka_unit_test(p384_bundles),
		cmocka_unit_test(other_keys_are_refused),
		cmocka_unit_test(changed_bytes_are_refused),
		cmocka_unit_test(expiry_and_version),
		cmocka_unit_test(signed_texts_keep_the_form),
		cmocka_unit_test(rtmrs),
		cmocka_unit_test(bounds),
		cmocka_unit_test(outer_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
